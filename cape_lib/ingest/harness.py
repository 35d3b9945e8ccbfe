"""lm-evaluation-harness results files, 0.3 and 0.4.0 to 0.4.13."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.benchmarks import TASKS_0_3, TASKS_0_4, Source, sources
from cape_lib.ingest.reading import Reading, Run, one_line, percent, points_or_none

#: The first release whose default leaves the BOS token to the tokenizer; before it, none was added.
_TOKENIZER_DECIDES_BOS = (0, 4, 9, 2)
#: Arguments that name a model, in the order in which the harness itself looks for them.
_NAMING = ("peft", "delta", "pretrained", "model", "path", "engine")
#: Arguments that tell two models of one name apart.
_TELLING = ("pretrained", "peft", "delta", "revision", "subfolder")
#: Last folders of a path that say little without the one above.
_VAGUE = r"(checkpoint|step|epoch|iter|global_step)?[-_]?\d+|hf|final|last|best"


def is_0_4(document: dict[str, Any]) -> bool:
    """Whether metrics carry a filter ("acc,none"), as they do since 0.4.0."""
    return any("," in key for row in document["results"].values() if isinstance(row, dict) for key in row)


def model_args(document: dict[str, Any]) -> dict[str, str]:
    """`config.model_args` as a dictionary; files hold it as an object or as "pretrained=NAME,dtype=float16"."""
    given = _section(document, "config").get("model_args")
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    if isinstance(given, str):
        pairs = (part.partition("=") for part in given.split(","))
        return {key.strip(): value.strip() for key, _, value in pairs if value}
    return {}


def run(document: dict[str, Any], path: Path) -> Run:
    """What the file says of its run; `model` is "" where neither `model_name` nor `config.model_args` names one."""
    config, arguments = _section(document, "config"), model_args(document)
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
        partial="" if config.get("limit") is None else f"limit {one_line(config['limit'])}",
    )


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
    text = stated if isinstance(stated, str) else "{}T{}:{}:{}".format(*in_name.groups()) if in_name else ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def readings(document: dict[str, Any], about: Run, also: dict[str, Source]) -> Iterator[Reading]:
    """Every benchmark of ours in the file, and the tasks that `also` names (task -> column and metric)."""
    new = is_0_4(document)
    known = TASKS_0_4 if new else TASKS_0_3
    for task, row in document["results"].items():
        wanted = (*sources(task, known), *([also[task]] if task in also else []))
        if not isinstance(row, dict):
            continue
        for source in wanted:
            metric = source.metric if "," in source.metric or not new else f"{source.metric},none"
            if metric not in row:
                has = ", ".join(key for key in row if "stderr" not in key and key not in ("alias", "name")) or "nothing"
                raise ScoresError(f"{about.path}: task {task} has no {metric} (it has {has}); run that task again")
            name, _, kind = metric.partition(",")
            deviation = f"{name}_stderr,{kind}" if kind else f"{name}_stderr"
            items, whole = _items(document, task)
            partial = about.partial or (f"{items} of {whole} items" if whole and items and items < whole else "")
            yield Reading(
                run=replace(about, partial=partial),
                column=source.column,
                task=task,
                value=percent(row[metric], path=about.path, task=task, metric=metric),
                stderr=points_or_none(row.get(deviation)),
                protocol="; ".join(_protocol(document, task, name) + ([f"partial ({partial})"] if partial else [])),
                items=items,
            )


def others(document: dict[str, Any]) -> list[str]:
    """Tasks of the file that no rule reads, groups left out: they are named, so that `also` can ask for them."""
    known = TASKS_0_4 if is_0_4(document) else TASKS_0_3
    groups = {*_section(document, "groups"), *_section(document, "group_subtasks"), "truthfulqa", "mmlu"}
    return [task for task in document["results"] if not sources(task, known) and task not in groups]


def _protocol(document: dict[str, Any], task: str, metric: str) -> list[str]:
    """All that must agree between two scores, in a fixed order: harness, shots, metric, version, template, BOS."""
    versions, config = _section(document, "versions"), _section(document, "config")
    version = versions.get(task)
    told = f"task version {f'{version:g}' if isinstance(version, float) else one_line(version or 'unknown')}"
    if not is_0_4(document):
        shots = config.get("num_fewshot")
        return ["lm-eval 0.3", f"{'unknown' if shots is None else one_line(shots)}-shot", metric, told]
    # The shot count of a group is that of its first task, and wrong for mixed groups: only a task's own counts.
    shots = _section(_section(document, "configs"), task).get("num_fewshot")
    shots = _section(document, "n-shot").get(task) if shots is None else shots
    parts = ["lm-eval 0.4", f"{'unknown' if shots is None else one_line(shots)}-shot", metric, told]
    parts.append("chat template" if document.get("chat_template") else "no chat template")
    if document.get("chat_template") and document.get("fewshot_as_multiturn"):
        parts.append("shots as turns")
    if document.get("system_instruction"):
        digest = hashlib.sha256(str(document["system_instruction"]).encode()).hexdigest()[:8]
        parts.append(f"system prompt {digest}")
    return [*parts, _bos(document)]


def _bos(document: dict[str, Any]) -> str:
    stated = model_args(document).get("add_bos_token")
    if stated is not None and stated.lower() != "none":
        return f"BOS {'on' if stated.lower() == 'true' else 'off'}"
    numbers = tuple(int(part) for part in re.findall(r"\d+", str(document.get("lm_eval_version", "")))[:4])
    return "BOS by tokenizer" if numbers >= _TOKENIZER_DECIDES_BOS else "BOS default before 0.4.9.2"


def _items(document: dict[str, Any], task: str) -> tuple[int | None, int | None]:
    counts = _section(_section(document, "n-samples"), task)
    effective, original = counts.get("effective"), counts.get("original")
    return (effective if isinstance(effective, int) else None, original if isinstance(original, int) else None)


def _section(document: dict[str, Any], key: str) -> dict[str, Any]:
    part = document.get(key)
    return part if isinstance(part, dict) else {}
