"""`cape claims`: every published claim recomputed, with its verdict."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cape_lib.claims import Verdict


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape claims`."""
    which = "claims, e.g. C19 C33, or O01 of this book (default: all that were published)"
    panels = "published, deduplicated or uniform for base models; published, corrected, sourced, current or independent"
    parser.add_argument("ids", nargs="*", metavar="ID", help=which)
    parser.add_argument("--panel", metavar="PANEL", help=f"{panels} for the frontier (default: published)")
    parser.add_argument("--json", action="store_true", help="a list of objects in place of text")


def run(args: argparse.Namespace) -> tuple[list[dict[str, Any]], Iterator[str]]:
    """Number and conclusion of each claim; as JSON a list of objects with id, chapter, source, claim, published,
    value, low, high, n, definition, panel, verdict (of the number), conclusion, conclusion_test, missing."""
    from cape_lib.claims import as_records, evaluate

    verdicts = evaluate([ident.upper() for ident in args.ids] or None, panel=args.panel)
    if args.panel is not None:
        _say_untouched(args.panel, verdicts)
    return as_records(verdicts), _lines(verdicts, whole=bool(args.ids))


def _lines(verdicts: list[Verdict], *, whole: bool) -> Iterator[str]:
    from cape_lib.claims import CONCLUSIONS, SHAPES, VERDICTS, figures, tested, where

    for one in verdicts:
        axes = ", ".join(f"{SHAPES[word]} {word}" for word in (one.verdict, one.conclusion))
        yield f"{one.id}  {axes}: {one.sentence} ({one.source}; panel {one.panel})"
        for part in one.parts:
            name = "" if len(one.parts) == 1 else f"{part.name}: "
            yield f"     {name}{figures(part)}"
        yield f"     {tested(one) if whole else _in_short(one)}"
        if whole:
            yield from _way(where(one.id))
    if len(verdicts) > 1:
        numbers = [f"{sum(one.verdict == word for one in verdicts)} {word}" for word in reversed(VERDICTS)]
        conclusions = [f"{sum(one.conclusion == word for one in verdicts)} {word}" for word in CONCLUSIONS]
        yield f"\n{len(verdicts)} claims. Number: {', '.join(numbers)}"
        yield f"Conclusion: {', '.join(conclusions)}"
        yield f"{sum(one.stands for one in verdicts)} stand: the number is reproduced and the conclusion withstands"


def _in_short(one: Verdict) -> str:
    """Which test decided, and its number."""
    by = one.conclusion_test
    n = f", n = {by.n}" if by.n else ""
    return by.reason if by.kind == "none" else f"{by.name}: {by.text}{n}"


def _way(place: dict[str, Any]) -> Iterator[str]:
    """From the tables to the number: what is computed, by which call, in which file."""
    read = ", ".join(f"data/{name}.csv" for name in place["tables"]) or "data/claim_judgements.csv"
    by = f"{place['call']}, {place['file']} line {place['line']}"
    yield f"     from {read} by {by if place['call'] else 'no function: it says what is missing'}"
    yield f"     {' '.join(place['formula'].split())}"


def _say_untouched(panel: str, verdicts: list[Verdict]) -> None:
    """Say on stderr which claims the panel does not touch: their verdict is that of another one."""
    others = [one for one in verdicts if one.panel != panel]
    if others:
        named = ", ".join(one.id for one in others[:6]) + (" ..." if len(others) > 6 else "")
        print(f"cape claims: the {panel} panel does not touch {named}; shown on {others[0].panel}", file=sys.stderr)
