"""`cape claims`: every published claim recomputed, with its verdict."""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape claims`."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="claims, e.g. C19 C33 (default: all)")
    parser.add_argument(
        "--panel",
        metavar="PANEL",
        help="published, deduplicated or uniform for base models; published, corrected, sourced, current or "
        "independent for the frontier (default: published)",
    )
    parser.add_argument("--json", action="store_true", help="a list of objects in place of text")


def run(args: argparse.Namespace) -> int:
    """Print the verdicts, or as JSON a list of objects with id, chapter, source, claim, published, value, low, high, n,
    definition, panel, verdict and missing."""
    from cape_lib.claims import as_records, evaluate

    found = evaluate([ident.upper() for ident in args.ids] or None, panel=args.panel)
    if args.panel is not None:
        _say_untouched(args.panel, found)
    if args.json:
        from cape_lib.cli.frontier import print_json

        print_json(as_records(found))
        return 0
    from cape_lib.claims import SHAPES, VERDICTS, figures, last_digit

    for one in found:
        print(
            f"{one.id}  {SHAPES[one.verdict]} {one.verdict}{last_digit(one)}: {one.sentence} "
            f"({one.source}; panel {one.panel})"
        )
        for part in one.parts:
            name = "" if len(one.parts) == 1 else f"{part.name}: "
            print(f"     {name}{figures(part)}")
    if len(found) > 1:
        tally = {verdict: sum(one.verdict == verdict for one in found) for verdict in reversed(VERDICTS)}
        print(f"\n{len(found)} claims: " + ", ".join(f"{n} {verdict}" for verdict, n in tally.items()))
    return 0


def _say_untouched(panel: str, found: list) -> None:  # type: ignore[type-arg]
    """Say on stderr which claims the panel does not touch: their verdict is that of another one."""
    others = [one for one in found if one.panel != panel]
    if others:
        named = ", ".join(one.id for one in others[:6]) + (" ..." if len(others) > 6 else "")
        print(f"cape claims: the {panel} panel does not touch {named}; shown on {others[0].panel}", file=sys.stderr)
