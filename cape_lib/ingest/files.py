"""Finding results files among files, folders and patterns, and opening one as a document that a reader may know."""

from __future__ import annotations

import ast
import glob
import json
import re
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError, SurroundingsError
from cape_lib.ingest.readers import reader_of
from cape_lib.tables.columns import known_name
from cape_lib.tables.sheets import MOST_BYTES, frame_of_json, json_value, read_sheet, refuse_foreign

#: Files that lie beside a checkpoint or a run; never results, and some are large.
_NEVER_RESULTS = frozenset(
    ("added_tokens", "adapter_config", "config", "generation_config", "model.safetensors.index", "preprocessor_config")
    + ("special_tokens_map", "tokenizer", "tokenizer_config", "trainer_state", "vocab")
    + ("run_spec", "scenario", "scenario_state", "per_instance_stats")  # beside HELM's stats.json
)
_JSON = (".json", ".jsonl")
_SHEETS = (".csv", ".tsv", ".xlsx", ".xls", ".xlsm", ".ods", ".parquet")
_TABLES = (*_SHEETS, ".txt", ".md")
_HELP = "name the results_*.json that lm-evaluation-harness wrote under --output_path"
#: how a table begins that some tool writes as its results, or the card of lighteval's details
_OF_TOOLS = (
    "dataset,version,metric,mode",
    "dataset version metric mode",
    "| dataset | version |",
    "| category ",
    "category,benchmark,",
    "--- pretty_name:",
)


def find(names: Sequence[str]) -> tuple[list[tuple[Path, bool]], list[str]]:
    """The files among files, folders (searched to the bottom) and patterns that may be results, each once, and notes.

    Returns pairs (path, named), sorted by path: `named` says that the person named this very file, so that it
    has to hold results; and notes of what was passed over. Raises ScoresError where a name leads nowhere or no file is
    left.
    """
    places: dict[Path, tuple[Path, bool]] = {}
    samples, beside = 0, []
    for path, named in chain.from_iterable(map(_expand, names)):
        if path.name.startswith("samples_") or path.match("samples*.jsonl"):
            samples += 1
        elif not named and path.suffix not in (*_JSON, ".eval") and not _of_a_tool(path):
            beside.append(path)
        else:
            key = path.resolve()
            places[key] = (path, named or (key in places and places[key][1]))
    where = ", ".join(names)
    if not places and beside:
        shown = " ".join(shlex.quote(str(path)) for path in beside[:4]) + (" ..." if len(beside) > 4 else "")
        raise ScoresError(f"{where}: no results file here; a table is read where it is named: {shown}")
    if not places:
        raise ScoresError(f"{where}: {nothing_here(samples)}")
    notes = [f"passed over {samples} file(s) of single answers (samples_*.jsonl)"] if samples else []
    notes += [f"passed over {len(beside)} table(s), read where they are named: {beside[0]}"] if beside else []
    return sorted(places.values()), notes


def nothing_here(samples: int = 0) -> str:
    """The sentence for a place without results files."""
    only = "only files of single answers (samples_*.jsonl)" if samples else "no results file"
    return f"{only} here; {_HELP}"


def is_table(name: str) -> bool:
    """Whether a source is a table of scores rather than results of a tool: by its ending, and by what it holds."""
    path = Path(name).expanduser()
    suffix = path.suffix.casefold()
    try:
        if not path.is_file():
            return suffix in _TABLES and not path.is_dir() and not glob.has_magic(name)
        if suffix in _JSON or _begins(path).startswith(("{", "[")):
            document = opened(path)
            return reader_of(documents(document)[0]) is None and _is_frame(document, str(path))
        return suffix != ".eval" and not _of_a_tool(path)
    except ScoresError:
        return suffix in _TABLES
    except OSError:
        return False


def _is_frame(document: Any, name: str) -> bool:
    try:
        columns = frame_of_json(document, name).columns
    except ScoresError:
        return False
    return any(known_name(str(column)) in ("model", "params_b") for column in columns)


def _begins(path: Path) -> str:
    """The first characters of a text file, in small letters."""
    with path.open("rb") as stream:
        return stream.read(400).decode("utf-8", errors="replace").lstrip("\ufeff \n").casefold()


def _of_a_tool(path: Path) -> bool:
    if path.suffix.casefold() not in (".csv", ".md", ".tsv", ".txt"):
        return False
    start = " ".join(_begins(path).split())
    return start.startswith(_OF_TOOLS) and ("accuracy" in start or "metric" in start or "pretty_name" in start)


def _expand(name: str) -> Iterator[tuple[Path, bool]]:
    path = Path(name).expanduser()
    try:
        path.stat()
    except FileNotFoundError:
        pass  # perhaps a pattern
    except PermissionError:
        raise
    except (OSError, ValueError):
        raise ScoresError(f"{name[:80]!r}: no such file or folder; check the path") from None
    if path.is_dir():
        for inside in sorted(path.rglob("*")):
            try:
                if inside.name.removesuffix(".json") in _NEVER_RESULTS or not inside.is_file():
                    continue
            except OSError:  # a link to itself
                continue
            if inside.suffix in (*_JSON, ".eval", *_SHEETS) or (inside.suffix == ".md" and _of_a_tool(inside)):
                yield inside, False
    elif path.exists():
        yield path, True
    elif glob.has_magic(name):
        matches = sorted(glob.glob(str(path), recursive=True, include_hidden=True))
        if not matches:
            raise ScoresError(f"{name}: no file matches this pattern; check the folder")
        for match in matches:
            yield from ((inside, False) for inside, _ in _expand(match))
    else:
        raise ScoresError(f"{name}: no such file or folder; check the path")


def opened(path: Path) -> Any:
    """The document in a file: a JSON value, the rows of a tool's table, or an Inspect log; read once.

    Raises ScoresError for a file that is empty, cut off or of another kind, named where it is known.
    """
    status = path.stat()
    return _opened(path, status.st_mtime_ns, status.st_size)


def documents(value: Any) -> list[Any]:
    """The documents in a file: several results that somebody put into one list, else the one that it is."""
    rows = value if isinstance(value, list) else []
    several = rows and all(isinstance(one, dict) and {"results", "task_config"} & set(one) for one in rows)
    return rows if several else [value]


@lru_cache(maxsize=32)
def _opened(path: Path, stamp: int, size: int) -> Any:
    del stamp
    if size > MOST_BYTES:
        large = f"{size / 1e6:.0f} MB, too large for results"
        raise ScoresError(f"{path}: {large}; name the file of scores, not of answers")
    if path.suffix == ".eval":
        return _inspect(path)
    if path.suffix.casefold() in (".csv", ".tsv", ".md", ".txt") and not _begins(path).startswith(("{", "[")):
        if card := _card(path):
            return card
        sheet = read_sheet(path)
        return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.cells.to_numpy().tolist()]
    raw = path.read_bytes()
    if not raw.strip():
        raise ScoresError(f"{path}: the file is empty; run that evaluation again or remove the file")
    refuse_foreign(path, raw)
    try:
        text = raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError:
        raise ScoresError(f"{path}: not JSON text; name results files only, or remove this one") from None
    return json_value(path, text)


def _card(path: Path) -> dict[str, Any] | None:
    """The scores in the model card that lighteval writes beside its details, with the model that the card names."""
    text = path.read_text("utf-8", errors="replace")
    block = re.search(r"```(?:python|json)\s*(\{.*?\})\s*```", text, re.DOTALL)
    if path.suffix != ".md" or not block or "|" not in block[1]:
        return None
    try:
        document = ast.literal_eval(block[1])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        broken = "the scores in this card cannot be read"
        raise ScoresError(f"{path}: {broken}; name the results_*.json of the run") from None
    model = re.search(r"evaluation run of model\s+\[([^\]]+)\]", text)
    return document | {"model_name": model[1] if model else ""} if isinstance(document, dict) else None


def _inspect(path: Path) -> Any:
    """An .eval file by inspect-ai's own reader: it is a zip, which is never unpacked unchecked."""
    if not zipfile.is_zipfile(path):
        raise ScoresError(f"{path}: an .eval file that is no zip; write the log again")
    with zipfile.ZipFile(path) as packed:
        if sum(part.file_size for part in packed.infolist()) > 10 * MOST_BYTES:
            raise ScoresError(f"{path}: unpacks to over {10 * MOST_BYTES / 1e6:.0f} MB; give its header as JSON")
    try:
        from inspect_ai.log import read_eval_log  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        step = f"pip install inspect-ai; or: inspect log dump --header-only {path.name} > log.json"
        raise SurroundingsError(f"{path}: an Inspect log, which inspect-ai reads: {step}") from None
    try:
        return json.loads(read_eval_log(str(path), header_only=True).model_dump_json())
    except Exception as problem:  # its reader raises whatever a broken log makes it raise
        broken = f"an Inspect log that cannot be read ({type(problem).__name__})"
        raise ScoresError(f"{path}: {broken}; write it again") from None


def refusal(document: Any, path: Path) -> ScoresError:
    """The error for a document that no reader knows, with what it looks like and the next step."""
    first = document[0] if isinstance(document, list) and document and isinstance(document[0], dict) else {}
    if {"prompt", "logit"} & set(first) or {"doc_id", "doc", "resps"} & set(first) or "write_out" in path.name:
        return ScoresError(f"{path}: single answers (write_out, samples), not scores; {_HELP}")
    if isinstance(document, dict) and {"architectures", "model_type"} & set(document):
        return ScoresError(f"{path}: the configuration of a model, not scores; {_HELP}")
    return ScoresError(f'{path}: JSON, but no results of a tool that is known (no "results" with tasks); {_HELP}')
