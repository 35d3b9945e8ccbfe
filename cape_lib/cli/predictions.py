"""`cape predictions`: the papers' seven and the book's own, their numbers of today and their status by rule."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cape_lib.cli.frontier import add_panel_options, check_claimed_by, number

if TYPE_CHECKING:
    from cape_lib.predictions import Scored


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape predictions`."""
    add_panel_options(parser, default="current")


def run(args: argparse.Namespace) -> tuple[list[dict[str, Any]], Iterator[str]]:
    """The predictions; as JSON a list of objects with id, name, status, value, low, high, n, resolves_by, reason,
    sources, bounds (what a missing score would decide), hangs_on (what turns the status) and windows; those of the
    book come last, with ids OP1 and on and the `chance` of passing that it gave (percent; null for the papers')."""
    from cape_lib import tables
    from cape_lib.predictions import as_table, hangs_on, own_predictions, predictions, score_all, turns

    party = check_claimed_by(args.claimed_by)
    scored = score_all(as_of=args.as_of, claimed_by=party, panel=args.panel)
    own = score_all(as_of=args.as_of, claimed_by=party, panel=args.panel, cards=own_predictions())
    cards = [*predictions(), *own_predictions()]
    tried = turns(as_of=args.as_of, claimed_by=party, panel=args.panel, cards=cards)
    hanging = hangs_on(tried, tables.frontier(args.panel, as_of=args.as_of, claimed_by=party))
    windows = tried[tried["kind"] == "window"].drop(columns="kind")
    rows = [
        row
        | {"chance": one.card.chance, "hangs_on": hanging.get(one.card.id)}
        | {"windows": windows[windows["id"] == one.card.id].drop(columns="id").to_dict("records")}
        for one, row in zip([*scored, *own], as_table([*scored, *own]).to_dict("records"), strict=True)
    ]

    def lines() -> Iterator[str]:
        who = args.claimed_by or "either party"
        yield f"As of {scored[0].as_of}, {args.panel} panel, scores claimed by {who}."
        if args.as_of is None:
            yield "The day is the newest one in the tables; the clock is not read."
        for one in scored:
            yield from _lines(one, hanging)
        yield "\nPredictions of this book, with the chance of passing that it gave each:"
        for one in own:
            yield from _lines(one, hanging)

    return rows, lines()


def _lines(one: Scored, hanging: dict[int | str, str]) -> Iterator[str]:
    from cape_lib.predictions import resolves

    value = f"{number(one.value)} [{number(one.low)}, {number(one.high)}]" if one.value == one.value else "no value"
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
