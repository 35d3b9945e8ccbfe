"""Readings of many files -> one row a model: newest score, MMLU from its leaves, one protocol a benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, ScoresError, UsageError
from cape_lib.ingest.benchmarks import MMLU_SUBJECTS
from cape_lib.ingest.reading import Reading
from cape_lib.names import suggest


@dataclass(frozen=True, slots=True)
class Score:
    """One cell of the table to be: percent, points and a protocol."""

    value: float
    stderr: float | None
    protocol: str


def by_model(readings: Iterable[Reading]) -> dict[str, list[Reading]]:
    """Readings by model name. Raises ScoresError where one name stands for two models."""
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(reading.run.model, []).append(reading)
    for model, group in groups.items():
        first = group[0].run
        for other in (reading.run for reading in group[1:]):
            sizes = {size for size in (first.params_b, other.params_b) if size is not None}
            if first.identity and other.identity and first.identity != other.identity:
                what = f"{dict(first.identity)} and {dict(other.identity)}"
            elif len(sizes) > 1:
                what = f"{min(sizes):.4g} and {max(sizes):.4g} billion parameters"
            else:
                continue
            raise ScoresError(
                f"{other.path}: two models are called {model!r} ({what}; the other in {first.path}); "
                f"name them by --model FILE=NAME, alike if they are one model"
            )
    return groups


def newest(group: Iterable[Reading]) -> tuple[dict[str, Reading], list[str]]:
    """The reading to keep for each column, and a note for each that gave way to a newer one.

    Raises ScoresError where two readings differ and no date tells which is newer.
    """
    kept: dict[str, Reading] = {}
    notes: dict[str, None] = {}
    for reading in sorted(group, key=lambda r: (r.run.date is not None, r.run.date or 0.0, str(r.run.path))):
        old = kept.get(reading.column)
        kept[reading.column] = reading
        if old is None or (old.value == reading.value and old.protocol == reading.protocol):
            continue
        if old.run.date is None or old.run.date == reading.run.date:
            raise ScoresError(
                f"{reading.run.path}: {reading.task} of {reading.run.model} also stands in {old.run.path} with another "
                f"score, and no date tells which is newer; leave one of the two out"
            )
        task = "MMLU" if "/" in reading.column else reading.task
        notes[f"{reading.run.model}: {task} read from {reading.run.path.name}, newer than {old.run.path.name}"] = None
    return kept, list(notes)


def scores(kept: Mapping[str, Reading], *, allow_mixed: bool) -> tuple[dict[str, Score], list[str]]:
    """One model's benchmarks, MMLU made from its leaves: `mmlu` is their plain mean, `mmlu_weighted` by their sizes."""
    made = {name: Score(r.value, r.stderr, r.protocol) for name, r in kept.items() if "/" not in name}
    leaves = {name.partition("/")[2]: reading for name, reading in kept.items() if "/" in name}
    if not leaves:
        return made, []
    some = next(iter(leaves.values()))
    if missing := [subject for subject in MMLU_SUBJECTS if subject not in leaves]:
        what = f"{len(leaves)} of {len(MMLU_SUBJECTS)} subjects ({missing[0]} is missing)"
        return made, [f"{some.run.model}: MMLU left out, for it has {what}; run --tasks mmlu to the end"]
    protocols = sorted({_whole(leaf.protocol) for leaf in leaves.values()})
    if len(protocols) > 1 and not allow_mixed:
        raise MixedProtocolError(
            f"{some.run.path}: the subjects of MMLU for {some.run.model} were measured in two ways ({protocols[0]} | "
            f"{protocols[1]}); run --tasks mmlu once, or say --allow-mixed"
        )
    size = {s: float(leaf.items or MMLU_SUBJECTS[s]) for s, leaf in leaves.items()}
    plain = {subject: 1 / len(leaves) for subject in leaves}
    weighted = {subject: size[subject] / sum(size.values()) for subject in leaves}
    partial = "; partial" if any(leaf.run.partial for leaf in leaves.values()) else ""
    for name, weights in (("mmlu", plain), ("mmlu_weighted", weighted)):
        kind = "plain mean" if name == "mmlu" else "weighted mean"
        made[name] = _mean(leaves, weights, protocol=f"{' | '.join(protocols)}; {kind}")
        if partial:
            made[name] = Score(made[name].value, made[name].stderr, made[name].protocol + partial)
    return made, []


def _whole(protocol: str) -> str:
    return "; ".join(part for part in protocol.split("; ") if not part.startswith("partial"))


def _mean(leaves: Mapping[str, Reading], weights: Mapping[str, float], *, protocol: str) -> Score:
    errors = [leaf.stderr for leaf in leaves.values()]
    known = all(error is not None for error in errors)
    spread = math.sqrt(sum((weights[s] * (leaf.stderr or 0.0)) ** 2 for s, leaf in leaves.items()))
    value = sum(weights[s] * leaf.value for s, leaf in leaves.items())
    return Score(value, spread if known else None, protocol)


def sizes(groups: Mapping[str, list[Reading]], given: Mapping[str, float]) -> dict[str, float]:
    """params_b for every model: what the person gave, else what its files state.

    Raises UsageError for a name that no model has, MissingError (with the options to add) where a size is unknown.
    """
    wanted = dict(given)
    found: dict[str, float] = {}
    for model, group in groups.items():
        stated = next((r.run.params_b for r in group if r.run.params_b is not None), None)
        names = [name for name in (model, model.rpartition("/")[2]) if name in given]
        size = given[names[0]] if names else stated
        for name in names:
            wanted.pop(name, None)
        if size is not None:
            found[model] = size
    if wanted:
        raise UsageError(f"--params: {suggest('model', next(iter(wanted)), groups)}")
    if unknown := [model for model in groups if model not in found]:
        options = " ".join(f"--params '{model}=N'" for model in unknown)
        raise MissingError(f"no parameter count in the files of {', '.join(unknown)}; add {options} (N in billions)")
    return found


def table(rows: Mapping[str, Mapping[str, Score]], params: Mapping[str, float], family: str | None) -> pd.DataFrame:
    """One row a model, sorted by size: model, params_b, family, then each benchmark, its stderr and its protocol.

    Scores keep four decimals of a percent: less than a hundredth of one question of any benchmark here.
    """
    order = ["hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "mmlu_weighted", "truthfulqa_mc1"]
    names = {name for row in rows.values() for name in row}
    order = [name for name in order if name in names] + sorted(names - set(order))
    lines = []
    for model in sorted(rows, key=lambda name: (params[name], name)):
        line: dict[str, object] = {"model": model, "params_b": float(f"{params[model]:.6g}")}
        if family is not None:
            line["family"] = family
        for name in order:
            score = rows[model].get(name)
            line[name] = None if score is None else round(score.value, 4)
            line[f"{name}_stderr"] = None if score is None or score.stderr is None else round(score.stderr, 4)
            line[f"{name}_protocol"] = None if score is None else score.protocol
        lines.append(line)
    frame = pd.DataFrame(lines)
    return frame.astype({c: float for name in order for c in (name, f"{name}_stderr")})


def refuse_mixed(frame: pd.DataFrame) -> None:
    """Raise MixedProtocolError where one column holds scores measured in different ways."""
    for column in (str(name) for name in frame if str(name).endswith("_protocol")):
        known = frame.dropna(subset=[column])
        kinds = known[column].unique()
        if len(kinds) > 1:
            first, other = (known.loc[known[column] == kind, "model"].iloc[0] for kind in kinds[:2])
            raise MixedProtocolError(
                f"{column.removesuffix('_protocol')}: {first} was measured by [{kinds[0]}], {other} by [{kinds[1]}]; "
                f"measure both alike, or say --allow-mixed"
            )
