"""What a notebook's `parameters` cell accepts, read from the cell itself, and values checked against it.

papermill only warns at an unknown name and takes a value of any type, so a slip would show in no error and a wrong
report. A parameters cell is plain Python: `name: type = default  # what it is: a, b or c` or `# what it is; 0 to 100`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cape_lib.errors import CapeError, UsageError
from cape_lib.names import suggest

Value = str | int | float | bool
#: type -> what a value of it is called
_KINDS: dict[type[Any], str] = {str: "text", int: "a whole number", float: "a number", bool: "yes or no"}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = r"-?\d+(?:\.\d+)?"
#: "...: a, b or c" in a comment: the values that are allowed
_LISTED = re.compile(r":\s*([\w.-]+(?:,\s*[\w.-]+)*\s+or\s+[\w.-]+)\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook: `type`, `default`, what the cell says of it, and what it allows.

    choices: the values allowed, () for any; low, high: the range of a number, infinite where the cell states none.
    """

    name: str
    type: type[Any]
    default: Any
    comment: str = ""
    choices: tuple[Value, ...] = ()
    low: float = -math.inf
    high: float = math.inf


def read(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in the order of its cell tagged `parameters` ({} where it has none).

    Raises CapeError where the file is no notebook or a default is no plain value.
    """
    import papermill

    try:
        cells = papermill.inspect_notebook(str(notebook))
        return {name: _parameter(name, ast.literal_eval(cell["default"]), cell) for name, cell in cells.items()}
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise CapeError(f"{notebook.name}: its cell of parameters cannot be read ({error})") from None


def _parameter(name: str, default: Any, cell: Mapping[str, str]) -> Parameter:
    types = {kind.__name__: kind for kind in _KINDS}
    kind, comment = types.get(cell["inferred_type_name"], type(default)), cell["help"].strip()
    choices: tuple[Value, ...] = ()
    if listed := _LISTED.search(comment):
        words = tuple(kind(word) for word in re.split(r",\s*|\s+or\s+", listed[1]))
        choices = words if default in words else ()  # a list that lacks the default is no list of values
    bounds = re.search(rf"({_NUMBER}) to ({_NUMBER})", comment) if kind in (int, float) else None
    low, high = (float(bounds[1]), float(bounds[2])) if bounds else (-math.inf, math.inf)
    return Parameter(name, kind, default, comment, choices, low, high)


def checked(declared: Mapping[str, Parameter], values: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The values in their declared types. Raises UsageError naming the first that does not fit.

    A value may be text as typed on a command line: "0.2" for a float, "yes" for a bool.
    """
    fitting = {}
    for name, value in values.items():
        if name not in declared:
            raise UsageError(f"{where}: {suggest('parameter', name, declared)}")
        one = declared[name]
        typed = None if value is None else _typed(one.type, value)
        if typed is None and (value is not None or one.default is not None):
            wanted = f"{_KINDS.get(one.type, one.type.__name__)}, not {value!r} ({one.comment or 'no comment'})"
            raise UsageError(f"{where}: parameter {name} is {wanted}")
        if one.choices and typed not in one.choices:
            raise UsageError(f"{where}: {suggest(f'value of {name}', str(typed), map(str, one.choices))}")
        if isinstance(typed, (int, float)) and not one.low <= typed <= one.high:
            raise UsageError(f"{where}: parameter {name} is {typed:g}; choose from {one.low:g} to {one.high:g}")
        fitting[name] = typed
    return fitting


def _typed(kind: type[Any], value: Any) -> Any:
    """The value in its type; None where it has none."""
    if kind is bool:
        return value if isinstance(value, bool) else _WORDS.get(str(value).strip().casefold())
    if kind is str:
        return value if isinstance(value, str) else None
    if kind not in (int, float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
        whole = number == int(number)  # raises for what is not finite
    except (TypeError, ValueError, OverflowError):
        return None
    return kind(number) if whole or kind is float else None
