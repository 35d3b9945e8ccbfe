"""`cape probe` and `steer`: the coupling inside a language model; texts with and without a direction, and its test."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.cli import progress
from cape_lib.errors import ScoresError, UsageError
from cape_lib.output import whole

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.lm.models import LanguageModel
    from cape_lib.lm.probes import Probe
    from cape_lib.lm.steering import Direction

#: a control by name on the command line -> its kind
CONTROLS = {"random": "isotropic", "shuffled": "balanced shuffle"}


def run_probe(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """The coupling of the model and of its untrained twins."""
    if args.untrained < 0 or args.batch < 1:
        raise UsageError("--untrained must be at least 0, --batch at least 1")
    from cape_lib.lm import models, probes, texts

    if args.heads:
        texts.writable_file(args.heads)
    name = texts.model_path(args.model)
    prompts = shipped = texts.probe_prompts_for(name)
    if args.prompts:
        prompts = probes.check_prompts(texts.read(args.prompts, ("set", "text")))
        prompts = probes.with_placebo(prompts, shipped.loc[shipped["set"] == "placebo", "text"].tolist())
    lm = models.load(name, device=args.device, dtype=args.dtype)
    options = {"seed": args.seed, "batch": args.batch}
    trained = probes.probe(lm, prompts, **options)
    twins = [probes.probe(models.untrained(lm, seed=seed), prompts, **options) for seed in range(args.untrained)]
    if args.heads:
        with whole(args.heads) as draft:
            trained.heads.to_csv(draft, index=False, lineterminator="\n")
    summary = trained.summary() | {"untrained": [twin.summary() for twin in twins]}
    return summary, _probed(trained, twins)


def _probed(trained: Probe, twins: list[Probe]) -> Iterator[str]:
    from cape_lib.lm.probes import DEFINITION

    for note in trained.notes:
        print(f"cape probe: note: {note}", file=sys.stderr)
    for one in [trained, *twins]:
        profile = ", ".join(f"{part} {value:+.2f}" for part, value in one.profile.items() if value == value)
        heads = f"of {len(one.heads)} heads {one.competing} compete, {one.cooperating} cooperate"
        yield f"{one.model}: coupling {profile}; {heads}"
    columns = ["layer", "coupling", "low", "high", "q", "placebo", "placebo_low", "placebo_high", "raw", "dimension"]
    yield trained.layers[columns].to_string(index=False, float_format=lambda value: f"{value:.3f}")
    yield (
        f"In {trained.placebo_like} of {len(trained.layers)} blocks the placebo, neutral contexts with the same "
        "endings, couples as much. nan: the sets do not differ from neutral text beyond noise."
    )
    definition = DEFINITION[0].upper() + DEFINITION[1:]
    yield f"A coupling that an untrained twin shows too was not learnt. {definition}."


def _rules(args: argparse.Namespace) -> Iterator[tuple[Any, str]]:
    """Whether a rule is broken, and what to do about it; an option that changes nothing would be believed to."""
    for alpha in args.alpha or []:
        yield not math.isfinite(alpha), f"--alpha {alpha}: give finite numbers"
    yield not 0 < args.claim < 1, f"--claim {args.claim}: give a share between 0 and 1"
    few = args.max_new_tokens < 1 or (args.batch is not None and args.batch < 1)
    yield few, "--max-new-tokens and --batch must be at least 1"
    yield args.action == "ablate" and args.alpha, "an ablation has no strength; leave --alpha away"
    yield args.system and args.chat is False, "--system is said by the chat template; leave --no-chat away"
    yield args.pairs and args.direction, "give --pairs or --direction, not both"
    saves = args.save or args.export
    yield saves and args.layer == "sweep", "--save and --export keep one direction; name one --layer"
    if args.export:
        form, file = args.export
        other = form != "lm-eval" or not file.endswith(".pt")
        yield other, "--export writes lm-eval FILE.pt; for another format name a file to --save"
        several = len(args.alpha or [2.0]) > 1 or args.positions not in (None, "all")
        yield several, "--export keeps one --alpha, and lm-evaluation-harness steers every position"
    if args.evaluate:
        for name in ("prompt", "file", "alpha", "save", "export"):
            asks = "--evaluate asks, fits, tunes and controls by itself"
            yield getattr(args, name), f"{asks}; leave --{name} away"
        costs = "--evaluate sets strengths by their cost, which --action add alone has; leave --action away"
        yield args.action != "add", costs
        yield args.unit == "raw", "--evaluate tells strengths in --unit std or residual"
        counted = args.controls.isdigit() and int(args.controls)
        number = f"--controls {args.controls}: with --evaluate give a number of each kind, such as 20"
        yield args.controls and not counted, number
        yield args.direction and args.layer, "--direction has a layer of its own; leave --layer away"
    else:
        for name in ("doses", "resume", "all_controls", *(() if saves else ("items", "limit", "primer"))):
            option = f"--{name.replace('_', '-')}"
            yield getattr(args, name), f"{option} belongs to --evaluate; add it, or leave {option} away"
    yield (args.limit or args.primer) and not args.items, "--limit and --primer need --items"
    if not args.evaluate:
        for control in sorted(filter(None, args.controls.split(","))):
            yield control not in CONTROLS, f"unknown control {control!r}; choose from {', '.join(CONTROLS)}"


def run_steer(args: argparse.Namespace) -> int:
    """Steer and print, or run the protocol; refused before torch is loaded: a slip should not cost ten seconds."""
    for broken, message in _rules(args):
        if broken:
            raise UsageError(message)
    from cape_lib.lm import models, steering, texts

    for file in [*([args.save] if args.save else []), *map(Path, (args.export or [])[1:])]:
        texts.writable_file(file)
    name = texts.model_path(args.model)
    prompts = [*map(str, args.prompt), *(line for line in _text(args.file).splitlines() if line.strip())]
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
        chat = " --apply_chat_template" if lm.chat else ""
        print(f"cape steer: now: lm_eval {model} --tasks TASK{chat}", file=sys.stderr)
    if table is not None and args.json:
        for row in table.to_dict("records"):
            print(json.dumps(row, ensure_ascii=False))
    elif table is not None:
        for prompt, rows in table.groupby("prompt", sort=False):
            print(f"\n{prompt}")
            for line in rows.to_dict("records"):
                arm = f"{line['direction']}, layer {line['layer']}, alpha {line['alpha']:g}"
                print(f"  {'unsteered' if line['direction'] == 'none' else arm:<32} {line['text'].strip()}")
        steered = table[table["direction"] != "none"]
        differ = f"{int(steered['changed'].sum())} of {len(steered)} steered texts differ from the unsteered ones"
        print(f"\n{differ}; that is not a correction")
    return 0


def _text(file: Path | None) -> str:
    """What stands in a file of text, "" for none."""
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ScoresError(f"{file}: cannot be read as text ({type(error).__name__})") from error


def _asks(args: argparse.Namespace, prompts: list[str]) -> bool:
    from cape_lib.lm import texts

    return bool(args.chat or args.system) or texts.are_questions(prompts)


def _positions(asked: str) -> Any:
    try:
        return tuple(int(part) for part in asked.split(","))
    except ValueError:
        return asked


def _directions(args: argparse.Namespace, lm: LanguageModel, name: str) -> list[Direction]:
    """The direction at each layer asked for, and its controls."""
    import numpy as np
    import torch

    from cape_lib.lm import models, steering
    from cape_lib.lm.steering.direction import pair_states
    from cape_lib.lm.steering.protocol import draw_controls

    if args.direction:
        if args.controls:
            raise UsageError("--controls need the pairs; give --pairs instead of --direction")
        return [steering.load(args.direction, lm, any_model=args.any_model)]
    sites: list[models.Site] = list(range(lm.depth)) if args.layer == "sweep" else [lm.site(args.layer or "quarter")]
    pairs = _questions(args, lm, name)[1]
    states = pair_states(lm, pairs, sites)
    directions = steering.fit_directions(lm, pairs, sites, method=args.method, name="truth", states=states)
    kinds = tuple(CONTROLS[kind] for kind in args.controls.split(",") if kind)
    vectors, rng = torch.stack([d.vector for d in directions]), np.random.default_rng(args.seed)
    drawn = draw_controls(states[0], states[1], vectors, each=1, rng=rng, kinds=kinds)
    return directions + [
        replace(direction, vector=vector, name=control.kind)
        for control in drawn[1:]
        for direction, vector in zip(directions, control.vectors, strict=True)
    ]


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

    pairs = texts.read(args.pairs, ("positive", "negative")) if args.pairs else texts.pairs_for(name)
    if not args.items:
        items = texts.items_for(name)
        if lm.chat and _asks(args, items["prompt"].tolist()):
            items["prompt"] = items["prompt"].map(lm.chat)
            pairs = pairs if args.pairs else texts.pairs_of(items)
        return items, pairs
    asked = texts.read_benchmark(
        args.items,
        limit=args.limit,
        seed=args.seed,
        primer=_text(args.primer),
        chat=lm.chat,
        questions_only=not (args.chat or args.system),
    )
    for note in [] if args.quiet else asked.notes:
        print(f"cape steer: note: {note}", file=sys.stderr)
    own = texts.pairs_of(asked.items)
    return asked.items, pairs if args.pairs or own.empty else own
