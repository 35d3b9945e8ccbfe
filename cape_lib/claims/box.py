"""The verdict box: what a chapter shows of the claims that it treats. A word with a shape, never a colour alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from cape_lib.claims.registry import evaluate, where
from cape_lib.claims.verdict import SHAPES, Part, Verdict
from cape_lib.signs import sentence, typeset

#: Verdict -> class of the style sheet.
CLASSES = {
    "reproduced": "cape-reproduced",
    "reproduced with definition": "cape-reproduced-with-definition",
    "in the last digit": "cape-last-digit",
    "differs": "cape-differs",
    "not testable": "cape-not-testable",
}


@dataclass(frozen=True, slots=True)
class Box:
    """Verdicts that show themselves in the book, in Jupyter and as text."""

    verdicts: tuple[Verdict, ...]

    def _repr_html_(self) -> str:
        return typeset("".join(_html(verdict) for verdict in self.verdicts))

    def _repr_markdown_(self) -> str:
        return typeset("\n\n".join(_markdown(verdict) for verdict in self.verdicts))

    def __str__(self) -> str:
        return self._repr_markdown_()


def box(*ids: str, panel: str | None = None) -> Box:
    """The verdicts of these claims, each with an anchor (`#C03`) to which the page of all claims links.

    panel: as for `evaluate`. Raises UsageError for an unknown claim or panel.
    """
    return Box(tuple(evaluate(ids, panel=panel)))


def badge(verdict: str) -> str:
    """A verdict as HTML: its shape, hidden from a screen reader, and its word."""
    return f'<span class="cape-verdict-word"><span aria-hidden="true">{SHAPES[verdict]}</span> {verdict}</span>'


def figures(part: Part) -> str:
    """What was published and what came out, as one line of text."""
    count = f", n = {part.result.n}" if part.result.n else ""
    interval = f" {part.interval}" if part.interval else ""
    if part.compare == "holds":
        return f"{part.came_out}{interval}{count}"
    return f"published {printed(part)}, here {part.came_out}{interval}{count}"


def printed(part: Part) -> str:
    """The published number of a part as text, with the bound that it is."""
    bound = {"at least": "at least ", "at most": "at most ", "about": "about "}.get(part.compare, "")
    return typeset(bound + (part.published or ""))


def how(part: Part) -> str:
    """The definition of a part, why it is particular, and what is missing."""
    text = part.definition
    if part.particular:
        text += f" ({part.particular})"
    if part.verdict == "not testable":
        text += f"; missing: {part.missing}"
    return text


def tested(verdict: Verdict) -> str:
    """The test that decides the conclusion, its number and what it says, as one sentence."""
    by = verdict.conclusion_test
    if by.kind == "none":
        return f"Untested: {by.why}."
    on = "" if by.panel == verdict.panel else f", {by.panel} panel"
    return f"{verdict.conclusion.capitalize()}, tested by {by.name} ({by.kind}{on}): {by.says}. {sentence(by.why)}."


def _html(verdict: Verdict) -> str:
    panel = "" if verdict.panels == ("published",) else f" Panel: {verdict.panel}."
    notes = ". ".join(map(sentence, verdict.notes)) + ". " if verdict.notes else ""
    counts = Counter(part.verdict for part in verdict.parts)
    # beside the claim while its box is closed: the figures, or how many parts have which verdict
    short = f"{len(verdict.parts)} parts: " + ", ".join(f"{n} {word}" for word, n in counts.items())
    if len(verdict.parts) == 1:
        particular = verdict.parts[0].particular
        short = figures(verdict.parts[0]) + (f"; {particular}" if particular else "")
    items = []
    for i, part in enumerate(verdict.parts):
        # a definition that several parts share in a row stands once, after the last of them
        shared = any(how(following) == how(part) for following in verdict.parts[i + 1 : i + 2])
        word = "" if len(verdict.parts) == 1 else f" {badge(part.verdict)}"
        definition = "" if shared else f'<br><span class="cape-definition">{escape(how(part))}</span>'
        items.append(f"<li>{escape(_named(part, verdict))}{escape(figures(part))}{word}{definition}</li>")
    return (
        f'<details class="cape-verdict {CLASSES[verdict.verdict]}" id="{verdict.id}">'
        f"<summary>{badge(verdict.verdict)} {badge(verdict.conclusion)} <strong>{verdict.id}</strong> "
        f"{escape(verdict.sentence)} "
        f'<span class="cape-definition">({escape(verdict.source)}) {escape(short)}</span></summary>'
        f"<p>{escape(tested(verdict))}</p><ul>{''.join(items)}</ul><p><small>{escape(notes)}{panel} "
        f'<a href="{where(verdict.id)["claim_link"]}">Formula, code and other panels</a></small></p></details>'
    )


def _markdown(verdict: Verdict) -> str:
    words = ", ".join(f"{SHAPES[axis]} **{axis}**" for axis in (verdict.verdict, verdict.conclusion))
    head = f"> {words} [{verdict.id}]({where(verdict.id)['claim_link']}) {verdict.sentence} *({verdict.source})*"
    lines = [f"> - {_named(part, verdict)}{figures(part)} ({part.verdict}): {how(part)}" for part in verdict.parts]
    return "\n>\n".join([head, f"> {tested(verdict)}", "\n".join(lines)])


def _named(part: Part, verdict: Verdict) -> str:
    return "" if len(verdict.parts) == 1 else f"{part.name}: "
