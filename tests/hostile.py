"""Input that a careless or a hostile hand may give, and what must hold for whatever comes of it.

Shared by the short tests (`test_properties.py`) and the long run (`benchmarks/fuzz.py`). Each check takes one case,
gives it to the library, and returns the exception's name or "read". It fails on anything but a refusal in one line or
an answer whose every number is the one that was written.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from results_files import harness_0_3, harness_0_4, leaderboard_v1, read_results

from cape_lib import tables
from cape_lib.cli.diagnose import checked
from cape_lib.dashboard import diagnose_family
from cape_lib.errors import CapeError

BAD = object()  # a cell that is no number: it must not be accepted in a column of scores
SCORES = ("hellaswag", "truthfulqa", "mmlu")
NASTY_TEXT = [
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "名前",
    "a\u202eb",
    "a\u0000b",
    "e\u0301",
    "-",
    "'",
    '"',
    "\\",
    "model,with,commas",
    "two\nlines",
    "tab\there",
    "NaN",
    "inf",
    "True",
    "null",
    " leading",
    "{{7*7}}",
    "\u2028",
    "\x1b[2J",
    "%s%n",
    "𝔘𝔫𝔦",
    "a" * 300,
]
NOT_NUMBERS = [
    "inf",
    "-inf",
    "1e",
    "0x10",
    "1_0",
    "45.3.1",
    "1 2",
    "forty",
    "--5",
    "+-5",
    "1/2",
    "45pp",
    "=45",
    "⁴⁵",
    "½",
    "None5",
    "4,5,6",
    "5 %%",
]
BLANKS = ["", " ", "NA", "n/a", "null", "–", "?"]

EDGES = [0.0, 1.0, 100.0, 0.5, 1.0000001, 99.999999, -0.0, -3.0, 130.0, 1e-300, 1e300, 100.0000001]
usual = st.integers(1_001, 99_999).map(lambda v: v / 1000)
numbers = usual | st.sampled_from(EDGES)


@st.composite
def cells(draw: Any, decimal_comma: bool) -> tuple[str, object]:
    """A cell as text and what it means: a number, None for a blank, or BAD."""
    kind = draw(st.integers(0, 59))
    if kind == 1:
        return draw(st.sampled_from(NOT_NUMBERS)), BAD
    if kind == 2:
        return draw(st.sampled_from(BLANKS)), None
    value = draw(st.sampled_from(EDGES)) if kind == 3 else draw(usual)
    text = draw(st.sampled_from([f"{value!r}", f"{value:.3f}", f"{value:+.3f}", f" {value!r} ", f"{value:.4e}"]))
    value = float(text)
    if 3 < kind < 10:
        return text.strip() + "%", value
    if decimal_comma and kind < 40 and "e" not in text:
        return text.replace(".", ","), value
    return text, value


@st.composite
def csv_cases(draw: Any) -> tuple[bytes, list[dict[str, object]]]:
    """The bytes of a CSV file and what each row means: column -> number, None or BAD."""
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    names = [*draw(st.permutations(["model", "params_b", *SCORES]))]
    written = [draw(st.sampled_from([n, n.upper(), f" {n} ", n.replace("_", "-")])) for n in names]
    rows, meant = [], []
    for i in range(draw(st.integers(1, 5))):
        row, means = [], {}
        for name in names:
            if name == "model":
                text, value = draw(st.just(f"m{i}") | st.sampled_from(NASTY_TEXT).map(lambda t, i=i: f"{t}{i}")), None
            else:
                text, value = draw(cells(delimiter != ","))
            row.append(text)
            means[name] = value
        rows.append(row)
        meant.append(means)
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(
        delimiter.join(_quoted(cell, delimiter) for cell in row) for row in [written, *rows]
    )
    raw = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"])))
    return raw, meant


def _quoted(cell: str, delimiter: str) -> str:
    if any(mark in cell for mark in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def check_csv(case: tuple[bytes, list[dict[str, object]]], folder: Path) -> str:
    """A file with known meaning is refused in one line, or read as exactly what was written."""
    raw, meant = case
    path = folder / "scores.csv"
    path.write_bytes(raw)
    try:
        frame = tables.read_scores(path)
    except CapeError as problem:
        return _refused(problem)
    _sound(frame)
    # A row of blanks is no row; all others stand in their order.
    assert len(frame) == len(meant)
    for name in ("params_b", *SCORES):
        if frame[name].dtype != "float64":
            assert name == "mmlu", f"{name}: a column of the pair is not read as numbers"
            continue
        for result, means in zip(frame[name].tolist(), (row[name] for row in meant), strict=True):
            assert means is not BAD, f"{name}: a cell that is no number was read as {result!r}"
            same = math.isnan(result) if means is None else result == means
            assert same, f"{name}: {means!r} was read as {result!r}"
    return "read"


PIECES = [b"\x00", b'"', b"\xff", b",", b";", b"\r", b"\n\n", b"\xef\xbb\xbf", b"1e999"]
#: the import keeps four decimals of a percent
ROUNDED = 0.51e-4


@st.composite
def broken_csv(draw: Any) -> bytes:
    """A good file with some bytes changed, cut, doubled or put in."""
    raw = bytearray(b"model,params_b,hellaswag,truthfulqa\nA,0.5,30.5,40.1\nB,1.5,45.2,38.0\nC,6,60.1,41.5\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(raw) - 1, 0)))
        kind = draw(st.sampled_from(["change", "cut", "double", "put"]))
        if kind == "change" and raw:
            raw[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del raw[at : at + draw(st.integers(1, 9))]
        elif kind == "double":
            raw[at:at] = raw[at : at + 9]
        else:
            raw[at:at] = draw(st.sampled_from(PIECES))
    return bytes(raw)


def check_bytes(raw: bytes, folder: Path) -> str:
    """Any bytes are refused in one line, or read as scores that can be."""
    path = folder / "scores.csv"
    path.write_bytes(raw)
    try:
        _sound(tables.read_scores(path))
    except CapeError as problem:
        return _refused(problem)
    return "read"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NASTY_TEXT) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = {
    "0.4.13": json.dumps(harness_0_4()),
    "0.4.2": json.dumps(harness_0_4("0.4.2")),
    "0.3": json.dumps(harness_0_3(tasks=("hellaswag", "arc"))),
    "leaderboard": json.dumps(leaderboard_v1()),
}


@st.composite
def json_cases(draw: Any) -> Any:
    """A results file of one of four kinds with up to three of its nodes exchanged, removed or moved."""
    document = json.loads(DOCUMENTS[draw(st.sampled_from(sorted(DOCUMENTS)))])
    for _ in range(draw(st.integers(1, 3))):
        _spoil(draw, document)
    return document


def _spoil(draw: Any, document: dict[str, Any]) -> None:
    node: Any = document
    while True:
        inside = [key for key, value in node.items() if isinstance(value, dict) and value]
        if not inside or draw(st.integers(0, 3)) == 0:
            break
        node = node[draw(st.sampled_from(inside))]
    if not node:
        return
    key = draw(st.sampled_from(sorted(node)))
    kind = draw(st.sampled_from(["exchange", "exchange", "remove", "rename", "number"]))
    if kind == "remove":
        del node[key]
    elif kind == "rename":
        node[draw(st.sampled_from([*NASTY_TEXT, "harness|x", "hellaswag", "acc,none"]))] = node.pop(key)
    elif kind == "number":
        node[key] = draw(st.sampled_from([-0.1, 1.5, 40.0, 1e308, -1, 0, 1, 2**63, 0.123456789]))
    else:
        node[key] = draw(JSON)


def check_json(document: Any, folder: Path) -> str:
    """A results file is refused in one line, or read as the very fractions that stand in it, in percent."""
    path = folder / "results.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    before = sorted(folder.iterdir())
    try:
        frame = read_results([path], names={str(path): "m"}, params={"m": 1.0}).scores
        tables.read_scores(frame)
    except CapeError as problem:
        assert sorted(folder.iterdir()) == before
        return _refused(problem)
    assert sorted(folder.iterdir()) == before, "reading wrote a file"
    _sound(frame)
    fractions = {100 * min(max(float(v), 0.0), 1.0) for v in _numbers(document["results"])}
    for name in set(SCORES[:2]) & set(frame.columns):
        value = float(frame[name].iloc[0])
        there = any(abs(value - one) < ROUNDED for one in fractions)
        assert math.isnan(value) or there, f"{name}: {value!r} is nowhere"
    return "read"


def _numbers(node: Any) -> list[float]:
    if isinstance(node, dict):
        return [number for value in node.values() for number in _numbers(value)]
    usable = isinstance(node, int | float) and not isinstance(node, bool) and abs(node) < 1e6
    return [float(node)] if usable and math.isfinite(node) else []


@st.composite
def typed_rows(draw: Any) -> list[dict[str, str]]:
    """Rows as a person types them into the dashboard, or as a link carries them."""
    nasty = draw(st.integers(0, 3)) == 0
    rows = []
    for i in range(draw(st.integers(1, 6))):
        row = {
            "model": draw(TYPED),
            "params_b": f"{0.1 * 3**i:.4g}",
            **{name: repr(draw(usual)) for name in SCORES[:2]},
        }
        if nasty:
            row[draw(st.sampled_from(sorted(row)))] = draw(TYPED)
        rows.append(row)
    return draw(st.permutations(rows))


TYPED_SIZES = ["7B", "410M", "1,5", "0", "-1", "1e12", "70", "0.07", "6.9e9"]
TYPED = st.sampled_from(NASTY_TEXT + NOT_NUMBERS + BLANKS + TYPED_SIZES) | numbers.map(repr) | st.text(max_size=6)


def check_typed(rows: list[dict[str, str]], folder: Path) -> str:
    """What is typed is answered with a problem or a diagnosis in plain, finite data; nothing else is raised."""
    try:
        diagnosis = diagnose_family(checked(rows, need=SCORES[:2]))
    except CapeError as problem:
        return _refused(problem)
    json.dumps(diagnosis, allow_nan=False)
    return "read"


def _refused(problem: CapeError) -> str:
    text = str(problem)
    assert text.strip() and len(text.splitlines()) == 1, f"not one line: {text!r}"
    assert problem.exit_code in (2, 3, 4, 5, 6)
    return type(problem).__name__


def _sound(frame: pd.DataFrame) -> None:
    sizes = frame["params_b"].dropna()
    assert ((sizes > 0) & (sizes <= 10_000)).all() and len(frame)
    assert frame["model"].notna().all()
    for name in tables.score_benchmarks(frame) if hasattr(tables, "score_benchmarks") else SCORES:
        if name in frame:
            known = frame[name].dropna()
            assert np.isfinite(known).all() and known.between(0, 100).all()


#: name -> (strategy, check)
TARGETS = {
    "csv": (csv_cases(), check_csv),
    "bytes": (broken_csv(), check_bytes),
    "json": (json_cases(), check_json),
    "typed": (typed_rows(), check_typed),
}
