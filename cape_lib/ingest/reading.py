"""One score as one file states it, with all that must agree before two of them may be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError


@dataclass(frozen=True, slots=True)
class Run:
    """What a results file says of the run as a whole.

    model: name as shown; identity: what tells two models of one name apart; params_b: billions, None where the
    file is silent; date: seconds since 1970, None where unknown; partial: why the run is not the whole test, or "".
    """

    path: Path
    model: str
    identity: tuple[tuple[str, str], ...]
    params_b: float | None
    date: float | None
    partial: str = ""

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


def percent(value: Any, *, path: Path, task: str, metric: str) -> float:
    """A fraction of a results file as percent. Raises ScoresError unless it is a number from 0 to 1."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -1e-9 <= value <= 1 + 1e-9:
        return 100 * min(max(float(value), 0.0), 1.0)
    said = one_line(repr(value))
    raise ScoresError(
        f"{path}: task {task}, {metric} is {said}, not a fraction from 0 to 1; run that task again or remove it"
    )


def points_or_none(value: Any) -> float | None:
    """A standard error in points; None for "N/A", NaN, and 0, which only says that all answers were alike."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1:
        return 100 * float(value)
    return None


def one_line(value: Any) -> str:
    """A value of a file as short text without line breaks, fit for a cell and for a message."""
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else text[:117] + "..."
