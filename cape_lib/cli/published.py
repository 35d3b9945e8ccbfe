"""`cape claims`, `frontier`, `predictions`, `refresh`: what was published, by the scores of today."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.signs import TERMINAL, VERDICTS, written

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.claims import Verdict
    from cape_lib.frontier import FrontierLine
    from cape_lib.predictions import Scored

CLAIMED_BY = ("lab", "independent")


def run_claims(args: argparse.Namespace) -> tuple[list[dict[str, Any]], Iterator[str]]:
    """Number and conclusion of each claim; as JSON a list of objects with id, chapter, source, claim, published,
    value, low, high, n, definition, panel, verdict (of the number), conclusion, conclusion_test, missing."""
    from cape_lib.claims import as_records, evaluate

    verdicts = evaluate([ident.upper() for ident in args.ids] or None, panel=args.panel)
    # The verdict of a claim that the panel does not touch is that of another one.
    others = [one for one in verdicts if one.panel != args.panel] if args.panel is not None else []
    if others:
        named = ", ".join(one.id for one in others[:6]) + (" ..." if len(others) > 6 else "")
        shown = f"shown on {others[0].panel}"
        print(f"cape claims: the {args.panel} panel does not touch {named}; {shown}", file=sys.stderr)
    return as_records(verdicts), _claims(verdicts, whole=bool(args.ids))


def _claims(verdicts: list[Verdict], *, whole: bool) -> Iterator[str]:
    from cape_lib.claims import CONCLUSIONS, SHAPES, VERDICTS, figures, tested, where

    for one in verdicts:
        axes = ", ".join(f"{SHAPES[word]} {word}" for word in (one.verdict, one.conclusion))
        yield f"{one.id}  {axes}: {one.sentence} ({one.source}; panel {one.panel})"
        for part in one.parts:
            name = "" if len(one.parts) == 1 else f"{part.name}: "
            yield f"     {name}{figures(part)}"
        by = one.conclusion_test
        if not whole:
            n = f", n = {by.n}" if by.n else ""
            yield f"     {by.reason if by.kind == 'none' else f'{by.name}: {by.text}{n}'}"
            continue
        # From the tables to the number: what is computed, by which call, in which file.
        place = where(one.id)
        read = ", ".join(f"data/{name}.csv" for name in place["tables"]) or "data/claim_judgements.csv"
        call = f"{place['call']}, {place['file']} line {place['line']}"
        yield f"     {tested(one)}"
        yield f"     from {read} by {call if place['call'] else 'no function: it says what is missing'}"
        yield f"     {' '.join(place['formula'].split())}"
    if len(verdicts) > 1:
        numbers = [f"{sum(one.verdict == word for one in verdicts)} {word}" for word in reversed(VERDICTS)]
        conclusions = [f"{sum(one.conclusion == word for one in verdicts)} {word}" for word in CONCLUSIONS]
        yield f"\n{len(verdicts)} claims. Number: {', '.join(numbers)}"
        yield f"Conclusion: {', '.join(conclusions)}"
        yield f"{sum(one.stands for one in verdicts)} stand: the number is reproduced and the conclusion withstands"


def _claimed_by(args: argparse.Namespace) -> str | None:
    """None, "lab" or "independent"; UsageError for anything else."""
    who: str | None = args.claimed_by
    if who is not None and who not in CLAIMED_BY:
        raise UsageError(suggest("claimant", who, CLAIMED_BY))
    return who


def number(value: float) -> str:
    """A number for a line of a terminal (`signs.written`)."""
    return written(value, words=TERMINAL)


def run_frontier(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """The panel's line, r with and without the date, the labs and every release."""
    from cape_lib import frontier, tables
    from cape_lib.predictions import check_date

    day = check_date(args.as_of) if args.as_of is not None else None
    frame = tables.frontier(args.panel, as_of=day, claimed_by=_claimed_by(args))
    lab = frontier.check_lab(tables.frontier(args.panel), args.lab) if args.lab else None
    fitted = frontier.fit_line(frame, name=args.panel, panel=args.panel)
    answer = _panel(frame, fitted)
    answer |= {"panel": args.panel, "as_of": day or fitted.date, "claimed_by": args.claimed_by}
    releases = frontier.trajectories(tables.dated_by_makers(frame), chosen=fitted, lab=lab)
    columns = ["model", "lab", "release_date", frontier.lines.X, frontier.lines.Y, "h", "h_low", "h_high", "change"]
    answer["releases"] = releases[[*columns, "kind", "papers_kind"]].to_dict("records")
    return answer, _frontier(answer, lab)


def _panel(frame: pd.DataFrame, fitted: FrontierLine) -> dict[str, Any]:
    """The numbers of a panel: n, labs, line, r three ways, leave-one-lab-out, labs, saturation, share checked."""
    from cape_lib import frontier as f
    from cape_lib import tables

    rows = tables.dated_by_makers(f.complete_rows(frame, f.lines.X, f.lines.Y))
    confound, trend = f.date_confound(rows), f.lab_line(rows)
    estimates = {
        "slope": trend["slope"],
        "intercept": trend["intercept"],
        "r": confound["r"],
        "partial_r_given_date": confound["partial"],
        "r_within_year": confound["within_year"],
        "leave_one_lab_out": f.leave_one_lab_out(rows)[0],
    }
    answer: dict[str, Any] = {"n": len(rows), "labs": int(rows["lab"].nunique())}
    for name, e in estimates.items():
        answer[name] = {("value" if key == "estimate" else key): value for key, value in asdict(e).items()}
    answer["lab_means"] = f.lab_means(rows, chosen=fitted, core_only=False).to_dict("records")
    answer["lab_slopes"] = f.lab_slopes(rows).to_dict("records")
    if len(rows) >= 5:
        answer["saturation"] = f.saturation(rows).to_dict()
    if fitted.panel == "corrected":
        cells = frame[[f"{axis}_status" for axis in (f.lines.X, f.lines.Y)]].stack()
        answer["share_checked"] = float((cells != "unchecked").to_numpy().mean())
    return answer


def _frontier(answer: dict[str, Any], lab: str | None) -> Iterator[str]:
    def shown(name: str) -> str:
        return _between(*(answer[name][key] for key in ("value", "low", "high")))

    counted = f"{answer['n']} models with both scores, {answer['labs']} labs"
    yield f"{answer['panel']} panel, releases up to {answer['as_of']}: {counted}"
    yield f"GPQA = {shown('slope')} SWE + {shown('intercept')}"
    by_date = f"given the maker's date {shown('partial_r_given_date')}; within a year {shown('r_within_year')}"
    yield f"r = {shown('r')}; {by_date}"
    yield f"intervals: {answer['r']['method']}"
    yield f"error on a lab not seen: {shown('leave_one_lab_out')} points"
    if "saturation" in answer:
        s = answer["saturation"]
        end = written(s["high"], 2, words=VERDICTS, whole=False)
        sigma = f"sigma {s['sigma']:.2f} [{s['low']:.2f}, {end}]{', rotate' if s['rotate'] else ''}"
        yield f"top five: SWE spread {s['spread_old']:.1f}, GPQA spread {s['spread_new']:.1f} points, {sigma}"
    if "share_checked" in answer:
        yield f"share of cells checked against a source: {answer['share_checked']:.0%}"
    yield "\nmean h by lab (points from that line):"
    for row in answer["lab_means"]:
        if lab in (None, row["lab"]):
            interval = f"[{number(row['low'])}, {number(row['high'])}]"
            yield f"  {row['lab']:<14} {row['mean']:+6.1f} {interval}  n = {row['n']}"
    yield "\nreleases (h in points from that line):"
    for row in answer["releases"]:
        yield f"  {row['release_date']:<11} {row['lab']:<12} {row['model']:<26} h = {row['h']:+5.1f}  {row['kind']}"


def _between(value: float, low: float, high: float) -> str:
    return f"{number(value)} [{number(low)}, {number(high)}]"


def run_predictions(args: argparse.Namespace) -> tuple[list[dict[str, Any]], Iterator[str]]:
    """The predictions; as JSON a list of objects with id, name, status, value, low, high, n, resolves_by, reason,
    sources, bounds (what a missing score would decide), hangs_on (what turns the status) and windows; those of the
    book come last, with ids OP1 and on and the `chance` of passing that it gave (percent; null for the papers')."""
    from cape_lib import tables
    from cape_lib.predictions import as_table, hangs_on, own_predictions, predictions, score_all, turns

    rows_of: dict[str, Any] = {"as_of": args.as_of, "claimed_by": _claimed_by(args)}
    cards = [*predictions(), *own_predictions()]
    scored = score_all(**rows_of, panel=args.panel, cards=cards)
    tried = turns(**rows_of, panel=args.panel, cards=cards)
    hanging = hangs_on(tried, tables.frontier(args.panel, **rows_of))
    windows = tried[tried["kind"] == "window"].drop(columns="kind")
    rows = [
        row
        | {"chance": one.card.chance, "hangs_on": hanging.get(one.card.id)}
        | {"windows": windows[windows["id"] == one.card.id].drop(columns="id").to_dict("records")}
        for one, row in zip(scored, as_table(scored).to_dict("records"), strict=True)
    ]

    def lines() -> Iterator[str]:
        who = args.claimed_by or "either party"
        yield f"As of {scored[0].as_of}, {args.panel} panel, scores claimed by {who}."
        if args.as_of is None:
            yield "The day is the newest one in the tables; the clock is not read."
        for place, one in enumerate(scored):
            if place == len(predictions()):
                yield "\nPredictions of this book, with the chance of passing that it gave each:"
            yield from _prediction(one, hanging)

    return rows, lines()


def _prediction(one: Scored, hanging: dict[int | str, str]) -> Iterator[str]:
    from cape_lib.predictions import resolves

    value = _between(one.value, one.low, one.high) if one.value == one.value else "no value"
    chance = "" if one.card.chance is None else f" (chance {one.card.chance:g} %)"
    yield f"\n{one.card.id}. {one.card.name}{chance}: {one.status}"
    yield f"   {one.card.quantity}: {value}, n = {one.n}; resolves: {resolves(one.card)}"
    yield f"   {one.reason}"
    if one.card.id in hanging:
        yield f"   the status {hanging[one.card.id]}"
    for bound in one.bounds:
        yield f"   {bound}"
    if one.pass_share == one.pass_share:
        shares = f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail"
        yield f"   repeats resolved today: {shares} ({one.share_of}; no forecast)"


def run_refresh(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """Read the sources, check the new tables as a whole, write them; what changed and what it turns."""
    from cape_lib.ingest.refresh import read_source, sources, updated
    from cape_lib.output import write_whole
    from cape_lib.tables.files import data_dir

    table = sources()
    if args.only is not None and args.only not in set(table["source"]):
        raise UsageError(suggest("source", args.only, sorted(table["source"])))
    chosen = table[table["on"]] if args.only is None else table[table["source"] == args.only]
    changes = [read_source({str(name): one for name, one in row.items()}) for row in chosen.to_dict("records")]
    with tempfile.TemporaryDirectory() as folder:
        files = updated(changes, Path(folder))
        turned = _turned(Path(folder)) if files else []
        if files and not args.dry_run:
            for name, text in files.items():
                write_whole(data_dir() / f"{name}.csv", text)
            named = ", ".join(sorted(files))
            print(f"cape refresh: wrote {named} in {data_dir()}; next: make tables", file=sys.stderr)

    def scores(row: dict[str, Any]) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in row.items() if isinstance(value, float))

    def lines() -> Iterator[str]:
        for change in changes:
            left = f"{len(change.protected)} left as a person corrected them"
            yield f"{change.source}: {len(change.new)} new, {len(change.changed)} changed, {left}"
            yield from (f"  new      {row['model']}: {scores(row)}" for row in change.new)
            yield from (f"  changed  {c['model']}, {c['column']}: {c['old']} -> {c['new']}" for c in change.changed)
            for c in change.protected:
                yield f"  left     {c['model']}, {c['column']}: {c['old']} (source: {c['new']})"
            for row in change.incomplete:
                why = "no GPQA by one laboratory is known for this name, add its row by hand when there is one"
                yield f"  to do    {row['index_name']}: {scores(row)}; {why}"
        yield from (f"{t['id']} ({t['name']}): {t['before']} -> {t['after']}" for t in turned)
        if not turned:
            yield "No prediction changes its status."

    columns = ("source", "table", "new", "changed", "protected", "incomplete")
    plain = [{name: getattr(change, name) for name in columns} for change in changes]
    return {"sources": plain, "predictions": turned}, lines()


def _turned(folder: Path) -> list[dict[str, Any]]:
    """Predictions whose status the new tables would change: id, name, before, after.

    The papers' are scored on the independent panel, which the sources feed; those of this book as everywhere.
    """
    from cape_lib.predictions import own_predictions, score_all
    from cape_lib.tables.files import tables_in

    def scored() -> list[Scored]:
        return [*score_all(panel="independent"), *score_all(cards=own_predictions())]

    before = scored()
    with tables_in(folder):
        after = scored()
    return [
        {"id": old.card.id, "name": old.card.name, "before": old.status, "after": new.status}
        for old, new in zip(before, after, strict=True)
        if old.status != new.status
    ]
