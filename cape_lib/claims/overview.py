"""What stands, what comes out and shows something else, what falls, what nobody can tell: all claims in one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from cape_lib.claims.box import badge
from cape_lib.claims.evaluate import evaluate
from cape_lib.claims.registry import where
from cape_lib.claims.rule import SHAPES
from cape_lib.claims.verdict import Verdict
from cape_lib.signs import typeset


@dataclass(frozen=True, slots=True)
class Group:
    """Claims that a reader meets together: a heading, what was seen of them, which they are, their class of style."""

    heading: str
    seen: str
    holds: Callable[[Verdict], bool]
    style: str


def _reproduced(one: Verdict) -> bool:
    return one.verdict.startswith("reproduced")


#: Every claim is in one of them, what holds first.
GROUPS = (
    Group(
        "What stands", "the number comes out and the conclusion withstands its test", lambda v: v.stands, "reproduced"
    ),
    Group(
        "What comes out and shows something else",
        "the number comes out, and a test takes the conclusion away",
        lambda v: _reproduced(v) and bool(v.caveat),
        "reproduced-with-definition",
    ),
    Group(
        "What comes out and was not tested",
        "the number comes out; nothing was published to test it by",
        lambda v: _reproduced(v) and v.conclusion == "untested",
        "not-testable",
    ),
    Group(
        "What falls",
        "another number comes out, or none",
        lambda v: v.verdict in ("differs", "in the last digit"),
        "differs",
    ),
    Group(
        "What nobody can tell yet",
        "what the number needs was not published",
        lambda v: v.verdict == "not testable",
        "not-testable",
    ),
)
#: The claims that a reader of the announcement meets first, in that order.
HEADLINES = (
    "C01", "C02", "C03", "C04", "C19", "C17", "C15", "C07", "C33", "C20", "C25", "C23", "C26", "C24", "C38", "C06",
    "C27", "C16", "C29", "C13", "C36", "C08", "C28",
)  # fmt: skip
NAMED = 5


@dataclass(frozen=True, slots=True)
class Overview:
    """Claims by group, with how many there are and the best known of each; shows itself as HTML or Markdown."""

    groups: tuple[tuple[Group, tuple[Verdict, ...]], ...]

    def _repr_html_(self) -> str:
        total = sum(len(own) for _, own in self.groups)
        blocks = "".join(_block(group, own) for group, own in self.groups)
        label = f"All {total} claims by what became of them"
        return typeset(f'<div class="cape-overview" role="group" aria-label="{label}">{blocks}</div>')

    def _repr_markdown_(self) -> str:
        lines = [
            f"- **{group.heading}**: {_counted(group, own)}. "
            + " ".join(f"[{one.id}]({where(one.id)['claim_link']}) {_sentence(one)}" for one in _named(own))
            for group, own in self.groups
        ]
        return typeset("\n".join(lines))


def overview(verdicts: Iterable[Verdict] | None = None) -> Overview:
    """All claims in one screen: how many stand, and the best known of each group with what its test took from it.

    verdicts: from `evaluate`; computed here if not given.
    """
    every = list(evaluate() if verdicts is None else verdicts)
    grouped = tuple((group, tuple(one for one in every if group.holds(one))) for group in GROUPS)
    return Overview(tuple((group, own) for group, own in grouped if own))


def _named(own: Iterable[Verdict]) -> list[Verdict]:
    """The best known of them, and where fewer are known the first."""
    by_id = {one.id: one for one in own}
    return [by_id[ident] for ident in dict.fromkeys((*HEADLINES, *by_id)) if ident in by_id][:NAMED]


def _sentence(one: Verdict) -> str:
    """The claim, and in one line what its test took from it."""
    return f"{one.sentence} *But {one.caveat}.*" if one.caveat else one.sentence


def _counted(group: Group, own: tuple[Verdict, ...]) -> str:
    """How many claims are in a group, what was seen of them, and by which conclusion."""
    near = sum(one.verdict == "in the last digit" for one in own)
    words = Counter(one.conclusion for one in own)
    by = ", ".join(f"{SHAPES[word]} {n} {word}" for word, n in words.most_common())
    return f"{len(own)} claims; {group.seen}{f' ({near} in the last digit only)' if near else ''}; {by}"


def _block(group: Group, own: tuple[Verdict, ...]) -> str:
    items = ""
    for one in _named(own):
        but = f" <em>But {escape(one.caveat)}.</em>" if one.caveat else ""
        link = f'<a href="{where(one.id)["claim_link"]}">{one.id}</a>'
        items += f"<li>{link} {escape(one.sentence)} {badge(one.conclusion)}{but}</li>"
    more = len(own) - len(_named(own))
    rest = f'<p><a href="../notebooks/audit/08_claims.html">and {more} more</a></p>' if more else ""
    return (
        f'<section class="cape-verdict cape-{group.style}"><p><strong>{group.heading}</strong></p>'
        f"<p>{_counted(group, own)}</p><ul>{items}</ul>{rest}</section>"
    )
