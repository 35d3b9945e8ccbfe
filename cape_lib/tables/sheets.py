"""Any table that a person has as cells of text, one row a model: CSV, Markdown, JSON, spreadsheets, Parquet."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError
from cape_lib.tables import columns
from cape_lib.tables.benchmarks import LABELS
from cape_lib.tables.columns import MEASURES, TEXT, heading, is_blank, known_name, plain

#: a larger file is no table of scores
MOST_BYTES = 50_000_000
MOST_UNPACKED = 200_000_000
#: first bytes -> what the file is, and what to do
FOREIGN = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it by: git lfs pull",
    b"<!doctype html": "an HTML page, not a table; fetch the raw file",
    b"<html": "an HTML page, not a table; fetch the raw file",
    b"<?xml": "an XML file, not a table; save it as CSV",
    b"<table": "a table of an HTML page; save it as CSV",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"bzh": "a bzip2 file; unpack it first",
    b"\xfd7zxz": "an xz file; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it first",
    b"%pdf": "a PDF, not a table; copy the table out of it as CSV",
    b"{\\rtf": "a text document (RTF), not a table; copy the table out of it as CSV",
    b"{|": "a table of a wiki; save it as CSV",
    b"sqlite format 3": "an SQLite database; write the table out of it as CSV",
    b"arrow1": "a Feather file; save the table as Parquet or CSV",
    b"\x80\x04": "a Python pickle, which is never opened; save the table as CSV",
}
#: what a page puts around a whole cell (a link, a style), and a raised mark or a line end after it
_AROUND = re.compile(r"^\s*<(a|b|i|u|em|strong|code|mark|small|span|font|p)\b[^<>]*>([^<]*)</\1>\s*$", re.IGNORECASE)
_AFTER = re.compile(r"<sup>[^<]*</sup>|<br\s*/?>\s*$", re.IGNORECASE)
#: what a terminal writes for a colour
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
#: blanks of other kinds, and signs without width
_BLANKS = str.maketrans("\u00a0\u2007\u2009\u202f", "    ", "\u200b\u200c\u200d\u2060\ufeff\u00ad")
#: signs that Python takes for the end of a line, and no table does
_NO_LINE_END = str.maketrans(dict.fromkeys("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " "))
_DELIMITERS = (",", ";", "\t", "|")
_WORDS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "\\t": "\t"}
_DASHES = r"(:?-{2,}:?|:-:?|-:)"
_RULE = re.compile(rf"^\s*\|?(\s*{_DASHES}\s*\|)+\s*{_DASHES}?\s*$|^\s*\|?\s*:?-{{3,}}:?\s*\|?\s*$")
#: the lines of a frame as bars, and a line that is frame alone
_BARS = str.maketrans("│┃║", "|||")
_FRAME = re.compile(r"^\s*(?=\S*[+─━═])[-=+|─━═├┌└╞╔╚╠┏┗┡┬┴┼╤╧╪╦╩╬╇┳┻╈┐┘┤╡╗╝╣┓┛┩]+\s*$")
#: what parts the cells of LaTeX
_AMPERSAND = r"(?<!\\)&"
#: rows above the one that names the columns are looked for among so many
FIRST_ROWS = 12
#: columns of a long table, one row a score
_BENCHMARK = ("benchmark", "task", "dataset", "eval", "evaluation", "metric", "test", "task_name", "benchmark_name")
_SCORE = ("score", "value", "result", "accuracy", "acc", "percent", "performance", "score_percent")
#: columns that say how a score was measured, beside a column of benchmarks
_HOW = ("metric", "metrics", "filter", "version", "shots", "shot", "n_shot", "n_shots", "num_fewshot", "few_shot")

#: the line that a row stands in, and its cells
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells as text in a frame, blanks as ""; its index counts the rows as a spreadsheet does."""

    name: str
    cells: pd.DataFrame
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the columns as they stand."""
        return [str(name) for name in self.cells.columns]

    def note(self, bad: pd.Series, column: str, says: str, *values: pd.Series) -> list[str]:
        """File, row, column and what is said of the first row that is bad, [] where none is.

        says: filled with the cells of `values` there.
        """
        return [
            f"{self.name}: row {self.cells.index[at]}, column {column}: {says.format(*(v.iloc[at] for v in values))}"
            for at in np.flatnonzero(bad.to_numpy(dtype=bool))[:1]
        ]

    def refuse(self, bad: pd.Series, column: str, says: str, *values: pd.Series) -> None:
        """Raise ScoresError with the `note` of the first row that is bad; `says` ends with the next step."""
        for reason in self.note(bad, column, says, *values):
            raise ScoresError(reason)

    def of(self, cells: pd.DataFrame, *notes: str) -> Sheet:
        """The sheet with other cells and further notes."""
        return replace(self, cells=cells, notes=(*self.notes, *notes))


def read_sheet(source: str | Path | pd.DataFrame, *, sep: str | None = None, name: str = "the table") -> Sheet:
    """The cells of a file or of a frame; ScoresError where it is not one table.

    sep: the sign between columns, where it cannot be told from the file. name: of a frame, for messages.
    """
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, name)
    path = Path(source)
    raw = read_bytes(path)
    if path.suffix.casefold() in (".yaml", ".yml"):
        raise ScoresError(f"{path}: a YAML file, which is not read; save the table as CSV or JSON")
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _spreadsheet(path, raw)
    if raw.startswith(b"PAR1"):
        with _reading(path, "a Parquet file", "pyarrow"):
            frame = pd.read_parquet(path)
        return _of_frame(frame, str(path))
    text, notes = _decode(path, raw)
    if text.lstrip().startswith(("{", "[")) and not sep:
        return _of_frame(frame_of_json(json_value(path, text), str(path)), str(path))
    rows, mark = _split(str(path), text, sep)
    if len(rows) > 2 and re.search(r"[\w.,;\t]\Z", text):  # neither a line end nor what closes a row
        (line, last), widths = rows[-1], {len(cells) for _, cells in rows[:-1] if any(cells)}
        if len(widths) == 1 and 1 < len(last) < min(widths):
            raise ScoresError(f"{path}: cut off in row {line}, which has {len(last)} cells; save the table again")
        above = [cells[-1].strip() for _, cells in rows[1:-1] if len(cells) == len(last) and cells[-1].strip()]
        end = last[-1].strip()
        if len(above) > 1 and end[:1].isdigit() and len(end) < min(map(len, above)):
            what = f"ends in row {line} at {end!r}, which is shorter than all above it; was it cut off?"
            notes.append(f"{path.name}: {what}")
    written = columns.writes_decimal_commas(cell.strip() for _, cells in rows[1:] for cell in cells)
    sheet = _sheet(str(path), rows, written if mark in ("", ",") else mark != " ")
    if rows[0][0] in (rules := _rules(text.splitlines())) and len(rules) > 1:
        notes.append(f"{path.name}: read the table in row {rows[0][0]}; not read: {len(rules) - 1} more in the text")
    return sheet.of(sheet.cells, *notes)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or a refusal that names what it is where it is no table."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ScoresError(f"{path}: {size / 1e6:.0f} MB, too large for a table of scores; give the table alone")
        raw = path.read_bytes()
    except OSError as problem:
        raise ScoresError(f"{path}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    refuse_foreign(path, raw)
    return raw


def refuse_foreign(path: Path, raw: bytes) -> None:
    """Raise ScoresError where the first bytes of a file say that it is of a kind that holds no scores as text."""
    start = raw[:64].lstrip().lower()
    for mark, what in FOREIGN.items():
        if start.startswith(mark):
            raise ScoresError(f"{path}: {what}")
    if b"\ntabulate format\n" in raw[:200]:
        raise ScoresError(f"{path}: a summary of OpenCompass as text; name the summary_*.csv beside it")


# ---- JSON, spreadsheets, Parquet: pandas reads, what is no table is refused ----


def json_value(path: Path, text: str) -> Any:
    """A JSON value, or the values of JSON lines. Raises ScoresError for a text that is cut off or no JSON."""
    whole: Exception | None = None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        whole = problem
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and (path.suffix == ".jsonl" or text.lstrip()[:1] == "{"):
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError) as problem:
            whole = problem if path.suffix == ".jsonl" else whole
    if isinstance(whole, RecursionError):
        raise ScoresError(f"{path}: JSON nested too deeply for scores; save them as CSV")
    what = "cut off" if not text.rstrip().endswith(("}", "]")) else "not JSON"
    place = f"line {getattr(whole, 'lineno', 1)}, column {getattr(whole, 'colno', 1)}"
    raise ScoresError(f"{path}: {what} at {place}; write that file again or remove it")


def frame_of_json(value: Any, name: str) -> pd.DataFrame:
    """Records, columns, rows by model, or pandas' own split form as a frame. Raises ScoresError for any other JSON."""
    if isinstance(value, dict) and "results" in value:
        raise ScoresError(f"{name}: JSON with results of a harness, not a table; `cape import` reads it")
    if isinstance(value, dict):
        cells, names = list(value.values()), [heading(str(key)) for key in value]
        by_model = any(head.name == "model" for head in names)
        lists = [one for one in cells if isinstance(one, list) and one and isinstance(one[0], (dict, list))]
        records = all(isinstance(one, dict) for one in cells)
        inner = value.get("data") or (lists[0] if len(lists) == 1 else None)
        try:
            if isinstance(inner, list):
                split = isinstance(value.get("columns"), list) and all(isinstance(row, list) for row in inner)
                columns = [str(column) for column in value["columns"]] if split else []
                value = pd.DataFrame(inner, columns=columns).to_dict("records") if split else inner
            elif by_model and all(isinstance(one, (dict, list)) for one in cells):
                value = pd.DataFrame(value).to_dict("records")
            elif by_model and any(head.name in LABELS for head in names):
                value = [value]
            elif records and cells and all(sum(heading(k).known for k in _flat(row)) > 1 for row in cells):
                value = [{"model": model} | row for model, row in value.items()]
            elif records and sum(head.known for head in names) > 1:
                value = pd.DataFrame(value).rename_axis("model").reset_index().to_dict("records")
        except ValueError:
            raise ScoresError(f"{name}: its columns have unlike lengths; save the table again") from None
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        step = "give a list of objects with model, params_b, benchmarks"
        raise ScoresError(f"{name}: JSON, but no table of scores; {step}")
    return pd.DataFrame([_flat(row) for row in value], dtype=object)


def _flat(row: dict[str, Any], depth: int = 3) -> dict[str, Any]:
    """A record whose nested objects are columns: {"hellaswag": {"acc_norm": 50}} has a column "hellaswag acc_norm".

    The name of an object that says nothing of its own ("metrics", "results") is left out where that leaves no doubt.
    """
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if not isinstance(value, dict) or not depth:
            flat[str(key)] = value
            continue
        for inner, cell in _flat(value, depth - 1).items():
            name = f"{key} {inner}" if heading(str(key)).known or inner in row or inner in flat else inner
            flat[name] = cell
    return flat


@contextmanager
def _reading(path: Path, what: str, package: str) -> Iterator[None]:
    """Inside the `with` one of pandas' readers runs: they raise whatever a broken file makes them raise."""
    try:
        yield
    except ImportError:
        step = f"pip install {package}; or save it as CSV UTF-8"
        raise SurroundingsError(f"{path}: {what}, which needs {package}: {step}") from None
    except Exception as problem:
        reason = " ".join(str(problem).split())[:80]
        raise ScoresError(f"{path}: {what} that cannot be read ({reason}); save it as CSV UTF-8") from None


def _spreadsheet(path: Path, raw: bytes) -> Sheet:
    package = _packed_kind(path) if raw.startswith(b"PK") else "xlrd"
    with _reading(path, "a spreadsheet file", package):
        book = pd.read_excel(path, sheet_name=None, header=None, dtype=object)
    # A page of notes before the table is no table: it names no models, or has one column or one row.
    pages, rank = {}, {}
    for title, frame in book.items():
        if frame.notna().any(axis=None):
            rows = [[_cell(cell) for cell in row] for row in frame.itertuples(index=False)]
            models = any(known_name(cell) == "model" for row in rows[:FIRST_ROWS] for cell in row if cell)
            pages[str(title)], rank[str(title)] = rows, (models, min(frame.shape) > 1)
    if not pages:
        raise ScoresError(f"{path}: every sheet is empty; the first row names the columns, one row a model follows")
    title = max(rank, key=lambda title: rank[title])
    sheet = _sheet(str(path), list(enumerate(pages[title], start=1)))
    others = ", ".join([other for other in pages if other != title][:3])
    return sheet.of(sheet.cells, f"{path.name}: read the sheet {title}; not read: {others}") if others else sheet


def _packed_kind(path: Path) -> str:
    """The package that reads a packed spreadsheet; ScoresError for a bomb and for a zip of another kind."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
            names = {part.filename for part in packed.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        raise ScoresError(f"{path}: is a spreadsheet file that cannot be read; save it as CSV UTF-8") from None
    if size > MOST_UNPACKED:
        raise ScoresError(f"{path}: unpacks to {size / 1e6:.0f} MB, too large for a table of scores; save it as CSV")
    if "[Content_Types].xml" in names:
        return "openpyxl"
    if {"mimetype", "content.xml"} <= names:
        return "odfpy"
    if any(name.startswith(("header", "samples/", "_journal")) for name in names):
        raise ScoresError(f"{path}: an Inspect log, not a table; `cape import` reads it")
    raise ScoresError(f"{path}: a zip, not a table; unpack it first")


def _of_frame(frame: pd.DataFrame, name: str) -> Sheet:
    if frame.empty:
        raise ScoresError(f"{name}: has no row; add one row a model")
    if not isinstance(frame.index, pd.RangeIndex) and all(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # pandas keeps the names of the models there
    cells = [[_clean(_cell(cell)) for cell in row] for row in frame.itertuples(index=False)]
    return Sheet(name, _frame(cells, [str(column).strip() for column in frame.columns], range(2, len(cells) + 2)))


def _frame(cells: list[list[str]], columns: list[str], rows: Iterable[int]) -> pd.DataFrame:
    """Cells below their columns, every row as wide as the names."""
    width = len(columns)
    wide = [(row + [""] * width)[:width] for row in cells]
    return pd.DataFrame(wide, index=pd.Index(rows), columns=columns, dtype=object)


def _cell(value: Any) -> str:
    """A value of a frame as text; nested values are no cells."""
    if isinstance(value, (dict, list, tuple, set, np.ndarray)) or pd.isna(value):
        return ""
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)


def _clean(cell: str) -> str:
    """A cell without the link or the style around it and the mark of a footnote after it, with plain blanks."""
    bare = _AROUND.sub(r"\2", _AFTER.sub("", cell)) if "<" in cell else cell
    bare = _COLOUR.sub("", html.unescape(bare) if "&" in bare else bare)
    return bare.translate(_BLANKS).strip()


# ---- text: comma, semicolon, tab, bar, blanks, Markdown, frames of lines or LaTeX between cells ----


def _decode(path: Path, raw: bytes) -> tuple[str, list[str]]:
    """The text of a file and a note where its encoding is an old one; ScoresError where it is no text."""
    encoding, notes = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", []
    for kind, zeros, signs in (("utf-16-le", raw[1:400:2], raw[:400:2]), ("utf-16-be", raw[:400:2], raw[1:400:2])):
        if encoding != "utf-16" and len(zeros) > 3 and zeros.count(0) > 0.9 * len(zeros) and not signs.count(0):
            encoding, notes = kind, [f"{path.name}: read as {kind.upper()}, for every second byte is zero"]
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        # bytes of Windows-1252 that stand for no sign
        if encoding == "utf-16" or any(mark in raw for mark in (b"\x00", b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")):
            reason = f"is not text in UTF-8 (byte {problem.start}); save it as CSV UTF-8"
            raise ScoresError(f"{path}: {reason}") from problem
        text = raw.decode("cp1252")
        notes.append(f"{path.name}: read as Windows-1252, for it is not UTF-8")
    if "\x00" in text:
        raise ScoresError(f"{path}: is not a text file; save it as CSV UTF-8")
    if not text.strip():
        raise ScoresError(f"{path}: is empty; the first row names the columns, one row a model follows")
    return text.translate(_NO_LINE_END), notes


def _split(name: str, text: str, sep: str | None) -> tuple[list[Row], str]:
    """The rows of a text table, and the sign between its columns: " " where they are blanks, "" for bars and LaTeX.

    Raises ScoresError where no sign parts its columns or its quotation is broken.
    """
    lines = text.splitlines()
    filled = [(at, line) for at, line in enumerate(lines, start=1) if line.strip()]
    drawn = [] if sep else [(at, line.translate(_BARS)) for at, line in filled]
    framed = any(_FRAME.match(line) for at, line in drawn if at <= 10)  # as databases and terminals draw
    tex = any(line.lstrip().startswith("\\begin{tabular") for _, line in drawn)
    bars = [(at, _between_bars(line)) for at, line in drawn if framed and "|" in line and not _FRAME.match(line)]
    parts = [(at, line.split("\\\\")[0]) for at, line in filled if tex and re.search(_AMPERSAND, line)]
    if rows := bars or [(at, [_plain_tex(cell) for cell in re.split(_AMPERSAND, line)]) for at, line in parts]:
        return rows, ""
    # A remark above a table begins with #, names no columns, and the table goes on without.
    below = any(not line.lstrip().startswith("#") and any(map(line.count, _DELIMITERS)) for line in lines)
    first, skipped = "", 0
    for at, line in filled:
        names = sum(heading(cell).known for cell in re.split(r"[,;\t|]", line))
        if not (below and line.lstrip().startswith("#") and names < 2):
            first, skipped = line, at - 1
            break
    if declared := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", first):  # Excel's own first line
        sep, skipped = sep or declared[1], skipped + 1
        first = next((line for at, line in filled if at > skipped), "")
    after = [(at, line) for at, line in filled if at > skipped]
    rules = _rules(lines) if sep is None else []
    if any(skipped < rule < max((at for at, _ in after[:61]), default=0) for rule in rules):
        # The first table of a Markdown text that names models.
        body = takewhile(lambda at: "|" in lines[at], range(rules[0] + 1, len(lines)))
        return [(at + 1, _between_bars(lines[at])) for at in (rules[0] - 1, *body)], ""
    outside = re.sub(r'"[^"]*"', "", first)
    mark = _WORDS.get(sep, sep) if sep else max(_DELIMITERS, key=outside.count)
    if len(mark) != 1:
        raise ScoresError(f"{name}: --sep {sep!r} is not one sign; write a sign, or tab, space, semicolon, pipe")
    if not sep and mark == "|" and all(line.lstrip().startswith("|") for _, line in after):
        # A table of a wiki: every row begins with a bar, the head perhaps with two, rules are a bar and equal signs.
        wiki = [(at, line.strip()) for at, line in filled if line.strip(" |=")]
        single = [(at, line.replace("||", "|") if line.startswith("||") else line) for at, line in wiki]
        return [(at, _between_bars(line)) for at, line in single], ""
    if mark == " " or (not sep and mark not in outside):
        # Columns that stand apart by blanks, every row with as many words as the first.
        words = [(at, line.split()) for at, line in filled if line.strip(" \t=-")]
        if len({len(row) for _, row in words}) != 1 or len(words[0][1]) < 2:
            step = "give a CSV with columns model, params_b and benchmarks, or say --sep SIGN"
            raise ScoresError(f"{name}: row 1 holds one column; {step}")
        return words, " "
    if mark not in outside:
        raise ScoresError(f"{name}: row 1 has no {sep!r}; leave --sep out, or name the sign between the columns")
    try:
        text = "\n" * skipped + "\n".join(lines[skipped:])
        return list(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True), start=1)), mark
    except csv.Error as problem:
        raise ScoresError(f"{name}: not a CSV table ({problem}); check the quotation marks") from problem


def _plain_tex(cell: str) -> str:
    bare = re.sub(r"\\(?:pm)\b", "±", cell.replace("$", ""))
    for _ in range(3):
        bare = re.sub(r"\\[a-zA-Z]+\*?\{([^{}]*)\}", r"\1", bare)
    return re.sub(r"\\([%&_#$])", r"\1", bare).strip()


def _rules(lines: list[str]) -> list[int]:
    """Where the rules below the heads of Markdown tables stand, those of tables of models first."""
    rules = [at for at, line in enumerate(lines) if at and _RULE.match(line) and "|" in lines[at - 1]]
    return sorted(rules, key=lambda at: "model" not in map(known_name, _between_bars(lines[at - 1])))


def _between_bars(line: str) -> list[str]:
    """The cells between bars, without emphasis, code and links."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]
    return [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\*\*|__|`", "", cell)).strip(" *_") for cell in cells]


# ---- layout: which row names the columns, and which rows are no model ----


def _sheet(name: str, rows: list[Row], decimal_comma: bool = False) -> Sheet:
    """Rows as a sheet: its head found, titles above passed over, every row as wide as the head.

    A second line of heads ("acc", "stderr" below a benchmark, or units) is joined to the first, repeated heads are
    dropped, nameless columns are dropped where they are empty. Of pandas' nameless first one a count of rows is
    dropped, names of models are the models. Raises ScoresError for the table that a harness prints.
    """
    body = {line: cells for line, raw in rows if any(cells := [_clean(cell) for cell in raw])}
    if not body:
        raise ScoresError(f"{name}: every cell is empty; the first row names the columns, one row a model follows")
    top, notes = next(iter(body)), []
    for line, cells in [*body.items()][:FIRST_ROWS]:
        known = [head for head in map(heading, filter(None, cells)) if head.known]
        if len(known) > 1 and any(head.name == "model" for head in known):
            top = line  # the first row that has a column for models among known ones, else the first of all
            break
        if any(map(_is_number, cells)):
            break  # numbers have begun: what stands above them is the head, whatever it says
    header = body.pop(top)
    if {"tasks", "n_shot", "metric", "value"} <= {plain(cell) for cell in header}:
        what = "the table that lm-evaluation-harness prints, which names no model"
        raise ScoresError(f"{name}: {what}; name the results_*.json of the run instead")
    if titles := [line for line in body if line < top]:
        above = ", ".join(cell for line in titles for cell in body.pop(line) if cell)
        notes.append(f"passed over above the names of the columns: {above[:80]}")
    second = next(iter(body), top)
    if body and (joined := _joined(header, body[second])) is not None:
        notes.append(f"rows {top} and {second} are read together as the names of the columns")
        header = joined
        del body[second]
    heads = [cell.casefold() for cell in header]
    again = [line for line, cells in body.items() if [cell.casefold() for cell in cells[: len(heads)]] == heads]
    if again:
        body = {line: cells for line, cells in body.items() if line not in again}
        notes.append(f"the names of the columns stand again in row {', '.join(map(str, again[:4]))}: passed over")
    width = max(position + 1 for position, cell in enumerate(header) if cell)
    for line, cells in body.items():
        if any(cells[width:]):
            reason = f"row {line} has {len(cells)} cells, row {top} names {width} columns"
            raise ScoresError(f"{name}: {reason}; give each cell its column")
    if not body:
        raise ScoresError(f"{name}: has column names but no row below them; add one row a model")
    table = _frame(list(body.values()), header[:width], body)
    table = table.iloc[:, [at for at, head in enumerate(table.columns) if head or table.iloc[:, at].ne("").any()]]
    if not table.columns[0]:
        numbers = [cell for cell in table.iloc[:, 0] if cell]
        if all(cell.isdecimal() for cell in numbers) and len(set(numbers)) == len(numbers):
            table = table.iloc[:, 1:]
        elif "model" not in map(known_name, table.columns) and not all(map(_is_number, table.iloc[:, 0])):
            table = table.set_axis(["model", *table.columns[1:]], axis=1)
    if "" in table.columns:
        place = f"row {top}, column {list(table.columns).index('') + 1}"
        raise ScoresError(f"{name}: {place} has no name; name it or delete the column")
    return Sheet(name, table, decimal_comma, tuple(notes))


def _is_number(cell: str) -> bool:
    return columns.to_number(cell, decimal_comma=True) is not None


def _joined(header: list[str], second: list[str]) -> list[str] | None:
    """Both lines of a head as one, where the second names metrics or units below those of the first; else None."""
    known = [known_name(cell) if cell else "" for cell in header]
    if "model" not in known or len(second) <= known.index("model"):
        return None
    model = known.index("model")
    below = ["" if at == model or is_blank(cell) else cell for at, cell in enumerate(second)]
    few = plain(second[model]) not in ("", "unit", "units") or sum(map(bool, below)) < 2
    if few or any(map(_is_number, below)):
        return None
    above, names = "", []
    for upper, lower in zip_longest(header, below, fillvalue=""):
        above = upper or above
        names.append(f"{above} {lower}".strip() if lower else upper)
    return names


def upright(sheet: Sheet) -> Sheet:
    """The sheet with one row a model, and a note where it had to be turned or rows were passed over.

    A row of an average is no model, and neither is one with a single text: below the others such a text is a note;
    above them it is the family of those that follow, where no column tells it.
    """
    for turned, note in (
        (_leaderboard_v2, "read as a table of the Open LLM Leaderboard v2: raw and normalised scores are named apart"),
        (_from_long, "read as a long table: one row a score"),
        (_transposed, "read as a transposed table: one column a model"),
    ):
        if (cells := turned(sheet)) is not None:
            sheet = sheet.of(cells, note)
            break
    names, cells = [known_name(column) for column in sheet.columns], sheet.cells
    if "model" not in names or len(names) < 3:
        return sheet
    model = cells.iloc[:, names.index("model")]
    text = model.where(model != "", cells.iloc[:, 0])
    single = (~cells.map(is_blank)).sum(axis=1).eq(1) & text.ne("")
    total = text.map(plain).isin(columns.table()["no_models"])
    stay, alone = cells[~(single | total)], text[single & ~total]
    if stay.empty:  # names alone: the refusal of what is missing says more
        return sheet
    notes = [f"no models, left out: {', '.join(text[total][:3])}"] if total.any() else []
    if len(alone) and single.iloc[0] and not single.iloc[-1] and "family" not in names:
        notes.append(f"rows with a name alone are read as families: {', '.join(alone[:4])}")
        stay = stay.assign(family=alone.reindex(cells.index).ffill().fillna("")[stay.index])
    elif len(alone):
        notes.append(f"rows with one text alone are passed over: {', '.join(alone[:3])[:100]}")
    return sheet.of(stay, *notes)


def _leaderboard_v2(sheet: Sheet) -> pd.DataFrame | None:
    """The cells with "BBH" as bbh_normalised and the fractions of "BBH Raw" as percent in bbh_raw."""
    heads = [plain(column) for column in sheet.columns]
    raw = [head for head in heads if head.endswith("_raw") and head.removesuffix("_raw") in heads]
    if len(raw) < 2 or len(set(heads)) < len(heads):
        return None
    names = {name: name for name in raw} | {(base := name.removesuffix("_raw")): f"{base}_normalised" for name in raw}
    named = [names.get(head, column) for head, column in zip(heads, sheet.columns, strict=True)]
    cells = sheet.cells.set_axis(named, axis=1)
    for name in raw:
        values = cells[name].map(partial(columns.to_number, decimal_comma=sheet.decimal_comma)).astype(float)
        cells[name] = cells[name].where(~(values <= 1), (100 * values).map("{:.10g}".format))
    return cells


def _from_long(sheet: Sheet) -> pd.DataFrame | None:
    heads = [plain(column) for column in sheet.columns]
    names = [known_name(column) for column in sheet.columns]
    at_benchmark = next((heads.index(word) for word in _BENCHMARK if word in heads), None)
    at_score = next((heads.index(word) for word in _SCORE if word in heads), None)
    if at_benchmark is None or at_score in (None, at_benchmark) or "model" not in names:
        return None
    if any(heading(name).known and name not in TEXT | MEASURES and columns.is_score(name) for name in names):
        return None  # benchmarks are columns already
    at_error = next((i for i, word in enumerate(heads) if word in columns.table()["endings"]["stderr"]), None)
    # Several runs of a model differ in a further column: each keeps its own row.
    how = [i for i, head in enumerate(heads) if head in _HOW and i not in (at_benchmark, at_score)]
    beside = [i for i in range(len(names)) if i not in (at_benchmark, at_score, at_error, *how)]
    cells, place = sheet.cells.set_axis(range(len(names)), axis=1), sheet.columns[at_benchmark]
    several = cells[at_benchmark].where(cells.duplicated([*beside, at_benchmark], keep=False)).dropna().unique()
    if how:
        ways = cells[how].rename(columns=dict(enumerate(heads))).to_dict("records")
        named = zip(cells[at_benchmark], ways, cells[at_benchmark].isin(several), strict=True)
        cells[at_benchmark] = [_measured(name, way, apart=apart) for name, way, apart in named]
    sheet.refuse(cells[at_benchmark] == "", place, "is blank; name the benchmark of this score")
    twice, says = cells.duplicated([*beside, at_benchmark]), "{!r} has a score in {!r} already; keep one row"
    sheet.refuse(twice, place, says, cells[names.index("model")], cells[at_benchmark])
    cells["row"] = cells.groupby(beside, sort=False).ngroup()
    wide = cells.pivot(index="row", columns=at_benchmark, values=at_score)[cells[at_benchmark].unique()]
    if at_error is not None:
        errors = cells.pivot(index="row", columns=at_benchmark, values=at_error)[wide.columns]
        wide = wide.join(errors.add_suffix("_stderr"))
    about = sheet.cells[~cells["row"].duplicated()].iloc[:, beside]
    return pd.concat([about, wide.fillna("").set_axis(about.index)], axis=1)


def _measured(benchmark: str, how: dict[Any, str], *, apart: bool = False) -> str:
    """The name of a column for a benchmark with how it was measured, where that is said in a way that we know.

    apart: the metric tells two scores of one benchmark apart, whatever it is called.
    """
    metric = next((text for head, text in how.items() if head == "metric" and not is_blank(text)), "")
    shots = next((text for head, text in how.items() if "shot" in head and text.isdecimal()), "")
    named = f"{benchmark} {metric}".strip()
    name = named if apart or (metric and heading(named).known) else benchmark
    return f"{name} {shots}-shot" if shots and benchmark and heading(name).known else name


def _transposed(sheet: Sheet) -> pd.DataFrame | None:
    how = [column for column in sheet.columns[1:] if plain(column) in _HOW]
    models = {at: column for at, column in enumerate(sheet.columns) if at and column not in how}
    if any(heading(column).known and known_name(column) != "model" for column in models.values()):
        return None
    down = sheet.cells.iloc[:, 0].tolist()
    if how:
        ways = sheet.cells[how].rename(columns=plain).to_dict("records")
        down = [_measured(name, way) for name, way in zip(down, ways, strict=True)]
    known = [name for name in down if heading(name).known and heading(name).name != "model"]
    if len(known) < 2 or len(known) < len(down) / 2 or len(set(down)) < len(down):
        return None
    cells = [[model, *sheet.cells.iloc[:, at]] for at, model in models.items()]
    return _frame(cells, ["model", *down], range(2, len(cells) + 2))
