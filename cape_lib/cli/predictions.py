"""`cape predictions`: the papers' seven and the book's own, their numbers of today and their status by rule."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cape_lib.cli.frontier import add_panel_options, check_claimed_by, number
from cape_lib.output import print_json

if TYPE_CHECKING:
    from cape_lib.predictions import Scored


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape predictions`."""
    add_panel_options(parser, default="current")


def run(args: argparse.Namespace) -> int:
    """Print them, or as JSON a list of objects with id, name, status, value, low, high, n, resolves_by, reason,
    sources, bounds (what a missing score would decide), hangs_on (what turns the status) and windows; those of the
    book come last, with ids OP1 and on and the `chance` of passing that it gave (percent; null for the papers')."""
    import pandas as pd

    from cape_lib import tables
    from cape_lib.predictions import as_table, hangs_on, own_predictions, predictions, score_all, turns

    party = check_claimed_by(args.claimed_by)
    scored = score_all(as_of=args.as_of, claimed_by=party, panel=args.panel)
    own = score_all(as_of=args.as_of, claimed_by=party, panel=args.panel, cards=own_predictions())
    cards = [*predictions(), *own_predictions()]
    tried = turns(as_of=args.as_of, claimed_by=party, panel=args.panel, cards=cards)
    hanging = hangs_on(tried, tables.frontier(args.panel, as_of=args.as_of, claimed_by=party))
    if args.json:
        every = [*scored, *own]
        hangs = pd.Series([hanging.get(one.card.id) for one in every], dtype=object)
        windows = tried[tried["kind"] == "window"].drop(columns="kind")
        held = [windows[windows["id"] == one.card.id].drop(columns="id").to_dict("records") for one in every]
        chances = pd.Series([one.card.chance for one in every], dtype=object)
        table = as_table(every).assign(chance=chances, hangs_on=hangs, windows=pd.Series(held, dtype=object))
        print_json(table.to_dict("records"))
        return 0
    first = scored[0]
    print(f"As of {first.as_of}, {args.panel} panel, scores claimed by {args.claimed_by or 'either party'}.")
    if args.as_of is None:
        print("The day is the newest one in the tables; the clock is not read.")
    for one in scored:
        _show(one, hanging)
    print("\nPredictions of this book, with the chance of passing that it gave each:")
    for one in own:
        _show(one, hanging)
    return 0


def _show(one: Scored, hanging: dict[int | str, str]) -> None:
    from cape_lib.predictions import resolves

    value = f"{number(one.value)} [{number(one.low)}, {number(one.high)}]" if one.value == one.value else "no value"
    chance = "" if one.card.chance is None else f" (chance {one.card.chance:g} %)"
    print(f"\n{one.card.id}. {one.card.name}{chance}: {one.status}")
    print(f"   {one.card.quantity}: {value}, n = {one.n}; resolves: {resolves(one.card)}")
    print(f"   {one.reason}")
    if one.card.id in hanging:
        print(f"   the status {hanging[one.card.id]}")
    for bound in one.bounds:
        print(f"   {bound}")
    if one.pass_share == one.pass_share:
        shares = f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail"
        print(f"   repeats resolved today: {shares} ({one.share_of}; no forecast)")
