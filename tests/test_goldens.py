"""The answers of the commands are those on record: no number moves unseen."""

from __future__ import annotations

import json

import pytest
from goldens import HERE, answer, commands, differences, sweep

NAMES = sorted({*commands(), "metrics"})
#: over two seconds each; the quick tests of claims, predictions and families compute them too
SLOW = {name for name in NAMES if name.startswith(("claims", "predictions", "metrics"))}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in NAMES])
def test_an_answer_is_the_one_on_record(name: str) -> None:
    record = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    now = sweep() if name == "metrics" else answer(*commands()[name])
    changed = list(differences(record, now))
    assert not changed, (
        f"{len(changed)} numbers or words moved, first {changed[:5]}; if that is wanted, "
        "`python -m tests.goldens` and a line in CHANGELOG.md"
    )


def test_every_record_has_a_command() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(NAMES)


def test_a_moved_number_is_seen() -> None:
    assert list(differences({"a": [1.0, "x"]}, {"a": [1.0 + 1e-7, "x"]})) == [".a[0]: 1.0 -> 1.0000001"]
    assert not list(differences({"a": [1.0]}, {"a": [1.0 + 1e-12]}))
    assert list(differences({"a": 1}, {"b": 1})) == [".a: is gone", ".b: is new"]
