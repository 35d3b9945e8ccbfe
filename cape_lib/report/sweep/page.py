"""The page of a sweep: small multiples, a table that sorts, and every refusal with what is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib.dashboard.wording import shown
from cape_lib.report.family import measuring
from cape_lib.signs import typeset
from cape_lib.tables.axes import axis_named

#: More small charts than this make a slow page; the table has all families.
MOST_CHARTS = 60

_STYLE = """<style>
#fig-sweep-families .cape-several { grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)); }
table.cape-sort { border-collapse: collapse; width: 100%; font-size: .9rem; }
table.cape-sort th, table.cape-sort td { padding: .25rem .4rem; text-align: left; vertical-align: top; }
@media (max-width: 40rem) { table.cape-sort td { white-space: nowrap; } }
table.cape-sort td.number { text-align: right; font-variant-numeric: tabular-nums; }
table.cape-sort th button { font: inherit; font-weight: 600; background: none; border: 0; padding: 0; color: inherit;
  cursor: pointer; text-align: left; }
table.cape-sort th button::after { content: " \\2195"; opacity: .5; }
table.cape-sort th[aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; }
table.cape-sort th[aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
</style>"""

_WHOLE = ("family", "sizes", "from", "to", "whole ladder, points", "z", "whole phase", "r")
_STEPS = ("tax", "transition", "bonus", "last gamma", "last phase")
_HEADS = (*_WHOLE, *_STEPS, "boundary")
#: the same along another axis than size
_PATH_HEADS = ("family", "points", "from", "to", "whole path, points", "z", "whole phase", "r", *_STEPS, "turn")

_SORT = """<script>
document.querySelectorAll("table.cape-sort").forEach(function (table) {
  var heads = table.querySelectorAll("thead th"), body = table.tBodies[0];
  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) { return row.cells[column].dataset.key; };
      Array.from(body.rows).sort(function (a, b) {
        var p = key(a), q = key(b);
        if (p === "" || q === "") return (p === "") - (q === "");
        var order = isNaN(p) || isNaN(q) ? p.localeCompare(q) : p - q;
        return up ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
</script>"""


def write_page(answers: Sequence[Mapping[str, Any]], places: Mapping[str, str], out: Path) -> None:
    """Write `index.html` in `out` from the answers of a sweep; works without a network, like a family's report."""
    import nbformat
    from nbformat import v4

    from cape_lib.output import write_whole
    from cape_lib.report import publish

    done = [a for a in answers if a["state"] == "done"]
    cells = [v4.new_markdown_cell(_head(answers))]
    ladders = [a for a in done if a["parts"][0]["kind"] != "frontier"]
    if ladders:
        cells.append(_html(_figure(ladders), "families, small"))
    if done:
        cells.append(v4.new_markdown_cell("## Every family\n\nClick a heading to sort."))
        cells.append(_html(_STYLE + _table(done, places, out) + _SORT, "table of families"))
    for state, heading in (("refused", "Not enough to answer"), ("failed", "Failed")):
        rows = [a for a in answers if a["state"] == state]
        if rows:
            lines = [f"- {_plain(a['why'])}" for a in rows]
            along = "axis" in rows[0]
            command = measuring.both("YOUR_CHECKPOINT" if along else "YOUR_NEXT_SIZE").replace(" --", " \\\n  --")
            what = "point" if along else "size"
            more = f"\n\nA further {what} is measured by:\n\n```bash\n{command}\n```" if state == "refused" else ""
            cells.append(v4.new_markdown_cell(f"## {heading}\n\n" + "\n".join(lines) + more))
    left = [f"- **{_plain(a['family'])}**: {_plain(note)}" for a in done for note in a["notes"]]
    if left:
        cells.append(v4.new_markdown_cell("## Rows left out or averaged\n\n" + "\n".join(left)))
    for number, cell in enumerate(cells):
        cell["id"] = f"sweep-{number:02d}"
    with tempfile.TemporaryDirectory(prefix="cape-sweep-") as folder:
        source = Path(folder) / "sweep.ipynb"
        nbformat.write(v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}), source)
        page = Path(folder) / "index.html"
        publish.report([source], page, "CAPE sweep")
        write_whole(out / "index.html", page.read_text(encoding="utf-8"))


def _head(answers: Sequence[Mapping[str, Any]]) -> str:
    counts = {state: sum(a["state"] == state for a in answers) for state in ("done", "refused", "failed")}
    text = f"{counts['done']} have an answer, {counts['refused']} too little for one"
    text += f", {counts['failed']} failed" if counts["failed"] else ""
    named = next((a["axis"] for a in answers if "axis" in a), None)
    if named is not None:
        return f"# A sweep of {len(answers)} families\n\n{text}. Each goes along {axis_named(named).noun}."
    sizes = next((a["size_measure"] for a in answers if "size_measure" in a), "total")
    return f"# A sweep of {len(answers)} families\n\n{text}. Sizes are {sizes} parameters."


def _figure(done: Sequence[Mapping[str, Any]]) -> str:
    from cape_lib.charts import look
    from cape_lib.charts.coupling import small_multiples

    look.register(background=None)  # as on a page of the book, whatever runs this
    part = done[0]["parts"][0]
    alike = [a for a in done if (a["parts"][0]["x"], a["parts"][0]["y"]) == (part["x"], part["y"])]
    steps = pd.DataFrame([step for a in alike for step in _steps(a)])
    along = axis_named(done[0].get("axis", "params"))
    families = [a["family"] for a in alike[:MOST_CHARTS]]
    drawn = small_multiples(
        steps, x=part["x"], y=part["y"], families=families, total=len(done), name="sweep-families", along=along
    )
    return drawn.to_html()


def _steps(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a step for the small charts."""
    diagnosis = task["parts"][0]["diagnosis"]
    first, last = ("first", "last") if diagnosis["kind"] == "path" else ("smaller", "larger")
    points = diagnosis["points" if diagnosis["kind"] == "path" else "sizes"]
    return [
        {
            "family": task["family"],
            "smaller": step[first],
            "larger": step[last],
            "x_from": low["x"],
            "y_from": low["y"],
            "x_to": high["x"],
            "y_to": high["y"],
            **{name: step[name] for name in ("gamma", "p_negative", "phase")},
        }
        for step, low, high in zip(diagnosis["steps"], points[:-1], points[1:], strict=True)
    ]


def _table(done: Sequence[Mapping[str, Any]], places: Mapping[str, str], out: Path) -> str:
    """One row a family: sizes, range, the whole ladder, r, steps by phase, the last gamma, the boundary; sortable."""
    rows = []
    for task in done:
        report = f"reports/{places[task['family']]}/index.html"
        name = escape(task["family"])
        linked = f'<a href="{escape(report)}">{name}</a>' if (out / report).is_file() else name
        rows.append("".join([_cell(linked, task["family"]), *_numbers(task)]))
    heads = _PATH_HEADS if "axis" in done[0] else _HEADS
    head = "".join(f'<th scope="col"><button type="button">{text}</button></th>' for text in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f'<table class="cape-sort"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="cape-scroll" tabindex="0" role="region" aria-label="Every family">{table}</div>'


def _numbers(task: Mapping[str, Any]) -> list[str]:
    """The cells of a family behind its name; r is that of its changes where it is one run along another axis."""
    part = task["parts"][0]
    diagnosis = part["diagnosis"]
    if part["kind"] == "frontier":
        h = diagnosis["rows"][-1]["h"]
        blank = [_cell("", "")] * (len(_HEADS) - 3)
        line = diagnosis["line"]["name"]
        return [_number(len(diagnosis["rows"]), "0"), *blank, _cell(f"h {h:+.1f} ({line} line)", diagnosis["phase"])]
    path = part["kind"] == "path"
    steps, last, whole, r = diagnosis["steps"], diagnosis["steps"][-1], diagnosis["whole"], diagnosis["r"]
    if path:
        ends = [(whole["first"], whole["from"]), (whole["last"], whole["to"])]
        vertex = diagnosis["boundary"]["vertex"]
        turn, text = vertex["estimate"], vertex["text"]
    else:
        ends = [(shown(whole[end], "B"), whole[end]) for end in ("low_b", "high_b")]
        vertex = next(row for row in part["critical_scales"] if row["estimator"] == "vertex")
        turn = vertex["n_c_b"]
        text = "" if turn is None else shown(turn, "B")
    if vertex["verdict"] != "boundary" or turn is None:
        nowhere = f"none in these {'points' if path else 'sizes'}"
        text = "undecided" if vertex["verdict"] == "undecided" else nowhere
    changes = ", of changes" if r.get("of") == "changes" else ""
    value = "" if r["estimate"] is None else f"{shown(r['estimate'], '+2')}{changes}"
    return [
        _number(diagnosis["n"], "0"),
        *(_cell(words, key, number=True) for words, key in ends),
        _number(whole["dy"], "+1"),
        _number(whole["z"], "+1"),
        _cell(_phase(whole), whole["phase"]),
        _cell(value, "" if r["estimate"] is None else r["estimate"], number=True),
        *(_number(sum(s["phase"] == phase for s in steps), "0") for phase in ("tax", "transition", "bonus")),
        _number(last["gamma"], "+2"),
        _cell(_phase(last), last["phase"]),
        _cell(text, "" if turn is None else turn),
    ]


def _phase(step: Mapping[str, Any]) -> str:
    return f"{step['phase']}{'' if step['settled'] else ', sign open'}"


def _number(value: float | None, form: str) -> str:
    return _cell("" if value is None else shown(value, form), "" if value is None else value, number=True)


def _cell(text: str, key: object, *, number: bool = False) -> str:
    kind = ' class="number"' if number else ""
    return f'<td{kind} data-key="{escape(str(key))}">{typeset(text)}</td>'


def _html(page: str, text: str) -> Any:
    from nbformat import v4

    output = v4.new_output("display_data", data={"text/html": page, "text/plain": text})
    return v4.new_code_cell("", outputs=[output], metadata={"tags": ["remove-input"]}, execution_count=1)


def _plain(text: str) -> str:
    """Text in Markdown with nothing in it that Markdown or HTML would take for its own."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|~$" else sign for sign in text)
