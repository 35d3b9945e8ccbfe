"""One score as one file states it, with all that must agree before two of them may be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from cape_lib.errors import ScoresError

#: last folders of a path that say little without the one above
_VAGUE = r"(checkpoint|step|epoch|iter|global_step)?[-_]?\d+|hf|final|last|best"


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

    def named(self, model: str) -> Run:
        """The same run under the name that the person gave."""
        return replace(self, model=model, identity=())


@dataclass(frozen=True, slots=True)
class Reading:
    """A score (percent, 0-100), its standard error (points, None where the file gives none) and its protocol.

    items: questions answered, None where the file is silent; `column` is a benchmark, or "mmlu/<subject>".
    """

    run: Run
    column: str
    task: str
    value: float
    stderr: float | None
    protocol: str
    items: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """All that one file holds: its scores, the tasks that no rule reads, what the person should know."""

    readings: list[Reading] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(
        self,
        run: Run,
        task: str,
        known: Sequence[Source],
        row: Mapping[str, Any],
        parts: Sequence[str],
        *,
        also: Mapping[str, Source] | None = None,
        most: float = 1.0,
    ) -> Contents:
        """These contents with the scores of one task as well: of `known`, and of what the person asks for by `also`."""
        wanted = [*known, *([also[task]] if also and task in also else [])]
        self.readings.extend(scored(run, task, wanted, row, parts, most=most))
        self.others.extend([] if known else [task])
        return self


class Reader(Protocol):
    """A kind of results file: a module with these three names (see `readers`)."""

    NAME: str

    def fits(self, document: Any, path: Path) -> bool:
        """Whether a document (a JSON value, or the rows of a table as dictionaries) is of this kind."""

    def read(self, document: Any, path: Path, also: Mapping[str, Source]) -> Contents:
        """The scores in it; `also`: task -> a further column and metric. Raises ScoresError with file and task."""


def scored(
    run: Run, task: str, wanted: Sequence[Source], row: Mapping[str, Any], parts: Sequence[str], *, most: float = 1.0
) -> Iterator[Reading]:
    """The scores of one task: each metric of `wanted` out of `row`, with its standard error ("<metric>_stderr").

    parts: of the protocol, the metric being put third. most: the highest score, 1 for fractions and 100 for percent.
    Raises ScoresError where a metric is not there or no number from 0 to `most`.
    """
    for source in wanted:
        if source.metric not in row:
            if any(other.metric in row for other in wanted):  # the other metric of the task is there
                continue
            has = ", ".join(key for key in row if "stderr" not in key) or "nothing"
            raise ScoresError(f"{run.path}: task {task} has no {source.metric} (it has {one_line(has)}); run it again")
        error = points_or_none(row.get(f"{source.metric}_stderr"), most=most)
        known = [*parts[:2], source.metric.partition(",")[0], *parts[2:]]
        if run.quantised:
            known.append(f"quantised ({run.quantised})")
        if run.partial:
            known.append(f"partial ({run.partial})")
        value = percent(row[source.metric], path=run.path, task=task, metric=source.metric, most=most)
        yield Reading(run, source.column, task, value, error, "; ".join(known))


def percent(value: Any, *, path: Path, task: str, metric: str, most: float = 1.0) -> float:
    """A score of a results file as percent. Raises ScoresError unless it is a number from 0 to `most` (1 or 100)."""
    slack = 1e-9 * most
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -slack <= value <= most + slack:
        return 100 / most * min(max(float(value), 0.0), most)
    what = "a fraction from 0 to 1" if most == 1 else f"a number from 0 to {most:g}"
    shown = one_line(repr(value))
    raise ScoresError(f"{path}: task {task}, {metric} is {shown}, not {what}; run that task again or remove it")


def points_or_none(value: Any, *, most: float = 1.0) -> float | None:
    """A standard error in points; None for "N/A", NaN, and 0, which only says that all answers were alike."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most:
        return 100 / most * float(value)
    return None


def shots_text(shots: Any) -> str:
    """ "10-shot", or "unknown-shot" where the file does not say."""
    return "unknown-shot" if shots is None or shots == "" else f"{one_line(shots).removesuffix('-shot')}-shot"


def limit_text(limit: Any) -> str:
    """Why a run with a limit of questions is not the whole test; "" where it has none."""
    return "" if limit in (None, 0, "") else f"limit {one_line(limit)}"


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


def text(value: Any) -> str:
    """A text of a file in one line; "" for anything else."""
    return one_line(value) if isinstance(value, str) else ""


def short_name(name: str) -> str:
    """A hub name ("org/model") as it is; a path by its last folder, with the one above it for a checkpoint."""
    name = one_line(name).rstrip("/\\")
    parts = [part for part in re.split(r"[/\\]", name) if part]
    if len(parts) == 2 and name[0] not in "./\\~" and ":" not in name:
        return name
    if len(parts) >= 2 and re.fullmatch(_VAGUE, parts[-1]):
        return "/".join(parts[-2:])
    return parts[-1] if parts else ""


def date(stated: Any, path: Path) -> float | None:
    """Seconds since 1970: the file's own `date` (a number or ISO text), else the time in its name, else None."""
    if isinstance(stated, (int, float)) and not isinstance(stated, bool) and 0 < stated < 1e11:
        return float(stated)
    in_name = re.search(r"(\d{4}-\d\d-\d\d)[T_ ](\d\d)[-:](\d\d)[-:](\d\d(?:\.\d+)?)", path.name)
    written = stated if isinstance(stated, str) else "{}T{}:{}:{}".format(*in_name.groups()) if in_name else ""
    try:
        moment = datetime.fromisoformat(written.removesuffix(" UTC"))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
