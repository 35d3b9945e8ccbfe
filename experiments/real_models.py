"""Recorded runs on models with open weights: the tables `data/model_*.csv`.

    python -m experiments.real_models steer --model FOLDER --items TruthfulQA.csv --limit 100 --layer quarter
    python -m experiments.real_models probe --model FOLDER

A run replaces the rows of its own name and leaves the others.  The weights are never kept: a model is named by its
folder and by a hash of its weights.  `--layer` (or `sweep`, every place), `--positions`, `--controls`, `--doses` and
`--chat` as in `cape steer`.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cape_lib.lm import models, probes, steering, texts
from cape_lib.lm.steering.direction import fit_directions
from experiments.recording import in_front, numbers, replace

DATA = Path(__file__).parents[1] / "data"


def steer(args: argparse.Namespace, lm: models.LanguageModel) -> None:
    """One run of the protocol, as rows of `model_runs`, `model_controls`, `model_doses` and `model_places`."""
    lm = models.with_chat(lm, chat=args.chat)
    asked = texts.read_benchmark(args.items, limit=args.limit, seed=args.seed, chat=lm.chat)
    sweep = args.layer == "sweep"
    sites: list[models.Site] = ["embed", *range(lm.depth)] if sweep else [lm.site(args.layer)]
    plan = steering.Plan(
        places=tuple(steering.Place(site, positions=args.positions) for site in sites),
        seed=args.seed,
        doses=tuple(args.doses or steering.DOSES),
        controls=args.controls,
        all_controls=args.all_controls,
    )
    start, used = time.perf_counter(), time.process_time()
    neutral = texts.neutral_for(lm.name)
    result = steering.evaluate(lm, asked.items, texts.pairs_of(asked.items), plan, neutral=neutral, resume=args.resume)
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    run = f"{lm.name}, {args.layer}, {args.positions}, {args.limit or 'all'} questions, seed {args.seed}"
    run += f", budget {plan.doses[-1]:g}" if args.doses else ""
    run += ", chat" * args.chat + f", {args.dtype}" * (args.dtype != "bfloat16")
    (chosen,) = fit_directions(lm, texts.pairs_of(asked.items), [result.place.site])
    dtype = str(lm.dtype).removeprefix("torch.")
    row: dict[str, Any] = {"run": run, "model": lm.name, "revision": lm.revision, "dtype": dtype}
    row |= {"benchmark": args.items.stem, "command": _command(args), "seconds": round(seconds)}
    row |= {"cpu_seconds": round(cpu), "machine": _machine(lm), "date": datetime.date.today().isoformat()}
    row |= numbers(result) | {"questions": len(asked.items), "tested": len(result.items), "kl": result.cost}
    row |= {name: getattr(chosen, name) for name in ("reliability", "reliability_low", "reliability_high", "held_out")}
    row |= {"control_kl": float(result.controls["cost"].mean())}
    columns = pd.read_csv(DATA / "model_runs.csv", nrows=0).columns
    replace(pd.DataFrame([row])[columns].round(4), DATA / "model_runs.csv", "run")
    for table, rows in {"controls": result.methods, "doses": result.doses, "places": result.places}.items():
        replace(in_front({"run": run}, rows), DATA / f"model_{table}.csv", "run")
    print("\n".join(steering.report(result)), f"{seconds:.0f} s, {cpu:.0f} s of processors", sep="\n", flush=True)


def probe(args: argparse.Namespace, lm: models.LanguageModel) -> None:
    """The probe of a model and of an untrained twin, with the placebo, as rows of `model_probes`."""
    run = f"{lm.name}, probe"
    start = time.perf_counter()
    tables = []
    twins = probes.twins(lm, texts.probe_prompts_for(lm.name))
    for weights, result in zip(("trained", "untrained"), twins, strict=True):
        layers = result.layers.assign(model=lm.name, revision=lm.revision, weights=weights)
        tables.append(in_front({"run": run}, layers))
        print(f"{weights}: {result.placebo_like} of {len(result.layers)} blocks like the placebo; {result.notes}")
    replace(pd.concat(tables), DATA / "model_probes.csv", "run")
    print(f"{time.perf_counter() - start:.0f} s", flush=True)


def _machine(lm: models.LanguageModel) -> str:
    if lm.device.type == "cuda":
        return torch.cuda.get_device_name(lm.device)
    return f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def _command(args: argparse.Namespace) -> str:
    parts = ["cape steer --evaluate", f"--model {Path(args.model).name}", f"--items {args.items.name}"]
    parts += [f"--limit {args.limit}"] if args.limit else []
    parts += [f"--layer {args.layer}", f"--positions {args.positions}", f"--seed {args.seed}", f"--dtype {args.dtype}"]
    parts += [f"--doses {' '.join(map(str, args.doses))}"] if args.doses else []
    parts += ["--chat"] * args.chat + ["--all-controls"] * args.all_controls
    return " ".join(parts)


def main() -> None:
    """Read the command line and run one experiment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["steer", "probe"])
    parser.add_argument("--model", required=True, help="a folder, or the id of a model on the hub")
    parser.add_argument("--items", type=Path, help="TruthfulQA.csv, or questions of another benchmark")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--layer", default="quarter")
    parser.add_argument("--positions", default="last")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--all-controls", action="store_true")
    parser.add_argument("--controls", type=int, default=20, help="of each kind")
    parser.add_argument("--doses", type=float, nargs="+", help="costs in nats a token, the last is the budget")
    parser.add_argument("--chat", action="store_true", help="ask by the tokenizer's template")
    parser.add_argument("--resume", type=Path)
    args = parser.parse_args()
    lm = models.load(args.model, dtype=args.dtype)
    (steer if args.what == "steer" else probe)(args, lm)


if __name__ == "__main__":
    main()
