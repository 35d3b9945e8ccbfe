"""Speed of steering and probing, every arm interleaved in one run, as ratios (seconds depend on the machine).

    python benchmarks/bench_lm.py [--rounds 5] [--shape 70m|160m] [--probe 410m] [--device cuda] [--write]
    python benchmarks/bench_lm.py --scoring FOLDER TruthfulQA.csv [--like gemma-1b llama-7b] [--write]

Steering: 32 prompts x 32 new tokens, steered and unsteered, on random weights of Pythia's shape.  Another tool is
measured where it can be imported; each wants an environment of its own, which holds this book's library too:

    python -m venv /tmp/peer && /tmp/peer/bin/pip install '.[lm]' steering-vectors==0.12.2   # or repeng==0.4.0,
    /tmp/peer/bin/python benchmarks/bench_lm.py --write                                       # or nnsight==0.8.1

`--write` keeps the rows in `benchmarks/lm.csv`.  A ratio is taken within a round, where two arms met the same load,
and its median over the rounds is reported; `cpu` is the same ratio in processor seconds, which other programs hardly
move.
What stacking the arms gains is what a matrix product of 64 rows gains over two of 32, which every tool does alike: on
two quiet cores "cape, two calls of 32" takes 1.3 times as long, and the other tools hardly more (`lm.csv`: medians of
1.33 to 1.35).  A decoding loop of our own in place of the library's `generate` would add 4 to 5 %; it is not worth it.
On an H200 stacking gains 1.9 to 2.0 and steering-vectors takes 1.6 times as long; scoring reaches 1.00 of plain passes
with Gemma 3 270M and 0.67 to 0.76 at shapes of one and seven billion parameters, in 1.04 to 1.22 times the weights and
1 GiB; probing takes 8 seconds, 99 times its forward passes there, as its statistics run on the processor.
Targets: at least 0.95 of plain `generate` at equal batch; 1.4 times every other tool; 12 times one prompt at a time;
probing within 3 times the forward passes; scoring at 0.8 of the speed of plain passes over the same tokens, in 1.5
times the model's memory and 1 GiB; a dose-response with 40 controls on a testbed model in under 60 s.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from cape_lib.lm import models, probes, steering, testbed, texts
from cape_lib.lm.models.running import chunks, encode_rows, states_only, token_lists
from cape_lib.lm.steering.applying import added
from cape_lib.lm.steering.measuring import Arm, answer_scores, questions
from experiments.testbed import prompts, worlds

SHAPES = {
    "tiny": {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4},
    "70m": {"hidden_size": 512, "num_hidden_layers": 6, "num_attention_heads": 8},
    "160m": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "410m": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
}
#: shapes of current models, which are scored with random weights and the tokenizer of a real one
LIKE = {
    "gemma-1b": {"hidden_size": 1152, "num_hidden_layers": 26, "num_attention_heads": 4, "num_key_value_heads": 1},
    "llama-1b": {"hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8},
    "llama-7b": {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32},
}
INNER = {"gemma-1b": 6912, "llama-1b": 8192, "llama-7b": 11008}
#: tokens of a plain pass that scoring is compared with, on a processor and on a GPU: as fast as it goes there
PLAIN = (256, 4096)
TOKENS, PROMPTS = 32, 32
OURS = "cape, stacked batch 64"
PEERS = {"steering-vectors": "steering_vectors", "repeng": "repeng", "nnsight": "nnsight"}
RESULTS = Path(__file__).with_name("lm.csv")
#: what is measured -> the least (or, with "<", the most) that it should reach
TARGETS = {"plain generate, batch 64": "0.95", "one prompt at a time": "12", **dict.fromkeys(PEERS, "1.4")}
TARGETS |= {"probe": "<3", "protocol": "<60 s", "scoring": "0.8", "memory": "<1.5"}


def shaped(shape: str, device: str) -> models.LanguageModel:
    """A model of Pythia's shape with random weights and the tokenizer of world R."""
    from transformers import AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

    size = SHAPES[shape]
    config = GPTNeoXConfig(vocab_size=50304, intermediate_size=4 * size["hidden_size"], **size)
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(config).to(device).eval()
    model.generation_config.eos_token_id = None  # every arm writes all its tokens
    tokenizer = AutoTokenizer.from_pretrained(testbed.tokenizer_of(testbed.folder_of("R-s1")))
    return models.wrap(model, tokenizer, name=f"random weights, shape {shape}")


def like(shape: str, tokenizer: Any, device: str, dtype: str = "bfloat16") -> models.LanguageModel:
    """A model of a current shape with random weights, made on the device."""
    from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig

    kind = Gemma3TextConfig if shape.startswith("gemma") else LlamaConfig
    more = {"head_dim": 256} if shape.startswith("gemma") else {"max_position_embeddings": 8192}
    config = kind(
        vocab_size=len(tokenizer),
        intermediate_size=INNER[shape],
        tie_word_embeddings=True,
        **LIKE[shape],
        **more,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype)).eval()
    return models.wrap(model, tokenizer, name=f"{shape}, random weights")


def plain(lm: models.LanguageModel, rows: list[list[int]]) -> None:
    """The library's own batched generate."""
    part = encode_rows(lm, rows)
    with torch.inference_mode():
        lm.model.generate(
            input_ids=part.ids, attention_mask=part.mask, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0
        )


def arms(lm: models.LanguageModel, asked: list[str], direction: steering.Direction) -> dict[str, Callable[[], None]]:
    """What is measured; every arm writes every prompt once steered and once not."""
    rows = token_lists(lm, asked)
    delta = {direction.site: direction.step(1.0, "raw")}
    writing = steering.Writing(tokens=TOKENS, unit="raw", rows=2 * len(asked))

    def stacked() -> None:
        steering.compare(lm, asked, [direction], [1.0], writing)

    def two_calls() -> None:
        plain(lm, rows)
        with added(lm, delta):
            plain(lm, rows)

    def one_by_one() -> None:
        for row in rows:
            plain(lm, [row])
            with added(lm, delta):
                plain(lm, [row])

    arms: dict[str, Callable[[], None]] = {
        "plain generate, batch 64": lambda: plain(lm, rows + rows),
        OURS: stacked,
        "cape, two calls of 32": two_calls,
        "one prompt at a time": one_by_one,
    }
    if importlib.util.find_spec("steering_vectors"):
        arms["steering-vectors"] = _steering_vectors(lm, rows, direction)
    if importlib.util.find_spec("repeng"):
        arms["repeng"] = _repeng(lm, rows, direction)
    if importlib.util.find_spec("nnsight"):
        arms["nnsight"] = _nnsight(lm, rows, direction)
    return arms


def _steering_vectors(
    lm: models.LanguageModel, rows: list[list[int]], direction: steering.Direction
) -> Callable[[], None]:
    from steering_vectors import SteeringVector

    vector = SteeringVector({int(direction.site): direction.vector.to(lm.device)}, "decoder_block")

    def run() -> None:
        plain(lm, rows)
        with vector.apply(lm.model, multiplier=1.0):
            plain(lm, rows)

    return run


def _repeng(lm: models.LanguageModel, rows: list[list[int]], direction: steering.Direction) -> Callable[[], None]:
    import repeng.control
    from repeng import ControlModel, ControlVector

    # it looks for model.model.layers, which GPT-NeoX does not have
    repeng.control.model_layer_list = lambda model: model.gpt_neox.layers
    wrapped = ControlModel(lm.model, [int(direction.site)])
    vector = ControlVector(model_type="gpt_neox", directions={int(direction.site): direction.vector.numpy()})

    def run() -> None:
        wrapped.reset()
        plain(lm, rows)
        wrapped.set_control(vector, 1.0)
        plain(lm, rows)
        wrapped.reset()

    return run


def _nnsight(lm: models.LanguageModel, rows: list[list[int]], direction: steering.Direction) -> Callable[[], None]:
    from nnsight import LanguageModel

    wrapped = LanguageModel(lm.model, tokenizer=lm.tokenizer)
    part = encode_rows(lm, rows)
    inputs: dict[str, Any] = {"input_ids": part.ids, "attention_mask": part.mask}
    step, layer = direction.vector.to(lm.device), wrapped.gpt_neox.layers[int(direction.site)]

    def run() -> None:
        plain(lm, rows)
        options = {"max_new_tokens": TOKENS, "do_sample": False, "pad_token_id": 0}
        with wrapped.generate(inputs, **options) as tracer:
            for _ in tracer.iter[:TOKENS]:
                layer.output = layer.output + step

    return run


def measure(
    arms: dict[str, Callable[[], None]], rounds: int, device: str = "cpu"
) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds of each arm in every round, the arms in turn."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in arms}
    for name, run in arms.items():
        if name != "one prompt at a time":
            run()  # the first call pays for what is made once
    for _ in range(rounds):
        for name, run in arms.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return times


def ratios(times: dict[str, list[tuple[float, float]]], base: str) -> list[dict[str, Any]]:
    """How many times as fast as an arm `base` is: median, lowest and highest of the rounds; and in processor time."""
    rows = []
    for name, values in times.items():
        pairs = list(zip(values, times[base], strict=True))
        wall = [mine[0] / ours[0] for mine, ours in pairs]
        rows.append(
            {
                "what": name,
                "ratio": statistics.median(wall),
                "low": min(wall),
                "high": max(wall),
                "cpu": statistics.median(mine[1] / ours[1] for mine, ours in pairs),
                "seconds": statistics.median(mine[0] for mine in values),
            }
        )
    return rows


def probe_cost(shape: str, device: str) -> dict[str, Any]:
    """Probing all blocks and heads on 64 prompts and their neutral ones, against the bare forward passes."""
    lm = shaped(shape, device)
    recipe = worlds.recipe_of(testbed.folder_of("R-s1"))
    asked = prompts.probe_sets(recipe, n=32)
    rows = [str(text) for text in asked["text"]]

    def bare() -> None:
        lists = token_lists(lm, rows)
        with torch.inference_mode():
            for group in chunks([len(row) for row in lists], tokens=4096):
                models.run(lm, encode_rows(lm, [lists[index] for index in group]))

    def probing() -> None:
        probes.probe(lm, asked)

    row = ratios(measure({"forward passes": bare, "probe": probing}, 1, device), "forward passes")[1]
    return row | {"what": "probe", "shape": shape}


def scoring_cost(lm: models.LanguageModel, items: Path, rounds: int, limit: int = 16) -> list[dict[str, Any]]:
    """Scoring answers under four arms on a real model, as a share of the speed of plain passes over the same tokens.

    The plain passes read every prompt once and every answer once an arm, and compute the same logits.  Memory: the
    peak of a process that scores, or of what it holds on a GPU, less 1 GiB, in times of the model's weights.
    """
    most = PLAIN[lm.device.type != "cpu"]
    asked = questions(lm, texts.read_benchmark(items, limit=limit).items)
    rng = torch.Generator().manual_seed(0)
    vectors = [size * torch.randn(lm.width, generator=rng) for size in (0.0, 1.0, 2.0, 3.0)]
    four = [Arm(vector, lm.depth // 4) for vector in vectors]
    answers = [answer for own in asked.answers for answer in own] * len(four)

    def plain_passes() -> None:
        with torch.inference_mode():
            for group in chunks([len(row) for row in asked.prompts], tokens=4096):
                states_only(lm, encode_rows(lm, [asked.prompts[k] for k in group]))
            for group in chunks([len(row) for row in answers], tokens=most):
                part = encode_rows(lm, [answers[k] for k in group])
                models.run(lm, part, read=part.mask.bool())

    def scoring() -> None:
        answer_scores(lm, asked, four)

    size = sum(one.numel() * one.element_size() for one in {id(p): p for p in lm.model.parameters()}.values())
    scoring()
    peak = _peak(scoring, lm.device)
    times = measure({"plain passes": plain_passes, "scoring": scoring}, rounds, str(lm.device))
    speed = ratios({"scoring": times["plain passes"], "plain passes": times["scoring"]}, "plain passes")[0]
    tokens = sum(len(row) for row in asked.prompts) + sum(len(row) for row in answers)
    took = statistics.median(wall for wall, _ in times["scoring"])
    print(
        f"{lm.name}: {tokens / took:,.0f} tokens a second, peak {peak / 2**30:.2f} GiB, weights {size / 2**30:.2f} GiB"
    )
    about = {"shape": lm.name, "low": "", "high": "", "cpu": "", "seconds": ""}
    return [
        speed | {"what": "scoring", "shape": lm.name, "seconds": took},
        about | {"what": "memory", "ratio": (peak - 2**30) / size},
    ]


def _peak(run: Callable[[], None], device: torch.device) -> int:
    """Bytes held at most while `run` runs, by the process or on the GPU."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        run()
        return int(torch.cuda.max_memory_allocated(device))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    run()
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def protocol_cost(device: str = "cpu") -> dict[str, Any]:
    """A dose-response with 40 controls on a testbed model."""
    name = str(testbed.folder_of("R-s1"))
    lm = models.load(name, device=device)
    plan = steering.Plan(controls=14)  # of each of three kinds: 42
    wall, processor = time.perf_counter(), time.process_time()
    steering.evaluate(lm, texts.items_for(name), texts.pairs_for(name), plan, neutral=texts.neutral_for(name))
    taken = time.perf_counter() - wall
    return {
        "what": "protocol",
        "shape": "R-s1",
        "ratio": "",
        "low": "",
        "high": "",
        "seconds": taken,
        "cpu": time.process_time() - processor,
    }


def steering_cost(shape: str, device: str, rounds: int) -> list[dict[str, Any]]:
    """Every arm that can run here."""
    lm = shaped(shape, device)
    recipe = worlds.recipe_of(testbed.folder_of("R-s1"))
    asked = [str(prompt) for prompt in prompts.truth_table(recipe)["prompt"]][:PROMPTS]
    direction = steering.fit_direction(lm, prompts.contrast(recipe, "reg"), lm.depth // 4)
    with torch.inference_mode():
        times = measure(arms(lm, asked, direction), rounds, device)
    return [row | {"shape": shape} for row in ratios(times, OURS)]


def _surroundings(device: str, threads: int) -> dict[str, str]:
    peers = [
        f"{name} {importlib.metadata.version(name)}"
        for name, module in PEERS.items()
        if importlib.util.find_spec(module)
    ]
    gpu = torch.cuda.get_device_name() if device.startswith("cuda") else ""
    versions = f"torch {torch.__version__.split('+')[0]}, transformers {importlib.metadata.version('transformers')}"
    return {
        "environment": "; ".join(peers) or "none of the other tools",
        "versions": versions,
        "machine": gpu or f"{platform.machine()}, {os.cpu_count()} cores, {threads} thread{'s' * (threads > 1)}",
        "date": datetime.date.today().isoformat(),
    }


def show(rows: list[dict[str, Any]]) -> None:
    """One line a row, beside its target."""
    for row in rows:
        target = f"target {TARGETS[row['what']]}" if row["what"] in TARGETS else ""
        times = f"{row['ratio']:6.2f}" if row["ratio"] != "" else ""
        times += f" [{row['low']:.2f}, {row['high']:.2f}]" if row["low"] != "" else ""
        spent = f"cpu {row['cpu']:6.2f}  {row['seconds']:7.1f} s" if row["seconds"] != "" else ""
        print(f"{row['what']:<26} {row['shape']:<5} {times:<22} {spent}  {target}")


def keep(rows: list[dict[str, Any]], about: dict[str, str]) -> None:
    """Write rows to RESULTS, in place of those of the same environment, machine, shape and arm."""
    columns = ["what", "shape", "ratio", "low", "high", "cpu", "seconds", *about]
    old = list(csv.DictReader(RESULTS.open(encoding="utf-8", newline=""))) if RESULTS.is_file() else []
    written = [{k: f"{v:.3g}" if isinstance(v, float) else v for k, v in (row | about).items()} for row in rows]
    key = ("what", "shape", "environment", "machine")
    new = {tuple(row[k] for k in key) for row in written}
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows([row for row in old if tuple(row[k] for k in key) not in new] + written)


def main() -> None:
    """Run, print and perhaps keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="70m")
    parser.add_argument("--probe", choices=sorted(SHAPES), metavar="SHAPE", help="also probe a model of this shape")
    parser.add_argument("--protocol", action="store_true", help="also time the protocol on a testbed model")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads of torch")
    parser.add_argument("--write", action="store_true", help=f"keep the rows in benchmarks/{RESULTS.name}")
    parser.add_argument("--scoring", nargs=2, metavar=("FOLDER", "ITEMS"), help="score a real model's answers instead")
    parser.add_argument("--like", nargs="*", default=[], choices=sorted(LIKE), help="also score models of these shapes")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = steering_cost(args.shape, args.device, args.rounds) if args.rounds and not args.scoring else []
    rows += [protocol_cost(args.device)] if args.protocol else []
    rows += [probe_cost(args.probe, args.device)] if args.probe else []
    if args.scoring:
        folder, items = args.scoring[0], Path(args.scoring[1])
        lm = models.load(folder, device=args.device, dtype="bfloat16")
        tokenizer = lm.tokenizer
        rows += scoring_cost(lm, items, max(1, args.rounds))
        for shape in args.like:
            del lm  # two models at once would not show what one of them takes
            lm = like(shape, tokenizer, args.device)
            rows += scoring_cost(lm, items, max(1, args.rounds))
    show(rows)
    if args.write:
        keep(rows, _surroundings(args.device, args.threads))


if __name__ == "__main__":
    main()
