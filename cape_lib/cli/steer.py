"""`cape steer`: write with and without a direction, or test whether the direction does anything."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.cli import progress
from cape_lib.errors import ScoresError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.lm.models import LanguageModel
    from cape_lib.lm.steering import Direction

#: a control by name on the command line -> its kind
CONTROLS = {"random": "isotropic", "shuffled": "balanced shuffle"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape steer`."""
    add = parser.add_argument
    add("--model", required=True, metavar="M", help="hub id, folder, or a testbed model such as R-s1")
    add("--prompt", action="append", default=[], metavar="P", help="text to continue; may be given several times")
    add("--file", type=Path, metavar="F", help="file of prompts, one a line")
    add(
        "--layer",
        metavar="L",
        help="quarter (default), embed, a block from 0, attn.N, mlp.N, head.N.H, several at once joined by +, or "
        "sweep: every block in turn (default with --evaluate)",
    )
    add(
        "--chat",
        action=argparse.BooleanOptionalAction,
        help="ask by the tokenizer's chat template, thinking off (default where there is one and all prompts end in ?)",
    )
    add("--system", default="", metavar="TEXT", help="what the system says ahead of a question, by the chat template")
    add("--alpha", type=float, nargs="+", metavar="A", help="strengths (default: 2)")
    add(
        "--action",
        default="add",
        help="add (default), ablate (the projection on the direction is taken out) or clamp (it is set to alpha)",
    )
    add("--unit", default="std", help="std (default), residual or raw: what one unit of strength is")
    add(
        "--positions",
        help="all (default), last (default with --evaluate), prompt, generated, or prompt tokens such as 1,2",
    )
    add("--pairs", type=Path, metavar="CSV", help="pairs to fit on: columns positive, negative, optional topic")
    add("--direction", type=Path, metavar="FILE", help="a direction saved before, instead of pairs")
    add("--method", default="mean_difference", help="mean_difference (default), principal, pca or logistic")
    add("--save", type=Path, metavar="FILE", help="keep the direction: FILE.safetensors, .pt or .gguf (llama.cpp)")
    add(
        "--export",
        nargs=2,
        metavar=("lm-eval", "FILE"),
        help="write the steered model's file for lm_eval --model steered, at the strength of --alpha",
    )
    add(
        "--controls",
        default="",
        metavar="C",
        help="also write with random,shuffled vectors of equal length; with --evaluate how many of each kind (20)",
    )
    add("--any-model", action="store_true", help="use a direction that was fitted on another model")
    add("--evaluate", action="store_true", help="run the protocol: effect against tuned controls, and the claim")
    add(
        "--items",
        type=Path,
        metavar="CSV",
        help="questions for --evaluate: TruthfulQA.csv as it is, or columns prompt, true, false (true2, false2 ...)",
    )
    add("--limit", type=int, metavar="N", help="so many of the questions, drawn with --seed")
    add("--primer", type=Path, metavar="F", help="text before every question, such as examples")
    add(
        "--doses",
        type=float,
        nargs="+",
        metavar="KL",
        help="costs in nats a token on neutral text to tune among; the largest is the budget (0.03 0.1 0.3)",
    )
    add("--all-controls", action="store_true", help="run all controls, also when p is settled")
    add("--resume", type=Path, metavar="FILE", help="keep what is done in FILE and go on from it")
    add("--claim", type=float, default=0.6, metavar="SHARE", help="share of wrong answers said to be corrected (0.6)")
    add("--sampling", default="greedy", help="greedy (default), paired or independent")
    add("--seed", type=int, default=0, help="of sampling and controls (default: 0)")
    add("--max-new-tokens", type=int, default=32, metavar="N", help="tokens to write (default: 32)")
    add("--batch", type=int, metavar="N", help="rows a batch (64); with --evaluate tokens a pass (16384)")
    add("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: a GPU if there is one)")
    add("--dtype", default="auto", help="auto (default), float32, bfloat16 or float16")
    add("--json", action="store_true", help="one JSON object a generation, one a line")
    add("--quiet", action="store_true", help="no warnings about the direction")


def run(args: argparse.Namespace) -> int:
    """Steer and print."""
    _check(args)
    from cape_lib.lm import models, steering, texts

    for file in [*([args.save] if args.save else []), *map(Path, (args.export or [])[1:])]:
        texts.writable_file(file)
    name = texts.model_path(args.model)
    prompts = _prompts(args)
    if not prompts and not (args.evaluate or args.save or args.export):
        raise UsageError("nothing to continue; give --prompt or --file (or --evaluate, --save, --export)")
    lm = models.with_chat(models.load(name, device=args.device, dtype=args.dtype), chat=args.chat, system=args.system)
    if args.evaluate:
        return _evaluate(args, lm, name)
    asked = [lm.chat(prompt) for prompt in prompts] if lm.chat and _asks(args, prompts) else prompts
    directions = _directions(args, lm, name)
    for warning in [] if args.quiet else directions[0].warnings:
        print(f"cape steer: note: {warning}", file=sys.stderr)
    writing = steering.Writing(
        tokens=args.max_new_tokens,
        unit=args.unit,
        action=args.action,
        positions=_positions(args.positions or "all"),
        sampling=args.sampling,
        seed=args.seed,
        rows=args.batch or 64,
    )
    table = None
    if prompts:
        table = steering.compare(lm, asked, directions, args.alpha or [2.0], writing, any_model=args.any_model)
        table["prompt"] = table["prompt"].map(dict(zip(asked, prompts, strict=True)))
    if args.save:
        steering.save(directions[0], args.save)
    if args.export:
        file, (alpha,) = Path(args.export[1]), args.alpha or [2.0]
        steering.harness_file(lm, directions[0], file, alpha=alpha, unit=args.unit, action=args.action)
        model = f"--model steered --model_args pretrained={args.model},steer_path={file}"
        print(
            f"cape steer: now: lm_eval {model} --tasks TASK{' --apply_chat_template' if lm.chat else ''}",
            file=sys.stderr,
        )
    if table is not None:
        _print(table, args.json)
    return 0


def _check(args: argparse.Namespace) -> None:
    # before torch is loaded: a slip of the pen should not cost ten seconds
    import math

    bad = [alpha for alpha in args.alpha or [] if not math.isfinite(alpha)]
    if bad:
        raise UsageError(f"--alpha {bad[0]}: give finite numbers")
    if not 0 < args.claim < 1:
        raise UsageError(f"--claim {args.claim}: give a share between 0 and 1")
    if args.max_new_tokens < 1 or (args.batch is not None and args.batch < 1):
        raise UsageError("--max-new-tokens and --batch must be at least 1")
    if args.action == "ablate" and args.alpha:
        raise UsageError("an ablation has no strength; leave --alpha away")
    if args.system and args.chat is False:
        raise UsageError("--system is said by the chat template; leave --no-chat away")
    if args.pairs and args.direction:
        raise UsageError("give --pairs or --direction, not both")
    if (args.save or args.export) and args.layer == "sweep":
        raise UsageError("--save and --export keep one direction; name one --layer")
    if args.export:
        if args.export[0] != "lm-eval" or not args.export[1].endswith(".pt"):
            raise UsageError("--export writes lm-eval FILE.pt; for another format name a file to --save")
        if len(args.alpha or [2.0]) > 1 or args.positions not in (None, "all"):
            raise UsageError("--export keeps one --alpha, and lm-evaluation-harness steers every position")
    if args.evaluate:
        _check_evaluate(args)
        return
    fits = args.save or args.export
    for name in ("doses", "resume", "all_controls", *(() if fits else ("items", "limit", "primer"))):
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} belongs to --evaluate; add it, or leave {option} away")
    _check_items(args)
    unknown = sorted(set(filter(None, args.controls.split(","))) - set(CONTROLS))
    if unknown:
        raise UsageError(f"unknown control {unknown[0]!r}; choose from {', '.join(CONTROLS)}")


def _check_evaluate(args: argparse.Namespace) -> None:
    """Refuse what the protocol decides by itself: an option that changes nothing would be believed to."""
    for name in ("prompt", "file", "alpha", "save", "export"):
        if getattr(args, name):
            raise UsageError(f"--evaluate asks, fits, tunes and controls by itself; leave --{name} away")
    if args.action != "add":
        raise UsageError("--evaluate sets strengths by their cost, which --action add alone has; leave --action away")
    if args.unit == "raw":
        raise UsageError("--evaluate tells strengths in --unit std or residual")
    if args.controls and not (args.controls.isdigit() and int(args.controls)):
        raise UsageError(f"--controls {args.controls}: with --evaluate give a number of each kind, such as 20")
    if args.direction and args.layer:
        raise UsageError("--direction has a layer of its own; leave --layer away")
    _check_items(args)


def _check_items(args: argparse.Namespace) -> None:
    if (args.limit or args.primer) and not args.items:
        raise UsageError("--limit and --primer need --items")


def _prompts(args: argparse.Namespace) -> list[str]:
    prompts = [str(prompt) for prompt in args.prompt]
    if args.file:
        try:
            prompts += [line for line in args.file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError) as error:
            raise ScoresError(f"{args.file}: cannot be read as text ({type(error).__name__})") from error
    return prompts


def _asks(args: argparse.Namespace, prompts: list[str]) -> bool:
    from cape_lib.lm import texts

    return bool(args.chat or args.system) or texts.are_questions(prompts)


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
        return [steering.load(args.direction, lm, any_model=args.any_model)]
    sites: list[models.Site] = list(range(lm.depth)) if args.layer == "sweep" else [lm.site(args.layer or "quarter")]
    pairs = _questions(args, lm, name)[1]
    directions = steering.fit_directions(lm, pairs, sites, method=args.method, name="truth")
    kinds = [CONTROLS[kind] for kind in args.controls.split(",") if kind]
    if kinds:
        import numpy as np
        import torch

        from cape_lib.lm.probes import capture
        from cape_lib.lm.steering.protocol import draw_controls

        states = capture(lm, [*pairs["positive"], *pairs["negative"]], sites)
        vectors, rng = torch.stack([d.vector for d in directions]), np.random.default_rng(args.seed)
        positive, negative = states[: len(pairs)], states[len(pairs) :]
        drawn = draw_controls(positive, negative, vectors, each=1, rng=rng, kinds=tuple(kinds))
        directions += [
            replace(direction, vector=method.vectors[place], name=method.kind)
            for method in drawn[1:]
            for place, direction in enumerate(directions[: len(sites)])
        ]
    return directions


def _print(table: pd.DataFrame, as_json: bool) -> None:
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

    items, pairs = _questions(args, lm, name)
    own = steering.load(args.direction, lm, any_model=args.any_model) if args.direction else None
    sites: list[models.Site] = ["embed", *range(lm.depth)]
    if args.layer not in (None, "sweep"):
        sites = [lm.site(args.layer)]
    positions = _positions(args.positions or "last")
    if args.resume:
        texts.writable_file(args.resume)
    plan = steering.Plan(
        places=tuple(steering.Place(site, positions=positions) for site in sites),
        unit=args.unit,
        claim=args.claim,
        doses=tuple(args.doses or steering.DOSES),
        controls=int(args.controls or 20),
        seed=args.seed,
        method=args.method,
        batch=args.batch or 16384,
        all_controls=args.all_controls,
    )
    tell = progress(args.quiet)
    try:
        result = steering.evaluate(
            lm,
            items,
            pairs,
            plan,
            neutral=texts.neutral_for(name),
            direction=own,
            resume=args.resume,
            progress=lambda stage, done, total: tell(done, total, stage),
            any_model=args.any_model,
        )
    except KeyboardInterrupt:
        if args.resume and args.resume.is_file():
            print(f"\ncape steer: what is done is in {args.resume}; the same command goes on", file=sys.stderr)
        raise
    if args.json:
        print(json.dumps(result.summary(), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(steering.report(result)))
    return 0


def _questions(args: argparse.Namespace, lm: LanguageModel, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The questions, and the pairs to fit on: named ones, those of the questions' split fit, or the shipped ones."""
    from cape_lib.lm import texts

    if not args.items:
        items, pairs = texts.items_for(name), _pairs(args, name)
        if lm.chat and _asks(args, items["prompt"].tolist()):
            items["prompt"] = items["prompt"].map(lm.chat)
            pairs = pairs if args.pairs else texts.pairs_of(items)
        return items, pairs
    primer = ""
    if args.primer:
        try:
            primer = args.primer.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScoresError(f"{args.primer}: cannot be read as text ({type(error).__name__})") from error
    asked = texts.read_benchmark(
        args.items,
        limit=args.limit,
        seed=args.seed,
        primer=primer,
        chat=lm.chat,
        questions_only=not (args.chat or args.system),
    )
    for note in [] if args.quiet else asked.notes:
        print(f"cape steer: note: {note}", file=sys.stderr)
    own = texts.pairs_of(asked.items)
    return asked.items, _pairs(args, name) if args.pairs or own.empty else own
