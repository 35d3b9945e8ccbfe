"""Whatever a person has - tables, results files, folders of them - as one checked table.

Scores of many results files become one row a model: one protocol, then the newest score, MMLU from its leaves.
"""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, ScoresError, SurroundingsError, UsageError
from cape_lib.ingest import files
from cape_lib.ingest.readers import Reader, Source, Task, one_line, reader_of, readings, task_table
from cape_lib.names import suggest
from cape_lib.output import whole
from cape_lib.tables import Scores, TableOptions, check_scores, model_names
from cape_lib.tables.scores import protocol_differences
from cape_lib.tables.sheets import read_sheet


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say of results files and tables.

    params: model -> billions of parameters, before what a file states; names: file, folder or pattern -> model, before
    what the file says; also: further tasks -> column and metric; allow: "partial" (runs with a limit), "mixed"
    (protocols); table: what may be said of a table.
    """

    params: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, Source] = field(default_factory=dict)
    allow: frozenset[str] = frozenset()
    table: TableOptions = field(default_factory=TableOptions)


@dataclass(frozen=True, slots=True)
class Intake:
    """The checked table and the files that it came from."""

    scores: Scores
    files: tuple[Path, ...]


def read_any(sources: Sequence[str], options: Options | None = None, *, pair: Sequence[str] = ()) -> Intake:
    """One checked table out of tables, results files, folders (searched to the bottom) and patterns.

    pair: the two benchmarks that the question is about. Raises ScoresError, MissingError, MixedProtocolError,
    UsageError (an option that matches nothing too), SurroundingsError (a package that reads the file is missing).
    """
    options = options or Options()
    tables = {name: files.is_table(name) for name in sources}
    paths = [Path(name).expanduser() for name, table in tables.items() if table]
    check = partial(check_scores, allow_mixed="mixed" in options.allow)
    parts = [check(path, pair=pair, options=options.table) for path in paths]
    results = [name for name, table in tables.items() if not table]
    if results:
        frame, notes, read = _of_results(results, options)
        stated = replace(options.table, unit="percent", sep=None)
        checked = check(read_sheet(frame, name=", ".join(results)), options=stated)
        parts.append(checked.of(checked.frame, *notes))
        paths += read
    unused = {"--params": options.params, "--model": options.names, "--also": options.also}
    for option in [option for option, value in unused.items() if value and not results]:
        raise UsageError(f"{option}: for results files only; edit the table instead")
    return Intake(_together(parts), tuple(paths))


def _together(parts: list[Scores]) -> Scores:
    """Several checked tables as one. Raises ScoresError where a model stands in two of them, alike but for scores."""
    if len(parts) == 1:
        return parts[0]
    frame = pd.concat([part.frame.assign(**{"_from": part.name}) for part in parts], ignore_index=True)
    first = parts[0]
    usual = ("family", "model", "params_b", "seed", "recipe", "step", "pretrain_tokens_b")
    keys = [name for name in dict.fromkeys((*usual, first.axis.column)) if name in frame]
    twice = frame[keys].astype(str).duplicated(keep=False)
    if twice.any():
        model = frame.loc[twice, "model"].iloc[0]
        one, other = frame.loc[twice & (frame["model"] == model), "_from"].iloc[:2]
        raise ScoresError(f"{other}: {model} stands in {one} too; keep one of the two rows")
    return replace(
        first,
        frame=frame.drop(columns="_from"),
        notes=tuple(note for part in parts for note in part.notes),
        name=", ".join(part.name for part in parts),
        has_families=any(part.has_families for part in parts),
        axis=next((part.axis for part in parts if part.axis.scale == "linear"), first.axis),
    )


def _of_results(sources: Sequence[str], options: Options) -> tuple[pd.DataFrame, list[str], list[Path]]:
    """The scores in results files of the tools of `readers`, one row a model; notes; the files that were read."""
    paths, notes = files.find(sources)
    used: set[str] = set()
    others: dict[str, None] = {}
    read: list[Path] = []
    tools: Counter[str] = Counter()
    scores: list[dict[str, Any]] = []
    passed = {"file(s) that hold no results": 0, "Git LFS pointer(s); fetch the files by: git lfs pull": 0}
    for path, named in paths:
        documents, reader = _documents(path, named)
        if reader is None:
            with path.open("rb") as stream:
                passed[list(passed)[stream.read(24).startswith(b"version https://git-lfs")]] += 1
            continue
        items = [item for document in documents for item in reader.tasks(document, path)]
        tasks = [item for item in items if isinstance(item, Task)]
        here = [reading for task in tasks for reading in readings(task, options.also)]
        for pattern, name in options.names.items():
            if fnmatch(str(path), pattern) or Path(pattern) in (path, *path.parents):
                here = [reading | {"model": name, "identity": ()} for reading in here]
                used.add(pattern)
        if any(not reading["model"] for reading in here):
            reason = "the file names no model (model_name, config.model_args)"
            raise ScoresError(f"{path}: {reason}; say --model {path}=NAME")
        if why := next((reading["partial"] for reading in here if reading["partial"]), ""):
            if "partial" not in options.allow:
                raise ScoresError(f"{path}: a partial run ({why}); run it without --limit, or say --allow-partial")
            notes.append(f"{here[0]['model']}: partial run ({why}), allowed")
        read.append(path)
        tools[reader.name] += 1
        scores += here
        others |= dict.fromkeys(task.name for task in tasks if not (task.known or task.group))
        notes += [item for item in items if isinstance(item, str)]
    notes += [f"passed over {count} {what}" for what, count in passed.items() if count]
    if not scores:
        reason = _no_benchmark(list(others), tools) if read else files.nothing_here()
        raise ScoresError(f"{', '.join(sources)}: {reason}")
    if unused := sorted({*options.names} - used):
        raise UsageError(f"--model: no results file matches {unused[0]!r}; name the file, its folder or a pattern")
    held = {reading["task"] for reading in scores} | set(others)
    if lacking := [task for task in options.also if task not in held]:
        raise UsageError(f"--also: {suggest('task', lacking[0], sorted(held))}")
    if left := [task for task in others if task not in options.also]:
        notes.append(f"tasks not read: {_some(left)} (--also TASK:METRIC reads one more)")
    notes.append("read from " + ", ".join(f"{count} file(s) of {tool}" for tool, count in tools.items()))
    frame, more = _one_row_a_model(scores, options)
    return frame, list(dict.fromkeys((*notes, *more))), read


def _documents(path: Path, named: bool) -> tuple[list[Any], Reader | None]:
    """The documents in a file and their reader; None where a folder holds something else."""
    try:
        value = files.opened(path)
    except ScoresError as problem:
        if not named and any(words in str(problem) for words in ("Git LFS", "HTML page", "too large", "no zip")):
            return [], None
        raise
    documents = files.documents(value)
    reader = reader_of(documents[0])
    if reader is None and named:
        raise files.refusal(value, path)
    return documents, reader


def _no_benchmark(others: list[str], tools: Collection[str]) -> str:
    if others:
        return f"none of the benchmarks is in the files (they hold {_some(others)}); see --also"
    if "lm-evaluation-harness" not in tools:
        return "no benchmark has a score in the files; run the tasks to the end"
    return "the files hold only groups such as truthfulqa, which are never read; run --tasks truthfulqa_mc2"


def _some(names: list[str], most: int = 6) -> str:
    return one_line(", ".join(names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def write_scores(frame: pd.DataFrame, target: Path, *, force: bool = False, inputs: Collection[Path] = ()) -> None:
    """Write a scores table as CSV in one move, so that an interrupt leaves the old file or the new one.

    Raises UsageError where `target` exists (unless `force`) or is one of `inputs`, SurroundingsError where the
    folder cannot hold it.
    """
    target = Path(target)
    if target.is_dir():
        raise UsageError(f"{target}: a folder; name a file, such as {target / 'scores.csv'}")
    if any(target.resolve() == Path(path).resolve() for path in inputs):
        raise UsageError(f"{target}: this is one of the files to read; choose another name for -o")
    if target.exists() and not force:
        raise UsageError(f"{target}: exists already; choose another name for -o, or say --force")
    if not target.parent.is_dir():
        raise SurroundingsError(f"{target.parent}: no such folder; make it first, or choose another place")
    with whole(target) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")


# ---- scores of many files -> one row a model ----


def _one_row_a_model(readings: list[dict[str, Any]], options: Options) -> tuple[pd.DataFrame, list[str]]:
    """One row a model, sorted by size: model, params_b, then each benchmark, its stderr and its protocol; notes.

    readings: as from `readers.readings`, each with what its file says of the run. Scores keep four decimals of a
    percent: less than a hundredth of one question of any benchmark here.
    """
    rows = pd.DataFrame(readings).astype({"params_b": float, "date": float, "stderr": float, "items": float})
    rows = _in_order(rows)
    # The way of measuring, less how much of the test it was.
    rows["way"] = rows["protocol"].str.replace(r"; partial[^;]*", "", regex=True)
    rows["is_leaf"] = rows["column"].str.contains("/")
    sizes, notes = _sizes(rows, options.params, needed=options.table.axis == "params")
    rows, more = _one_protocol(rows)
    rows, gone = _newest(rows)
    cells, left_out = _with_mmlu(rows, allow_mixed="mixed" in options.allow)
    place = {model: at for at, model in enumerate(sizes)}
    notes += more + [note for _, note in sorted([*gone, *left_out], key=lambda one: place[one[0]])]
    if cells.empty:
        raise ScoresError(f"no whole benchmark in the files; {notes[-1] if notes else 'run the tasks to the end'}")
    frame = pd.DataFrame({"model": cells["model"].unique()})
    frame["params_b"] = frame["model"].map(sizes).map(lambda size: float(f"{size:.6g}"))
    # How far a checkpoint was trained, by its name: "step143000", "checkpoint-14676", "tokens3B".
    frame["step"] = frame["model"].map(model_names.step_in_name).astype(float)
    frame["pretrain_tokens_b"] = frame["model"].map(model_names.tokens_in_name).astype(float)
    moment = frame["step"].replace(0, np.nan).fillna(frame["pretrain_tokens_b"]).fillna(0.0)
    frame = frame.assign(moment=moment).sort_values(["params_b", "moment", "model"], ignore_index=True)
    frame = frame.drop(columns=["moment", *(c for c in ("step", "pretrain_tokens_b") if frame[c].isna().all())])
    wide = cells.pivot(index="model", columns="column", values=["value", "stderr", "protocol"]).loc[frame["model"]]
    first = ("hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "mmlu_weighted", "truthfulqa_mc1")
    for name in sorted(set(cells["column"]), key=lambda name: (first.index(name) if name in first else 9, name)):
        frame[name] = wide[("value", name)].to_numpy(dtype=float).round(4)
        frame[f"{name}_stderr"] = wide[("stderr", name)].to_numpy(dtype=float).round(4)
        frame[f"{name}_protocol"] = wide[("protocol", name)].to_numpy(dtype=object)
    return frame, notes


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows model by model, with the revision in the name ("model@step1000") where one model has several.

    Raises ScoresError where one name stands for two models.
    """
    revisions = rows["identity"].map(lambda identity: dict(identity).get("revision", "main"))
    several = revisions.groupby(rows["model"]).transform("nunique") > 1
    rows["model"] = rows["model"].where(~several, rows["model"] + "@" + revisions)
    rows["identity"] = [() if more else one for one, more in zip(rows["identity"], several, strict=True)]
    rows = rows.sort_values("model", key=lambda names: pd.factorize(names)[0], kind="stable")
    firsts: dict[str, dict[Any, Any]] = {}
    for run in rows.drop_duplicates(["model", "path"]).to_dict("records"):
        first = firsts.setdefault(run["model"], run)
        one, other = dict(first["identity"]), dict(run["identity"])
        sizes = sorted({size for size in (first["params_b"], run["params_b"]) if not math.isnan(size)})
        unlike = one and other and one != other
        if unlike or len(sizes) > 1:
            what = f"{one} and {other}" if unlike else f"{sizes[0]:.4g} and {sizes[1]:.4g} billion parameters"
            reason = f"two models are called {run['model']!r} ({what}; the other in {first['path']})"
            step = "name them by --model FILE=NAME, alike if they are one model"
            raise ScoresError(f"{run['path']}: {reason}; {step}")
    return rows


def _one_protocol(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Where models were measured in several ways, the rows of the way that most of them share, and what is out.

    Among equals the usual number of shots, then the newest. Only then does a newer file win over an older one.
    """
    notes = []
    for benchmark, of in rows[~rows["is_leaf"]].groupby("column", sort=False):
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
            gone = f"[{other}] is left out ({_described(out)})"
            notes.append(f"{benchmark}: [{chosen}] is read ({_described(read)}), {gone}")
    return rows, notes


def _described(rows: pd.DataFrame) -> str:
    """Models, days and files of scores, in a few words."""
    days = sorted({datetime.fromtimestamp(date, UTC).date().isoformat() for date in rows["date"].dropna()})
    when = f", {' to '.join(dict.fromkeys((days[0], days[-1])))}" if days else ""
    names, count = sorted({path.name for path in rows["path"]}), rows["model"].nunique()
    return f"{count} {'model' if count == 1 else 'models'}{when}, {names[0]}{' ...' if len(names) > 1 else ''}"


def _newest(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The newest row of each model and column; a model and a note for each that gave way to a newer one.

    Raises ScoresError where two scores differ and no date tells which is newer.
    """
    rows = rows.assign(of=pd.factorize(rows["model"])[0], file=rows["path"].map(str))
    rows = rows.sort_values(["of", "date", "file"], na_position="first")
    before = rows.groupby(["of", "column"], sort=False)[["value", "protocol", "date", "path"]].shift()
    unlike = before["path"].notna() & ((rows["value"] != before["value"]) | (rows["protocol"] != before["protocol"]))
    notes: dict[tuple[str, str], None] = {}
    for row, old in zip(rows[unlike].to_dict("records"), before[unlike].to_dict("records"), strict=True):
        path, model, earlier = row["path"], row["model"], old["path"]
        if math.isnan(old["date"]) or old["date"] == row["date"]:
            reason = f"{row['task']} of {model} also stands in {earlier} with another score"
            raise ScoresError(f"{path}: {reason}, and no date tells which is newer; leave one of the two out")
        task = "MMLU" if "/" in row["column"] else row["task"]
        notes[model, f"{model}: {task} read from {path.name}, newer than {earlier.name}"] = None
    return rows.drop_duplicates(["of", "column"], keep="last"), list(notes)


def _with_mmlu(rows: pd.DataFrame, *, allow_mixed: bool) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The benchmarks with MMLU in place of its leaves: `mmlu` is their plain mean, `mmlu_weighted` by their sizes."""
    subjects, notes, means = task_table()["mmlu_subjects"], [], []
    for model, leaves in rows[rows["is_leaf"]].groupby("model", sort=False):
        some, held = leaves.iloc[0].to_dict(), leaves["column"].str.partition("/")[2]
        if missing := [subject for subject in subjects if subject not in set(held)]:
            what = f"{len(leaves)} of {len(subjects)} subjects ({missing[0]} is missing)"
            notes.append((str(model), f"{model}: MMLU left out, for it has {what}; run --tasks mmlu to the end"))
            continue
        ways = sorted(set(leaves["way"]))
        if len(ways) > 1 and not allow_mixed:
            reason = f"the subjects of MMLU for {model} were measured in two ways ({' | '.join(ways[:2])})"
            raise MixedProtocolError(f"{some['path']}: {reason}; run --tasks mmlu once, or say --allow-mixed")
        partial = "; partial" if leaves["partial"].any() else ""
        items = leaves["items"].replace(0, np.nan).fillna(held.map(subjects))
        for name, kind, weights in (("mmlu", "plain mean", items * 0 + 1), ("mmlu_weighted", "weighted mean", items)):
            share = weights / weights.sum()
            protocol, value = f"{' | '.join(ways)}; {kind}{partial}", float(np.dot(share, leaves["value"]))
            stderr = float(np.linalg.norm(share * leaves["stderr"]))  # unknown where that of one leaf is
            means.append(some | {"column": name, "value": value, "stderr": stderr, "protocol": protocol})
    cells = rows[~rows["is_leaf"]]
    cells = pd.concat([cells, pd.DataFrame(means, columns=rows.columns)]) if means else cells
    return cells.drop_duplicates(["model", "column"], keep="last"), notes


def _sizes(rows: pd.DataFrame, stated: Mapping[str, float], *, needed: bool) -> tuple[dict[str, float], list[str]]:
    """params_b for every model, and notes: what the person says, else what its files state.

    The count of a quantised model's numbers is no size: its name is taken. Raises UsageError for a name that no model
    has, MissingError (with the options to add) where a size is unknown, or the file and the name contradict each other.
    stated: by the person. needed: False where the question is not about sizes, so that an unknown one is NaN.
    """
    notes, odd, unknown = [], [], {}
    of_files = rows.groupby("model", sort=False)["params_b"].first()
    params_b = {str(model): float(size) for model, size in of_files.items()}
    packed = set(rows.loc[rows["quantised"] != "", "model"])
    names = {model: [model, model.rpartition("/")[2], model.partition("@")[0]] for model in params_b}
    if unused := set(stated) - {name for of in names.values() for name in of}:
        raise UsageError(f"--params: {suggest('model', next(name for name in stated if name in unused), params_b)}")
    for model, in_file in params_b.items():
        in_name, known = model_names.size_in_name(model), not math.isnan(in_file)
        apart = model_names.size_disagrees(model, in_file) if known else None
        if own := [stated[name] for name in names[model] if name in stated]:
            params_b[model] = own[0]
        elif model in packed and in_name is not None:
            params_b[model] = in_name
            counted = f", not the {in_file:.3g} B that its packed numbers count" if known else ""
            notes.append(f"{model}: quantised; its size is the {in_name:g} B of its name{counted}")
        elif apart is not None and max(apart / in_file, in_file / apart) > 2.5:
            params_b[model], unknown[model] = math.nan, f"{in_name:g}"
            odd.append(f"{model}: {in_file:.3g} B by its file, {apart:g} B by its name")
        elif apart is not None:
            notes.append(f"{model}: {in_file:.3g} B by its file, {apart:g} B by its name; the file stands")
        elif not known:
            unknown[model] = "N" if in_name is None else f"{in_name:g}"
    if unknown and needed:
        options = " ".join(f"--params {shlex.quote(f'{model}={guess}')}" for model, guess in unknown.items())
        why = odd[0] if odd else f"no parameter count in the files of {', '.join(unknown)}"
        from_names = ", by their names" if set(unknown.values()) != {"N"} else ""
        raise MissingError(f"{why}; add {options} (billions{from_names})")
    return params_b, notes
