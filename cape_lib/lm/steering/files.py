"""Directions on disk: safetensors, plain torch files, control vectors of llama.cpp, and lm-evaluation-harness' file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models.problems import ModelError, needed
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import site_parts
from cape_lib.lm.steering.direction import Direction, check_fits
from cape_lib.output import whole

#: key of the metadata in safetensors and GGUF
_KEY = "cape_direction"


def save(direction: Direction, path: Path) -> None:
    """Write a direction in the format of the file's ending; the file appears whole or not at all.

    .gguf: a control vector of llama.cpp, as fitted (its strength is alpha times std over norm); .pt: a dictionary of
    the vector and what is known of it; any other: safetensors.  Raises UsageError for a place that GGUF does not know.
    """
    fields = {key: value for key, value in asdict(direction).items() if key != "vector"}
    vector = direction.vector.contiguous()
    if path.suffix == ".gguf":
        parts = site_parts(direction.site)
        if not all(isinstance(part, int) and part > 0 for part in parts):
            raise UsageError(f"{path}: a control vector of llama.cpp steers blocks from 1 on, not {direction.site}")
        needed("gguf", f"{path}: a GGUF file")
    with _draft(path) as draft:
        if path.suffix == ".gguf":
            from gguf import GGUFWriter

            writer = GGUFWriter(draft, "controlvector")
            writer.add_string("controlvector.model_hint", direction.model)
            writer.add_uint32("controlvector.layer_count", len(parts))
            writer.add_string(_KEY, json.dumps(fields))
            for part, piece in zip(parts, vector.chunk(len(parts)), strict=True):
                writer.add_tensor(f"direction.{part}", piece.numpy())
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
        elif path.suffix == ".pt":
            torch.save({"vector": vector, **fields}, draft)
        else:
            save_file({"vector": vector}, draft, metadata={_KEY: json.dumps(fields)})


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    try:
        with whole(path) as draft:
            yield draft
    except (OSError, RuntimeError, SafetensorError) as error:  # torch has its own for a folder that does not exist
        raise SurroundingsError(f"{path}: cannot be written ({error})") from error


def load(path: Path, lm: LanguageModel | None = None, *, any_model: bool = False) -> Direction:
    """Read a direction; with `lm`, refuse one that does not fit the model (UsageError), see `check_fits`."""
    if path.suffix == ".gguf":
        needed("gguf", f"{path}: a GGUF file")
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    try:
        direction = Direction(**_read(path))
    except Exception as error:
        raise ModelError(f"{path}: is no direction saved by cape ({type(error).__name__})") from error
    if lm is not None:
        check_fits(direction, lm, any_model=any_model)
    return direction


def _read(path: Path) -> dict[str, Any]:
    fields: dict[str, Any]
    if path.suffix == ".pt":
        fields = torch.load(path, weights_only=True)
        return fields
    if path.suffix == ".gguf":
        from gguf import GGUFReader

        reader: Any = GGUFReader(path)
        field = reader.fields[_KEY]
        pieces = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
        fields = json.loads(bytes(field.parts[field.data[0]]))
        return fields | {"vector": torch.cat([pieces[f"direction.{part}"] for part in site_parts(fields["site"])])}
    with safe_open(path, framework="pt") as file:
        fields = json.loads((file.metadata() or {})[_KEY])
        return fields | {"vector": file.get_tensor("vector")}


def harness_file(
    lm: LanguageModel, direction: Direction, path: Path, *, alpha: float, unit: str = "std", action: str = "add"
) -> None:
    """Write what `lm_eval --model steered --model_args steer_path=FILE` reads (0.4.13): it steers every position.

    A head's vector is brought through the projection behind it.  Raises UsageError for places that the harness cannot
    steer: the embeddings, and heads but by adding.
    """
    step, axis = direction.change(alpha, unit, action)
    widths = lm.widths(direction.site)
    names = {module: name for name, module in lm.model.base_model.named_modules()}
    kind = next(lm.model.parameters()).dtype
    made: dict[str, dict[str, Any]] = {}
    pieces = zip(
        site_parts(direction.site), step.split_with_sizes(widths), axis.split_with_sizes(widths), strict=True
    )
    for part, vector, own in pieces:
        module, inward, columns = lm.spot(part)
        if part == "embed" or (inward and (action != "add" or module.weight.is_meta)) or module not in names:
            raise UsageError(f"lm-evaluation-harness cannot {action} at {part}; take the output of a block")
        if inward:
            weight = module.weight.detach().float().cpu()  # type: ignore[operator]
            vector = (weight if hasattr(module, "in_features") else weight.T)[:, columns] @ vector
        point: dict[str, Any] = {"action": "add", "steering_coefficient": 1.0, "bias": None, "head_index": None}
        if action != "add":
            point |= {"action": "clamp", "steering_coefficient": float(vector @ own / own.norm())}
            vector = own
        if names[module] in made:
            vector = vector + made[names[module]]["steering_vector"].float()
        made[names[module]] = point | {"steering_vector": vector.to(kind)}
    with _draft(path) as draft:
        torch.save(made, draft)
