"""lm-evaluation-harness results files, 0.3 and 0.4.0 to 0.4.13."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Run, Task, facts, run_of, section, shots_text, sources, text, value_at, version_text
from cape_lib.tables.model_names import quantised

NAME = "lm-evaluation-harness"
#: The first release whose default leaves the BOS token to the tokenizer; before it, none was added.
_TOKENIZER_DECIDES_BOS = (0, 4, 9, 2)
#: Arguments that name a model, in the order in which the harness looks for them, and those that tell two apart.
_NAMING = ("peft", "delta", "pretrained", "model", "path", "engine")
_TELLING = ("pretrained", "peft", "delta", "revision", "subfolder")


def fits(document: Any) -> bool:
    """Whether the document has "results" with tasks whose metrics are numbers."""
    rows = [row for row in section(document, "results").values() if isinstance(row, dict)]
    flat = [row for row in rows if not any(isinstance(value, dict) for value in row.values())]
    return any(not row or any(isinstance(value, (int, float)) for value in row.values()) for row in flat)


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task | str]:
    """The tasks of one file; groups, which hold the mean of tasks, are passed over in silence."""
    results = {task: row for task, row in document["results"].items() if isinstance(row, dict)}
    new = any("," in key for row in results.values() for key in row)  # "acc,none": metrics have filters since 0.4.0
    run, tool = _run(document, path), "lm-eval 0.4" if new else "lm-eval 0.3"
    parts = section(document, "group_subtasks")
    groups = {*section(document, "groups"), *parts, "truthfulqa", "mmlu"} - {one for one, of in parts.items() if not of}
    # MMLU of 0.3 was measured by another prompt in version 0; the Open LLM Leaderboard discards it, and so do we.
    versions = section(document, "versions")
    old = {name for name in results if name.startswith("hendrycksTest-") and versions.get(name) in (0, "0", None)}
    for name, row in results.items():
        counts = section(section(document, "n-samples"), name)
        items, whole = counts.get("effective"), counts.get("original")
        some = isinstance(items, int) and isinstance(whole, int) and items < whole
        yield Task(
            replace(run, partial=run.partial or (f"{items} of {whole} items" if some else "")),
            name,
            () if name in old else sources(name, tool),
            dict(_score(key, value) for key, value in row.items() if key not in ("alias", "name", "sample_len")),
            [tool, *(_protocol_0_4 if new else _protocol_0_3)(document, name)],
            items=items if isinstance(items, int) else None,
            group=name in groups or name in old,
        )
    if any(name.startswith("leaderboard_") for name in results):
        yield "Open LLM Leaderboard v2: these are raw scores, not normalised as its pages show them"
    elif old:
        stated = {versions.get(name) for name in old} != {None}
        why = "task version 0, which the leaderboard discarded" if stated else "a version that is not stated"
        yield f"{path.name}: MMLU left out, {len(old)} of its subjects have {why}"


def _score(key: str, value: Any) -> tuple[str, Any]:
    """A score under its metric and filter, its standard error behind: "acc_stderr,none" is called "acc_stderr"."""
    name, _, kind = key.partition(",")
    if kind in ("", "none"):
        return name, value
    ending = "_stderr" if name.endswith("_stderr") else ""
    return f"{name.removesuffix('_stderr')},{kind}{ending}", value


def _arguments(document: dict[str, Any]) -> dict[str, str]:
    """`config.model_args` as a dictionary; files hold it as an object or as "pretrained=NAME,dtype=float16"."""
    stated = value_at(document, "config.model_args")
    if isinstance(stated, dict):
        return {str(key): str(value) for key, value in stated.items()}
    pairs = (part.partition("=") for part in stated.split(",")) if isinstance(stated, str) else ()
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _run(document: dict[str, Any], path: Path) -> Run:
    """What the file says of its run; `model` is "" where neither `model_name` nor `config.model_args` names one."""
    config, arguments, named = section(document, "config"), _arguments(document), document.get("model_name")
    name = named if isinstance(named, str) and named else next((arguments[k] for k in _NAMING if k in arguments), "")
    name = name or text(document.get("model")) or text(document.get("name"))
    telling = {key: arguments[key] for key in _TELLING if key in arguments}
    if telling.get("revision") == "main":
        del telling["revision"]
    count = config.get("model_num_parameters")
    known = isinstance(count, (int, float)) and not isinstance(count, bool) and 0 < count < 1e15
    return replace(
        run_of(path, name, stated=document.get("date"), limit=config.get("limit")),
        identity=tuple(sorted(telling.items())),
        params_b=float(count) / 1e9 if known else None,  # type: ignore[arg-type]
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


def _protocol_0_3(document: dict[str, Any], task: str) -> list[str]:
    version = section(document, "versions").get(task)
    return [shots_text(value_at(document, "config.num_fewshot")), version_text(version)]


def _protocol_0_4(document: dict[str, Any], task: str) -> list[str]:
    """What must agree between two scores beside the metric: shots, version, template, system prompt, BOS ..."""
    config, template = section(document, "config"), document.get("chat_template")
    # The shot count of a group is that of its first task, and wrong for mixed groups: only a task's own counts.
    shots = section(section(document, "configs"), task).get("num_fewshot")
    shots = section(document, "n-shot").get(task) if shots is None else shots
    parts = [shots_text(shots), version_text(section(document, "versions").get(task))]
    parts.append("chat template" if template else "no chat template")
    parts += ["shots as turns"] if template and document.get("fewshot_as_multiturn") else []
    if prompt := document.get("system_instruction"):
        parts.append(f"system prompt {hashlib.sha256(str(prompt).encode()).hexdigest()[:8]}")
    arguments, bos = _arguments(document), "BOS default before 0.4.9.2"
    release = re.findall(r"\d+", str(document.get("lm_eval_version", "")))[:4]
    if (asked := arguments.get("add_bos_token", "none").lower()) != "none":
        bos = f"BOS {'on' if asked == 'true' else 'off'}"
    elif tuple(map(int, release)) >= _TOKENIZER_DECIDES_BOS:
        bos = "BOS by tokenizer"
    return [*parts, bos, *facts(config.get("model_dtype") or arguments.get("dtype"), config.get("fewshot_seed"), shots)]
