"""The kinds of results files that are read, a function each below `reads`; the first kind that fits a file reads it.

A score as one file states it comes with all that must agree before two of them may be compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from cape_lib.errors import ScoresError
from cape_lib.tables.benchmarks import LABELS
from cape_lib.tables.columns import is_blank, known_name, plain, to_number
from cape_lib.tables.model_names import quantised

#: last folders of a path that say little without the one above
_VAGUE = r"(checkpoint|ckpt|step|epoch|iter|global_step)?[-_]?\d+|hf|final|last|best|main|checkpoints?|output|model"


class Source(NamedTuple):
    """Where a benchmark stands in a results file: our `column`, and the `metric` that is read."""

    column: str
    metric: str


@lru_cache(maxsize=1)
def task_table() -> dict[str, Any]:
    """`tasks.json`: `tools` (tool -> task -> our column -> the metric that is read), `usual_shots` (those of the Open
    LLM Leaderboard v1, and of most since), `mmlu_subjects` (57 subjects -> questions in the test split, 14,042 in all).
    """
    return dict(json.loads(Path(__file__).with_name("tasks.json").read_text(encoding="utf-8")))


def sources(task: str, tool: str, *, mmlu: str = "acc") -> tuple[Source, ...]:
    """The benchmarks that a task of a tool feeds; an unknown task none. A leaf of MMLU feeds "mmlu/<subject>".

    Only the 57 leaves count, no group and no variant of MMLU. mmlu: the metric of a leaf.
    """
    subject = task.removeprefix("mmlu_") if task.startswith("mmlu_") else task.removeprefix("hendrycksTest-")
    if subject != task and subject in task_table()["mmlu_subjects"]:
        return (Source(f"mmlu/{subject}", mmlu),)
    return tuple(Source(*one) for one in task_table()["tools"][tool].get(task, {}).items())


class Run(NamedTuple):
    """What a results file says of the run as a whole.

    model: name as shown; identity: what tells two models of one name apart; params_b: billions, None where the
    file is silent; date: seconds since 1970, None where unknown; partial: why the run is not the whole test, or "";
    quantised: how the weights are ("4-bit", "GPTQ"), or "", so that a count of their numbers is no size.
    """

    path: Path
    model: str
    identity: tuple[tuple[str, str], ...] = ()
    params_b: float | None = None
    date: float | None = None
    partial: str = ""
    quantised: str = ""


class Task(NamedTuple):
    """One task of a file, as its reader hands it over.

    known: the benchmarks that it feeds, () for a task that no rule reads; scores: metric -> score, "<metric>_stderr" ->
    its standard error; protocol: what must agree beside the metric, which is put third; most: the highest score, 1 for
    fractions and 100 for percent; items: questions answered; group: not to be offered as a task that could be read.
    """

    run: Run
    name: str
    known: Sequence[Source]
    scores: Mapping[str, Any]
    protocol: Sequence[str]
    most: float = 1.0
    items: int | None = None
    group: bool = False


def some_of(answered: Any, there: Any) -> str:
    """Why a run is not the whole test: fewer questions answered than there are ("10 of 817 items"); else ""."""
    fewer = isinstance(answered, int) and isinstance(there, int) and answered < there
    return f"{answered} of {there} items" if fewer else ""


def run_of(path: Path, model: Any, *, stated: Any = None, limit: Any = None, revision: Any = None) -> Run:
    """The run of a file by what it says: a name or path of the model, a date, a limit of questions, a revision."""
    identity = (("revision", text(revision)),) if text(revision) not in ("", "main") else ()
    partial = f"limit {one_line(limit)}" if limit else ""
    return Run(path, short_name(text(model)), identity, date=date(stated, path), partial=partial)


def readings(task: Task, also: Mapping[str, Source]) -> Iterator[dict[str, Any]]:
    """The scores of one task, of its known benchmarks and of what the person asks for, with what is said of the run.

    value: percent, 0-100; stderr: points, None where the file gives none; column: a benchmark, or "mmlu/<subject>".
    Raises ScoresError where a metric is not there or no number in its range.
    """
    run, name = task.run, one_line(task.name)
    wanted = [*task.known, *([also[name]] if name in also else [])]
    for column, asked in wanted:
        metric = asked.removesuffix(",none")
        if metric not in task.scores:
            if any(other.metric in task.scores for other in wanted):  # the other metric of the task is there
                continue
            has = ", ".join(key for key in task.scores if "stderr" not in key) or "nothing"
            raise ScoresError(f"{run.path}: task {name} has no {metric} (it has {one_line(has)}); run it again")
        parts = [*task.protocol[:2], metric.partition(",")[0], *task.protocol[2:]]
        parts += [f"quantised ({run.quantised})"] if run.quantised else []
        parts += [f"partial ({run.partial})"] if run.partial else []
        value, error = task.scores[metric], task.scores.get(f"{metric}_stderr")
        if not is_number(value) or not -1e-9 <= value / task.most <= 1 + 1e-9:
            what = "a fraction from 0 to 1" if task.most == 1 else f"a number from 0 to {task.most:g}"
            reason = f"task {name}, {metric} is {one_line(repr(value))}, not {what}"
            raise ScoresError(f"{run.path}: {reason}; run that task again or remove it")
        points = 100 / task.most
        # "N/A" and NaN are no standard error, and 0 only says that all answers were alike.
        stderr = points * float(error) if is_number(error) and 0 < error <= task.most else None
        score = points * min(max(float(value), 0.0), task.most)
        about = {"column": column, "task": name, "protocol": "; ".join(parts), "items": task.items}
        yield run._asdict() | about | {"value": score, "stderr": stderr}


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value of a file is a number, and no answer yes or no."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def shots_text(shots: Any) -> str:
    """ "10-shot", or "unknown-shot" where the file does not say."""
    return "unknown-shot" if shots is None or shots == "" else f"{one_line(shots).removesuffix('-shot')}-shot"


def version_text(version: Any) -> str:
    """The version of a task as a part of its protocol; 0 is a version like any other."""
    shown = f"{version:g}" if isinstance(version, float) else one_line("unknown" if version is None else version)
    return f"task version {shown or 'unknown'}"


def one_line(value: Any) -> str:
    """A value of a file as short text without line breaks, fit for a cell and for a message."""
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else text[:117] + "..."


def section(document: Any, key: str) -> dict[str, Any]:
    """A part of a document that is an object; {} where it is none."""
    part = document.get(key) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}


def value_at(document: Any, place: str) -> Any:
    """A value inside objects by its place ("config.limit"); None where it is not there."""
    for key in place.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def columns_of(document: Any) -> list[str]:
    """The columns of a document that is a table, a list of its rows; [] for any other."""
    rows = document if isinstance(document, list) else []
    return list(rows[0]) if rows and all(isinstance(row, dict) for row in rows) else []


def cell(written: str) -> float | str:
    """A cell of a table as a number where it holds one."""
    number = to_number(written, decimal_comma=False)
    return written if number is None else number


def facts(dtype: Any = None, seed: Any = None, shots: Any = None) -> list[str]:
    """The number format of the weights and the seed of the examples as parts of a protocol, where they are stated."""
    kind = text(dtype).removeprefix("torch.")
    seeded = shots and isinstance(seed, int) and not isinstance(seed, bool)
    return [f"dtype {kind}"] * (kind not in ("", "auto")) + ([f"few-shot seed {seed}"] if seeded else [])


def text(value: Any) -> str:
    """A text of a file in one line; "" for anything else."""
    return one_line(value) if isinstance(value, str) else ""


def short_name(name: str) -> str:
    """A hub name ("org/model") as it is; a path by its last folder, with those above it for a checkpoint."""
    name = one_line(name).rstrip("/\\")
    parts = [part for part in re.split(r"[/\\]", name) if part]
    if len(parts) == 2 and name[0] not in "./\\~" and ":" not in name:
        return name
    telling = next((at for at in range(len(parts) - 1, -1, -1) if not re.fullmatch(_VAGUE, parts[at])), 0)
    return "/".join(parts[telling:])


def date(stated: Any, path: Path) -> float | None:
    """Seconds since 1970: the file's own `date` (a number or ISO text), else the time in its name, else None."""
    if is_number(stated) and 0 < stated < 1e11:
        return float(stated)
    in_name = re.search(r"(\d{4}-\d\d-\d\d)[T_ ](\d\d)[-:](\d\d)[-:](\d\d(?:\.\d+)?)", path.name)
    written = stated if isinstance(stated, str) else "{}T{}:{}:{}".format(*in_name.groups()) if in_name else ""
    try:
        moment = datetime.fromisoformat(written.removesuffix(" UTC"))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


# ---- the readers ----

Tasks = Iterator[Task | str]
Read = Callable[[Any, Path], Tasks]


class Reader(NamedTuple):
    """A kind of results file: the name of its tool, whether a document is of this kind, the tasks and notes in it.

    A document is a JSON value, or the rows of a table as dictionaries; `tasks` raises ScoresError with file and task.
    """

    name: str
    fits: Callable[[Any], bool]
    tasks: Read


#: in the order in which they are asked
READERS: list[Reader] = []


def reads(name: str, fits: Callable[[Any], bool]) -> Callable[[Read], Read]:
    """Put a function of document and path down as the reader of a tool's files, told by their shape alone."""

    def put_down(tasks: Read) -> Read:
        READERS.append(Reader(name, fits, tasks))
        return tasks

    return put_down


def reader_of(document: Any) -> Reader | None:
    """The reader of a document, or None where it holds no results."""
    return next((reader for reader in READERS if reader.fits(document)), None)


@reads("Inspect", lambda document: "task" in section(document, "eval") and "status" in document)
def _inspect(document: dict[str, Any], path: Path) -> Tasks:
    """Inspect logs, as JSON or by inspect-ai's own reader (see `files`): the scorer that is named first, fractions."""
    about, results = section(document, "eval"), section(document, "results")
    if document["status"] != "success" or document.get("invalidated"):
        ended = "was marked invalid" if document.get("invalidated") else f"ended as {one_line(document['status'])}"
        raise ScoresError(f"{path}: this log {ended}; run the task to the end")
    options, model = section(about, "task_args"), text(about.get("model"))
    name, target = text(about.get("task")).rpartition("/")[2], text(options.get("target"))
    name = f"{name}_{target}" if name == "truthfulqa" and target else name
    scores = [one for one in results.get("scores") or [] if isinstance(one, dict)]
    chosen = value_at(results, "headline.score") or (scores[0].get("name") if scores else None)
    first = next((one for one in scores if one.get("name") == chosen), {})
    if others := [text(one.get("name")) for one in scores if one is not first]:
        yield f"{path.name}: {name} by the scorer {text(chosen)}; not read: {', '.join(others)}"
    # Not the whole test: samples chosen, samples not finished, answers without a score.
    every, samples = results.get("total_samples"), value_at(about, "dataset.sample_ids")
    some = some_of(results.get("completed_samples"), every)
    some = some or (some_of(len(samples), value_at(about, "dataset.samples")) if isinstance(samples, list) else "")
    some = some or (some_of(first.get("scored_samples"), every) if first.get("unscored_samples") else "")
    limit, created = value_at(about, "config.limit"), about.get("created")
    run = run_of(path, model.partition("/")[2] or model, stated=created, limit=limit)
    row = {key: value_at(metric, "value") for key, metric in section(first, "metrics").items()}
    shots = shots_text(options.get("fewshot", options.get("num_fewshot")))
    protocol = ["Inspect", shots, version_text(about.get("task_version"))]
    run = run._replace(partial=run.partial or some)
    yield Task(run, name, sources(name, "Inspect"), row | {"accuracy_stderr": row.get("stderr")}, protocol)


@reads("Open LLM Leaderboard v1", lambda document: any(k.startswith("harness|") for k in section(document, "results")))
def _leaderboard(document: dict[str, Any], path: Path) -> Tasks:
    """Results and details with keys such as "harness|hellaswag|10"; of the size they state the bytes alone."""
    config = section(document, "config_general") or section(document, "config")
    # A model is entered again after each edit of its page: another hash is no other model.
    run = run_of(path, config.get("model_name"), limit=config.get("max_samples"))
    versions, discarded = section(document, "versions"), False
    for key, row in document["results"].items():
        suite, _, rest = key.partition("|")
        name, _, shots = rest.rpartition("|")
        version = versions.get(key, versions.get(name))
        # Until August 2023 it ran MMLU by another prompt; its maintainers discard version 0, and so do we.
        if name.startswith("hendrycksTest-") and version == 0:
            discarded = True
        elif suite == "harness" and name and isinstance(row, dict):
            protocol = ["leaderboard v1", shots_text(shots), version_text(version)]
            yield Task(run, name, sources(name, "leaderboard v1"), row, protocol)
    if discarded:
        yield f"{path.name}: MMLU left out, task version 0 was discarded by the leaderboard itself"


def _with_bars(document: Any) -> Iterator[tuple[str, str, str, Any]]:
    """The rows called "leaderboard|hellaswag|10" or "hellaswag|10", in "results" or, in a model card, at the top.

    Key, task, shots, scores: the suite in front and the old fourth part (may the prompt be cut) are dropped.
    """
    for key, row in (section(document, "results") or (document if isinstance(document, dict) else {})).items():
        parts = str(key).split("|")
        name, shots = (parts[1:] if len(parts) > 2 else [*parts, ""])[:2]
        if parts[0] != "harness" and shots.isdigit():
            yield key, name, shots, row


@reads("lighteval", lambda document: any(_with_bars(document)))
def _lighteval(document: dict[str, Any], path: Path) -> Tasks:
    """A results file of lighteval, or the model card of its details."""
    general = section(document, "config_general")
    inner = section(general, "model_config")
    model = general.get("model_name") or inner.get("model_name") or document.get("model_name")
    run = run_of(path, model, limit=general.get("max_samples"))
    dtype = facts(general.get("model_dtype") or inner.get("dtype"))
    for key, name, shots, row in _with_bars(document):
        if name and isinstance(row, dict) and not name.endswith("_average"):
            known = sources(name.replace("mmlu:", "mmlu_"), "lighteval")
            version = version_text(section(document, "versions").get(key))
            yield Task(run, name, known, row, ["lighteval", f"{shots}-shot", version, *dtype])


def _of_the_harness(document: Any) -> bool:
    """Whether a document has "results" with tasks whose metrics are numbers."""
    rows = [row for row in section(document, "results").values() if isinstance(row, dict)]
    flat = [row for row in rows if not any(isinstance(value, dict) for value in row.values())]
    return any(not row or any(isinstance(value, (int, float)) for value in row.values()) for row in flat)


@reads("lm-evaluation-harness", _of_the_harness)
def _harness(document: dict[str, Any], path: Path) -> Tasks:
    """Results of lm-evaluation-harness, 0.3 and 0.4.0 to 0.4.13; groups, means of tasks, are passed over in silence."""
    results = {task: row for task, row in document["results"].items() if isinstance(row, dict)}
    new = any("," in key for row in results.values() for key in row)  # "acc,none": metrics have filters since 0.4.0
    tool, stated = "lm-eval 0.4" if new else "lm-eval 0.3", value_at(document, "config.model_args")
    pairs = (part.partition("=") for part in stated.split(",")) if isinstance(stated, str) else ()
    arguments = {key.strip(): value.strip() for key, _, value in pairs if value}
    arguments |= {str(key): str(value) for key, value in stated.items()} if isinstance(stated, dict) else {}
    run, alike = _harness_run(document, path, arguments), _harness_protocol(document, arguments) if new else []
    dtype = value_at(document, "config.model_dtype") or arguments.get("dtype")
    parts = section(document, "group_subtasks")
    groups = {*section(document, "groups"), *parts, "truthfulqa", "mmlu"} - {one for one, of in parts.items() if not of}
    # MMLU of 0.3 was measured by another prompt in version 0; the Open LLM Leaderboard discards it, and so do we.
    versions = section(document, "versions")
    old = {name for name in results if name.startswith("hendrycksTest-") and versions.get(name) in (0, "0", None)}
    for name, row in results.items():
        # The shot count of a group is that of its first task, and wrong for mixed groups: only a task's own counts.
        shots = section(section(document, "configs"), name).get("num_fewshot")
        shots = section(document, "n-shot").get(name) if shots is None else shots
        protocol = [tool, shots_text(shots if new else value_at(document, "config.num_fewshot"))]
        protocol += [version_text(versions.get(name)), *alike]
        protocol += facts(dtype, value_at(document, "config.fewshot_seed"), shots) if new else []
        counts = section(section(document, "n-samples"), name)
        items = counts.get("effective")
        yield Task(
            run._replace(partial=run.partial or some_of(items, counts.get("original"))),
            name,
            () if name in old else sources(name, tool),
            {_metric(key): value for key, value in row.items() if key not in ("alias", "name", "sample_len")},
            protocol,
            items=items if isinstance(items, int) else None,
            group=name in groups or name in old,
        )
    if any(name.startswith("leaderboard_") for name in results):
        yield "Open LLM Leaderboard v2: these are raw scores, not normalised as its pages show them"
    elif old:
        stated = {versions.get(name) for name in old} != {None}
        why = "task version 0, which the leaderboard discarded" if stated else "a version that is not stated"
        yield f"{path.name}: MMLU left out, {len(old)} of its subjects have {why}"


def _metric(key: str) -> str:
    """A metric with its filter, a standard error's ending behind: "acc_stderr,none" is called "acc_stderr"."""
    name, _, kind = key.partition(",")
    if kind in ("", "none"):
        return name
    return f"{name.removesuffix('_stderr')},{kind}{'_stderr' if name.endswith('_stderr') else ''}"


def _harness_run(document: dict[str, Any], path: Path, arguments: dict[str, str]) -> Run:
    """What the file says of its run; `model` is "" where neither `model_name` nor `config.model_args` names one."""
    # Arguments that name a model, in the order in which the harness looks for them, and those that tell two apart.
    naming = [arguments[key] for key in ("peft", "delta", "pretrained", "model", "path", "engine") if key in arguments]
    stated, config = document.get("model_name"), section(document, "config")
    name = stated if isinstance(stated, str) and stated else "".join(naming[:1])
    name = name or text(document.get("model")) or text(document.get("name"))
    telling = ("pretrained", "peft", "delta", "revision", "subfolder")
    identity = [(key, arguments[key]) for key in sorted(telling) if key in arguments]
    weights = [f"{n}-bit" for n in "48" if arguments.get(f"load_in_{n}bit", "").casefold() == "true"]
    packed = {"autogptq": "GPTQ", "gptqmodel": "GPTQ", "gguf_file": "GGUF", "awq": "AWQ"}
    first = next((key for key in packed if key in arguments), "")
    weights += [packed[first]] if arguments.get(first, "none").casefold() not in ("false", "none") else []
    weights += [arguments.get("quantization", "").upper()]
    count = config.get("model_num_parameters")
    return run_of(path, name, stated=document.get("date"), limit=config.get("limit"))._replace(
        identity=tuple(pair for pair in identity if pair != ("revision", "main")),
        params_b=float(count) / 1e9 if is_number(count) and 0 < count < 1e15 else None,
        quantised=next((kind for kind in weights if kind not in ("", "NONE")), quantised(name)),
    )


def _harness_protocol(document: dict[str, Any], arguments: dict[str, str]) -> list[str]:
    """What is alike for all tasks of a file and must agree between two: template, system prompt, BOS."""
    template = document.get("chat_template")
    parts = ["chat template" if template else "no chat template"]
    parts += ["shots as turns"] if template and document.get("fewshot_as_multiturn") else []
    if prompt := document.get("system_instruction"):
        parts.append(f"system prompt {hashlib.sha256(str(prompt).encode()).hexdigest()[:8]}")
    release = [int(part) for part in re.findall(r"\d+", str(document.get("lm_eval_version", "")))[:4]]
    if (asked := arguments.get("add_bos_token", "none").lower()) != "none":
        return [*parts, f"BOS {'on' if asked == 'true' else 'off'}"]
    # 0.4.9.2 is the first release whose default leaves the BOS token to the tokenizer; before it, none was added.
    return [*parts, "BOS by tokenizer" if release >= [0, 4, 9, 2] else "BOS default before 0.4.9.2"]


def _tasks_of_olmes(document: Any) -> list[dict[str, Any]]:
    """The tasks of a document of olmes, each as the file of one task has it."""
    if not isinstance(document, dict) or "all_primary_scores" not in document:
        one = section(document, "metrics") and "task_name" in document
        return [document] if one else []
    rows, named = document.get("tasks", document.get("metrics")), ("task_name", "alias", "task")
    return [
        {"model_config": section(document, "model_config")}
        | row
        | {"task_name": next((row[key] for key in named if key in row), ""), "metrics": section(row, "metrics") or row}
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


@reads("olmes", lambda document: bool(_tasks_of_olmes(document)))
def _olmes(document: dict[str, Any], path: Path) -> Tasks:
    """Ai2's evaluation system: one "...-metrics.json" a task, or the metrics.json of a run; the primary scores."""
    for one in _tasks_of_olmes(document):
        config, model, metrics = (section(one, key) for key in ("task_config", "model_config", "metrics"))
        named, stated = model.get("model") or model.get("model_path"), one.get("current_date")
        run = run_of(path, named, stated=stated, limit=config.get("limit"), revision=model.get("revision"))
        name = text(one["task_name"])
        base, _, form = name.partition(":")
        primary = text(config.get("primary_metric")) or "primary_score"
        known = [Source(other.column, primary) for other in sources(base, "olmes")]
        protocol = ["olmes", shots_text(config.get("num_shots")), version_text(config.get("version"))]
        protocol += [form] * bool(form) + facts(seed=config.get("fewshot_seed"), shots=config.get("num_shots"))
        yield Task(run, name, known, {primary: metrics.get("primary_score")} | metrics, protocol)


@reads("HELM", lambda each: {"count", "sum"} <= set(columns_of(each)) and "name" in section(each[0], "name"))
def _helm(document: list[Any], path: Path) -> Tasks:
    """stats.json, with run_spec.json beside it: the mean of the test split, without perturbations, of one scenario."""
    try:
        spec = json.loads(path.with_name("run_spec.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        lacking = "HELM statistics without run_spec.json beside them, which names the model"
        raise ScoresError(f"{path}: {lacking}; name the run's folder as HELM wrote it") from None
    adapter, arguments = section(spec, "adapter_spec"), section(section(spec, "scenario_spec"), "args")
    scenario = text(value_at(spec, "name")).partition(":")[0]
    name = {
        "commonsense": text(arguments.get("dataset")),
        "mmlu": f"mmlu_{text(arguments.get('subject'))}",
        "truthful_qa": f"truthful_qa_{text(arguments.get('task'))}",
    }.get(scenario, scenario)
    means: dict[str, Any] = {}
    for stat in document:
        about = section(stat, "name")
        if about.get("split") == "test" and not about.get("perturbation") and "mean" in stat:
            means.setdefault(text(about.get("name")), stat["mean"])
    protocol = ["HELM", shots_text(adapter.get("max_train_instances")), text(adapter.get("method")) or "adapter"]
    known = sources(name, "HELM", mmlu="exact_match")
    yield Task(run_of(path, adapter.get("model")), name, known, means, protocol)


@reads("every eval ever", lambda each: isinstance(value_at(each, "evaluation_results"), list) and "model_info" in each)
def _every_eval_ever(document: dict[str, Any], path: Path) -> Tasks:
    """One file a model and source, each score with its own scale, of our benchmarks; lower-is-better is left out."""
    model = value_at(document, "model_info.id") or value_at(document, "model_info.name")
    run = run_of(path, model, stated=value_at(document, "retrieved_timestamp"))
    source = text(value_at(document, "source_metadata.source_organization_name")) or "source unknown"
    for result in document["evaluation_results"]:
        name = text(value_at(result, "evaluation_name"))
        if not name or value_at(result, "metric_config.lower_is_better"):
            continue
        metric = plain(text(value_at(result, "metric_config.evaluation_description")) or "score")[:40] or "score"
        error = value_at(result, "score_details.uncertainty.standard_error.value")
        yield Task(
            run,
            name,
            [Source(known_name(name), metric)] if known_name(name) in LABELS else [],
            {metric: value_at(result, "score_details.score"), f"{metric}_stderr": error},
            [f"every eval ever ({source})", shots_text(value_at(result, "generation_config.num_fewshot"))],
            most=100.0 if value_at(result, "metric_config.max_score") == 100 else 1.0,
        )


_SUMMARY = ["dataset", "version", "metric", "mode"]


@reads("OpenCompass", lambda document: columns_of(document)[:4] == _SUMMARY)
def _opencompass(document: list[dict[str, str]], path: Path) -> Tasks:
    """Summaries (CSV or Markdown), one row a data set, one column a model: percent, neither shots nor sizes."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in document:
        about = (one_line(row["dataset"]), version_text(row["version"]), one_line(row["mode"]))
        for model in row:
            if model not in (*_SUMMARY, "total_count") and not is_blank(row[model]):
                rows.setdefault((*about, model), {})[one_line(row["metric"])] = cell(row[model])
    for (name, version, mode, model), scores in rows.items():
        known = sources(name.replace("lukaemon_", ""), "OpenCompass") or sources(name.casefold(), "OpenCompass")
        metric = next((metric for metric in scores if metric in ("accuracy", "acc", "naive_average", "score")), None)
        read = [] if metric is None else [Source(one.column, metric) for one in known]
        protocol = ["OpenCompass", "unknown-shot", version, mode]
        yield Task(run_of(path, model), name, read, scores, protocol, most=100.0, group=bool(known))


_GAUNTLET = {"Benchmark", "Accuracy", "Number few shot", "Model"}


@reads("LLM Foundry gauntlet", lambda document: set(columns_of(document)) >= _GAUNTLET)
def _gauntlet(document: list[dict[str, str]], path: Path) -> Tasks:
    """The table that it prints, as Markdown or CSV, one row a benchmark and model: fractions; subtasks are left out."""
    for row in document:
        if row.get("Subtask", "").strip() in ("", "Average"):
            name = row["Benchmark"].strip()
            protocol = ["LLM Foundry", shots_text(row["Number few shot"])]
            run = run_of(path, row["Model"])
            yield Task(run, name, sources(name, "LLM Foundry"), {"accuracy": cell(row["Accuracy"])}, protocol)


def _by_runs(row: Any) -> bool:
    """Whether a task holds its scores below the times of its runs."""
    return isinstance(row, dict) and bool(row) and all(isinstance(scores, dict) for scores in row.values())


def _without_frame(document: Any) -> bool:
    """Whether tasks that we know stand at the top, or hold one more level of runs."""
    rows = document if isinstance(document, dict) else {}
    known = [row for task, row in rows.items() if sources(task, "lm-eval 0.3") and isinstance(row, dict)]
    scored = any({"acc", "acc_norm", "mc2"} & set(row) for row in known)
    return scored or any(map(_by_runs, section(document, "results").values()))


@reads("tasks without a frame", _without_frame)
def _bare(document: dict[str, Any], path: Path) -> Tasks:
    """Tasks alone, or scores below the time of their run (bigscience), of which the last is read, as of the harness."""
    results = section(document, "results") or document
    flat = {task: row[max(row)] if _by_runs(row) else row for task, row in results.items()}
    return _harness({"config": {}, "versions": {}} | document | {"results": flat}, path)
