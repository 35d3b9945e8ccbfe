"""What a link to a page shows elsewhere: a description, and the page's main figure under its answer (Open Graph)."""

import json
import os
import re
import textwrap
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from cape_lib.output import digest, once
from cape_lib.report.publish.build import VEGA_LITE

WIDTH, HEIGHT, EDGE = 1200, 630, 40
#: Size of the letters of the sentence, how many fit on a line, and how many lines there may be.
SIZE, LETTERS, MOST_LINES = 29, 74, 4
INK, MUTED = "#212529", "#5c636a"
SENTENCE = 300
#: Width and height of the plot as drawn, before it is enlarged: few pixels make large letters.
PLOT = (700, 215)


def plain(text: str) -> str:
    """Text or HTML on one line, without the sign of a link to a heading; a space that does not break stays."""
    bare = re.sub(r'<a class="headerlink".*?</a>|<[^>]+>', "", text, flags=re.S)
    return re.sub(r"[ \t\r\n]+", " ", unescape(bare)).strip()


def of(doctree: nodes.document) -> tuple[str, dict | None]:
    """The sentence of a page and the figure of its picture: its answer, else what its figure shows, else its text."""
    figure, finding, answer, text, inside = None, "", "", "", False
    for node in doctree.findall(lambda one: isinstance(one, nodes.raw | nodes.paragraph)):
        words = node.astext()
        if isinstance(node, nodes.paragraph):
            answer = answer or (plain(words) if inside else "")
            text = text or plain(words)
        elif figure is None and 'class="cape-figure"' in words:
            data = re.search(r'<script type="application/json">(.*?)</script>', words, re.S)
            title = re.search(r'<p class="cape-title"[^>]*>(.*?)<a class="headerlink"', words, re.S)
            figure, finding = json.loads(data[1]) if data else None, plain(title[1]) if title else ""
        inside = inside or 'class="cape-answer' in words
    return answer or finding or text, figure


def dress(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Give a page its description, its address and its picture; a page without a figure shows that of the first."""
    if doctree is None or app.builder.name != "html":
        return
    sentence, figure = of(doctree)
    sentence = textwrap.shorten(sentence, SENTENCE, placeholder=" ...") or plain(context["title"])
    if figure is not None:
        target = Path(app.outdir) / "_static" / "preview" / f"{page.replace('/', '-')}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(drawn_once(sentence, plain(context["title"]), figure))
    shown = page if figure is not None else app.config.root_doc
    repository = re.match(r"https://github\.com/([^/]+)/([^/]+)", app.config.html_theme_options["repository_url"])
    address = f"https://{repository[1].lower()}.github.io/{repository[2]}/" if repository else ""
    facts = {"title": plain(context["title"]), "description": sentence, "type": "article"}
    facts |= {"url": f"{address}{page}.html", "image": f"{address}_static/preview/{shown.replace('/', '-')}.png"}
    facts |= {"image:width": WIDTH, "image:height": HEIGHT, "image:alt": sentence}
    lines = [f'<link rel="canonical" href="{escape(facts["url"])}">']
    lines += [f'<meta name="description" content="{escape(sentence)}">']
    lines += ['<meta name="twitter:card" content="summary_large_image">']
    lines += [f'<meta property="og:{name}" content="{escape(str(text))}">' for name, text in facts.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)


def drawn_once(sentence: str, name: str, figure: dict) -> bytes:
    """The picture, from the folder CAPE_CACHE where it was drawn before."""
    cache, picture = os.environ.get("CAPE_CACHE"), f"preview-{digest(json.dumps([sentence, name, figure]))[:16]}.png"
    return once(Path(cache) / picture if cache else None, lambda: draw(sentence, name, figure))


def draw(sentence: str, name: str, figure: dict) -> bytes:
    """The picture as PNG, 1200 by 630: the sentence above the figure, the name of the page below it."""
    import vl_convert

    lines = textwrap.wrap(sentence, LETTERS, max_lines=MOST_LINES, placeholder=" ...")
    words = [(EDGE + SIZE * (0.8 + 1.25 * at), SIZE, "bold", INK, line) for at, line in enumerate(lines)]
    words += [(HEIGHT - 24, 22, "normal", MUTED, f"The CAPE book · {name}")]
    top, views = EDGE + 1.25 * SIZE * len(lines) + 10, figure["views"][:2]
    wide = (WIDTH - EDGE) / len(views) - EDGE
    parts = [
        f'<text x="{EDGE}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" fill="{ink}">{escape(text)}</text>'
        for y, size, weight, ink, text in words
    ]
    for at, view in enumerate(views):
        spec = view | {"datasets": figure["data"], "config": figure["config"], "background": "white"}
        single = "mark" in spec or "layer" in spec
        spec |= {"width": PLOT[0] / len(views) ** 0.5} if spec.get("width") == "container" else {}
        spec |= {"height": PLOT[1]} if single and not isinstance(spec.get("height"), dict) else {}
        svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
        box = re.search(r'viewBox="[^"]*"', svg)[0]
        place = f'x="{EDGE + at * (wide + EDGE):.0f}" y="{top:.0f}" width="{wide:.0f}" height="{HEIGHT - top - 60:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {place} {box}>'
        parts.append(re.sub(r"<svg[^>]*>", head, svg, count=1))
    whole = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}'
    size = f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif"'
    return bytes(vl_convert.svg_to_png(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{whole}</svg>'))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", dress)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
