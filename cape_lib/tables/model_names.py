"""What the name of a model says: its size, its family, whether it is an instruct or a quantised model."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cape_lib.tables import columns

#: "7b", "1.1B", "410M", "8x7B", "1b1" (BLOOM), "A2.7B" (active); never "300B-tokens" or "step1000"
_SIZE = re.compile(
    r"(?<![A-Za-z0-9.])(?P<active>a|e)?(?:(?P<experts>\d+)x)?(?P<number>\d+(?:[._]\d+)?)(?P<unit>[bm])(?P<digit>\d)?"
    r"(?![A-Za-z0-9]|[-_ ]?(?:tok|token))",
    re.IGNORECASE,
)
_INSTRUCT = re.compile(r"(?<![a-z])(instruct|instruction|chat|it|sft|dpo|rlhf|rlvr|thinking|assistant)(?![a-z])", re.I)
_QUANTISED = re.compile(
    r"(?<![a-z0-9])(gptq|awq|gguf|ggml|bnb|exl2|nf4|fp4|fp8|int4|int8|w4a16|w8a8|[48][-_ ]?bit|q[2-8](?:_[k0-9]\w*)?)"
    r"(?![a-z0-9])",
    re.I,
)


def patterns() -> dict[str, str]:
    """The patterns that names are searched for, as a browser reads them, by what they tell; any case counts."""
    forms = {"size": _SIZE, "instruct": _INSTRUCT, "quantised": _QUANTISED, "step": _STEP, "tokens": _TOKENS}
    return {name: form.pattern.replace("(?P<", "(?<") for name, form in forms.items()}


def size_in_name(name: str) -> float | None:
    """The size that a name states, in billions; None where it states none, or one of active parameters only.

    "8x7B" gives 56, which counts what the experts share eight times: an upper bound.
    """
    return next((_billions(hit) for hit in _SIZE.finditer(name) if not hit["active"]), 0.0) or None


def active_in_name(name: str) -> float | None:
    """The active parameters that a name states ("30B-A3B" gives 3), in billions."""
    return next((_billions(hit) for hit in _SIZE.finditer(name) if (hit["active"] or "").casefold() == "a"), None)


def _billions(hit: re.Match[str]) -> float:
    number = float(hit["number"].replace("_", ".") if hit["unit"] in "bB" else hit["number"].replace("_", ""))
    if hit["digit"]:  # BLOOM's "1b1"
        number += int(hit["digit"]) / 10
    number *= int(hit["experts"] or 1)
    return float(f"{number if hit['unit'] in 'bB' else number / 1e3:.6g}")


def size_disagrees(name: str, params_b: float) -> float | None:
    """The size in the name where it and `params_b` are over 1.6 times apart, else None. Mixtures of experts pass."""
    stated = size_in_name(name)
    if stated is None or active_in_name(name) is not None or re.search(r"\dx\d|moe", name, re.IGNORECASE):
        return None
    return stated if max(stated / params_b, params_b / stated) > 1.6 else None


def instruct(name: str) -> bool:
    """Whether a name calls the model an instruct or chat model."""
    return _INSTRUCT.search(_last(name)) is not None


def quantised(name: str) -> str:
    """How a name says that the weights are quantised ("GPTQ"), or ""."""
    hit = _QUANTISED.search(_last(name))
    return hit[1].upper() if hit else ""


def _last(name: str) -> str:
    parts = [part for part in re.split(r"[/\\]", name) if part]
    return parts[-1] if parts else name


def family_in_name(name: str) -> str:
    """The part of a name before its size, with the organisation: "Qwen/Q2-1b" gives "Qwen/Q2"."""
    hit = _SIZE.search(name)
    stem = name[: hit.start()] if hit else name
    return stem.strip("-_. /") or name


def families(names: Iterable[str]) -> dict[str, set[float]]:
    """Family by the names -> the sizes that its names state; names without a size are left out."""
    sizes: dict[str, set[float]] = {}
    for name in names:
        if (size := size_in_name(name)) is not None:
            sizes.setdefault(family_in_name(name), set()).add(size)
    return sizes


#: a moment of training in a name: "step143000", "checkpoint-14676", "global_step5k"; "tokens300B", "3B-tok", "28BT"
_STEP = re.compile(
    r"(?<![a-z0-9])(?:global_?step|step|checkpoint|ckpt|iteration|iter)s?[-_ =]?(?P<number>\d+)(?P<unit>k)?"
    r"(?![a-z0-9])",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"(?<![a-z0-9.])(?:tokens?[-_ =]?(?P<first>\d+(?:\.\d+)?)(?P<after>[kmbt])"
    r"|(?P<number>\d+(?:\.\d+)?)(?P<unit>[kmbt])(?:[-_ ]?tok(?:en)?s?|t))(?![a-z0-9])",
    re.IGNORECASE,
)


def step_in_name(name: str) -> float | None:
    """The training step that a name states ("pythia-1b@step143000", "run/checkpoint-14676"), or None."""
    hit = _STEP.search(name)
    return None if hit is None else float(hit["number"]) * (1000 if hit["unit"] else 1)


def tokens_in_name(name: str) -> float | None:
    """The training tokens that a name states ("step1000-tokens4B", "300B-tokens"), in billions, or None."""
    hit = _TOKENS.search(name)
    if hit is None:
        return None
    unit = columns.table()["units"][(hit["after"] or hit["unit"]).casefold()]
    return float(hit["first"] or hit["number"]) * float(unit)


def run_in_name(name: str) -> str:
    """A name without its moments of training: the run that a checkpoint is of ("pythia-1b@step1000": "pythia-1b")."""
    rest = _TOKENS.sub("", _STEP.sub("", name))
    return re.sub(r"[-_@/ .]{2,}", lambda hit: hit[0][0], rest).strip("-_@/. =") or name


#: what --family-from proposes: all before the size
PROPOSED = r"^(.*?)[-_. ]*[0-9.]+[bBmM]"
