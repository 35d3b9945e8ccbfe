"""Sentences from templates held as data: the browser fills the same templates with the same numbers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

_SLOT = re.compile(r"\{([a-z0-9_]+)(?:\|([^}]*))?\}")
#: what a browser trims from the ends of a text; Python's own list differs by a few control characters
BLANK = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
#: numbers of this size or more are not written out
LARGE = 1e6


@lru_cache(maxsize=1)
def templates() -> dict[str, str]:
    """Every template by its key, from `words.json` beside this file."""
    text: dict[str, str] = json.loads(files("cape_lib.dashboard").joinpath("words.json").read_text(encoding="utf-8"))
    return text


def write(key: str, facts: Mapping[str, Any]) -> str:
    """The template `key`, its slots filled: `{name}` or `{name|format}` (see `shown`). KeyError for a missing fact."""
    return _SLOT.sub(lambda slot: shown(facts[slot[1]], slot[2] or ""), templates()[key])


def shown(value: Any, form: str = "") -> str:
    """A value as a reader sees it; None is "unknown".

    form: "1" (decimals), "+1" (with its sign), "%" (a probability), "B" (a size in billions), "i1" (an interval with
    one decimal), "" (text or a whole number as it is).
    """
    if value is None:
        return "unknown"
    if form == "%":
        return _percent(float(value))
    if form == "B":
        return _size(float(value))
    if form.startswith("i"):
        return _interval(value, int(form[1:]))
    if form.startswith("+"):
        text = fixed(float(value), int(form[1:]))
        return text if text.startswith(("-", "over", "under")) else f"+{text}"
    return fixed(float(value), int(form)) if form else str(value)


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals; a tie is rounded away from zero, as the browser does."""
    if abs(value) >= LARGE:
        return "over 1,000,000" if value > 0 else "under -1,000,000"
    text = str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
    return text.lstrip("-") if not float(text) else text


def _percent(p: float) -> str:
    if p < 0.01:
        return "under 1\u00a0%"
    return "over 99\u00a0%" if p > 0.99 else f"{fixed(100 * p, 0)}\u00a0%"


def _size(billions: float) -> str:
    if billions >= 10_000:
        return "over 10,000B"
    if billions < 0.001:
        return "under 1M"
    if billions < 0.9995:
        return f"{fixed(1000 * billions, 0)}M"
    text = fixed(billions, 0 if billions >= 100 else 1)
    return f"{text.removesuffix('.0')}B"


def _interval(interval: Mapping[str, Any], digits: int) -> str:
    low, high, shape = interval["low"], interval["high"], interval["shape"]
    if shape == "none":
        return "[no interval]"
    if shape == "any":
        return "[any value]"
    if shape == "gap":
        return f"[up to {fixed(high, digits)} or from {fixed(low, digits)}]"
    return f"[{fixed(low, digits)}, {fixed(high, digits)}]"


def interval(low: float, high: float) -> dict[str, Any]:
    """The ends of an interval as plain data: low, high (None where infinite) and shape.

    shape: "bounded", "gap" (up to high or from low), "any" (every value) or "none".
    """
    if math.isnan(low) or math.isnan(high):
        return {"low": None, "high": None, "shape": "none"}
    if math.isinf(low) and math.isinf(high):
        return {"low": None, "high": None, "shape": "any"}
    if not (math.isfinite(low) and math.isfinite(high)):
        return {"low": number(low), "high": number(high), "shape": "none"}
    return {"low": low, "high": high, "shape": "gap" if low > high else "bounded"}


def number(value: float) -> float | None:
    """The value as a plain float, or None where it is not finite."""
    return float(value) if math.isfinite(value) else None
