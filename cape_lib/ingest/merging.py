"""Readings of many files -> one row a model: one protocol, then the newest score, MMLU from its leaves."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, ScoresError, UsageError
from cape_lib.ingest.reading import Reading, task_table
from cape_lib.names import suggest
from cape_lib.tables import model_names
from cape_lib.tables.score_checks import protocol_differences


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


def by_revision(readings: list[Reading]) -> list[Reading]:
    """Readings with the revision in the name ("model@step1000") where files of one model have several."""
    revisions: dict[str, set[str]] = {}
    for reading in readings:
        revisions.setdefault(reading.run.model, set()).add(_revision(reading))
    return [
        replace(reading, run=reading.run.named(f"{reading.run.model}@{_revision(reading)}"))
        if len(revisions[reading.run.model]) > 1
        else reading
        for reading in readings
    ]


def _revision(reading: Reading) -> str:
    return dict(reading.run.identity).get("revision", "main")


def one_protocol(groups: Mapping[str, list[Reading]]) -> tuple[dict[str, list[Reading]], list[str]]:
    """Where models were measured in several ways, the readings of the way that most of them share, and what is out.

    Among equals the usual number of shots, then the newest. Only then does a newer file win over an older one.
    """
    every = [reading for group in groups.values() for reading in group]
    rows = pd.DataFrame(
        {
            "model": [reading.run.model for reading in every],
            "benchmark": [reading.column.partition("/")[0] for reading in every],
            "way": [_whole(reading.protocol) for reading in every],
            "date": [reading.run.date or 0.0 for reading in every],
            "file": [reading.run.path.name for reading in every],
        }
    )
    left: set[int] = set()
    notes = []
    for benchmark, of in rows.groupby("benchmark", sort=False):
        if benchmark == "mmlu" or of.groupby("model")["way"].nunique().max() < 2:
            continue
        ways = of.groupby("way").agg(models=("model", "nunique"), newest=("date", "max")).reset_index()
        ways["usual"] = ways["way"].str.contains(f"{task_table()['usual_shots'].get(benchmark)}-shot", regex=False)
        best = ways.sort_values(["models", "usual", "newest", "way"])["way"].iloc[-1]
        read = of[of["way"] == best]
        out = of[(of["way"] != best) & of["model"].isin(read["model"])]
        left |= set(out.index)
        if len(out):
            unlike = protocol_differences(best, out["way"].iloc[0]) or [(best, out["way"].iloc[0])]
            chosen, other = (", ".join(part) for part in zip(*unlike, strict=True))
            notes.append(
                f"{benchmark}: [{chosen}] is read ({_described(read)}), [{other}] is left out ({_described(out)})"
            )
    return by_model(reading for at, reading in enumerate(every) if at not in left), notes


def _described(rows: pd.DataFrame) -> str:
    """Models, days and files of readings, in a few words."""
    days = sorted({datetime.fromtimestamp(date, UTC).date().isoformat() for date in rows["date"] if date})
    when = f", {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
    names, count = sorted(set(rows["file"])), rows["model"].nunique()
    return f"{count} {'model' if count == 1 else 'models'}{when}, {names[0]}{' ...' if len(names) > 1 else ''}"


def newest(group: Iterable[Reading]) -> tuple[dict[str, Reading], list[str]]:
    """The reading to keep for each column, and a note for each that gave way to a newer one.

    Raises ScoresError where two readings differ and no date tells which is newer.
    """
    newest_of: dict[str, Reading] = {}
    notes: dict[str, None] = {}
    for reading in sorted(group, key=lambda r: (r.run.date is not None, r.run.date or 0.0, str(r.run.path))):
        old = newest_of.get(reading.column)
        newest_of[reading.column] = reading
        if old is None or (old.value == reading.value and old.protocol == reading.protocol):
            continue
        if old.run.date is None or old.run.date == reading.run.date:
            raise ScoresError(
                f"{reading.run.path}: {reading.task} of {reading.run.model} also stands in {old.run.path} with another "
                f"score, and no date tells which is newer; leave one of the two out"
            )
        task = "MMLU" if "/" in reading.column else reading.task
        notes[f"{reading.run.model}: {task} read from {reading.run.path.name}, newer than {old.run.path.name}"] = None
    return newest_of, list(notes)


def scores(readings: Mapping[str, Reading], *, allow_mixed: bool) -> tuple[dict[str, Reading], list[str]]:
    """One model's benchmarks, MMLU from its leaves: `mmlu` is their plain mean, `mmlu_weighted` by their sizes."""
    cells = {name: reading for name, reading in readings.items() if "/" not in name}
    leaves = {name.partition("/")[2]: reading for name, reading in readings.items() if "/" in name}
    if not leaves:
        return cells, []
    some, subjects = next(iter(leaves.values())), task_table()["mmlu_subjects"]
    if missing := [subject for subject in subjects if subject not in leaves]:
        what = f"{len(leaves)} of {len(subjects)} subjects ({missing[0]} is missing)"
        return cells, [f"{some.run.model}: MMLU left out, for it has {what}; run --tasks mmlu to the end"]
    protocols = sorted({_whole(leaf.protocol) for leaf in leaves.values()})
    if len(protocols) > 1 and not allow_mixed:
        raise MixedProtocolError(
            f"{some.run.path}: the subjects of MMLU for {some.run.model} were measured in two ways ({protocols[0]} | "
            f"{protocols[1]}); run --tasks mmlu once, or say --allow-mixed"
        )
    partial = "; partial" if any(leaf.run.partial for leaf in leaves.values()) else ""
    for name, kind, weights in (
        ("mmlu", "plain mean", np.ones(len(leaves))),
        ("mmlu_weighted", "weighted mean", np.array([leaf.items or subjects[of] for of, leaf in leaves.items()])),
    ):
        share = weights / weights.sum()
        value = float(share @ [leaf.value for leaf in leaves.values()])
        errors = [leaf.stderr for leaf in leaves.values() if leaf.stderr is not None]
        stderr = float(np.linalg.norm(share * errors)) if len(errors) == len(leaves) else None
        protocol = f"{' | '.join(protocols)}; {kind}{partial}"
        cells[name] = replace(some, column=name, value=value, stderr=stderr, protocol=protocol)
    return cells, []


def _whole(protocol: str) -> str:
    return "; ".join(part for part in protocol.split("; ") if not part.startswith("partial"))


def sizes(
    groups: Mapping[str, list[Reading]], stated_by_person: Mapping[str, float], *, needed: bool = True
) -> tuple[dict[str, float], list[str]]:
    """params_b for every model, and notes: what the person says, else what its files state.
    The count of a quantised model's numbers is no size: its name is taken. Raises UsageError for a name that no model
    has, MissingError (with the options to add) where a size is unknown, or the file and the name contradict each other.
    needed: False where the question is not about sizes, so that an unknown one is NaN.
    """
    notes = []
    odd: list[str] = []
    unused = dict(stated_by_person)
    params_b: dict[str, float] = {}
    for model, group in groups.items():
        names = [n for n in (model, model.rpartition("/")[2], model.partition("@")[0]) if n in stated_by_person]
        for name in names:
            unused.pop(name, None)
        if names:
            params_b[model] = stated_by_person[names[0]]
            continue
        in_file = next((r.run.params_b for r in group if r.run.params_b is not None), None)
        in_name = model_names.size_in_name(model)
        if any(reading.run.quantised for reading in group) and in_name is not None:
            params_b[model] = in_name
            counted = "" if in_file is None else f", not the {in_file:.3g} B that its packed numbers count"
            notes.append(f"{model}: quantised; its size is the {in_name:g} B of its name{counted}")
        elif in_file is not None:
            apart = model_names.size_disagrees(model, in_file) or in_file
            both = f"{model}: {in_file:.3g} B by its file, {apart:g} B by its name"
            if max(apart / in_file, in_file / apart) > 2.5:
                odd.append(both)
                continue
            params_b[model] = in_file
            notes += [f"{both}; the file stands"] if apart != in_file else []
    if unused:
        raise UsageError(f"--params: {suggest('model', next(iter(unused)), groups)}")
    unknown = [model for model in groups if model not in params_b]
    if not needed:
        return {model: params_b.get(model, math.nan) for model in groups}, notes
    if unknown:
        options = " ".join(f"--params {shlex.quote(f'{m}={_guess(m)}')}" for m in unknown)
        why = odd[0] if odd else f"no parameter count in the files of {', '.join(unknown)}"
        from_names = ", by their names" if any(_guess(m) != "N" for m in unknown) else ""
        raise MissingError(f"{why}; add {options} (billions{from_names})")
    return params_b, notes


def _moment(name: str) -> float:
    """How far a checkpoint was trained, to order it among those of one size."""
    return model_names.step_in_name(name) or model_names.tokens_in_name(name) or 0.0


def _guess(model: str) -> str:
    size = model_names.size_in_name(model)
    return "N" if size is None else f"{size:g}"


def table(rows: Mapping[str, Mapping[str, Reading]], params: Mapping[str, float], family: str | None) -> pd.DataFrame:
    """One row a model, sorted by size: model, params_b, family, then each benchmark, its stderr and its protocol.

    Scores keep four decimals of a percent: less than a hundredth of one question of any benchmark here.
    """
    order = ["hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "mmlu_weighted", "truthfulqa_mc1"]
    names = {name for row in rows.values() for name in row}
    order = [name for name in order if name in names] + sorted(names - set(order))
    lines = []
    for model in sorted(rows, key=lambda name: (math.isnan(params[name]), params[name], _moment(name), name)):
        line: dict[str, object] = {"model": model, "params_b": float(f"{params[model]:.6g}")}
        if family is not None:
            line["family"] = family
        # How far a checkpoint was trained, by its name: "step143000", "checkpoint-14676", "tokens3B".
        trained = {"step": model_names.step_in_name(model), "pretrain_tokens_b": model_names.tokens_in_name(model)}
        line |= {name: value for name, value in trained.items() if value is not None}
        for name in order:
            score = rows[model].get(name)
            line[name] = None if score is None else round(score.value, 4)
            line[f"{name}_stderr"] = None if score is None or score.stderr is None else round(score.stderr, 4)
            line[f"{name}_protocol"] = None if score is None else score.protocol
        lines.append(line)
    frame = pd.DataFrame(lines)
    return frame.astype({c: float for name in order for c in (name, f"{name}_stderr")})
