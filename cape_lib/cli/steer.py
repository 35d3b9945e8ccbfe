"""`cape steer`: write with and without a direction, or test whether the direction does anything."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.errors import ScoresError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.lm.models import LanguageModel
    from cape_lib.lm.steering import Direction

CONTROLS = ("random", "shuffled")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape steer`."""
    add = parser.add_argument
    add("--model", required=True, metavar="M", help="hub id, folder, or a testbed model such as R-s1")
    add("--prompt", action="append", default=[], metavar="P", help="text to continue; may be given several times")
    add("--file", type=Path, metavar="F", help="file of prompts, one a line")
    add(
        "--layer",
        metavar="L",
        help="quarter (default), embed, a block from 0, or sweep: all of them (default with --evaluate)",
    )
    add("--alpha", type=float, nargs="+", metavar="A", help="strengths (default: 2)")
    add("--unit", default="std", help="std (default), residual or raw: what one unit of strength is")
    add(
        "--positions",
        help="all (default), last (default with --evaluate), prompt, generated, or prompt tokens such as 1,2",
    )
    add("--pairs", type=Path, metavar="CSV", help="pairs to fit on: columns positive, negative, optional topic")
    add("--direction", type=Path, metavar="FILE", help="a direction saved before, instead of pairs")
    add("--method", default="mean_difference", help="mean_difference (default) or principal")
    add("--save", type=Path, metavar="FILE", help="keep the direction (safetensors)")
    add("--controls", default="", metavar="KINDS", help="also write with random,shuffled vectors of equal length")
    add("--evaluate", action="store_true", help="run the protocol: effect against tuned controls, and the claim")
    add("--items", type=Path, metavar="CSV", help="questions for --evaluate: topic, split, prompt, true, false")
    add("--claim", type=float, default=0.6, metavar="SHARE", help="share of wrong answers said to be corrected (0.6)")
    add("--sampling", default="greedy", help="greedy (default), paired or independent")
    add("--seed", type=int, default=0, help="of sampling and controls (default: 0)")
    add("--max-new-tokens", type=int, default=32, metavar="N", help="tokens to write (default: 32)")
    add("--batch", type=int, default=64, metavar="N", help="rows a batch (default: 64)")
    add("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: a GPU if there is one)")
    add("--dtype", default="auto", help="auto (default), float32, bfloat16 or float16")
    add("--json", action="store_true", help="one JSON object a generation, one a line")
    add("--quiet", action="store_true", help="no warnings about the direction")


def run(args: argparse.Namespace) -> int:
    """Steer and print."""
    _check(args)
    from cape_lib.lm import models, steering, texts
    from cape_lib.lm.testbed import store

    if args.save:
        store.writable_file(args.save)
    name = texts.model_path(args.model)
    prompts = _prompts(args)
    if not prompts and not args.evaluate:
        raise UsageError("nothing to continue; give --prompt or --file (or --evaluate)")
    lm = models.load(name, device=args.device, dtype=args.dtype)
    if args.evaluate:
        return _evaluate(args, lm, name)
    directions = _directions(args, lm, name)
    for warning in [] if args.quiet else directions[0].warnings:
        print(f"cape steer: note: {warning}", file=sys.stderr)
    writing = steering.Writing(
        tokens=args.max_new_tokens, unit=args.unit, positions=_positions(args.positions or "all"),
        sampling=args.sampling,
        seed=args.seed, rows=args.batch,
    )  # fmt: skip
    table = steering.compare(lm, prompts, directions, args.alpha or [2.0], writing)
    if args.save:
        steering.save(directions[0], args.save)
    _print(table, args.json, directions[0])
    return 0


def _check(args: argparse.Namespace) -> None:
    # before torch is loaded: a slip of the pen should not cost ten seconds
    import math

    bad = [alpha for alpha in args.alpha or [] if not math.isfinite(alpha)]
    if bad:
        raise UsageError(f"--alpha {bad[0]}: give finite numbers")
    if not 0 < args.claim < 1:
        raise UsageError(f"--claim {args.claim}: give a share between 0 and 1")
    if args.max_new_tokens < 1 or args.batch < 1:
        raise UsageError("--max-new-tokens and --batch must be at least 1")
    if args.pairs and args.direction:
        raise UsageError("give --pairs or --direction, not both")
    if args.save and args.layer == "sweep":
        raise UsageError("--save keeps one direction; name one --layer")
    if args.evaluate:
        _check_evaluate(args)
    unknown = set(filter(None, args.controls.split(","))) - set(CONTROLS)
    if unknown:
        raise UsageError(f"unknown control {sorted(unknown)[0]!r}; choose from {', '.join(CONTROLS)}")


def _check_evaluate(args: argparse.Namespace) -> None:
    """Refuse what the protocol decides by itself: an option that changes nothing would be believed to."""
    decided = {
        "--direction": args.direction, "--prompt": args.prompt, "--file": args.file, "--alpha": args.alpha,
        "--controls": args.controls, "--save": args.save,
    }  # fmt: skip
    for option, given in decided.items():
        if given:
            raise UsageError(f"--evaluate asks, fits, tunes and controls by itself; leave {option} away")
    if args.unit == "raw":
        raise UsageError("--evaluate tunes strengths in --unit std or residual")


def _prompts(args: argparse.Namespace) -> list[str]:
    prompts = [str(prompt) for prompt in args.prompt]
    if args.file:
        try:
            prompts += [line for line in args.file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError) as error:
            raise ScoresError(f"{args.file}: cannot be read as text ({type(error).__name__})") from error
    return prompts


def _positions(asked: str) -> Any:
    try:
        return tuple(int(part) for part in asked.split(","))
    except ValueError:
        return asked


def _pairs(args: argparse.Namespace, name: str) -> pd.DataFrame:
    from cape_lib.lm import texts

    return texts.read(args.pairs, ("positive", "negative")) if args.pairs else texts.pairs_for(name)


def _directions(args: argparse.Namespace, lm: LanguageModel, name: str) -> list[Direction]:
    """The direction at each layer asked for, and its controls."""
    from cape_lib.lm import models, steering

    if args.direction:
        if args.controls:
            raise UsageError("--controls need the pairs; give --pairs instead of --direction")
        return [steering.load(args.direction, lm)]
    sites: list[models.Site] = (
        list(range(lm.depth)) if args.layer == "sweep" else [models.site_of(args.layer or "quarter", lm.depth)]
    )
    pairs = _pairs(args, name)
    found = steering.fit_directions(lm, pairs, sites, method=args.method, name="truth")
    kinds = [{"random": "isotropic", "shuffled": "balanced shuffle"}[kind] for kind in args.controls.split(",") if kind]
    if kinds:
        import numpy as np

        from cape_lib.lm.steering.controls import draw_controls

        both = lm, [*pairs["positive"], *pairs["negative"]], sites
        from cape_lib.lm.probes import capture

        states = capture(*both)
        import torch

        drawn = draw_controls(
            states[: len(pairs)], states[len(pairs) :], torch.stack([d.vector for d in found]), each=1,
            rng=np.random.default_rng(args.seed), kinds=tuple(kinds),
        )  # fmt: skip
        found += [
            direction.like(method.vectors[place], method.kind)
            for method in drawn if method.kind in kinds for place, direction in enumerate(list(found[: len(sites)]))
        ]  # fmt: skip
    return found


def _print(table: pd.DataFrame, as_json: bool, direction: Direction) -> None:
    if as_json:
        for row in table.to_dict("records"):
            print(json.dumps(row, ensure_ascii=False))
        return
    for prompt, rows in table.groupby("prompt", sort=False):
        print(f"\n{prompt}")
        for line in rows.to_dict("records"):
            arm = "unsteered"
            if line["direction"] != "none":
                arm = f"{line['direction']}, layer {line['layer']}, alpha {line['alpha']:g}"
            print(f"  {arm:<32} {line['text'].strip()}")
    steered = table[table["direction"] != "none"]
    print(
        f"\n{int(steered['changed'].sum())} of {len(steered)} steered texts differ from the unsteered ones; "
        "that is not a correction"
    )


def _evaluate(args: argparse.Namespace, lm: LanguageModel, name: str) -> int:
    from cape_lib.lm import models, steering, texts

    columns = ("topic", "split", "prompt", "true", "false")
    items = texts.read(args.items, columns) if args.items else texts.items_for(name)
    sites: list[models.Site] = ["embed", *range(lm.depth)]
    if args.layer not in (None, "sweep"):
        sites = [models.site_of(args.layer, lm.depth)]
    positions = _positions(args.positions or "last")
    places = tuple(steering.Place(site, positions=positions) for site in sites)
    plan = steering.Plan(places=places, unit=args.unit, claim=args.claim, seed=args.seed, method=args.method)
    result = steering.evaluate(lm, items, _pairs(args, name), plan, neutral=texts.neutral_for(name)).summary()
    if args.json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False))
        return 0
    made = result["corrected"]
    print(f"{result['model']}: {result['place']}, strength {result['dose']:g}, chosen on the tune items")
    print(f"right before {result['right_before']:.0%}, after {result['right_after']:.0%}; best of {result['controls']} "
          f"controls {result['best_control']:.0%} (p = {result['p']:.3f})")  # fmt: skip
    aligned = result["aligned"]
    broken = (
        f"broken at most {result['broken']['high']:.0%} of {aligned} right ones"
        if aligned
        else "none was right that could break"
    )
    wrong = result["misaligned"]
    fixed = "none was wrong that could be corrected"
    if wrong:
        fixed = f"corrected {made['estimate']:.0%} [{made['low']:.0%}, {made['high']:.0%}] of {wrong} wrong answers"
    print(f"{fixed}; {broken}")
    print(f"effect: {result['effect']}; claim of {args.claim:.0%}: {result['claim']}")
    return 0
