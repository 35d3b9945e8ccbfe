"""`cape probe`: the coupling of reasoning and truthfulness inside a model, by block and by head."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.errors import UsageError
from cape_lib.output import whole

if TYPE_CHECKING:
    from cape_lib.lm.probes import Probe


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape probe`."""
    add = parser.add_argument
    add("--model", required=True, metavar="M", help="hub id, folder, or a testbed model such as D-d48-s1")
    add("--prompts", type=Path, metavar="CSV", help="own prompts: columns set (reasoning, truthfulness, neutral), text")
    add("--untrained", type=int, default=1, metavar="N", help="untrained twins beside it (default: 1)")
    add("--heads", type=Path, metavar="CSV", help="write the table of heads to a file")
    add("--batch", type=int, default=4096, metavar="N", help="tokens a forward pass (default: 4096)")
    add("--seed", type=int, default=0, help="of the random projections (default: 0)")
    add("--device", metavar="D", help="cpu, cuda, cuda:1 or auto (default: a GPU if there is one)")
    add("--dtype", default="auto", help="auto (default), float32, bfloat16 or float16")
    add("--json", action="store_true", help="one JSON object: the model and its untrained twins")


def run(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """The coupling of the model and of its untrained twins."""
    if args.untrained < 0 or args.batch < 1:
        raise UsageError("--untrained must be at least 0, --batch at least 1")
    from cape_lib.lm import models, probes, texts

    if args.heads:
        texts.writable_file(args.heads)
    name = texts.model_path(args.model)
    shipped = texts.probe_prompts_for(name)
    prompts = shipped
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
    return summary, _lines(trained, twins)


def _lines(trained: Probe, twins: list[Probe]) -> Iterator[str]:
    from cape_lib.lm.probes import DEFINITION

    for note in trained.notes:
        print(f"cape probe: note: {note}", file=sys.stderr)
    for one in [trained, *twins]:
        profile = ", ".join(f"{part} {value:+.2f}" for part, value in one.profile.items() if value == value)
        heads = f"of {len(one.heads)} heads {one.competing} compete, {one.cooperating} cooperate"
        yield f"{one.model}: coupling {profile}; {heads}"
    columns = ["layer", "coupling", "low", "high", "q", "placebo", "placebo_low", "placebo_high", "raw", "dimension"]
    table = trained.layers[columns]
    yield table.to_string(index=False, float_format=lambda value: f"{value:.3f}")
    yield (
        f"In {trained.placebo_like} of {len(table)} blocks the placebo, neutral contexts with the same endings, "
        "couples as much. nan: the sets do not differ from neutral text beyond noise."
    )
    definition = DEFINITION[0].upper() + DEFINITION[1:]
    yield f"A coupling that an untrained twin shows too was not learnt. {definition}."
