"""The verdict box: what a chapter shows of the claims that it treats. A word with a shape, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from cape_lib.claims.evaluate import evaluate
from cape_lib.claims.registry import where
from cape_lib.claims.rule import SHAPES
from cape_lib.claims.verdict import Part, Verdict


@dataclass(frozen=True, slots=True)
class Box:
    """Verdicts that show themselves in the book, in Jupyter and as text."""

    verdicts: tuple[Verdict, ...]

    def _repr_html_(self) -> str:
        return "".join(_html(verdict) for verdict in self.verdicts)

    def _repr_markdown_(self) -> str:
        return "\n\n".join(_markdown(verdict) for verdict in self.verdicts)

    def __str__(self) -> str:
        return self._repr_markdown_()


def box(*ids: str, panel: str | None = None) -> Box:
    """The verdicts of these claims, each with an anchor (`#C03`) to which the page of all claims links.

    panel: as for `evaluate`. Raises UsageError for an unknown claim or panel.
    """
    return Box(tuple(evaluate(ids, panel=panel)))


def badge(verdict: str) -> str:
    """A verdict as HTML: its shape, hidden from a screen reader, and its word."""
    kind = verdict.replace(" ", "-")
    return f'<span class="cape-badge cape-{kind}"><span aria-hidden="true">{SHAPES[verdict]}</span> {verdict}</span>'


def figures(part: Part) -> str:
    """What was published and what came out, as one line of text."""
    count = f", n = {part.found.n}" if part.found.n else ""
    interval = f" {part.interval}" if part.interval else ""
    if part.compare == "holds":
        return f"{part.came_out}{count}" if isinstance(part.found.value, bool) else f"{part.came_out}{interval}{count}"
    bound = {"at least": "at least ", "at most": "at most ", "about": "about "}.get(part.compare, "")
    printed = (part.published or "").replace("-", "\N{MINUS SIGN}")
    return f"published {bound}{printed}, here {part.came_out}{interval}{count}"


def _html(verdict: Verdict) -> str:
    items = "".join(
        f"<li>{_named(part, verdict)}{escape(figures(part))}"
        f"{'' if len(verdict.parts) == 1 else ' ' + badge(part.verdict)}"
        f'<br><span class="cape-definition">{escape(_how(part))}</span></li>'
        for part in verdict.parts
    )
    links = where(verdict.id)
    panel = "" if verdict.panels == ("published",) else f" Panel: {verdict.panel}."
    return (
        f'<aside class="cape-verdict cape-{verdict.verdict.replace(" ", "-")}" id="{verdict.id}" '
        f'aria-label="Verdict on claim {verdict.id}">'
        f'<p class="cape-claim">{badge(verdict.verdict)} <a href="{links["claim_link"]}">{verdict.id}</a> '
        f"{escape(verdict.claim)} <small>({escape(verdict.source)})</small></p>"
        f"<ul>{items}</ul><p><small>{_notes(verdict)}{panel} "
        f'<a href="{links["claim_link"]}">Formula, code and other panels</a></small></p></aside>'
    )


def _markdown(verdict: Verdict) -> str:
    links = where(verdict.id)
    head = f"> {SHAPES[verdict.verdict]} **{verdict.verdict}** [{verdict.id}]({links['claim_link']}) {verdict.claim}"
    lines = [f"> - {_named(part, verdict)}{figures(part)} ({part.verdict}): {_how(part)}" for part in verdict.parts]
    return "\n>\n".join([f"{head} *({verdict.source})*", "\n".join(lines)])


def _named(part: Part, verdict: Verdict) -> str:
    return "" if len(verdict.parts) == 1 else f"{escape(part.name)}: "


def _how(part: Part) -> str:
    """The definition, why it is particular, and what is missing."""
    text = part.definition
    if part.particular:
        text += f" ({part.particular})"
    if part.verdict == "not testable":
        text += f"; missing: {part.missing}"
    return text


def _notes(verdict: Verdict) -> str:
    return escape(". ".join(note[0].upper() + note[1:] for note in verdict.notes) + ". ") if verdict.notes else ""
