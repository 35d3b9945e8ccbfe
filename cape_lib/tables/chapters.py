"""What a chapter is about: a panel, one family in front of it, the reader's own scores; how often intervals hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.axes import PARAMS, Axis, axis_named, with_places
from cape_lib.tables.base import base, ladder
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, ITEM_COUNTS, label
from cape_lib.tables.files import load
from cape_lib.tables.frontier import frontier
from cape_lib.tables.one_family import between_runs, ladder_of, one_family
from cape_lib.tables.scores import TableOptions, check_scores, read_checked, read_scores

SOURCES = {
    "published": "[base panel as published](../book/data.html#base-panel)",
    "deduplicated": "[base panel, 61 different models](../book/data.html#base-panel)",
    "uniform": "[uniform panel](../book/data.html#uniform-panel), one harness (Ruan et al. 2024)",
}

ADDED = "[families added since](../book/data.html#families)"


@dataclass(frozen=True)
class ChapterRows:
    """The rows of a chapter: `panel` (background and own), `ladder` (the family in front), `own` (is it the reader's?).

    `source` says in Markdown where the rows are from, `noise` where the intervals come from, `runs` whether they know
    how runs of one size differ; `family` is the name of the family in front, `among` what it stands among; `along`:
    the axis of its rows.
    """

    panel: pd.DataFrame
    ladder: pd.DataFrame
    family: str
    own: bool
    source: str
    noise: str
    runs: str
    among: str
    along: Axis = PARAMS


def chapter(
    panel: str,
    family: str,
    *,
    scores_path: str = "",
    x: str = "hellaswag",
    y: str = "truthfulqa",
    axis: str = "params",
) -> ChapterRows:
    """The rows that a chapter draws: a panel with one of its ladders in front, or with the reader's family in front.

    panel: a base panel; family: a ladder of it or, with `scores_path`, the name of the reader's family; scores_path: a
    CSV that `read_scores` accepts ("" for none).  x, y: the pair. Where the panel does not have them, the reader's
    rows stand alone. axis: what the family in front goes along; along any but "params" it stands beside the panel, not
    in it.  Raises UsageError for an unknown panel or ladder, ScoresError for a bad file.
    """
    along, background, own = PARAMS, base(panel), f"your scores ({family})"
    known = not scores_path or {x, y} <= set(BASE_BENCHMARKS)
    source = SOURCES[panel] if not scores_path else f"{own}; background: {SOURCES[panel]}" if known else own
    if axis_named(axis) != PARAMS:
        scores = read_checked(scores_path)
        if scores is None:
            table = scores_path or ladder(family, panel=panel)
            scores = check_scores(table, pair=(x, y), options=TableOptions(axis=axis))
            scores = one_family(scores, family if scores_path else None)
        points = ladder_of(scores, x, y, name=family)
        along, rows, source = points.axis, background, own if scores_path else source
        front = with_places(points.rows, along).assign(family=family, ladder=family)
        among = f"{len(front)} {along.points}"
    elif scores_path:
        front = read_scores(scores_path, x=x, y=y).assign(family=family, ladder=family)
        front = front.sort_values("params_b", ignore_index=True)
        rows = pd.concat([front, background], ignore_index=True) if known else front
        among = (
            f"among {len(rows)} models of the {panel} panel" if known else "alone: no published family has this pair"
        )
    else:
        front, rows = ladder(family, panel=panel), background
        if not front["model"].isin(rows["model"]).any():  # a family that was added: it stands beside the panel
            rows, source = pd.concat([front, rows], ignore_index=True), f"{ADDED}; background: {source}"
        among = f"among {len(rows)} models of the {panel} panel"
    noise, runs = (text.replace("one size", f"one {along.point}") for text in _noise_and_runs(front, x, y))
    return ChapterRows(rows, front, family, bool(scores_path), source, noise, runs, among, along)


def _noise_and_runs(front: pd.DataFrame, x: str, y: str) -> tuple[str, str]:
    """Where the intervals of a coupling come from (standard errors, numbers of questions, or nowhere), and whether
    they know how runs of one size differ."""
    repeated = between_runs(front, (x, y))
    other = [b for b in (x, y) if b not in repeated]
    stated = [b for b in other if f"{b}_stderr" in front and front[f"{b}_stderr"].notna().all()]
    counted = [b for b in other if b not in stated and b in ITEM_COUNTS]
    kinds = (("the spread between runs of one size for", repeated), ("the standard errors that came with", stated))
    sources = [f"{what} {' and '.join(map(label, of))}" for what, of in kinds if of]
    for last in counted[-1:]:
        sources.append(f"binomial noise of the item counts ({ITEM_COUNTS[last]:,} questions for {label(last)})")
    noise = f"Intervals come from {' and '.join(sources)}."
    if stated or counted:
        why = "two models answer the same questions, which makes their difference less noisy"
        noise += f" That is a conservative bound: {why}."
    if unknown := [label(b) for b in other if b not in (*stated, *counted)]:
        noise = f"There are no intervals, for the noise of {' and of '.join(unknown)} is not known."
    if not repeated:
        return noise, "A second training run could differ too; that is not in the interval."
    lacking = f", and not that of {label(other[0])}" if other else ""
    return noise, (
        f"The variation of {' and '.join(map(label, repeated))} between the runs averaged here is in the interval"
        f"{lacking}; what other questions would change is not."
    )


@dataclass(frozen=True)
class FrontierRows:
    """The rows of a frontier chapter: `panel` (the releases known), `own` (the reader's, perhaps empty), `source`."""

    panel: pd.DataFrame
    own: pd.DataFrame
    source: str


FRONTIER_SOURCES = {
    "published": "[frontier panel as published](../book/data.html#frontier-panel)",
    "corrected": "[frontier panel, corrected](../book/data.html#frontier-panel)",
    "sourced": "[frontier panel, sourced cells only](../book/data.html#frontier-panel)",
    "current": "[every release known](../book/data.html#frontier-panel)",
    "independent": "[one agent, one laboratory](../book/data.html#frontier-independent)",
}


def frontier_chapter(panel: str, *, family: str = "", scores_path: str = "") -> FrontierRows:
    """The releases of a frontier chapter, with the reader's own beside them.

    panel: a frontier panel; scores_path: a CSV with model, swe_bench_verified and gpqa_diamond ("" for none); family:
    the name under which the reader's releases are shown as a lab.  Raises UsageError, ScoresError, MissingError.
    """
    rows = frontier(panel)
    if not scores_path:
        return FrontierRows(rows, rows.iloc[:0], FRONTIER_SOURCES[panel])
    own = read_scores(scores_path, x="swe_bench_verified", y="gpqa_diamond")
    dated = own["release_date"] if "release_date" in own else pd.Series(pd.NA, index=own.index, dtype="object")
    own = own.assign(lab=family or "your lab", release_date=dated, released=pd.to_datetime(dated, errors="coerce"))
    return FrontierRows(rows, own, f"{FRONTIER_SOURCES[panel]}; your scores ({family or 'your lab'})")


#: what the table of coverage calls an interval of r that takes relatives (models of a family or lab) for independent
RELATIVES = ("population coupling", "Pearson, Fisher's z")

#: the one sign of an interval that covers less than it says somewhere, and the page that says where
DAGGER = "[†](../notebooks/trust.html)"


def promise(part: str, method: str, *, n: int | None = None) -> str:
    """How often intervals that say 95 % hold a planted truth, where that is under 90 % somewhere; else no words.

    part, method: of `tables.load("coverage")`, UsageError else; n: sizes or models at hand, which narrows the answer to
    the nearest number that was tried. "covers 83 to 96 % where it says 95 %": from the worst planted world to the best.
    """
    table = load("coverage")
    rows = table[(table["part"] == part) & (table["method"] == method) & table["measure"].str.startswith("coverage")]
    if rows.empty:
        known = table[table["measure"].str.startswith("coverage")]
        place = known[known["part"] == part]
        raise UsageError(suggest("method", method, sorted(set((known if place.empty else place)["method"]))))
    if n is not None:
        away = (rows["n"] - n).abs()
        rows = rows[away == away.min()]
    ends = dict.fromkeys(f"{100 * value:.0f}" for value in (rows["value"].min(), rows["value"].max()))
    return f"covers {' to '.join(ends)}\u00a0% where it says 95\u00a0%" if rows["label"].notna().any() else ""


def promises(part: str, methods: Iterable[str], *, n: int | None = None) -> str:
    """`promise` of several methods as a sentence; empty where all keep what they say."""
    labels = [f"{method} {words}" for method in methods if (words := promise(part, method, n=n))]
    return f"How often an interval holds the truth: {'; '.join(labels)}." if labels else ""


def mark(part: str, *methods: str, n: int | None = None) -> str:
    """What an interval is called where it is shown: "95 %", or "95 %†" with a link to the page that counts.

    The dagger stands only where `promise` has something to say of one of the methods. Arguments as `promise`.
    """
    return f"95\u00a0%{DAGGER if any(promise(part, method, n=n) for method in methods) else ''}"
