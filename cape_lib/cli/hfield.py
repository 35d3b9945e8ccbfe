"""`cape hfield`: h of one release from its two scores; what it says is the diagnosis of that release."""

from __future__ import annotations

import argparse

from cape_lib.cli.diagnose import release
from cape_lib.output import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape hfield`."""
    parser.add_argument("--swe", required=True, metavar="PERCENT", help="SWE-bench Verified, 0 to 100")
    parser.add_argument("--gpqa", required=True, metavar="PERCENT", help="GPQA Diamond, 0 to 100")
    parser.add_argument(
        "--line", default="frozen", help="frozen (as printed, default), published, refit, corrected, sourced or current"
    )
    parser.add_argument("--lab", help="show this lab's earlier releases before it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print h with its interval, line, phase and advice; as JSON an object with h, low, high, line, panel, date,
    expected, noise_sd, phase, emphasis, advice and, with a lab, its trajectory."""
    result = release(args)
    last, line = result["rows"][-1], result["line"]
    if args.json:
        answer = {name: last[name] for name in ("h", "expected", "ordinary_low", "ordinary_high")}
        answer |= {name: last[name] for name in ("noise_sd", "phase", "emphasis")}
        answer |= {"low": last["interval"]["low"], "high": last["interval"]["high"], "line": line["name"]}
        answer |= {"panel": line["panel"], "date": line["date"]}
        answer |= {"advice": [rule["advice"] for rule in result["advice"]]}
        print_json(answer | ({"trajectory": result["trajectory"]} if args.lab else {}))
        return 0
    interval = f"[{last['interval']['low']:+.1f}, {last['interval']['high']:+.1f}]"
    print(f"h = {last['h']:+.1f} points {interval}, {line['name']} line of {line['date']}")
    print(
        f"expected GPQA Diamond {last['expected']:.1f}, of 95 % of releases {last['ordinary_low']:.1f} to "
        f"{last['ordinary_high']:.1f}; sampling noise of h {last['noise_sd']:.1f} points (sd)"
    )
    print(f"phase: {', '.join(dict.fromkeys((last['phase'], last['emphasis'])))}")
    for rule in result["advice"]:
        print(f"advice ({rule['strength']}): {rule['advice']}")
    if not last["outside"]:
        print("The interval holds zero: releases of the panel lie this far from the line without any cause to name.")
    for row in result["trajectory"] if args.lab else ():
        print(f"  {row['date'] or '':<11} {row['model']:<24} h = {row['h']:+5.1f} ({row['kind']})")
    return 0
