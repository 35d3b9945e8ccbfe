"""What a link to a page shows elsewhere: a description, and the page's main figure under its answer (Open Graph)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

from cape_lib.report.publish.cache import digest
from cape_lib.report.publish.places import VEGA_LITE

WIDTH, HEIGHT = 1200, 630
EDGE = 40
#: Letters of the picture: height of a line and mean width of a letter, as multiples of the size of the font.
LINE, LETTER = 1.25, 0.52
#: Sizes to try for the sentence, and how many lines it may take.
SIZES, MOST_LINES = (40, 34, 29, 25), 4
INK, MUTED = "#212529", "#5c636a"
SENTENCE = 300
#: How much larger letters of a chart are to be than on its page; to which shares of its height it may shrink for it.
LARGER, FLATTER = 1.35, (1.0, 0.85, 0.7, 0.6)
#: More names than these beside points would lie on each other where a chart is much flatter than they were placed for.
MOST_NAMES = 12

_ANSWER = re.compile(r'<div class="cape-answer">\s*<p>(.*?)</p>', re.S)
_FIGURE = re.compile(r'<figure class="cape-figure".*?</figure>', re.S)
_TITLE = re.compile(r'<p class="cape-title"[^>]*>(.*?)<a class="headerlink"', re.S)
_DATA = re.compile(r'<script type="application/json">(.*?)</script>', re.S)
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.S)
_ARTICLE = re.compile(r'<article class="bd-article".*?</article>', re.S)


@dataclass(frozen=True, slots=True)
class Preview:
    """What is said of a page elsewhere: its name, a sentence, and the figure of its picture (None: it has none)."""

    name: str
    sentence: str
    figure: dict[str, Any] | None


def of(page: str) -> Preview | None:
    """The preview of a built page (HTML): its answer, else the finding of its first figure, else its first sentence."""
    body = _ARTICLE.search(page)
    heading = _HEADING.search(body[0]) if body else None
    if body is None or heading is None:
        return None
    article = body[0]
    figure = _FIGURE.search(article)
    title = _TITLE.search(figure[0]) if figure else None
    first = re.search(r"</h1>.*?<p>(.*?)</p>", article, re.S)
    sentence = next((match for match in (_ANSWER.search(article), title, first) if match), heading)
    data = _DATA.search(figure[0]) if figure else None
    return Preview(_plain(heading[1]), _plain(sentence[1]), json.loads(data[1]) if data else None)


def _plain(html: str) -> str:
    """Text of a piece of HTML on one line, without the sign of a link to a heading."""
    bare = re.sub(r'<a class="headerlink".*?</a>|<[^>]+>', "", html, flags=re.S)
    return re.sub(r"[ \t\r\n]+", " ", unescape(bare)).strip()  # a space that does not break stays


def dress(html: Path, address: str, cache: Path) -> None:
    """Give every built page its description, its address and its picture, for whoever shows a link to it.

    html: folder of the pages; address: of the published book, ending in "/"; cache: folder where pictures are kept by
    their content. A page without a figure shows the picture of the first page.
    """
    pages = {path: of(path.read_text(encoding="utf-8")) for path in sorted(html.rglob("*.html"))}
    shown = {path: one for path, one in pages.items() if one is not None}
    folder = html / "_static" / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for path, one in shown.items():
        if one.figure is not None:
            name = path.relative_to(html).with_suffix(".png").as_posix().replace("/", "-")
            (folder / name).write_bytes(_drawn_once(one, cache))
            pictures[path] = f"_static/preview/{name}"
    for path, one in shown.items():
        place = path.relative_to(html).as_posix()
        _write(path, _head(one, address, place, pictures.get(path) or next(iter(pictures.values()), None)))


def _head(one: Preview, address: str, place: str, image: str | None) -> str:
    """The lines of a page's head."""
    sentence = one.sentence if len(one.sentence) <= SENTENCE else one.sentence[:SENTENCE].rsplit(" ", 1)[0] + " ..."
    lines = [f'<link rel="canonical" href="{escape(address + place)}">']
    lines.append(f'<meta name="description" content="{escape(sentence)}">')
    facts = {"title": one.name, "description": sentence, "type": "article", "url": address + place}
    if image is not None:
        facts |= {"image": address + image, "image:width": str(WIDTH), "image:height": str(HEIGHT)}
        facts["image:alt"] = sentence
        lines.append('<meta name="twitter:card" content="summary_large_image">')
    lines += [f'<meta property="og:{name}" content="{escape(text)}">' for name, text in facts.items()]
    return "\n".join(lines)


def _write(path: Path, head: str) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</head>", f"{head}\n</head>", 1), encoding="utf-8")


def _drawn_once(one: Preview, cache: Path) -> bytes:
    file = cache / f"preview-{digest(json.dumps([one.name, one.sentence, one.figure]))[:16]}.png"
    if file.is_file():
        return file.read_bytes()
    picture = draw(one)
    cache.mkdir(parents=True, exist_ok=True)
    file.write_bytes(picture)
    return picture


def draw(one: Preview) -> bytes:
    """The picture as PNG, 1200 by 630: the sentence above the figure, the name of the page below it."""
    import vl_convert

    assert one.figure is not None
    size, lines = _broken(one.sentence)
    top = EDGE + round(size * LINE * len(lines)) + 10
    views = one.figure["views"][:2]
    wide = (WIDTH - EDGE) / len(views) - EDGE
    room = (wide, HEIGHT - top - 60.0)
    chart = "".join(
        _fitted(_spec(one.figure, view), room, (EDGE + i * (wide + EDGE), top)) for i, view in enumerate(views)
    )
    words = "".join(
        f'<text x="{EDGE}" y="{EDGE + round(size * (0.8 + LINE * i))}" font-size="{size}" font-weight="bold" '
        f'fill="{INK}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    foot = f'<text x="{EDGE}" y="{HEIGHT - 24}" font-size="22" fill="{MUTED}">The CAPE book · {escape(one.name)}</text>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{words}{chart}{foot}</svg>'
    )
    return bytes(vl_convert.svg_to_png(svg))


def _broken(sentence: str) -> tuple[int, list[str]]:
    """The largest size of letters at which the text fits, and its lines; what is too long loses its last sentences."""
    for size in SIZES:
        lines = _lines(sentence, size)
        if len(lines) <= (3 if size > SIZES[-1] else MOST_LINES):
            return size, lines
    whole = sentence
    while ". " in whole.rstrip(". "):
        whole = whole.rstrip(". ").rpartition(". ")[0] + "."
        if len(_lines(whole, SIZES[-1])) <= MOST_LINES:
            return _broken(whole)
    most = len(lines[MOST_LINES - 1])
    return SIZES[-1], [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][: most - 4] + " ..."]


def _lines(sentence: str, size: int) -> list[str]:
    """The lines of a text at a size of letters; a space that does not break keeps its words together."""
    most = int((WIDTH - 2 * EDGE) / (LETTER * size))
    lines: list[str] = []
    for word in sentence.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _fitted(spec: dict[str, Any], room: tuple[float, float], corner: tuple[float, float]) -> str:
    """A chart as a nested picture that fills the room, drawn wider, or flatter, where its shape is too tall."""
    tallest = spec.get("height", spec["config"].get("view", {}).get("continuousHeight"))
    tallest = tallest if isinstance(tallest, int | float) and ("mark" in spec or "layer" in spec) else None
    many = sum(len(spec["datasets"].get(source, [])) for source in _named_rows(spec)) > MOST_NAMES
    for share in FLATTER[:2] if many else FLATTER:
        flat = spec if tallest is None else spec | {"height": round(tallest * share)}
        wide, tall = _svg(flat, 640)[1]
        svg, (wide, tall) = _svg(flat, min(1600, max(320, 640 + round(tall * room[0] / room[1] - wide))))
        scale = min(room[0] / wide, room[1] / tall, 2.2)
        if scale >= LARGER or tallest is None:
            break
    at = f'x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{wide * scale:.1f}" height="{tall * scale:.1f}"'
    return re.sub(
        r"<svg[^>]*>",
        f'<svg xmlns="http://www.w3.org/2000/svg" {at} viewBox="0 0 {wide:g} {tall:g}">',
        svg,
        count=1,
    )


def _named_rows(view: dict[str, Any], source: str = "") -> Iterator[str]:
    """The names of the rows that a chart writes beside its points, layers within layers included."""
    source = view.get("data", {}).get("name", source)
    mark = view.get("mark")
    if (mark.get("type") if isinstance(mark, dict) else mark) == "text":
        yield source
    for layer in view.get("layer", []):
        yield from _named_rows(layer, source)


def _spec(figure: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
    """One chart of a figure as a whole specification."""
    return view | {"datasets": figure["data"], "config": figure["config"], "background": "white"}


def _svg(spec: dict[str, Any], width: int) -> tuple[str, tuple[float, float]]:
    """A chart as SVG at a width of its plot, and its size."""
    import vl_convert

    if spec.get("width") == "container":
        spec = spec | {"width": width}
    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    size = re.search(r'<svg[^>]*\bwidth="([\d.]+)"[^>]*\bheight="([\d.]+)"', svg)
    assert size
    return svg, (float(size[1]), float(size[2]))
