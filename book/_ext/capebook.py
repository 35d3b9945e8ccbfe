"""What the book's own pages have beside the builder's: computed links, the evidence behind a chapter, its bibliography.

The version of the book where a page says @VERSION@: it stands in one place, the library's. What is typed in prose is
set like what is computed: a minus is a minus (`cape_lib.signs.typeset`). And a line
`<!-- report: examples/my_family.csv Larch -->` stands for what `cape family` says first of a table of scores: the
headline, how sure it is, the figure of the steps and what the scores cannot show.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx import addnodes
from sphinx.application import Sphinx

import cape_lib
from cape_lib.signs import typeset

REPORT = re.compile(r"^<!-- report: (\S+) (\S+) -->$", re.M)


def fill_in(app: Sphinx, pagename: str, source: list[str]) -> None:
    """The version of the book, and the beginning of a report in the place of every mark of one."""
    text = source[0].replace("@VERSION@", cape_lib.__version__)
    source[0] = REPORT.sub(lambda mark: _opening(mark[1], mark[2]), text)


def _opening(path: str, name: str) -> str:
    from cape_lib import tables  # only a page with a report needs them
    from cape_lib.report import family

    (part,) = family.parts(tables.read_scores(Path(cape_lib.__file__).resolve().parents[1] / path), name=name)
    text, figure, limits = family.opening(part, name)
    return f"{text}\n\n```{{raw}} html\n{figure.to_html()}\n```\n\n**What these scores cannot show**\n\n{limits}"


#: What is shown as it was written: code, formulas, signatures.
AS_WRITTEN = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw, addnodes.desc_signature)


def set_prose(app: Sphinx, doctree: nodes.document) -> None:
    for text in list(doctree.findall(nodes.Text)):
        above = text.parent
        while above is not None and not isinstance(above, AS_WRITTEN):
            above = above.parent
        follows = text.parent is not None and text.parent.index(text) > 0 and text.startswith("-")
        if above is None and not follows:  # a hyphen after a piece of code is part of a name
            shown = typeset(text.astext())
            if shown != text.astext():
                text.parent.replace(text, nodes.Text(shown))


def mathml(self: nodes.NodeVisitor, node: nodes.math) -> None:
    """A formula as MathML; as code, where the translator does not know a macro."""
    tex = node.astext()
    try:
        self.body.append(latex2mathml.tex2mathml(tex.strip(), as_block=isinstance(node, nodes.math_block)))
    except Exception:  # the translator's own errors differ from version to version
        self.body.append(f"<code>{escape(tex.strip())}</code>")
    raise nodes.SkipNode


def link(app: Sphinx, doctree: nodes.document) -> None:
    """Links to built pages and to rows of the ledger stay as they are: for the builder they are no files."""
    if app.builder.name != "html":
        return
    for target in list(doctree.findall(addnodes.pending_xref)):
        address = target.get("reftarget", "")
        row = re.fullmatch(r"#?([CO]\d+)", address)
        if row or re.search(r"\.html(#|$)", address):
            address = f"#{row[1]}" if row else address
            target.replace_self(nodes.reference("", "", *target.children, refuri=address, internal=True))


def show_evidence(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A chapter lists the sections of its audit, folded, after its last cell."""
    audit = page.replace("notebooks/", "notebooks/audit/", 1)
    cells = [node for node in doctree.findall(nodes.container) if "cell" in node["classes"]]
    if audit == page or audit not in app.env.found_docs or not cells:
        return
    sections = app.env.tocs[audit][0][1:]  # below the title of the page, the list of its sections
    heads = [item.next_node(nodes.reference) for entries in sections for item in entries]
    address = f"audit/{audit.rpartition('/')[2]}.html"
    links = "".join(f'<li><a href="{address}{head["anchorname"]}">{escape(head.astext())}</a></li>' for head in heads)
    title = f"The evidence behind this chapter: {len(heads)} sections of the audit"
    text = f'<details class="cape-evidence"><summary>{title}</summary><ul>{links}</ul></details>'
    place = cells[-1].parent.index(cells[-1])
    cells[-1].parent.insert(place + 1, nodes.raw("", text, format="html"))


def list_works(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """The bibliography as a plain list: a text names works by author and year, and their roles have no readers left."""
    for parent in {citation.parent for citation in doctree.findall(nodes.citation)}:
        works = [child for child in parent if isinstance(child, nodes.citation)]
        items = [nodes.list_item("", *work.children[1:], ids=work["ids"]) for work in works]
        parent.insert(parent.index(works[0]), nodes.bullet_list("", *items))
        for work in works:
            parent.remove(work)


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.connect("source-read", fill_in)
    app.connect("doctree-read", set_prose)
    app.connect("doctree-read", link)
    app.connect("doctree-resolved", list_works)
    app.connect("doctree-resolved", show_evidence)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
