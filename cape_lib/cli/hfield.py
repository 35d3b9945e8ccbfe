"""`cape hfield`: h of one release from its two scores; what it says is the diagnosis of that release."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from cape_lib.cli.diagnose import release


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape hfield`."""
    parser.add_argument("--swe", required=True, metavar="PERCENT", help="SWE-bench Verified, 0 to 100")
    parser.add_argument("--gpqa", required=True, metavar="PERCENT", help="GPQA Diamond, 0 to 100")
    lines = "frozen (as printed, default), published, refit, corrected, sourced or current"
    parser.add_argument("--line", default="frozen", help=lines)
    parser.add_argument("--lab", help="show this lab's earlier releases before it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """h with its interval, line, phase and advice; as JSON an object with h, low, high, line, panel, date,
    expected, noise_sd, phase, emphasis, advice and, with a lab, its trajectory."""
    result = release(args)
    last, line = result["rows"][-1], result["line"]
    names = ("h", "expected", "ordinary_low", "ordinary_high", "noise_sd", "phase", "emphasis")
    answer = {name: last[name] for name in names}
    answer |= {"low": last["interval"]["low"], "high": last["interval"]["high"], "line": line["name"]}
    answer |= {"panel": line["panel"], "date": line["date"], "advice": [rule["advice"] for rule in result["advice"]]}
    return answer | ({"trajectory": result["trajectory"]} if args.lab else {}), _lines(result, with_lab=bool(args.lab))


def _lines(result: dict[str, Any], *, with_lab: bool) -> Iterator[str]:
    last, line = result["rows"][-1], result["line"]
    interval = f"[{last['interval']['low']:+.1f}, {last['interval']['high']:+.1f}]"
    yield f"h = {last['h']:+.1f} points {interval}, {line['name']} line of {line['date']}"
    ordinary = f"{last['ordinary_low']:.1f} to {last['ordinary_high']:.1f}"
    noise = f"sampling noise of h {last['noise_sd']:.1f} points (sd)"
    yield f"expected GPQA Diamond {last['expected']:.1f}, of 95 % of releases {ordinary}; {noise}"
    yield f"phase: {', '.join(dict.fromkeys((last['phase'], last['emphasis'])))}"
    for rule in result["advice"]:
        yield f"advice ({rule['strength']}): {rule['advice']}"
    if not last["outside"]:
        yield "The interval holds zero: releases of the panel lie this far from the line without any cause to name."
    for row in result["trajectory"] if with_lab else ():
        yield f"  {row['date'] or '':<11} {row['model']:<24} h = {row['h']:+5.1f} ({row['kind']})"
