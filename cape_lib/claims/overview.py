"""What stands, what stands with a footnote, what falls and what nobody can tell yet: all claims in one screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from cape_lib.claims.box import CLASSES, badge
from cape_lib.claims.evaluate import evaluate
from cape_lib.claims.registry import where
from cape_lib.claims.rule import SHAPES, VERDICTS
from cape_lib.claims.verdict import Verdict
from cape_lib.signs import typeset

#: Verdict -> what it means to a reader.
MEANING = {
    "reproduced": "What stands",
    "reproduced with definition": "What stands with a footnote",
    "differs": "What falls",
    "not testable": "What nobody can tell yet",
}
#: Verdict -> what was seen, in one clause: a number that comes out is not yet a statement that is so.
SEEN = {
    "reproduced": "the number comes out of the published tables",
    "reproduced with definition": "the number comes out by a definition that had to be found",
    "differs": "another number comes out, or none",
    "not testable": "what a test needs was not published",
}
#: The claims that a reader of the announcement meets first, in that order.
HEADLINES = (
    "C01", "C02", "C03", "C04", "C19", "C17", "C15", "C07", "C33", "C20", "C25", "C23", "C26", "C24", "C38", "C06",
    "C27", "C16", "C29", "C13", "C36", "C08", "C28",
)  # fmt: skip
NAMED = 5


@dataclass(frozen=True, slots=True)
class Overview:
    """Claims by verdict, with how many there are and the best known of each; shows itself as HTML or Markdown."""

    groups: tuple[tuple[str, tuple[Verdict, ...]], ...]

    def _repr_html_(self) -> str:
        total = sum(len(found) for _, found in self.groups)
        blocks = "".join(_block(verdict, found) for verdict, found in self.groups)
        label = f"All {total} claims by verdict"
        return typeset(f'<div class="cape-overview" role="group" aria-label="{label}">{blocks}</div>')

    def _repr_markdown_(self) -> str:
        lines = [
            f"- {SHAPES[verdict]} **{MEANING[verdict]}** ({verdict}): {_counted(verdict, found)}. "
            + " ".join(f"[{one.id}]({where(one.id)['claim_link']}) {_said(one)}" for one in _named(found))
            for verdict, found in self.groups
        ]
        return typeset("\n".join(lines))


def overview(verdicts: Iterable[Verdict] | None = None) -> Overview:
    """All claims by verdict in one screen: how many, and the best known of each.

    verdicts: from `evaluate`; computed here if not given. Those that could be computed and are named are also tried:
    what the trial takes from them is said beside them.
    """
    found = list(evaluate() if verdicts is None else verdicts)
    order = ["reproduced", "reproduced with definition", "differs", "not testable"]
    assert set(order) == set(VERDICTS)
    grouped = {word: [one for one in found if one.verdict == word] for word in order}
    shown = [one.id for word in order[:3] for one in _named(grouped[word]) if not one.stress]
    tried = {one.id: one for one in evaluate(shown, stress=True)}
    return Overview(tuple((word, tuple(tried.get(one.id, one) for one in grouped[word])) for word in order))


def _named(found: Iterable[Verdict]) -> list[Verdict]:
    by_id = {one.id: one for one in found}
    return [by_id[ident] for ident in HEADLINES if ident in by_id][:NAMED]


def _said(one: Verdict) -> str:
    """The claim, and in a few words what a trial took from it."""
    return f"{one.sentence} *But {one.caveat}.*" if one.caveat else one.sentence


def _counted(verdict: str, found: tuple[Verdict, ...]) -> str:
    """How many claims have a verdict, and what was seen of them."""
    near = sum(one.in_last_digit for one in found)
    return f"{len(found)} claims; {SEEN[verdict]}{f' ({near} in the last digit only)' if near else ''}"


def _block(verdict: str, found: tuple[Verdict, ...]) -> str:
    items = ""
    for one in _named(found):
        but = f" <em>But {escape(one.caveat)}.</em>" if one.caveat else ""
        items += f'<li><a href="{where(one.id)["claim_link"]}">{one.id}</a> {escape(one.sentence)}{but}</li>'
    more = len(found) - len(_named(found))
    rest = f'<p><a href="../notebooks/audit/08_claims.html">and {more} more</a></p>' if more else ""
    return (
        f'<section class="cape-verdict {CLASSES[verdict]}"><p><strong>{MEANING[verdict]}</strong></p>'
        f"<p>{badge(verdict)}: {_counted(verdict, found)}</p><ul>{items}</ul>{rest}</section>"
    )
