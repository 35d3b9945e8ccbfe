"""What the commands answer, kept as files: a change of a number is seen, and is wanted or wrong.

`python -m tests.goldens` writes them anew; `test_goldens.py` compares. Whoever changes one says why in CHANGELOG.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib import tables
from cape_lib.cli import main
from cape_lib.dashboard import kit

HERE = Path(__file__).parent / "reference" / "goldens"
FAMILIES = (("published", "Pythia"), ("published", "OPT"), ("uniform", "Llama-3.1"))
#: what names a version, a day or the state of the code, and no result
PASSING = {"version", "library", "digest", "seconds", "created"}


def answer(*words: str) -> Any:
    """What a command prints with --json, as data."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*words, "--json"])
    if code:
        raise AssertionError(f"cape {' '.join(words)} ended with {code}: {err.getvalue()}")
    return json.loads(out.getvalue())


def commands() -> dict[str, tuple[str, ...]]:
    """Name of a golden -> the command that makes it."""
    named: dict[str, tuple[str, ...]] = {"claims": ("claims",)}
    named |= {f"claims-{p}": ("claims", "--panel", p) for p in (*tables.BASE_PANELS, *tables.FRONTIER_PANELS)}
    named |= {f"frontier-{p}": ("frontier", "--panel", p) for p in tables.FRONTIER_PANELS}
    named |= {f"predictions-{p}": ("predictions", "--panel", p) for p in tables.FRONTIER_PANELS}
    named |= {f"diagnose-{e['key']}": ("diagnose", "--example", e["key"]) for e in kit()["examples"]}
    return named


def sweep() -> Any:
    """What metrics.json holds of three families, by the sweep that makes the same parts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "families.csv"
        rows = [tables.ladder(name, panel=panel) for panel, name in FAMILIES]
        columns = ["model", "family", "params_b", *tables.BASE_BENCHMARKS]
        path.write_text("\n".join([",".join(columns), *(r for f in rows for r in _lines(f[columns]))]) + "\n")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main(["sweep", str(path), "-o", f"{folder}/out", "--workers", "1", "--quiet", "--allow-mixed"])
        if code:
            raise AssertionError(out.getvalue())
        return json.loads((Path(folder) / "out" / "sweep.json").read_text(encoding="utf-8"))


def _lines(frame: Any) -> list[str]:
    return frame.to_csv(index=False, header=False).splitlines()


def write() -> None:
    """Every golden, written anew."""
    HERE.mkdir(parents=True, exist_ok=True)
    for old in HERE.glob("*.json"):
        old.unlink()
    for name, words in commands().items():
        _save(name, answer(*words))
    _save("metrics", sweep())


def _save(name: str, data: Any) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def differences(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """Where two answers differ, numbers by more than 1e-9 of their size; names that stand in one alone."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new} - PASSING):
            if key not in old or key not in new:
                yield f"{where}.{key}: {'is new' if key not in old else 'is gone'}"
            else:
                yield from differences(old[key], new[key], f"{where}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
    elif _number(old) and _number(new):
        if abs(old - new) > 1e-9 * max(1.0, abs(old)):
            yield f"{where}: {old!r} -> {new!r}"
    elif old != new:
        yield f"{where}: {str(old)[:80]!r} -> {str(new)[:80]!r}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


if __name__ == "__main__":
    write()
    print(f"{len(list(HERE.glob('*.json')))} goldens in {HERE}", file=sys.stderr)
