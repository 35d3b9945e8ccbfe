"""A direction in a model's hidden states, what is known of it, and what it does at a strength."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.cosines import repeat_cosine
from cape_lib.lm.models.record import LanguageModel, ModelError, Site, needed, site_parts
from cape_lib.lm.probes import capture
from cape_lib.output import whole

UNITS = ("std", "residual", "raw")
#: what is done with a direction -> whether its step is added, and whether the projection on it is taken out before
ACTIONS = {"add": (True, False), "ablate": (False, True), "clamp": (True, True)}
#: a steering vector may be so many times as long as the hidden state it is added to
LONGEST = 1000.0


@dataclass(frozen=True)
class Direction:
    """A vector (d,) at a site of one model, with what is known of it.

    site: see `record.PLACES`, a joined one has its parts side by side in the vector;
    token: the token of each text it was fitted on (-1: the last); method: how;
    norm: length of the vector; std: standard deviation of the fitting texts' projections on it; residual: median
    norm of the hidden states there; reliability: expected cosine (0..1) to the direction of as many other pairs, with
    its 95 % interval; held_out: share (0-1) of left-out pairs ranked right; model, revision, pairs (hash of the texts),
    n_pairs.
    """

    vector: torch.Tensor
    site: Site
    token: int
    method: str
    norm: float
    std: float
    residual: float
    reliability: float
    reliability_low: float
    reliability_high: float
    held_out: float
    model: str
    revision: str
    pairs: str
    n_pairs: int
    name: str = "direction"

    def step(self, alpha: float, unit: str = "std") -> torch.Tensor:
        """The vector that strength `alpha` adds, (d,).

        unit: "std", standard deviations of the projection; "residual", median norms of the hidden state; "raw",
        multiples of the vector as fitted.
        """
        check_strength(alpha, unit)
        scale = {"std": self.std, "residual": self.residual, "raw": self.norm}[unit]
        length = abs(alpha) * scale
        if not length <= LONGEST * self.residual:
            place = f"block {self.site}" if isinstance(self.site, int) else self.site
            kind = str(self.vector.dtype).removeprefix("torch.")
            raise SurroundingsError(
                f"alpha {alpha:g} adds a vector {length / max(self.residual, 1e-12):.3g} times as long as the states "
                f"at {place} ({kind}): nothing of the model is left; stay below {LONGEST:g} times"
            )
        return alpha * scale * self.vector / max(self.norm, 1e-12)

    def change(self, alpha: float, unit: str = "std", action: str = "add") -> tuple[torch.Tensor, torch.Tensor]:
        """What is added, and the axis that is taken out before (zeros for none), both (d,).

        action: "add"; "ablate", the state's projection on the direction becomes 0, whatever alpha; "clamp", it becomes
        alpha units.
        """
        check_strength(alpha, unit, action)
        adds, takes = ACTIONS[action]
        nothing = torch.zeros_like(self.vector)
        return self.step(alpha, unit) if adds else nothing, self.vector if takes else nothing

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting the direction; empty when nothing speaks against it."""
        warnings = []
        if self.reliability < 0.5:
            warnings.append(
                f"as many other pairs would give a direction with a cosine of {self.reliability:.2f} "
                f"[{self.reliability_low:.2f}, {self.reliability_high:.2f}] to this one: little of it is sure"
            )
        if self.held_out < 0.7:
            warnings.append(f"left-out pairs are ranked right in {self.held_out:.0%} of cases (chance 50%)")
        if self.n_pairs < 16:
            warnings.append(f"fitted on {self.n_pairs} pairs only")
        return warnings


def check_strength(alpha: float, unit: str, action: str = "add") -> None:
    """UsageError unless alpha is a finite number, unit one of UNITS and action one of ACTIONS."""
    if not isinstance(alpha, (int, float)) or not math.isfinite(alpha):
        raise UsageError(f"alpha must be a finite number, not {alpha}")
    for what, name, known in (("unit", unit, UNITS), ("action", action, ACTIONS)):
        if name not in known:
            raise UsageError(f"unknown {what} {name!r}; choose from {', '.join(known)}")


def check_fits(direction: Direction, lm: LanguageModel, *, any_model: bool = False) -> None:
    """UsageError where width or depth differ from the model's, or the direction was fitted on another model.

    any_model: the name and revision of the model do not matter.
    """
    width = sum(lm.widths(direction.site))
    if direction.vector.shape != (width,):
        raise UsageError(f"the direction has {direction.vector.shape[0]} numbers, but {lm.name} has width {width}")
    lm.site(direction.site)
    models = [(direction.model, direction.revision), (lm.name, lm.revision)]
    if models[0] != models[1] and not any_model:
        there, here = (f"{name} ({commit[:16]})" if commit else name for name, commit in models)
        raise UsageError(f"the direction was fitted on {there}, and this is {here}; --any-model steers all the same")


FEWEST_PAIRS = 4
METHODS = ("mean_difference", "principal", "pca", "logistic")


def check_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs unless columns `positive`, `negative` are missing or fewer than four pairs are given (UsageError)."""
    missing = {"positive", "negative"} - set(pairs.columns)
    if missing:
        raise UsageError(f"pairs need columns positive and negative; {' and '.join(sorted(missing))} not there")
    if len(pairs) < FEWEST_PAIRS:
        raise UsageError(f"{len(pairs)} pairs are too few to fit a direction; give at least {FEWEST_PAIRS}")
    return pairs


def vector_of(positive: torch.Tensor, negative: torch.Tensor, method: str = "mean_difference") -> torch.Tensor:
    """The direction (..., d) from states (n, ..., d) by one of METHODS; as long as the mean difference, and its way.

    "principal" is the first axis of the differences within the pairs (each pair centred on its own middle), "pca" that
    of all states, centred on their mean; "logistic" the normal of a logistic regression of the pairs, each centred on
    its middle (ridge, C = 1).
    """
    mean = (positive - negative).mean(0)
    if method == "mean_difference":
        return mean
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; choose from {', '.join(METHODS)}")
    rows = (positive - negative).movedim(0, -2)
    if method == "pca":
        both = torch.cat([positive, negative]).movedim(0, -2)
        rows = both - both.mean(-2, keepdim=True)
    axis = _logistic(rows / 2) if method == "logistic" else torch.linalg.svd(rows, full_matrices=False).Vh[..., 0, :]
    sign = torch.sign((axis * mean).sum(-1, keepdim=True))
    return torch.mul(axis * sign, mean.norm(dim=-1, keepdim=True))


def _logistic(halves: torch.Tensor) -> torch.Tensor:
    """Unit normal (..., d) of a logistic regression without intercept of rows x (..., n, d) from rows -x, C = 1.

    The rows are brought to a root mean square length of 1 first, so that the ridge does not hang on the model's scale.
    Newton's method on the rows' weights a, normal = x'a.
    """
    x = halves.double() / halves.double().norm(dim=-1).square().mean(-1).sqrt()[..., None, None].clamp_min(1e-12)
    gram = x @ x.mT
    a = torch.zeros_like(x[..., 0])
    for _ in range(50):
        missed = torch.sigmoid(-(gram @ a[..., None])[..., 0])
        slope = 2 * missed * (1 - missed)
        step = torch.linalg.solve(torch.eye(a.shape[-1]) + slope[..., None] * gram, 2 * missed - a)
        a = a + step
        if float(step.abs().max()) < 1e-10:
            break
    return torch.nn.functional.normalize((a[..., None, :] @ x)[..., 0, :], dim=-1).to(halves.dtype)


def _left_out(positive: torch.Tensor, negative: torch.Tensor, groups: np.ndarray, method: str) -> float:
    """Share of pairs ranked right by a direction fitted without their group; a tie counts half."""
    names = np.unique(groups)
    right: list[float] = []
    for fold in range(min(5, len(names))) if len(names) > 1 else ():
        out = torch.from_numpy(np.isin(groups, names[fold::5]))
        margin = (positive[out] - negative[out]) @ vector_of(positive[~out], negative[~out], method)
        right += ((margin > 0).float() + 0.5 * (margin == 0).float()).tolist()
    return float(np.mean(right)) if right else float("nan")


def _reliability(
    positive: torch.Tensor, negative: torch.Tensor, groups: np.ndarray, method: str
) -> tuple[float, float, float]:
    """Expected cosine to the direction of as many other pairs, with an interval.

    In closed form for the mean difference; else the mean over ten random halvings (by group where there are four)
    raised to the full number of pairs by Spearman and Brown's rule, with the range of the halvings as interval.
    """
    if method == "mean_difference":
        cosine = repeat_cosine((positive - negative).double().numpy(), groups)
        return cosine.estimate, cosine.low, cosine.high
    rng = np.random.default_rng(0)
    names, n = np.unique(groups), len(groups)
    wholes = []
    for _ in range(10):
        half = np.isin(groups, rng.permutation(names)[: len(names) // 2]) if len(names) >= 4 else None
        mask = torch.from_numpy(rng.permutation(n) < n // 2 if half is None else half)
        one, other = (vector_of(positive[side], negative[side], method) for side in (mask, ~mask))
        alike = float(torch.nn.functional.cosine_similarity(one, other, dim=-1))
        wholes.append(2 * alike / (1 + alike) if alike > 0 else 0.0)
    return float(np.mean(wholes)), float(np.min(wholes)), float(np.max(wholes))


def hash_of(pairs: pd.DataFrame) -> str:
    """A short hash of the pairs' texts, in order."""
    text = "\x1f".join(f"{p}\x1e{n}" for p, n in zip(pairs["positive"], pairs["negative"], strict=True))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pair_states(lm: LanguageModel, pairs: pd.DataFrame, sites: Sequence[Site], *, token: int = -1) -> torch.Tensor:
    """States (2, n_pairs, n_sites, d) of the positive and of the negative texts, from one reading of them.

    Raises what `check_pairs` and `capture` raise.
    """
    pairs = check_pairs(pairs)
    states = capture(lm, [*map(str, pairs["positive"]), *map(str, pairs["negative"])], sites, token=token)
    return states.reshape(2, len(pairs), *states.shape[1:])


def fit_directions(
    lm: LanguageModel,
    pairs: pd.DataFrame,
    sites: Sequence[Site],
    *,
    token: int = -1,
    method: str = "mean_difference",
    name: str = "direction",
    states: torch.Tensor | None = None,
) -> list[Direction]:
    """One direction a site; see `fit_direction`.  states: those of `pair_states`, where they were read before."""
    sites = [lm.site(site) for site in sites]
    if states is None:
        states = pair_states(lm, pairs, sites, token=token)
    groups = (pairs["topic"] if "topic" in pairs else pd.Series(range(len(pairs)))).astype(str).to_numpy()
    directions = []
    for place, site in enumerate(sites):
        positive, negative = states[:, :, place]
        both = torch.cat([positive, negative])
        vector = vector_of(positive, negative, method)
        norm = float(vector.norm())
        reliability, low, high = _reliability(positive, negative, groups, method)
        direction = Direction(
            vector=vector,
            site=site,
            token=token,
            method=method,
            norm=norm,
            std=float((both @ vector / max(norm, 1e-12)).std(correction=0)),
            residual=float(both.norm(dim=1).median()),
            reliability=reliability,
            reliability_low=low,
            reliability_high=high,
            held_out=_left_out(positive, negative, groups, method),
            model=lm.name,
            revision=lm.revision,
            pairs=hash_of(pairs),
            n_pairs=len(pairs),
            name=name,
        )
        directions.append(direction)
    return directions


def fit_direction(
    lm: LanguageModel,
    pairs: pd.DataFrame,
    layer: Site,
    method: str = "mean_difference",
    *,
    token: int = -1,
    name: str = "direction",
) -> Direction:
    """The direction at `layer` that leads from the pairs' negative texts to their positive ones.

    pairs: columns positive, negative (texts) and, if known, topic: halves and left-out pairs are then whole topics.
    layer: see `record.PLACES`; token: which token's state, from the end where negative; method: one of METHODS.
    Raises UsageError for fewer than four pairs, an empty or too long text, or a layer that is not there.
    """
    return fit_directions(lm, pairs, [layer], token=token, method=method, name=name)[0]


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
        if path.suffix == ".pt":
            fields: dict[str, Any] = torch.load(path, weights_only=True)
        elif path.suffix == ".gguf":
            from gguf import GGUFReader

            reader: Any = GGUFReader(path)
            field = reader.fields[_KEY]
            pieces = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
            fields = json.loads(bytes(field.parts[field.data[0]]))
            fields["vector"] = torch.cat([pieces[f"direction.{part}"] for part in site_parts(fields["site"])])
        else:
            with safe_open(path, framework="pt") as file:
                fields = json.loads((file.metadata() or {})[_KEY]) | {"vector": file.get_tensor("vector")}
        direction = Direction(**fields)
    except Exception as error:
        raise ModelError(f"{path}: is no direction saved by cape ({type(error).__name__})") from error
    if lm is not None:
        check_fits(direction, lm, any_model=any_model)
    return direction


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
    points: dict[str, dict[str, Any]] = {}
    pieces = zip(site_parts(direction.site), step.split_with_sizes(widths), axis.split_with_sizes(widths), strict=True)
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
        if names[module] in points:
            vector = vector + points[names[module]]["steering_vector"].float()
        points[names[module]] = point | {"steering_vector": vector.to(lm.dtype)}
    with _draft(path) as draft:
        torch.save(points, draft)
