"""Which row of a table names its columns, and which rows are no model: titles, repeated heads, totals, notes."""

from __future__ import annotations

from dataclasses import dataclass

from cape_lib.errors import ScoresError
from cape_lib.tables.columns import heading, plain, table
from cape_lib.tables.numbers import is_blank, to_number

#: rows above the one that names the columns are looked for among so many
FIRST_ROWS = 12

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of the columns and the line they stand in, the rows below with their lines, and notes."""

    top: int
    header: list[str]
    body: list[Row]
    notes: tuple[str, ...] = ()


def laid_out(name: str, rows: list[Row]) -> Layout:
    """The rows of a table parted into its head and its body.

    rows: filled ones as (line, cells). Titles and group heads above the names of the columns are passed over and noted,
    a second line of heads ("acc", "stderr" below a benchmark) is joined to the first, repeated heads are dropped.
    Raises ScoresError for the table that a harness prints, which names no model.
    """
    at = _header_at(rows)
    (top, header), body = rows[at], rows[at + 1 :]
    notes = []
    if {"tasks", "n_shot", "metric", "value"} <= {plain(cell) for cell in header}:
        told = "the table that lm-evaluation-harness prints, which names no model"
        raise ScoresError(f"{name}: {told}; name the results_*.json of the run instead")
    if at:
        above = ", ".join(cell for _, cells in rows[:at] for cell in cells if cell)
        notes.append(f"passed over above the names of the columns: {above[:80]}")
    if body and (joined := _joined(header, body[0][1])) is not None:
        header, body = joined, body[1:]
        notes.append(f"rows {top} and {rows[at + 1][0]} are read together as the names of the columns")
    heads = [cell.casefold() for cell in header]
    again = [line for line, cells in body if [cell.casefold() for cell in cells[: len(heads)]] == heads]
    if again:
        body = [row for row in body if row[0] not in again]
        notes.append(f"the names of the columns stand again in row {', '.join(map(str, again[:4]))}: passed over")
    return Layout(top, header, body, tuple(notes))


def _header_at(rows: list[Row]) -> int:
    """Position of the row that names the columns: the first that has a column for models among known ones, else 0."""
    for at, (_, cells) in enumerate(rows[:FIRST_ROWS]):
        heads = [heading(cell) for cell in cells if cell]
        known = [head for head in heads if head.known]
        if len(known) > 1 and any(head.name == "model" for head in known):
            return at
        if any(to_number(cell, decimal_comma=True) is not None for cell in cells):
            break  # numbers have begun: what stands above them is the head, whatever it says
    return 0


def _joined(header: list[str], second: list[str]) -> list[str] | None:
    """Both lines of a head as one, where the second names metrics below the benchmarks of the first; else None."""
    known = [heading(cell).name if cell else "" for cell in header]
    if "model" not in known or second[known.index("model")] or sum(map(bool, second)) < 2:
        return None
    if any(to_number(cell, decimal_comma=True) is not None or is_blank(cell) for cell in second if cell):
        return None
    width = max(len(header), len(second))
    above, names = "", []
    for upper, lower in zip(_wide(header, width), _wide(second, width), strict=True):
        above = upper or above
        names.append(f"{above} {lower}".strip() if lower else upper)
    return names


def _wide(cells: list[str], width: int) -> list[str]:
    return (cells + [""] * width)[:width]


def models_only(columns: list[str], cells: list[list[str]]) -> tuple[list[int], list[str], list[str]]:
    """Positions of the rows that are models, a family for each of them (none where no row names one), and notes.

    A row of an average is none, and neither is one with a single text: below the others it is a note, above them the
    name of the family that follows, where no column tells families.
    """
    names = [heading(column).name for column in columns]
    if "model" not in names or len(columns) < 3:
        return list(range(len(cells))), [], []
    model, keep, families, totals, alone = names.index("model"), [], [], [], []
    family = ""
    single = [
        sum(1 for cell in row if cell and not is_blank(cell)) == 1 and bool(row[0] or row[model]) for row in cells
    ]
    sections = bool(single) and single[0] and not all(single) and "family" not in names
    for at, row in enumerate(cells):
        text = row[model] or row[0]
        if plain(text) in table()["no_models"]:
            totals.append(text)
        elif single[at]:
            alone.append(text)
            family = text
        else:
            keep.append(at)
            families.append(family)
    if not keep:  # names alone: the refusal of what is missing says more
        return list(range(len(cells))), [], []
    notes = [f"no models, left out: {', '.join(totals[:3])}"] if totals else []
    if alone and sections and not single[-1]:
        return keep, families, [*notes, f"rows with a name alone are read as families: {', '.join(alone[:4])}"]
    if alone:
        notes.append(f"rows with one text alone are passed over: {', '.join(alone[:3])[:100]}")
    return keep, [], notes
