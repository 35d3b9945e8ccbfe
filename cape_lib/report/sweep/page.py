"""The page of a sweep: small multiples, a table that sorts, and every refusal with what is needed.

The page is the notebook `families.ipynb` beside this file, run on `sweep.json`; its cells show what these functions
return of the answers in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from cape_lib.dashboard.wording import shown
from cape_lib.report.family import measuring
from cape_lib.report.family.summary import bullets
from cape_lib.report.sweep import places
from cape_lib.signs import literal, typeset
from cape_lib.tables.axes import PARAMS, Axis, axis_named

Answer = Mapping[str, Any]
NOTEBOOK = Path(__file__).with_name("families.ipynb")
#: More small charts than this make a slow page; the table has all families.
MOST_CHARTS = 60
#: How the numbers of a column are written (`wording.shown`).
FORMS = {
    **dict.fromkeys(("sizes", "points", "tax", "transition", "bonus"), "0"),
    **dict.fromkeys(("from", "to", "boundary"), "B"),
    **dict.fromkeys(("whole ladder, points", "whole path, points", "z"), "+1"),
    **dict.fromkeys(("r", "last gamma"), "+2"),
}


def write_page(out: Path) -> None:
    """Write `index.html` in `out` from the `sweep.json` there; works without a network, like a family's report."""
    from cape_lib.report import publish

    with tempfile.TemporaryDirectory(prefix="cape-sweep-") as folder:
        parameters = {"sweep_path": str((out / "sweep.json").resolve())}
        copies = publish.execute({NOTEBOOK: parameters}, Path(folder), quiet=True)
        publish.report(copies, out / "index.html", "CAPE sweep")


def counts(answers: Sequence[Answer]) -> str:
    """How many families have an answer, and along what they go (Markdown)."""
    states = pd.Series([answer["state"] for answer in answers]).value_counts()
    text = f"{states.get('done', 0)} have an answer, {states.get('refused', 0)} too little for one"
    text += f", {states['failed']} failed" if "failed" in states else ""
    along = _axis(answers)
    sizes = next((answer["size_measure"] for answer in answers if "size_measure" in answer), "total")
    end = f"Sizes are {sizes} parameters." if along.by_size else f"Each goes along {along.noun}."
    return f"Of **{len(answers)} families** {text}. {end}"


def figures(done: Sequence[Answer]) -> list[Any]:
    """The small multiples of the families that have steps; no figure where none has."""
    from cape_lib.charts.base import small_multiples

    ladders = [answer for answer in done if answer["parts"][0]["kind"] != "frontier"]
    if not ladders:
        return []
    first = ladders[0]["parts"][0]
    alike = [one for one in ladders if (one["parts"][0]["x"], one["parts"][0]["y"]) == (first["x"], first["y"])]
    steps = pd.concat(map(_steps, alike), ignore_index=True)
    families = [answer["family"] for answer in alike[:MOST_CHARTS]]
    pair = {"x": first["x"], "y": first["y"]}
    return [small_multiples(steps, **pair, families=families, total=len(ladders), along=_axis(ladders))]


def _axis(answers: Sequence[Answer]) -> Axis:
    return axis_named(next((answer["axis"] for answer in answers if "axis" in answer), PARAMS.name))


def _steps(answer: Answer) -> pd.DataFrame:
    """A row a step for the small charts."""
    diagnosis = answer["parts"][0]["diagnosis"]
    points = pd.DataFrame(diagnosis["points" if diagnosis["kind"] == "path" else "sizes"])[["x", "y"]]
    steps = pd.DataFrame(diagnosis["steps"]).rename(columns={"first": "smaller", "last": "larger"})
    steps = steps.assign(family=answer["family"]).astype({"gamma": float, "p_negative": float})
    ends = points[:-1].add_suffix("_from"), points[1:].reset_index(drop=True).add_suffix("_to")
    names = ["family", "smaller", "larger", *ends[0], *ends[1], "gamma", "p_negative", "phase"]
    return steps.join(list(ends))[names]


def table(done: Sequence[Answer]) -> pd.DataFrame:
    """One row a family: sizes, range, the whole ladder, r, steps by phase, the last gamma, the boundary.

    A cell is a value, or (text, value to sort by) where it is shown in words.
    """
    return pd.DataFrame([_row(answer) for answer in done], dtype=object)


def _row(answer: Answer) -> dict[str, Any]:
    part, along = answer["parts"][0], _axis([answer])
    diagnosis = part["diagnosis"]
    ladder, points, boundary = "ladder", "sizes", "boundary"
    if not along.by_size:
        ladder, points, boundary = "path", "points", "turn"
    if part["kind"] == "frontier":
        line, h = diagnosis["line"]["name"], diagnosis["rows"][-1]["h"]
        says = (f"h {h:+.1f} ({line} line)", diagnosis["phase"])
        return {"family": answer["family"], points: len(diagnosis["rows"]), boundary: says}
    steps, whole, r = diagnosis["steps"], diagnosis["whole"], diagnosis["r"]
    if part["kind"] == "path":
        ends = [(whole["first"], whole["from"]), (whole["last"], whole["to"])]
        vertex = diagnosis["boundary"]["vertex"]
        turn: Any = (vertex["text"], vertex["estimate"])
    else:
        ends = [whole["low_b"], whole["high_b"]]
        vertex = next(row for row in part["critical_scales"] if row["estimator"] == "vertex")
        turn = vertex["n_c_b"]
    if vertex["verdict"] != "boundary":
        turn = ("undecided" if vertex["verdict"] == "undecided" else f"none in these {points}", "")
    changes = r["estimate"] is not None and r.get("of") == "changes"
    return {
        "family": answer["family"],
        points: diagnosis["n"],
        **dict(zip(("from", "to"), ends, strict=True)),
        f"whole {ladder}, points": whole["dy"],
        "z": whole["z"],
        "whole phase": _phase(whole),
        "r": (f"{shown(r['estimate'], '+2')}, of changes", r["estimate"]) if changes else r["estimate"],
        **{phase: sum(step["phase"] == phase for step in steps) for phase in ("tax", "transition", "bonus")},
        "last gamma": steps[-1]["gamma"],
        "last phase": _phase(steps[-1]),
        boundary: turn,
    }


def _phase(step: Mapping[str, Any]) -> str:
    return f"{step['phase']}{'' if step['settled'] else ', sign open'}"


def sortable(families: pd.DataFrame, answers: Sequence[Answer], folder: Path) -> Any:
    """`table` as HTML whose headings sort it (`cape-sort.js`); a family with a report in `folder` links to it.

    answers: of the whole sweep, which together decide what the folders of the reports are called.
    """
    from IPython.display import HTML

    from cape_lib.page.tables import html_table

    pages = {name: f"reports/{file}/index.html" for name, file in places(one["family"] for one in answers).items()}

    def cell(value: Any, head: str) -> tuple[Any, Any]:
        text, key = value if isinstance(value, tuple) else (value, value)
        if key is None or key != key:
            return "", ""
        if head == "family" and (folder / pages[key]).is_file():
            return Markup('<a href="{}">{}</a>').format(pages[key], key), key
        return typeset(text if isinstance(text, str) else shown(text, FORMS[head])), key

    heads = [str(name) for name in families]
    cells = [[cell(*one) for one in zip(row, heads, strict=True)] for row in families.itertuples(index=False)]
    look = {"numbers": [head in FORMS for head in heads], "keys": [[key for _, key in row] for row in cells]}
    return HTML(html_table(heads, [[text for text, _ in row] for row in cells], label="Every family", **look))


def refusals(answers: Sequence[Answer]) -> str:
    """Why families have no answer, failures first, and the command that measures a further point (Markdown)."""
    refused = [answer for answer in answers if answer["state"] == "refused"]
    failed = [answer for answer in answers if answer["state"] == "failed"]
    if not refused + failed:
        return "Every family has one."
    lines = [f"**Failed**: {literal(answer['why'])}" for answer in failed]
    text = bullets([*lines, *(literal(answer["why"]) for answer in refused)])
    if refused:
        by_size = _axis(refused).by_size
        command = measuring.both("YOUR_NEXT_SIZE" if by_size else "YOUR_CHECKPOINT").replace(" --", " \\\n  --")
        text += f"\n\nA further {'size' if by_size else 'point'} is measured by:\n\n```bash\n{command}\n```"
    return text


def left_out(done: Sequence[Answer]) -> str:
    """What became of rows that are no point of an analysis (Markdown)."""
    lines = [f"**{literal(answer['family'])}**: {literal(note)}" for answer in done for note in answer["notes"]]
    return bullets(lines) or "None."
