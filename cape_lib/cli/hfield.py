"""`cape hfield`: h of one release from its two scores."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from cape_lib.cli.frontier import lab_rows, number, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape hfield`."""
    parser.add_argument("--swe", type=float, required=True, metavar="PERCENT", help="SWE-bench Verified, 0 to 100")
    parser.add_argument("--gpqa", type=float, required=True, metavar="PERCENT", help="GPQA Diamond, 0 to 100")
    parser.add_argument(
        "--line", default="frozen", help="frozen (as printed, default), published, refit, corrected, sourced or current"
    )
    parser.add_argument("--lab", help="show this lab's earlier releases beside it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print h with its interval, the phase and the advice; as JSON an object with h, low, high, line, panel, phase,
    advice and what they rest on."""
    from cape_lib import tables
    from cape_lib.frontier import check_lab, line, release_h

    release = release_h(args.swe, args.gpqa, line_name=args.line)
    earlier = []
    if args.lab:
        frame = tables.frontier("current")
        earlier = lab_rows(frame, check_lab(frame, args.lab), line(args.line))
    if args.json:
        print_json(asdict(release) | ({"trajectory": earlier} if args.lab else {}))
        return 0
    interval = f"[{release.low:+.1f}, {release.high:+.1f}]"
    print(f"h = {release.h:+.1f} points {interval}, {release.line} line of {release.date}")
    print(f"expected GPQA Diamond {release.expected:.1f}, of 95 % of releases {release.ordinary_low:.1f} to "
          f"{release.ordinary_high:.1f}; sampling noise of h {release.noise_sd:.1f} points (sd)")  # fmt: skip
    print(f"phase: {release.phase}, {release.emphasis}")
    print(f"advice: {release.advice}")
    if release.low <= 0 <= release.high:
        print("The interval holds zero: releases of the panel lie this far from the line without any cause to name.")
    for row in earlier:
        print(f"  {row['release_date']:<11} {row['model']:<24} h = {number(row['h'])} ({row['kind']})")
    return 0
