"""What the theme loads on every page and the book does not need: 800 kB of icons for twenty of them, and Thebe.

The icons are drawn from the theme's own Font Awesome Free (CC BY 4.0), as masks in the style sheet.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import quote

#: Icons that a script puts into a page, or a style, so that no page names them.
ALSO = {"xmark", "angle-down", "circle-check"}
#: Kind of admonition -> icon.
ADMONITIONS = {
    "note": "circle-info",
    "tip": "lightbulb",
    "hint": "lightbulb",
    "important": "circle-exclamation",
    "attention": "circle-exclamation",
    "warning": "triangle-exclamation",
    "caution": "triangle-exclamation",
    "danger": "triangle-exclamation",
    "error": "circle-xmark",
    "seealso": "share",
}
_USED = re.compile(r'class="[^"]*\b(?:fa-solid|fa-brands|fa-regular|fas|fab|far)\b[^"]*"')
_DROPPED = (
    re.compile(r'\s*<script[^>]*src="[^"]*fontawesome\.js[^"]*"[^>]*></script>'),
    re.compile(r'\s*<link[^>]*href="[^"]*fontawesome[^"]*"[^>]*/?>'),
    re.compile(r'\s*<script type="text/x-thebe-config">.*?</script>', re.S),
    re.compile(r"\s*<script>kernelName = '[^']*'</script>"),
)
#: The theme's rules for two thousand icons of a font that no page loads.
_OF_THE_FONT = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}|@font-face\{[^{}]*Font Awesome[^{}]*\}')

#: What assistive technology stumbles over in the theme, in docutils and in pandas.
_MENDED = {
    '<summary><span class="toctree-toggle"': '<summary aria-label="Pages of this section"><span class="toctree-toggle"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
    "<th></th>": "<td></td>",  # the empty corner of a table heads nothing
}
#: A signature over several lines is a list of definitions without terms: lines are what it is.
_LINES = re.compile(r"<dl>(\s*<dd>(?:(?!</?d[lt]\b).)*)</dl>", re.S)


def trim(html: Path) -> None:
    """Take out of built pages what they do not need; writes the icons' rules at the end of `_static/cape.css`."""
    static = html / "_static"
    names = ALSO | set(ADMONITIONS.values())
    for page in sorted(html.rglob("*.html")):
        if static in page.parents:
            continue
        text = page.read_text(encoding="utf-8")
        for classes in _USED.findall(text):
            names |= set(re.findall(r"\bfa-([a-z0-9-]+)", classes))
        for pattern in _DROPPED:
            text = pattern.sub("", text)
        for before, after in _MENDED.items():
            text = text.replace(before, after)
        page.write_text(_LINES.sub(_lines, text), encoding="utf-8")
    theme = static / "styles" / "pydata-sphinx-theme.css"
    theme.write_text(_OF_THE_FONT.sub("", theme.read_text(encoding="utf-8")), encoding="utf-8")
    icons = _icons((static / "scripts" / "fontawesome.js").read_text(encoding="utf-8"), names)
    with (static / "cape.css").open("a", encoding="utf-8") as sheet:
        sheet.write(_rules(icons))
    shutil.rmtree(static / "vendor" / "fontawesome", ignore_errors=True)
    for leftover in {*html.rglob("*.map"), *static.glob("scripts/fontawesome.js*"), *static.glob("sphinx-thebe.*")}:
        leftover.unlink()


def _lines(match: re.Match[str]) -> str:
    return re.sub(r"<(/?)dd>", lambda tag: f"<{tag[1]}span{'' if tag[1] else ' class=sig-line'}>", match[1])


def _icons(script: str, names: set[str]) -> dict[str, str]:
    """Name -> address of its picture, for those of `names` that the icon script knows."""
    icons = {}
    for name in sorted(names):
        match = re.search(rf'["\'{{,]{re.escape(name)}["\']?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"', script)
        if match:
            width, height, path = match.groups()
            svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>"
            icons[name] = f'url("data:image/svg+xml,{quote(svg, safe="~()*!:@,;/= ")}")'
    return icons


def _rules(icons: dict[str, str]) -> str:
    mask = (
        'content: ""; font-family: inherit; display: inline-block; width: 1.1em; height: 1em; vertical-align: -.125em;'
        " background: currentColor; -webkit-mask: var(--cape-icon) center / contain no-repeat;"
        " mask: var(--cape-icon) center / contain no-repeat"
    )
    lines = ["\n/* ---- icons (Font Awesome Free, CC BY 4.0) ---- */"]
    kinds = ":is(.fa-solid, .fa-brands, .fa-regular, .fas, .fab, .far)"
    lines += [f":is(i, span){kinds} {{ font-family: inherit; }}", f":is(i, span){kinds}::before {{ {mask}; }}"]
    lines += [f".fa-{name} {{ --cape-icon: {address}; }}" for name, address in icons.items()]
    title = ".bd-article .admonition > .admonition-title::after"
    lines += [f"{title} {{ {mask}; background: currentColor; color: var(--pst-color-info); opacity: 1; }}"]
    lines += [f":root {{ --cape-icon: {icons['circle-info']}; }}"] if "circle-info" in icons else []
    lines += [
        f".admonition.{kind} > .admonition-title {{ --cape-icon: {icons[name]}; }}"
        for kind, name in ADMONITIONS.items()
        if name in icons
    ]
    if "angle-down" in icons:
        arrow = ".bd-sidebar-secondary.hide:not(:hover) .onthispage::after"
        lines += [f"{arrow} {{ {mask}; --cape-icon: {icons['angle-down']}; }}"]
    return "\n".join(lines) + "\n"
