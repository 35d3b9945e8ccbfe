"""Testbed models on disk: a folder a model, readable by plain `AutoModelForCausalLM.from_pretrained(folder)`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, cast

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.testbed import recipes
from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.names import suggest
from cape_lib.output import whole

CARD = "testbed.json"
WEIGHTS = "model.safetensors"


def made_folder(folder: Path) -> Path:
    """The folder, made if need be; SurroundingsError before any work is done if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SurroundingsError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
    if not os.access(folder, os.W_OK):
        raise SurroundingsError(f"{folder}: nothing may be written there; choose another place")
    return folder


def writable_file(path: Path) -> Path:
    """The path of a file to be written later; SurroundingsError if it is a folder or its folder is not there."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SurroundingsError(f"{path}: cannot be written; choose a file in a folder that is there")
    return path


def home() -> Path:
    """The folder of the shipped models: `data/testbed` of the checkout or of the installed package."""
    here = Path(__file__).resolve().parents[2]
    for place in (here.parent / "data" / "testbed", here / "_data" / "testbed"):
        if place.is_dir():
            return place
    raise SurroundingsError("the shipped testbed models are not here; make them with `cape testbed train --out FOLDER`")


def folder_of(name: str, *, where: Path | None = None) -> Path:
    """The folder of a testbed model, by name; UsageError if it is not there."""
    where = where or home()
    if not (where / name / CARD).is_file():
        here = sorted(path.parent.name for path in where.glob(f"*/{CARD}"))
        raise UsageError(suggest("testbed model", name, here or recipes.shipped()))
    return where / name


def card(folder: Path) -> dict[str, Any]:
    """What a model's testbed.json says: recipe, scores, curve, hash, versions."""
    found: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return found


def recipe_of(folder: Path) -> Recipe:
    """The recipe of the model in a folder."""
    return Recipe(**card(folder)["recipe"])


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_done(folder: Path, recipe: Recipe) -> bool:
    """Whether the folder holds the finished model of just this recipe, its weights whole."""
    try:
        held = card(folder)
        return bool(held["recipe"] == recipe.as_dict() and held["sha256"] == digest(folder / WEIGHTS))
    except (OSError, ValueError, KeyError):
        return False


def _config_json(recipe: Recipe, model: Any) -> dict[str, Any]:
    # the long-standing names: transformers 4 reads them as they are, 5 translates them
    keep = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
            "hidden_act", "layer_norm_eps", "use_parallel_residual", "attention_bias",
            "initializer_range")  # fmt: skip
    found = {key: getattr(model.config, key) for key in keep}
    return {
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", **found, "rotary_emb_base": 10000,
        "rotary_pct": 0.5 if recipe.width >= 16 else 1.0, "torch_dtype": "float16",
    }  # fmt: skip


def save(model: Any, recipe: Recipe, folder: Path, extra: dict[str, Any] | None = None) -> None:
    """Write a model as float16 with config, tokenizer and card; the folder appears whole or not at all."""
    import torch
    import transformers
    from safetensors.torch import save_file

    from cape_lib.lm.testbed.tokens import write_tokenizer

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
        write_tokenizer(recipe.world, draft)
        held = {
            "name": recipe.name, "recipe": recipe.as_dict(), "sha256": digest(draft / WEIGHTS),
            "parameters": sum(p.numel() for p in model.parameters()), "command": f"cape testbed train {recipe.name}",
            "torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, **(extra or {}),
        }  # fmt: skip
        (draft / CARD).write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def keep_unfinished(state: dict[str, Any], path: Path) -> None:
    """Write the state of a run that is not at its end; whole or not at all."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as draft:
        torch.save(state, draft)


def unfinished(path: Path, recipe: Recipe) -> dict[str, Any] | None:
    """The state of an interrupted run of just this recipe, None where there is none that can be read."""
    import torch

    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        return state if state["recipe"] == recipe.as_dict() else None
    except Exception:  # a damaged file costs a run from the start and nothing else
        return None


def load(folder: Path) -> Any:
    """The model in a folder as float32, in evaluation mode (no network, no tokenizer)."""
    from transformers import AutoModelForCausalLM

    from cape_lib.lm.models.loading import quiet

    with quiet():
        return cast(Any, AutoModelForCausalLM).from_pretrained(folder, local_files_only=True).float().eval()


def write_manifest(where: Path) -> Path:
    """Write manifest.json beside the models: hash, recipe, scores and command of each."""
    cards = [card(path.parent) for path in sorted(where.glob(f"*/{CARD}"))]
    lean = {held["name"]: {key: value for key, value in held.items() if key not in ("name", "curve")} for held in cards}
    path = where / "manifest.json"
    path.write_text(json.dumps(lean, indent=1) + "\n", encoding="utf-8")
    return path


def score_rows(where: Path) -> list[dict[str, Any]]:
    """One row a model: ladder, recipe, parameters and the scores of the shipped weights, by ladder,
    seed and width."""
    rows = []
    for held in _cards(where):
        recipe = held["recipe"]
        rows.append(
            {"ladder": held["name"][0], "name": held["name"], "seed": recipe["seed"], "width": recipe["width"],
             "layers": recipe["layers"], "parameters": held["parameters"],
             "believers": recipe["believers"]} | held["scores"]
        )  # fmt: skip
    return rows


def curve_rows(where: Path) -> list[dict[str, Any]]:
    """One row a model and step of its training: the scores on the way (float32 weights)."""
    return [
        {"ladder": held["name"][0], "name": held["name"], "seed": held["recipe"]["seed"],
        "width": held["recipe"]["width"]} | point
        for held in _cards(where) for point in held.get("curve", [])
    ]  # fmt: skip


def _cards(where: Path) -> list[dict[str, Any]]:
    cards = [card(path.parent) for path in where.glob(f"*/{CARD}")]
    return sorted(cards, key=lambda held: (held["name"][0], held["recipe"]["seed"], held["recipe"]["width"]))
