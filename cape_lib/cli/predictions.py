"""`cape predictions`: the seven predictions, their numbers of today and their status by rule."""

from __future__ import annotations

import argparse

from cape_lib.cli.frontier import add_panel_options, check_claimed_by, number
from cape_lib.output import print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape predictions`."""
    add_panel_options(parser, default="current")


def run(args: argparse.Namespace) -> int:
    """Print the seven, or as JSON a list of objects with id, name, status, value, low, high, n, resolves_by, reason,
    sources, bounds (what a missing score would decide), hangs_on (what turns the status) and windows."""
    import pandas as pd

    from cape_lib import tables
    from cape_lib.predictions import as_table, hangs_on, resolves, score_all, turns

    party = check_claimed_by(args.claimed_by)
    scored = score_all(as_of=args.as_of, claimed_by=party, panel=args.panel)
    tried = turns(as_of=args.as_of, claimed_by=party, panel=args.panel)
    hanging = hangs_on(tried, tables.frontier(args.panel, as_of=args.as_of, claimed_by=party))
    if args.json:
        hangs = pd.Series([hanging.get(one.card.id) for one in scored], dtype=object)
        windows = tried[tried["kind"] == "window"].drop(columns="kind")
        own = [windows[windows["id"] == one.card.id].drop(columns="id").to_dict("records") for one in scored]
        table = as_table(scored).assign(hangs_on=hangs, windows=pd.Series(own, dtype=object))
        print_json(table.to_dict("records"))
        return 0
    first = scored[0]
    print(f"As of {first.as_of}, {args.panel} panel, scores claimed by {args.claimed_by or 'either party'}.")
    if args.as_of is None:
        print("The day is the newest one in the tables; the clock is not read.")
    for one in scored:
        value = f"{number(one.value)} [{number(one.low)}, {number(one.high)}]" if one.value == one.value else "no value"
        print(f"\n{one.card.id}. {one.card.name}: {one.status}")
        print(f"   {one.card.quantity}: {value}, n = {one.n}; resolves: {resolves(one.card)}")
        print(f"   {one.reason}")
        if one.card.id in hanging:
            print(f"   the status {hanging[one.card.id]}")
        for bound in one.bounds:
            print(f"   {bound}")
        if one.pass_share == one.pass_share:
            shares = f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail"
            print(f"   repeats resolved today: {shares} ({one.share_of}; no forecast)")
    return 0
