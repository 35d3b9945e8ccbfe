"""Finding results files among files, folders and patterns, and reading one as JSON."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError

#: Files that lie beside a checkpoint; never results, and some are large.
_NEVER_RESULTS = {
    "added_tokens.json",
    "adapter_config.json",
    "config.json",
    "generation_config.json",
    "model.safetensors.index.json",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "trainer_state.json",
    "vocab.json",
}


def find(given: Iterable[str | Path]) -> tuple[list[tuple[Path, bool]], list[str]]:
    """The JSON files among files, folders (searched to the bottom) and patterns, each once, and what was passed over.

    Returns pairs (path, named), sorted by path: `named` says that the person named this very file, so that it
    has to hold results; and notes for the person. Raises ScoresError where a name leads nowhere or no file is left.
    """
    names = [str(name) for name in given]
    found: dict[Path, tuple[Path, bool]] = {}
    samples = 0
    for name in names:
        for path, named in _expand(name):
            if _is_samples(path):
                samples += 1
                continue
            key = path.resolve()
            found[key] = (path, named or (key in found and found[key][1]))
    if not found:
        raise ScoresError(f"{', '.join(names)}: {nothing_here(samples)}")
    notes = [f"passed over {samples} file(s) of single answers (samples_*.jsonl)"] if samples else []
    return sorted(found.values()), notes


def nothing_here(samples: int = 0) -> str:
    """The sentence for a place without results files."""
    only = "only files of single answers (samples_*.jsonl)" if samples else "no results file"
    return f"{only} here; name the results_*.json that lm-evaluation-harness wrote under --output_path"


def _expand(name: str) -> Iterator[tuple[Path, bool]]:
    path = Path(name).expanduser()
    try:
        path.stat()
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError):
            raise ScoresError(f"{name[:80]!r}: no such file or folder; check the path") from None
    if path.is_dir():
        for inside in sorted(path.rglob("*.json*")):
            if inside.suffix in (".json", ".jsonl") and inside.name not in _NEVER_RESULTS and inside.is_file():
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


def _is_samples(path: Path) -> bool:
    return path.suffix == ".jsonl" or path.name.startswith("samples_")


def read_json(path: Path) -> Any:
    """The JSON value in a file. Raises ScoresError for a file that is empty, cut off or no JSON."""
    raw = path.read_bytes()
    if not raw.strip():
        raise ScoresError(f"{path}: the file is empty; run that evaluation again or remove the file")
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        text = raw.decode("utf-8-sig").strip()
        cut = "cut off" if text.startswith("{") and not text.endswith("}") else "not JSON"
        place = f"line {error.lineno}, column {error.colno}"
        raise ScoresError(f"{path}: {cut} at {place}; run that evaluation again or remove the file") from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise ScoresError(f"{path}: not JSON text; name results files only, or remove this one") from None


def is_results(document: Any) -> bool:
    """Whether a JSON value has the outline of a results file: an object whose "results" is an object of objects."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("results"), dict)
        and any(isinstance(row, dict) for row in document["results"].values())
    )
