"""lm-evaluation-harness results files, 0.3 and 0.4.0 to 0.4.13."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import (
    Contents,
    Reading,
    Run,
    Source,
    date,
    limit_text,
    one_line,
    scored,
    section,
    short_name,
    shots_text,
    sources,
    version_text,
)
from cape_lib.tables.model_names import quantised

NAME = "lm-evaluation-harness"
#: The first release whose default leaves the BOS token to the tokenizer; before it, none was added.
_TOKENIZER_DECIDES_BOS = (0, 4, 9, 2)
#: Arguments that name a model, in the order in which the harness itself looks for them.
_NAMING = ("peft", "delta", "pretrained", "model", "path", "engine")
#: Arguments that tell two models of one name apart.
_TELLING = ("pretrained", "peft", "delta", "revision", "subfolder")
#: MMLU of 0.3 was measured by another prompt in version 0; the Open LLM Leaderboard discards it, and so do we.
_OLD_MMLU = "hendrycksTest-"
_NO_METRIC = ("alias", "name", "sample_len")


def fits(document: Any, path: Path) -> bool:
    """Whether the document has "results" with tasks whose metrics are numbers."""
    del path
    rows = [row for row in section(document, "results").values() if isinstance(row, dict)]
    return any(not any(isinstance(v, dict) for v in row.values()) and _has_number(row) for row in rows)


def _has_number(row: dict[str, Any]) -> bool:
    return not row or any(isinstance(value, (int, float)) for value in row.values())


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of one file."""
    about = _run(document, path)
    return Contents(list(_readings(document, about, also)), _others(document), _notes(document, path))


def is_0_4(document: dict[str, Any]) -> bool:
    """Whether metrics carry a filter ("acc,none"), as they do since 0.4.0."""
    return any("," in key for row in document["results"].values() if isinstance(row, dict) for key in row)


def model_args(document: dict[str, Any]) -> dict[str, str]:
    """`config.model_args` as a dictionary; files hold it as an object or as "pretrained=NAME,dtype=float16"."""
    stated = section(document, "config").get("model_args")
    if isinstance(stated, dict):
        return {str(key): str(value) for key, value in stated.items()}
    if isinstance(stated, str):
        pairs = (part.partition("=") for part in stated.split(","))
        return {key.strip(): value.strip() for key, _, value in pairs if value}
    return {}


def _run(document: dict[str, Any], path: Path) -> Run:
    """What the file says of its run; `model` is "" where neither `model_name` nor `config.model_args` names one."""
    config, arguments = section(document, "config"), model_args(document)
    named = document.get("model_name")
    name = named if isinstance(named, str) and named else next((arguments[k] for k in _NAMING if k in arguments), "")
    identity = {key: arguments[key] for key in _TELLING if key in arguments}
    if identity.get("revision") == "main":
        del identity["revision"]
    count = config.get("model_num_parameters")
    known = isinstance(count, (int, float)) and not isinstance(count, bool) and 0 < count < 1e15
    return Run(
        path=path,
        model=short_name(name),
        identity=tuple(sorted(identity.items())),
        params_b=float(count) / 1e9 if known else None,  # type: ignore[arg-type]
        date=date(document.get("date"), path),
        partial=limit_text(config.get("limit")),
        quantised=_quantised(arguments, name),
    )


def _quantised(arguments: dict[str, str], name: str) -> str:
    """How the weights are quantised, by the arguments of the run, else by the name of the model."""
    for key, kind in (("load_in_4bit", "4-bit"), ("load_in_8bit", "8-bit")):
        if arguments.get(key, "").casefold() == "true":
            return kind
    packed = next((key for key in ("autogptq", "gptqmodel", "gguf_file", "awq") if key in arguments), "")
    if packed and arguments[packed].casefold() not in ("false", "none"):
        return packed.removeprefix("auto").removesuffix("model").removesuffix("_file").upper()
    stated = arguments.get("quantization", "")
    return stated.upper() if stated and stated.casefold() != "none" else quantised(name)


def _readings(document: dict[str, Any], about: Run, also: Mapping[str, Source]) -> Iterator[Reading]:
    """Every benchmark of ours in the file, and the tasks that `also` names (task -> column and metric)."""
    new = is_0_4(document)
    for task, row in document["results"].items():
        wanted = (*sources(task, _tool(document)), *([also[task]] if task in also else []))
        if not isinstance(row, dict) or (_is_old_mmlu(document, task) and task not in also):
            continue
        wanted = tuple(
            one if "," in one.metric or not new else Source(one.column, f"{one.metric},none") for one in wanted
        )
        items, whole = _items(document, task)
        partial = about.partial or (f"{items} of {whole} items" if whole and items and items < whole else "")
        scores = dict(_score(cell) for cell in row.items() if cell[0] not in _NO_METRIC)
        run = replace(about, partial=partial)
        for reading in scored(run, task, wanted, scores, _protocol(document, task)):
            yield replace(reading, items=items)


def _score(cell: tuple[str, Any]) -> tuple[str, Any]:
    """A score or its standard error, "acc_stderr,none" called "acc,none_stderr"."""
    name, _, kind = cell[0].partition(",")
    return (f"{name.removesuffix('_stderr')},{kind}_stderr", cell[1]) if kind and name.endswith("_stderr") else cell


def _tool(document: dict[str, Any]) -> str:
    return "lm-eval 0.4" if is_0_4(document) else "lm-eval 0.3"


def _others(document: dict[str, Any]) -> list[str]:
    """Tasks of the file that no rule reads, groups left out: they are named, so that `also` can ask for them."""
    groups = {*section(document, "groups"), *section(document, "group_subtasks"), "truthfulqa", "mmlu"}
    tasks = [task for task in document["results"] if not sources(task, _tool(document))]
    # A task on its own is listed as a group without parts.
    empty = {task for task, inside in section(document, "group_subtasks").items() if not inside}
    return [task for task in tasks if task not in groups or task in empty]


def _is_old_mmlu(document: dict[str, Any], task: str) -> bool:
    return task.startswith(_OLD_MMLU) and section(document, "versions").get(task) in (0, "0", None)


def _notes(document: dict[str, Any], path: Path) -> list[str]:
    old = [task for task in document["results"] if _is_old_mmlu(document, task)]
    if any(task.startswith("leaderboard_") for task in document["results"]):
        return ["Open LLM Leaderboard v2: these are raw scores, not normalised as its pages show them"]
    if not old:
        return []
    versions = {section(document, "versions").get(task) for task in old}
    why = "a version that is not stated" if versions == {None} else "task version 0, which the leaderboard discarded"
    return [f"{path.name}: MMLU left out, {len(old)} of its subjects have {why}"]


def _protocol(document: dict[str, Any], task: str) -> list[str]:
    """What must agree between two scores beside the metric: harness, shots, version, template, BOS ..."""
    config, version = section(document, "config"), version_text(section(document, "versions").get(task))
    if not is_0_4(document):
        return [_tool(document), shots_text(config.get("num_fewshot")), version]
    # The shot count of a group is that of its first task, and wrong for mixed groups: only a task's own counts.
    shots = section(section(document, "configs"), task).get("num_fewshot")
    shots = section(document, "n-shot").get(task) if shots is None else shots
    parts = [_tool(document), shots_text(shots), version]
    parts.append("chat template" if document.get("chat_template") else "no chat template")
    if document.get("chat_template") and document.get("fewshot_as_multiturn"):
        parts.append("shots as turns")
    if document.get("system_instruction"):
        digest = hashlib.sha256(str(document["system_instruction"]).encode()).hexdigest()[:8]
        parts.append(f"system prompt {digest}")
    return [*parts, _bos(document), *_facts(document, shots)]


def _facts(document: dict[str, Any], shots: Any) -> list[str]:
    """The number format and the seed of the examples, where the file states them."""
    config, parts = section(document, "config"), []
    stated = str(config.get("model_dtype") or model_args(document).get("dtype") or "").removeprefix("torch.")
    if stated and stated != "auto":
        parts.append(f"dtype {one_line(stated)}")
    seed = config.get("fewshot_seed")
    if shots and isinstance(seed, int) and not isinstance(seed, bool):
        parts.append(f"few-shot seed {seed}")
    return parts


def _bos(document: dict[str, Any]) -> str:
    stated = model_args(document).get("add_bos_token")
    if stated is not None and stated.lower() != "none":
        return f"BOS {'on' if stated.lower() == 'true' else 'off'}"
    numbers = tuple(int(part) for part in re.findall(r"\d+", str(document.get("lm_eval_version", "")))[:4])
    return "BOS by tokenizer" if numbers >= _TOKENIZER_DECIDES_BOS else "BOS default before 0.4.9.2"


def _items(document: dict[str, Any], task: str) -> tuple[int | None, int | None]:
    counts = section(section(document, "n-samples"), task)
    effective, original = counts.get("effective"), counts.get("original")
    return (effective if isinstance(effective, int) else None, original if isinstance(original, int) else None)
