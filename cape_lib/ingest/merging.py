"""Scores of many files -> one row a model: one protocol, then the newest score, MMLU from its leaves."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, ScoresError, UsageError
from cape_lib.ingest.readers import task_table
from cape_lib.names import suggest
from cape_lib.tables import model_names
from cape_lib.tables.score_checks import protocol_differences, refuse_mixed


def one_row_a_model(
    readings: list[dict[str, Any]], *, family: str | None, params: Mapping[str, float], allow: Collection[str]
) -> tuple[pd.DataFrame, list[str]]:
    """One row a model, sorted by size: model, params_b, family, then each benchmark, its stderr and its protocol.

    readings: as from `readers.readings`, each with what its file says of the run. Scores keep four decimals of a
    percent: less than a hundredth of one question of any benchmark here. Returns notes, too; raises as `read_results`.
    """
    rows = pd.DataFrame(readings).astype({"params_b": float, "date": float, "stderr": float, "items": float})
    _name_apart(rows)
    rows = rows.sort_values("model", key=lambda names: pd.factorize(names)[0], kind="stable")  # as they come
    sizes, notes = _sizes(rows, params, needed="unsized" not in allow)
    rows, more = _one_protocol(rows)
    notes += more
    rows, gone = _newest(rows)
    cells, left_out = _with_mmlu(rows, allow_mixed="mixed" in allow)
    place = {model: at for at, model in enumerate(sizes)}
    notes += [note for _, note in sorted([*gone, *left_out], key=lambda one: place[one[0]])]
    if cells.empty:
        raise ScoresError(f"no whole benchmark in the files; {notes[-1] if notes else 'run the tasks to the end'}")
    first = ("hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "mmlu_weighted", "truthfulqa_mc1")
    names = sorted(set(cells["column"]), key=lambda name: (first.index(name) if name in first else len(first), name))
    models = pd.DataFrame({"model": cells["model"].unique()})
    models["params_b"] = models["model"].map(sizes).map(lambda size: float(f"{size:.6g}"))
    if family is not None:
        models["family"] = family
    # How far a checkpoint was trained, by its name: "step143000", "checkpoint-14676", "tokens3B".
    models["step"] = models["model"].map(model_names.step_in_name).astype(float)
    models["pretrain_tokens_b"] = models["model"].map(model_names.tokens_in_name).astype(float)
    models["moment"] = models["step"].replace(0, np.nan).fillna(models["pretrain_tokens_b"]).fillna(0.0)
    models = models.sort_values(["params_b", "moment", "model"]).drop(columns="moment").reset_index(drop=True)
    frame = models.drop(columns=[c for c in ("step", "pretrain_tokens_b") if models[c].isna().all()])
    wide = cells.pivot(index="model", columns="column", values=["value", "stderr", "protocol"]).loc[frame["model"]]
    for name in names:
        frame[name] = wide[("value", name)].to_numpy(dtype=float).round(4)
        frame[f"{name}_stderr"] = wide[("stderr", name)].to_numpy(dtype=float).round(4)
        frame[f"{name}_protocol"] = wide[("protocol", name)].to_numpy(dtype=object)
    if not {"mixed", "families"} & set(allow):
        refuse_mixed(frame, names, name=str(rows["path"].iloc[0].parent))
    return frame, notes


def _name_apart(rows: pd.DataFrame) -> None:
    """Put the revision into the name ("model@step1000") where files of one model have several.

    Raises ScoresError where one name stands for two models.
    """
    revisions = rows["identity"].map(lambda identity: dict(identity).get("revision", "main"))
    several = revisions.groupby(rows["model"]).transform("nunique") > 1
    rows["model"] = rows["model"].where(~several, rows["model"] + "@" + revisions)
    rows["identity"] = [() if more else one for one, more in zip(rows["identity"], several, strict=True)]
    files = rows.drop_duplicates(["model", "path"])
    for model, group in files[files["model"].duplicated(keep=False)].groupby("model", sort=False):
        first, *others = group.to_dict("records")
        for other in others:
            sizes = {size for size in (first["params_b"], other["params_b"]) if not math.isnan(size)}
            if first["identity"] and other["identity"] and first["identity"] != other["identity"]:
                what = f"{dict(first['identity'])} and {dict(other['identity'])}"
            elif len(sizes) > 1:
                what = f"{min(sizes):.4g} and {max(sizes):.4g} billion parameters"
            else:
                continue
            raise ScoresError(
                f"{other['path']}: two models are called {model!r} ({what}; the other in {first['path']}); "
                f"name them by --model FILE=NAME, alike if they are one model"
            )


def _one_protocol(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Where models were measured in several ways, the rows of the way that most of them share, and what is out.

    Among equals the usual number of shots, then the newest. Only then does a newer file win over an older one.
    """
    rows = rows.assign(benchmark=rows["column"].str.partition("/")[0], way=rows["protocol"].map(_whole))
    notes = []
    for benchmark, of in rows.groupby("benchmark", sort=False):
        if benchmark == "mmlu" or of.groupby("model")["way"].nunique().max() < 2:
            continue
        ways = of.fillna({"date": 0.0}).groupby("way").agg(models=("model", "nunique"), newest=("date", "max"))
        ways = ways.reset_index()
        ways["usual"] = ways["way"].str.contains(f"{task_table()['usual_shots'].get(benchmark)}-shot", regex=False)
        best = ways.sort_values(["models", "usual", "newest", "way"])["way"].iloc[-1]
        read = of[of["way"] == best]
        out = of[(of["way"] != best) & of["model"].isin(read["model"])]
        rows = rows.drop(index=out.index)
        if len(out):
            unlike = protocol_differences(best, out["way"].iloc[0]) or [(best, out["way"].iloc[0])]
            chosen, other = (", ".join(part) for part in zip(*unlike, strict=True))
            notes.append(
                f"{benchmark}: [{chosen}] is read ({_described(read)}), [{other}] is left out ({_described(out)})"
            )
    return rows, notes


def _described(rows: pd.DataFrame) -> str:
    """Models, days and files of scores, in a few words."""
    days = sorted({datetime.fromtimestamp(date, UTC).date().isoformat() for date in rows["date"].dropna()})
    when = f", {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
    names, count = sorted({path.name for path in rows["path"]}), rows["model"].nunique()
    return f"{count} {'model' if count == 1 else 'models'}{when}, {names[0]}{' ...' if len(names) > 1 else ''}"


def _newest(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The newest row of each model and column; a model and a note for each that gave way to a newer one.

    Raises ScoresError where two scores differ and no date tells which is newer.
    """
    rows = rows.assign(of=pd.factorize(rows["model"])[0], dated=rows["date"].notna(), file=rows["path"].map(str))
    rows = rows.sort_values(["of", "dated", "date", "file"])
    before = rows.groupby(["of", "column"], sort=False)[["value", "protocol", "date", "path"]].shift()
    unlike = before["path"].notna() & ((rows["value"] != before["value"]) | (rows["protocol"] != before["protocol"]))
    notes: dict[tuple[str, str], None] = {}
    for row, old in zip(rows[unlike].to_dict("records"), before[unlike].to_dict("records"), strict=True):
        path, model, earlier = row["path"], row["model"], old["path"]
        if math.isnan(old["date"]) or old["date"] == row["date"]:
            raise ScoresError(
                f"{path}: {row['task']} of {model} also stands in {earlier} with another "
                f"score, and no date tells which is newer; leave one of the two out"
            )
        task = "MMLU" if "/" in row["column"] else row["task"]
        notes[model, f"{model}: {task} read from {path.name}, newer than {earlier.name}"] = None
    return rows.drop_duplicates(["of", "column"], keep="last"), list(notes)


def _with_mmlu(rows: pd.DataFrame, *, allow_mixed: bool) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The benchmarks with MMLU in place of its leaves: `mmlu` is their plain mean, `mmlu_weighted` by their sizes."""
    is_leaf, subjects, notes, means = rows["column"].str.contains("/"), task_table()["mmlu_subjects"], [], []
    for model, leaves in rows[is_leaf].groupby("model", sort=False):
        some, held = leaves.iloc[0].to_dict(), leaves["column"].str.partition("/")[2]
        if missing := [subject for subject in subjects if subject not in set(held)]:
            what = f"{len(leaves)} of {len(subjects)} subjects ({missing[0]} is missing)"
            notes.append((str(model), f"{model}: MMLU left out, for it has {what}; run --tasks mmlu to the end"))
            continue
        protocols = sorted(set(leaves["protocol"].map(_whole)))
        if len(protocols) > 1 and not allow_mixed:
            raise MixedProtocolError(
                f"{some['path']}: the subjects of MMLU for {model} were measured in two ways ({protocols[0]} | "
                f"{protocols[1]}); run --tasks mmlu once, or say --allow-mixed"
            )
        partial = "; partial" if leaves["partial"].any() else ""
        items = leaves["items"].replace(0, np.nan).fillna(held.map(subjects))
        for name, kind, weights in (("mmlu", "plain mean", items * 0 + 1), ("mmlu_weighted", "weighted mean", items)):
            share = weights / weights.sum()
            means.append(
                some
                | {"column": name, "value": float(np.dot(share, leaves["value"]))}
                | {"stderr": float(np.linalg.norm(share * leaves["stderr"]))}  # unknown where that of one leaf is
                | {"protocol": f"{' | '.join(protocols)}; {kind}{partial}"}
            )
    cells = pd.concat([rows[~is_leaf], pd.DataFrame(means, columns=rows.columns)]) if means else rows[~is_leaf]
    return cells.drop_duplicates(["model", "column"], keep="last"), notes


def _whole(protocol: str) -> str:
    return "; ".join(part for part in protocol.split("; ") if not part.startswith("partial"))


def _sizes(rows: pd.DataFrame, stated: Mapping[str, float], *, needed: bool) -> tuple[dict[str, float], list[str]]:
    """params_b for every model, and notes: what the person says, else what its files state.

    The count of a quantised model's numbers is no size: its name is taken. Raises UsageError for a name that no model
    has, MissingError (with the options to add) where a size is unknown, or the file and the name contradict each other.
    stated: by the person. needed: False where the question is not about sizes, so that an unknown one is NaN.
    """
    notes, odd, used = [], [], set()
    params_b: dict[str, float] = {}
    of_files = rows.groupby("model", sort=False)["params_b"].first()
    in_files = {str(model): float(size) for model, size in of_files.items()}
    packed = set(rows.loc[rows["quantised"] != "", "model"])
    in_names = {model: model_names.size_in_name(model) for model in in_files}
    for model, in_file in in_files.items():
        names = [n for n in (model, model.rpartition("/")[2], model.partition("@")[0]) if n in stated]
        used.update(names)
        in_name, known = in_names[model], not math.isnan(in_file)
        if names:
            params_b[model] = stated[names[0]]
        elif model in packed and in_name is not None:
            params_b[model] = in_name
            counted = f", not the {in_file:.3g} B that its packed numbers count" if known else ""
            notes.append(f"{model}: quantised; its size is the {in_name:g} B of its name{counted}")
        elif known:
            apart = model_names.size_disagrees(model, in_file) or in_file
            both = f"{model}: {in_file:.3g} B by its file, {apart:g} B by its name"
            if max(apart / in_file, in_file / apart) > 2.5:
                odd.append(both)
                continue
            params_b[model] = in_file
            notes += [f"{both}; the file stands"] if apart != in_file else []
    if unused := [name for name in stated if name not in used]:
        raise UsageError(f"--params: {suggest('model', unused[0], in_files)}")
    unknown = {
        model: "N" if (size := in_names[model]) is None else f"{size:g}" for model in in_files if model not in params_b
    }
    if unknown and needed:
        options = " ".join(f"--params {shlex.quote(f'{model}={guess}')}" for model, guess in unknown.items())
        why = odd[0] if odd else f"no parameter count in the files of {', '.join(unknown)}"
        from_names = ", by their names" if set(unknown.values()) != {"N"} else ""
        raise MissingError(f"{why}; add {options} (billions{from_names})")
    return {model: params_b.get(model, math.nan) for model in in_files}, notes
