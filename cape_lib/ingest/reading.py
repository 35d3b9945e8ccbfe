"""One score as one file states it, with all that must agree before two of them may be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cape_lib.errors import ScoresError
from cape_lib.tables.columns import to_number

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


@dataclass(frozen=True, slots=True)
class Run:
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
    """One task of a file, as its reader (see `readers`) hands it over.

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


def run_of(path: Path, model: Any, *, stated: Any = None, limit: Any = None, revision: Any = None) -> Run:
    """The run of a file by what it says: a name or path of the model, a date, a limit of questions, a revision."""
    identity = (("revision", text(revision)),) if text(revision) not in ("", "main") else ()
    name = short_name(text(model))
    return Run(path, name, identity, date=date(stated, path), partial="" if not limit else f"limit {one_line(limit)}")


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
        yield asdict(run) | about | {"value": score, "stderr": stderr}


def is_number(value: Any) -> bool:
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
