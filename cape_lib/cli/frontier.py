"""`cape frontier`: the line, the labs and the releases of one panel."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cape_lib.signs import TERMINAL, VERDICTS, written

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.frontier import FrontierLine
    from cape_lib.stats import Estimate

CLAIMED_BY = ("lab", "independent")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape frontier`."""
    add_panel_options(parser, default="current")
    parser.add_argument("--lab", help="only this lab's releases, in order, with the changes of h")


def add_panel_options(parser: argparse.ArgumentParser, *, default: str) -> None:
    """--as-of, --claimed-by, --panel, --json, as every frontier command has them."""
    parser.add_argument("--as-of", metavar="DATE", help="only what was released by then, e.g. 2026-05-31 or 2026-05")
    parser.add_argument("--claimed-by", metavar="WHO", help="only scores stated by the lab, or by an independent party")
    parser.add_argument(
        "--panel", default=default, help="published, corrected, sourced, current or independent (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def check_claimed_by(who: str | None) -> str | None:
    """None, "lab" or "independent"; UsageError for anything else."""
    if who is not None and who not in CLAIMED_BY:
        from cape_lib.errors import UsageError
        from cape_lib.names import suggest

        raise UsageError(suggest("claimant", who, CLAIMED_BY))
    return who


def run(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """The panel's line, r with and without the date, the labs and every release."""
    from cape_lib import tables
    from cape_lib.frontier import check_lab, fit_line
    from cape_lib.predictions import check_date

    day = check_date(args.as_of) if args.as_of is not None else None
    frame = tables.frontier(args.panel, as_of=day, claimed_by=check_claimed_by(args.claimed_by))
    lab = check_lab(tables.frontier(args.panel), args.lab) if args.lab else None
    fitted = fit_line(frame, name=args.panel, panel=args.panel)
    answer = summary(frame, fitted) | {"panel": args.panel, "as_of": day or fitted.date, "claimed_by": args.claimed_by}
    answer["releases"] = lab_rows(frame, lab, fitted)
    return answer, _lines(answer, lab)


def summary(frame: pd.DataFrame, fitted: FrontierLine) -> dict[str, Any]:
    """The numbers of a panel: n, labs, line, r three ways, leave-one-lab-out, labs, saturation, share checked."""
    from cape_lib import frontier as f
    from cape_lib import tables

    rows = tables.dated_by_makers(f.complete_rows(frame, f.lines.X, f.lines.Y))
    confound = f.date_confound(rows)
    held_out, _ = f.leave_one_lab_out(rows)
    trend = f.lab_line(rows)
    answer: dict[str, Any] = {
        "n": len(rows),
        "labs": int(rows["lab"].nunique()),
        "slope": _estimate(trend["slope"]),
        "intercept": _estimate(trend["intercept"]),
        "r": _estimate(confound["r"]),
        "partial_r_given_date": _estimate(confound["partial"]),
        "r_within_year": _estimate(confound["within_year"]),
        "leave_one_lab_out": _estimate(held_out),
        "lab_means": f.lab_means(rows, chosen=fitted, core_only=False).to_dict("records"),
        "lab_slopes": f.lab_slopes(rows).to_dict("records"),
    }
    if len(rows) >= 5:
        answer["saturation"] = f.saturation(rows).to_dict()
    if fitted.panel == "corrected":
        cells = frame[[f"{axis}_status" for axis in (f.lines.X, f.lines.Y)]].stack()
        answer["share_checked"] = float((cells != "unchecked").to_numpy().mean())
    return answer


def lab_rows(frame: pd.DataFrame, lab: str | None, chosen: FrontierLine) -> list[dict[str, Any]]:
    """Releases by lab and maker's date: model, lab, release_date, scores, h, interval, change, kind, papers_kind."""
    from cape_lib import tables
    from cape_lib.frontier import lines, trajectories

    columns = ["model", "lab", "release_date", lines.X, lines.Y, "h", "h_low", "h_high", "change", "kind"]
    columns += ["papers_kind"]
    rows = trajectories(tables.dated_by_makers(frame), chosen=chosen, lab=lab)[columns]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def number(value: float) -> str:
    """A number for a line of a terminal (`signs.written`)."""
    return written(value, words=TERMINAL)


def _estimate(e: Estimate) -> dict[str, Any]:
    return {("value" if name == "estimate" else name): value for name, value in asdict(e).items()}


def _lines(answer: dict[str, Any], lab: str | None) -> Iterator[str]:
    def shown(name: str) -> str:
        e = answer[name]
        return f"{number(e['value'])} [{number(e['low'])}, {number(e['high'])}]"

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
