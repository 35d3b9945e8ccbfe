"""The reference of the library: every public name is on a page, under its floor, in the house's form."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import cape_lib

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "book").glob("reference-*.md"))
MARKS = [mark for path in SOURCES for mark in re.findall(r"^<!-- reference: (\S+) -->$", path.read_text("utf-8"), re.M)]
#: Rooms that no reader calls: spelling of names, imports, marks, the commands (they have `cape --help`).
INSIDE = {"cape_lib.names", "cape_lib.imports", "cape_lib.signs", "cape_lib.cli", "cape_lib.output"}


def packages(of: str) -> list[str]:
    return [f"{of}.{result.name}" for result in pkgutil.iter_modules(importlib.import_module(of).__path__)]


def test_every_room_of_the_library_has_its_place_in_the_reference() -> None:
    halls = {"cape_lib.base", "cape_lib.report", "cape_lib.lm"}
    rooms = {*packages("cape_lib"), *packages("cape_lib.base"), *packages("cape_lib.report")}
    rooms |= {f"cape_lib.lm.{name}" for name in ("models", "probes", "steering", "testbed")}
    assert {mark.removesuffix(".*") for mark in MARKS} == rooms - INSIDE - halls
    assert cape_lib.__doc__


@pytest.mark.page
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_public_name_is_on_its_page(book_html: Path, path: Path) -> None:
    text = (book_html / "book" / f"{path.stem}.html").read_text(encoding="utf-8")
    for mark in re.findall(r"^<!-- reference: (\S+) -->$", path.read_text("utf-8"), re.M):
        if mark.endswith(".*") or mark.startswith("cape_lib.lm"):
            continue
        module = importlib.import_module(mark)
        own = [name for name, value in vars(module).items() if str(getattr(value, "__module__", "")).startswith(mark)]
        public = getattr(module, "__all__", None) or [name for name in own if not name.startswith("_")]
        missing = [name for name in public if f'id="{mark}.{name}"' not in text]
        assert missing == [], mark
    assert "~cape_lib" not in text and "_NestedSequence" not in text, "a signature that could not be read"
    assert "Alias for field number" not in text
