"""The reference of the library from its docstrings: autodoc, and this house's form of docstring as lists.

A line `<!-- reference: cape_lib.base.coupling -->` in a page stands for each public name of the module (its `__all__`),
under a heading for each file that holds some. A line `<!-- reference: cape_lib.charts.* -->` stands for every module
of the package. Packages that only language models need are not imported: their names are stand-ins.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Collection
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext.autodoc.mock import mock

MARK = re.compile(r"^<!-- reference: (cape_lib[\w.]*?)(\.\*)? -->$", re.M)
STAND_INS = ["torch", "transformers", "accelerate", "safetensors", "tokenizers", "dask", "distributed"]
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)


def expand(app: Sphinx, page: str, source: list[str]) -> None:
    """Put headings and autodoc's directives in the place of every mark."""
    level = 3 if "\n## " in source[0] else 2
    source[0] = MARK.sub(lambda match: (_modules if match[2] else _module)(match[1], level), source[0])


def _imported(name: str) -> ModuleType:
    """A module; what only language models need is replaced by stand-ins, which SciPy must not meet while it loads."""
    importlib.import_module("scipy.stats")
    with mock(STAND_INS):
        return importlib.import_module(name)


def _modules(package: str, level: int) -> str:
    above = _imported(package)
    names = [f"{package}.{match.name}" for match in pkgutil.iter_modules(above.__path__)]
    offered = set(_public(above))
    return "\n\n".join(text for name in names if (text := _module(name, level, but=offered)))


def _module(name: str, level: int, *, but: Collection[str] = ()) -> str:
    module = _imported(name)
    rooms: dict[str, list[str]] = {}
    for member in (member for member in _public(module) if member not in but):
        rooms.setdefault(_home(module, member), []).append(member)
    parts = []
    for room, members in rooms.items():
        words = _in_markdown(inspect.getdoc(_imported(room)) or "")
        title = room.rpartition(".")[2].replace("_", " ").capitalize()
        head = f"{'#' * level} {title}\n\n" if room != name or but else ""
        parts.append(f"{head}{words}\n\n" + "\n\n".join(_entry(module, room, member) for member in members))
    package, _, short = name.rpartition(".")
    return "\n\n".join([*([] if but else [f"```python\nfrom {package} import {short}\n```"]), *parts]) if parts else ""


def _public(module: ModuleType) -> list[str]:
    """What the module offers: its `__all__`; a package what it imports from its own files; another module its own
    functions and classes without an underscore."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    if hasattr(module, "__path__"):
        imports = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ImportFrom)]
        inside = [node for node in imports if str(node.module).startswith(f"{module.__name__}.")]
        return [alias.asname or alias.name for node in inside for alias in node.names]
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return [name for name in own if not name.startswith("_") and callable(vars(module)[name])]


def _home(module: ModuleType, member: str) -> str:
    """The module that defines a public name: a constant's is the one whose file assigns it."""
    value = getattr(module, member)
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__module__)
    here = [module.__name__]
    if hasattr(module, "__path__"):
        here += [f"{module.__name__}.{match.name}" for match in pkgutil.iter_modules(module.__path__)]
    return next((name for name in here if member in _assigned(name)), module.__name__)


def _assigned(name: str) -> dict[str, str]:
    """Constants that a module's file assigns -> the comment `#:` above each, if any."""
    lines = inspect.getsource(_imported(name)).splitlines()
    assigned = {}
    for node in ast.parse("\n".join(lines)).body:
        targets = [*getattr(node, "targets", ()), getattr(node, "target", None)]
        above, words = node.lineno - 2, []
        while above >= 0 and lines[above].startswith("#"):
            words.insert(0, lines[above].lstrip("#: "))
            above -= 1
        assigned |= {target.id: " ".join(words) for target in targets if isinstance(target, ast.Name)}
    return assigned


def _entry(module: ModuleType, room: str, member: str) -> str:
    value = getattr(module, member)
    name = f"{module.__name__}.{member}"
    if inspect.isclass(value):
        lines = [f".. autoclass:: {name}", "   :members:"]
    elif inspect.isroutine(value):
        lines = [f".. autofunction:: {name}"]
    else:
        shown = repr(value) if isinstance(value, str | int | float | tuple) and len(repr(value)) < 90 else ""
        lines = [f".. py:data:: {member}", f"   :module: {module.__name__}", f"   :value: {shown}" if shown else ""]
        lines += ["", "   " + _plain(_assigned(room).get(member, ""))]
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```"


def _in_markdown(text: str) -> str:
    """A module's docstring in a page: an example in it is code."""
    parts = text.split("\n\n")
    return "\n\n".join(f"```python\n{part}\n```" if part.startswith(">>>") else part for part in parts)


def _plain(text: str) -> str:
    """Text of a docstring as reStructuredText: what stands in backticks is code, everything else is as it stands."""
    parts = CODE.split(text)
    out = [re.sub(r"([*|_\\])", r"\\\1", parts[0])]
    for ticks in range(1, len(parts), 3):
        out += [f"``{parts[ticks + 1].strip()}``" + "\\ " * parts[ticks + 2][:1].isalnum()]
        out += [re.sub(r"([*|_\\])", r"\\\1", parts[ticks + 2])]
    return "".join(out)


def in_lists(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Arguments, Returns, Raises and Source of a docstring, which stand in running text, become a list."""
    try:
        names = list(inspect.signature(value).parameters) if callable(value) else []
    except (TypeError, ValueError):
        names = []
    known = "|".join(map(re.escape, names)) or "(?!)"
    starts = re.compile(
        rf"(?:^|\n\s*|(?<=[.;)])\s+)(?=(?:(?:{known})(?:, (?:{known}))*: )|Returns |Raises |Sources?: )"
    )
    out: list[str] = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines).strip()):
        if "\n  " in paragraph or paragraph.startswith(" "):
            out += ["::", "", *(f"    {line}" for line in paragraph.splitlines()), ""]  # an example, as it stands
            continue
        for segment in starts.split(paragraph):
            term = re.match(rf"((?:{known})(?:, (?:{known}))*|Sources?): |(Returns|Raises) ", segment)
            text = " ".join((segment[term.end() :] if term else segment).split())
            if term and text:
                label = term[2] or term[1]
                shown = label if label in ("Returns", "Raises", "Source", "Sources") else f"``{label}``"
                out += [shown, f"    {_plain(text).rstrip(';')}"]
            elif text:
                out += ["", _plain(text), ""]
        out.append("")
    lines[:] = out


def short_types(
    app: Sphinx, what: str, name: str, value: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Arrays by their short name, as the source spells them; what cannot be read as Python, not at all."""
    arrays = re.compile(r"~?(?:numpy\.)?ndarray\[.*?dtype\[([^\[\]]*)\]\]")
    # A default that a factory makes is shown as one: the angle brackets would leave the signature unread.
    texts = (text and arrays.sub(r"NDArray[\1]", text) for text in (signature, returned))
    return tuple(text and text.replace("<factory>", "...") for text in texts)


def skip(app: Sphinx, what: str, name: str, value: object, left_out: bool, options: object) -> bool | None:
    """The fields of a named tuple stand in its signature."""
    return True if str(getattr(value, "__doc__", "")).startswith("Alias for field number") else None


def foreign(app: Sphinx, env: object, node: object, text: object) -> object:
    """A type of another library stays a name; one of this library that leads nowhere stays a warning."""
    outside = node.get("refdomain") == "py" and not node.get("reftarget", "").startswith("cape_lib")
    return text if outside else None


def source_links(app: Sphinx, config: Config) -> None:
    """[source] beside every name leads to its file in the repository that the book's settings name."""
    options = config.html_theme_options
    base = f"{options.get('repository_url', '').rstrip('/')}/blob/{options.get('repository_branch', 'main')}"

    def resolve(domain: str, info: dict[str, str]) -> str | None:
        value: object = importlib.import_module(info["module"]) if domain == "py" and info.get("module") else None
        for part in info["fullname"].split("."):
            value = getattr(value, part, None)
        home = str(getattr(value, "__module__", ""))
        if not home.startswith("cape_lib"):
            return None
        return f"{base}/cape_lib/{str(importlib.import_module(home).__file__).rpartition('cape_lib/')[2]}"

    config.linkcode_resolve = resolve


def setup(app: Sphinx) -> dict:
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.linkcode"):
        app.setup_extension(extension)
    app.config.autodoc_mock_imports = STAND_INS
    app.config.autodoc_typehints_format = "short"
    app.config.autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
    app.config.autodoc_preserve_defaults = True
    app.config.add_module_names = False
    app.config.toc_object_entries = False
    app.config.python_use_unqualified_type_names = True
    app.config.python_maximum_signature_line_length = 76
    app.connect("config-inited", source_links, priority=400)
    app.connect("source-read", expand)
    app.connect("autodoc-process-docstring", in_lists)
    app.connect("autodoc-process-signature", short_types)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", foreign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
