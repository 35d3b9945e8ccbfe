"""Train one testbed model on one CPU thread, bit for bit the same on the same machine; score it, keep it, remake it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM

from cape_lib.errors import SurroundingsError
from cape_lib.lm import testbed
from cape_lib.lm.models.loading import quiet
from cape_lib.output import whole
from experiments.testbed import prompts, recipes, worlds
from experiments.testbed.prompts import Items
from experiments.testbed.worlds import REGISTERS, SPECIALS, WEB, Recipe, World, documents, vocabulary

WEIGHTS = "model.safetensors"
HELD_OUT = 1024  # documents on which the loss is reported
CURVE_EVERY = 100
#: how far a share (0-1) and a loss (nats) may lie from the shipped model's after retraining elsewhere
TOLERANCE = {"share": 0.12, "loss": 0.05}
#: an unfinished run: steps taken, and the states of the model and of the optimiser
State = dict[str, Any]


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: two are slower on models this small, and not bit-identical."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def config(recipe: Recipe) -> Any:
    """The GPT-NeoX configuration of a recipe: untied, rotary on all (narrow) or half of a head's channels."""
    return cast(Any, GPTNeoXConfig)(
        vocab_size=len(vocabulary(recipe.world)),
        hidden_size=recipe.width,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.feed_forward or 4 * recipe.width,
        max_position_embeddings=64,
        rotary_pct=0.5 if recipe.width >= 16 else 1.0,
        tie_word_embeddings=False,
        bos_token_id=2,
        eos_token_id=0,
        pad_token_id=0,
        use_cache=True,
    )


def untrained(recipe: Recipe) -> Any:
    """The model before its first step, float32; the global torch generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return cast(Any, GPTNeoXForCausalLM)(config(recipe)).float()


def _rate(step: int, steps: int) -> float:
    warm = max(1, round(0.05 * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def train(
    recipe: Recipe,
    *,
    every: int = 0,
    watch: Callable[[int, Any], None] | None = None,
    progress: Callable[[int], None] | None = None,
    keep: Callable[[State], None] | None = None,
    start: State | None = None,
) -> Any:
    """The trained model of a recipe, float32, in evaluation mode.

    watch(step, model): called after every `every` steps, for curves; progress(step): called after each step;
    keep(state): called after `watch` with all that it takes to go on; start: a state kept before.  A run that was
    interrupted and goes on ends in the same weights, bit for bit.  About 20 to 50 seconds on one free core.
    """
    world = worlds.build(recipe)
    rows = documents(recipe, world, recipe.steps * recipe.rows, np.random.default_rng([recipe.seed, 1]))
    data = torch.from_numpy(rows).reshape(recipe.steps, recipe.rows, -1)
    with one_thread():
        model = untrained(recipe)
        model.train()
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        if start is not None:
            model.load_state_dict(start["model"])
            optimiser.load_state_dict(start["optimiser"])
        for step in range(start["step"] if start else 0, recipe.steps):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * _rate(step, recipe.steps)
            logits, targets = model(input_ids=data[step, :, :-1], use_cache=False).logits, data[step, :, 1:]
            # nats a token, the mean over all next tokens
            loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            if every and (step + 1) % every == 0:
                if watch is not None:
                    model.eval()
                    watch(step + 1, model)
                    model.train()
                if keep is not None and step + 1 < recipe.steps:
                    keep({"step": step + 1, "model": model.state_dict(), "optimiser": optimiser.state_dict()})
            if progress is not None:
                progress(step + 1)
    return model.eval()


@torch.inference_mode()
def choose(model: Any, tests: Items) -> np.ndarray:
    """Log probability (nats) of every candidate, (n_items, 4): the sum over its tokens."""
    start, candidates = torch.from_numpy(tests.prompts), torch.from_numpy(tests.candidates)
    n, k, length = candidates.shape
    rows = torch.cat([start[:, None].expand(n, k, -1), candidates], dim=2).reshape(n * k, -1)
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits[:, -length:].float()
    picked = logits.log_softmax(-1).gather(-1, candidates.reshape(n * k, length, 1))
    return np.asarray(picked.sum((1, 2)).reshape(n, k))


@torch.inference_mode()
def losses(model: Any, recipe: Recipe, world: World) -> dict[str, float]:
    """Mean loss (nats a token) on 1,024 fresh documents of the model's own mixture: overall and by register."""
    rows = torch.from_numpy(documents(recipe, world, HELD_OUT, np.random.default_rng([recipe.seed, 4])))
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits.float()
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none").mean(1)
    kind = rows[:, 1] - world.base["register"]
    means = {"loss": float(each.mean())}
    for index, name in enumerate(REGISTERS):
        if bool((kind == index).any()):
            means[f"loss_{name}"] = float(each[kind == index].mean())
    return means


def score(model: Any, recipe: Recipe) -> dict[str, float]:
    """All scores of a model, shares 0-1 and losses in nats a token.

    story, truth: share of items whose right candidate has the highest probability; myth: share whose myth has it;
    n_story, n_truth: items; truth_web: the same questions in the web register.
    """
    world = worlds.build(recipe)
    with one_thread():
        asked = prompts.truth_items(world)
        truth = choose(model, asked).argmax(1)
        web = choose(model, prompts.truth_items(world, register=WEB)).argmax(1)
        story = choose(model, prompts.story_items(world)).argmax(1)
        shares = {"story": story == 0, "truth": truth == 0, "myth": truth == 1, "truth_web": web == 0}
        scores = {name: float(chosen.mean()) for name, chosen in shares.items()}
        return scores | {"n_story": len(story), "n_truth": len(asked)} | losses(model, recipe, world)


def made_folder(folder: Path) -> Path:
    """The folder, made if need be; SurroundingsError before any work is done if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SurroundingsError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    if not os.access(folder, os.W_OK):
        raise SurroundingsError(f"{folder}: nothing may be written there; choose another place")
    return folder


def tokenizer_json(world: str) -> str:
    """The content of tokenizer.json for world "D" or "R"."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    ids = {word: index for index, word in enumerate(vocabulary(world))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", ids["<bos>"])]
    )
    tokenizer.add_special_tokens(list(SPECIALS))
    return str(tokenizer.to_str(pretty=False))


def write_tokenizer(world: str, folder: Path) -> None:
    """Write the tokenizer that all models of a world share into a folder."""
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>"}
    settings |= {"eos_token": "<pad>", "pad_token": "<pad>", "unk_token": "<unk>", "padding_side": "left"}
    settings |= {"model_max_length": 64, "clean_up_tokenization_spaces": False}
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer_json(world), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_done(folder: Path, recipe: Recipe) -> bool:
    """Whether the folder holds the finished model of just this recipe, its weights whole."""
    try:
        card = testbed.card(folder)
        return bool(card["recipe"] == recipe.as_dict() and card["sha256"] == digest(folder / WEIGHTS))
    except (OSError, ValueError, KeyError):
        return False


def _config_json(recipe: Recipe, model: Any) -> dict[str, Any]:
    # the long-standing names: transformers 4 reads them as they are, 5 translates them
    names = (
        "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size max_position_embeddings "
        "tie_word_embeddings bos_token_id eos_token_id pad_token_id hidden_act layer_norm_eps use_parallel_residual "
        "attention_bias initializer_range"
    )
    settings = {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox"}
    settings |= {name: getattr(model.config, name) for name in names.split()}
    rotary = 0.5 if recipe.width >= 16 else 1.0
    return settings | {"rotary_emb_base": 10000, "rotary_pct": rotary, "torch_dtype": "float16"}


def save(model: Any, recipe: Recipe, folder: Path, extra: dict[str, Any] | None = None) -> None:
    """Write a model as float16 with config and card, its world's tokenizer beside it; whole or not at all."""
    draft = folder.with_name(f".{folder.name}.draft{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        # GPT-NeoX checkpoints call the output matrix embed_out; transformers 4 and 5 both read that name
        half = {
            key.replace("lm_head.", "embed_out."): value.detach().to(torch.float16).contiguous()
            for key, value in model.state_dict().items()
        }
        save_file(half, draft / WEIGHTS, metadata={"format": "pt"})
        (draft / WEIGHTS).chmod(0o644)
        (draft / "config.json").write_text(json.dumps(_config_json(recipe, model), indent=1) + "\n", encoding="utf-8")
        card = {
            "name": recipe.name,
            "recipe": recipe.as_dict(),
            "sha256": digest(draft / WEIGHTS),
            "parameters": sum(p.numel() for p in model.parameters()),
            "command": f"python -m experiments.testbed train {recipe.name}",
            "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__,
            **(extra or {}),
        }
        (draft / testbed.CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        write_tokenizer(recipe.world, folder.with_name(f"tokenizer-{recipe.world}"))
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def keep_unfinished(state: dict[str, Any], path: Path) -> None:
    """Write the state of a run that is not at its end; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as draft:
        torch.save(state, draft)


def unfinished(path: Path, recipe: Recipe) -> dict[str, Any] | None:
    """The state of an interrupted run of just this recipe, None where there is none that can be read."""
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        return state if state["recipe"] == recipe.as_dict() else None
    except Exception:  # a damaged file costs a run from the start and nothing else
        return None


def load(folder: Path) -> Any:
    """The model in a folder as float32, in evaluation mode (no network, no tokenizer)."""
    with quiet():
        return cast(Any, AutoModelForCausalLM).from_pretrained(folder, local_files_only=True).float().eval()


def write_manifest(where: Path) -> Path:
    """Write manifest.json beside the models: hash, recipe, scores and command of each."""
    cards = [testbed.card(path.parent) for path in sorted(where.glob(f"*/{testbed.CARD}"))]
    lean = {card["name"]: {key: value for key, value in card.items() if key not in ("name", "curve")} for card in cards}
    path = where / "manifest.json"
    path.write_text(json.dumps(lean, indent=1) + "\n", encoding="utf-8")
    return path


def make(recipe: Recipe, folder: Path, *, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Train a recipe into `folder` unless it is there already; returns its card.

    Every hundred steps the run is kept in a file beside the folder, `.NAME.unfinished`, which the next call goes on
    from and which is gone at the end.
    """
    prompts.write_texts(recipe, folder.with_name("prompts"))
    if is_done(folder, recipe):
        return testbed.card(folder)
    left = folder.with_name(f".{folder.name}.unfinished")
    start = unfinished(left, recipe)
    curve: list[dict[str, float]] = start["curve"] if start else []

    def watch(step: int, model: Any) -> None:
        curve.append({"step": step} | _rounded(score(model, recipe)))

    def keep(state: dict[str, Any]) -> None:
        keep_unfinished(state | {"recipe": recipe.as_dict(), "curve": curve}, left)

    model = train(recipe, every=CURVE_EVERY, watch=watch, progress=progress, keep=keep, start=start)
    save(model, recipe, folder, {"curve": curve})
    # the scores that count are those of the float16 weights as shipped
    scores = _rounded(score(load(folder), recipe))
    save(model, recipe, folder, {"scores": scores, "curve": curve})
    left.unlink(missing_ok=True)
    return testbed.card(folder)


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {key: value if isinstance(value, int) else round(value, 5) for key, value in scores.items()}


@dataclass(frozen=True)
class Reproduction:
    """A model retrained and set beside the shipped one: scores of both, and what moved further than tolerated."""

    name: str
    shipped: dict[str, float]
    again: dict[str, float]
    identical: bool
    outside: dict[str, float]

    @property
    def agrees(self) -> bool:
        """Whether every score lies within the tolerance."""
        return not self.outside


def reproduce(name: str, *, scratch: Path, progress: Callable[[int], None] | None = None) -> Reproduction:
    """Retrain a shipped model in `scratch` and compare.

    On the machine and versions that made it the weights are the same bit for bit; elsewhere shares may move by
    0.12 and losses by 0.05 nats (TOLERANCE), as rounding differs between processors.
    """
    shipped = testbed.folder_of(name)
    card = testbed.card(shipped)
    again = make(Recipe(**card["recipe"]), scratch / name, progress=progress)
    moved = {key: again["scores"][key] - value for key, value in card["scores"].items()}
    most = {key: TOLERANCE["loss" if key.startswith("loss") else "share"] for key in moved}
    outside = {key: value for key, value in moved.items() if abs(value) > most[key]}
    return Reproduction(name, card["scores"], again["scores"], card["sha256"] == again["sha256"], outside)


def retrained(grid: pd.DataFrame, *, believers: float, reliable: float, width: int, seed: int = 1) -> str:
    """Train one model of the made world now; its scores in words, beside those of the same cell of the grid.

    grid: the curation rows of `testbed_grid`; believers, reliable: shares (0-1); width: channels, even.
    """
    recipe = recipes.dip(width, seed, name="live", believers=believers, ref=reliable)
    scores = score(train(recipe), recipe)
    here = f"Trained just now: width {width}, {believers:.0%} believers, {reliable:.0%} reliable text. "
    here += f"**{scores['truth']:.0%}** right, {scores['myth']:.0%} myths, {scores['story']:.0%} of the stories."
    same = grid[(grid.width == width) & (grid.believers == believers) & (grid.ref == reliable) & (grid.seed == seed)]
    return here + (f" In the grid: {same.truth.iloc[0]:.0%} right." if len(same) else " The grid has no such cell.")
