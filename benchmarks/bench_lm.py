"""Speed of steering and probing, every arm interleaved in one run, as ratios (wall times depend on the machine).

    python benchmarks/bench_lm.py [--rounds 3] [--shape 70m|160m] [--probe] [--device cuda]

Steering: 32 prompts x 32 new tokens, steered and unsteered, on random weights of Pythia's shape.  Other tools are
measured where they can be imported (steering-vectors, repeng and nnsight want environments of their own).
Targets: at least 0.95 of plain `generate` at equal batch; 1.4 times every other tool; 12 times one prompt at a time.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from cape_lib.lm import models, probes, steering, texts
from cape_lib.lm.models.batching import encode_rows, token_lists
from cape_lib.lm.steering.applying import added
from cape_lib.lm.testbed import prompts, store

SHAPES = {
    "tiny": {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4},
    "70m": {"hidden_size": 512, "num_hidden_layers": 6, "num_attention_heads": 8},
    "160m": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "410m": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
}
TOKENS, PROMPTS = 32, 32


def shaped(shape: str, device: str) -> models.LanguageModel:
    """A model of Pythia's shape with random weights and the tokenizer of world R."""
    from transformers import AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

    size = SHAPES[shape]
    config = GPTNeoXConfig(vocab_size=50304, intermediate_size=4 * size["hidden_size"], **size)
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(config).to(device).eval()
    model.generation_config.eos_token_id = None  # every arm writes all its tokens
    tokenizer = AutoTokenizer.from_pretrained(store.folder_of("R-s1"))
    return models.wrap(model, tokenizer, name=f"random weights, shape {shape}")


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

    found: dict[str, Callable[[], None]] = {
        "plain generate, batch 64": lambda: plain(lm, rows + rows),
        "cape, stacked batch 64": stacked,
        "cape, two calls of 32": two_calls,
        "one prompt at a time": one_by_one,
    }
    if importlib.util.find_spec("steering_vectors"):
        found["steering-vectors"] = _steering_vectors(lm, rows, direction)
    if importlib.util.find_spec("repeng"):
        found["repeng"] = _repeng(lm, rows, direction)
    if importlib.util.find_spec("nnsight"):
        found["nnsight"] = _nnsight(lm, rows, direction)
    return found


def _steering_vectors(
    lm: models.LanguageModel, rows: list[list[int]], direction: steering.Direction
) -> Callable[[], None]:
    from steering_vectors import SteeringVector

    vector = SteeringVector({int(direction.site): direction.vector}, "decoder_block")

    def run() -> None:
        plain(lm, rows)
        with vector.apply(lm.model, multiplier=1.0):
            plain(lm, rows)

    return run


def _repeng(lm: models.LanguageModel, rows: list[list[int]], direction: steering.Direction) -> Callable[[], None]:
    import repeng.control
    from repeng import ControlModel, ControlVector

    # it looks for model.model.layers, which GPT-NeoX does not have
    repeng.control.model_layer_list = lambda model: list(lm.blocks)
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
    step = direction.vector

    def run() -> None:
        plain(lm, rows)
        options = {"max_new_tokens": TOKENS, "do_sample": False, "pad_token_id": 0}
        with wrapped.generate(inputs, **options) as tracer, tracer.all():
            wrapped.gpt_neox.layers[int(direction.site)].output[:] += step

    return run


def measure(found: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each arm, the arms in turn."""
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, run in found.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def report(seconds: dict[str, float]) -> None:
    """Tokens a second and ratios to the stacked batch."""
    tokens = 2 * PROMPTS * TOKENS
    ours = seconds["cape, stacked batch 64"]
    for name, value in sorted(seconds.items(), key=lambda pair: pair[1]):
        print(f"{name:<28} {tokens / value:8.0f} tokens/s   cape is {value / ours:5.2f} times as fast")


def probe_cost(shape: str, device: str) -> None:
    """Probing all blocks and heads on 64 prompts and more, against the bare forward passes."""
    lm = shaped(shape, device)
    recipe = store.recipe_of(store.folder_of("R-s1"))
    asked = prompts.probe_sets(recipe, n=32)
    rows = [str(text) for text in asked["text"]]

    def bare() -> None:
        from cape_lib.lm.models.batching import chunks

        lists = token_lists(lm, rows)
        with torch.inference_mode():
            for group in chunks([len(row) for row in lists], tokens=4096):
                models.run(lm, encode_rows(lm, [lists[index] for index in group]))

    seconds = measure({"forward passes": bare, "probe": lambda: probes.probe(lm, asked) and None}, 1)
    print(
        f"probe of {len(rows)} prompts, shape {shape}: "
        f"{seconds['probe'] / seconds['forward passes']:.2f} times the forward passes (target: under 3)"
    )


def protocol_cost() -> None:
    """A dose-response with 40 controls on a testbed model."""
    name = str(store.folder_of("R-s1"))
    lm = models.load(name)
    start = time.perf_counter()
    plan = steering.Plan(controls=14)
    made = steering.evaluate(lm, texts.items_for(name), texts.pairs_for(name), plan, neutral=texts.neutral_for(name))
    print(
        f"protocol with {made.effect.n_controls} controls on {made.model}: "
        f"{time.perf_counter() - start:.1f} s (target: under 60)"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="70m")
    parser.add_argument("--probe", choices=sorted(SHAPES), metavar="SHAPE", help="also probe a model of this shape")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    lm = shaped(args.shape, args.device)
    recipe = store.recipe_of(store.folder_of("R-s1"))
    asked = [str(prompt) for prompt in prompts.truth_table(recipe)["prompt"]][:PROMPTS]
    direction = steering.fit_direction(lm, prompts.contrast(recipe, "reg"), lm.depth // 4)
    with torch.inference_mode():
        report(measure(arms(lm, asked, direction), args.rounds))
    protocol_cost()
    if args.probe:
        probe_cost(args.probe, args.device)


if __name__ == "__main__":
    main()
