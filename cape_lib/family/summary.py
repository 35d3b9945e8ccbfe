"""The first page of a report: what the person's own scores say, what they cannot show, what to run next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cape_lib import boundary, coupling, tables
from cape_lib.diagnosis.one_family import diagnose_family
from cape_lib.diagnosis.one_release import diagnose_release
from cape_lib.family import measuring
from cape_lib.family.planning import BASE_PAIR, FRONTIER_PAIR, Part, Plan

#: Sizes further apart than this have room for one in between.
WIDE_STEP = 1.6
#: A size beyond the largest or below the smallest is suggested at this ratio.
BEYOND = 2.5


def diagnose(part: Part) -> dict[str, Any]:
    """One analysis as plain data: `diagnosis`, and for base scores `critical_scales` and `next_size`."""
    if part.kind == "frontier":
        name = str(part.rows["family"].iloc[0])
        lab = name if name in set(tables.frontier("current")["lab"]) else None
        found = diagnose_release(_releases(part.rows), lab=lab)
        return {"kind": part.kind, "x": part.x, "y": part.y, "diagnosis": found}
    scales = boundary.critical_scales(part.rows, x=part.x, y=part.y)
    return {
        "kind": part.kind,
        "x": part.x,
        "y": part.y,
        "diagnosis": diagnose_family(part.rows, x=part.x, y=part.y),
        "critical_scales": scales.to_dict("records"),
        "next_size": next_size(part.rows, scales),
    }


def _releases(rows: pd.DataFrame) -> list[dict[str, Any]]:
    kept = [name for name in ("model", *FRONTIER_PAIR, "hle", "ifeval") if name in rows]
    dates = rows["release_date"] if "release_date" in rows else pd.Series([None] * len(rows))
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        | {"date": None if pd.isna(date) else str(date)}
        for row, date in zip(rows[kept].to_dict("records"), dates, strict=True)
    ]


def next_size(rows: pd.DataFrame, scales: pd.DataFrame) -> dict[str, Any]:
    """The size whose score would say most about a boundary: `params_b` (billions) and the reason `why`.

    rows: of one family, by size; scales: `boundary.critical_scales` of them.
    """
    sizes = rows["params_b"].to_numpy(dtype=float)
    inside = scales["n_c_b"].dropna()
    if len(inside):
        around = float(inside.median())
        upper = min(max(int((sizes < around).sum()), 1), len(sizes) - 1)
        if sizes[upper] / sizes[upper - 1] > WIDE_STEP:
            middle = math.sqrt(sizes[upper] * sizes[upper - 1])
            return {"params_b": middle, "why": f"between {sizes[upper - 1]:g} B and {sizes[upper]:g} B, where it turns"}
    if (scales["raw_b"] > sizes[-1]).any() or not len(inside):
        above = sizes[-1] * BEYOND
        return {"params_b": above, "why": f"beyond {sizes[-1]:g} B, to see whether the coupling turns or stays turned"}
    below = sizes[0] / BEYOND
    return {"params_b": below, "why": f"below {sizes[0]:g} B, to see where the coupling was before"}


def cannot_show(found: dict[str, Any]) -> list[str]:
    """What the scores of one analysis cannot show, a sentence each."""
    told = []
    if found["kind"] != "frontier":
        # Estimators that fail for the same reason share a sentence.
        reasons: dict[str, list[str]] = {}
        for row in found["critical_scales"]:
            if row["verdict"] != "boundary":
                reasons.setdefault(f"{row['verdict']}: {row['reason']}", []).append(row["estimator"])
        told += [f"A boundary by {_and(names)}: {reason}." for reason, names in reasons.items()]
        unsettled = sum(not step["settled"] for step in found["diagnosis"]["steps"])
        if unsettled:
            steps = len(found["diagnosis"]["steps"])
            told.append(f"The sign of {unsettled} of {steps} steps: score noise alone could turn it.")
    elif len(found["diagnosis"]["rows"]) < 3:
        told.append("A lab's own slope: it takes at least three releases.")
    return [*told, *found["diagnosis"]["notes"]]


def commands(plan: Plan, part: Part, found: dict[str, Any]) -> list[tuple[str, str]]:
    """What to run next: (why, command) pairs, ready for a shell."""
    if part.kind == "frontier":
        return []
    told = []
    pair = [name for name in (part.x, part.y) if name in measuring.LEADERBOARD_TASKS]
    for benchmark in pair:
        for line in measuring.commands(plan.scores, [benchmark]):
            told.append((f"{tables.label(benchmark)} of the sizes that lack it", line))
    size = found["next_size"]
    for benchmark in pair:
        shots = measuring.shots_of(part.rows, benchmark)
        why = f"{tables.label(benchmark)} of a size near {size['params_b']:.2g} B ({size['why']})"
        told.append((why, measuring.command(benchmark, "YOUR_CHECKPOINT", shots=shots)))
    if part.kind == "base":
        others = [name for name in measuring.LEADERBOARD_TASKS if name not in BASE_PAIR]
        told += [("the other three benchmarks, for the pairs and the dimension of chapter 1", line)
                 for line in measuring.commands(plan.scores, others)]  # fmt: skip
    return told


def page(plan: Plan, found: Sequence[dict[str, Any]]) -> Any:
    """The first page as an executed notebook (nbformat): Markdown, and figures as the book shows them."""
    from nbformat import v4

    cells: list[Any] = [v4.new_markdown_cell("# What your scores say")]
    for part, one in zip(plan.parts, found, strict=True):
        cells += [v4.new_markdown_cell(text) for text in _words(plan, part, one)[:2]]
        cells += [_shown(figure) for figure in _figures(plan, part)]
        cells += [v4.new_markdown_cell(text) for text in _words(plan, part, one)[2:]]
    notes = [*plan.notes]
    if notes:
        cells.append(v4.new_markdown_cell("## About this run\n\n" + _bullets(notes)))
    for number, cell in enumerate(cells):
        cell["id"] = f"own-{number:02d}"
    return v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def _words(plan: Plan, part: Part, found: dict[str, Any]) -> list[str]:
    answers = found["diagnosis"]["answers"]
    unit = "releases" if part.kind == "frontier" else "sizes"
    pair = f"{tables.label(part.x)} and {tables.label(part.y)}"
    head = f"## What {len(part.rows)} {unit} say about {pair}\n\n**{answers['headline']}**\n\n{answers['phase']}"
    sure = f'<div class="cape-sure">\n\n**How sure?** {answers["sure"]}\n\n</div>\n\n{answers["compared"]}'
    texts = [head, sure]
    own = part.kind == "frontier"
    texts.append(_trajectory(found["diagnosis"]) if own else _scales(found["critical_scales"]))
    limits = _bullets(cannot_show(found)) or "Nothing that this report asks."
    texts.append("### What these scores cannot show\n\n" + limits)
    texts.append(_next(answers, found["diagnosis"]["advice"], commands(plan, part, found)))
    return texts


def _scales(rows: Iterable[dict[str, Any]]) -> str:
    lines = ["### Where it turns", "", "| estimator | N_c, billions | 95 % of the noise draws | verdict |"]
    lines.append("|---|---|---|---|")
    for row in rows:
        low = "below every size" if row["low"] == 0 else f"{row['low']:.3g}"
        high = "beyond every size" if math.isinf(row["high"]) else f"{row['high']:.3g}"
        size = "none in these sizes" if math.isnan(row["n_c_b"]) else f"{row['n_c_b']:.3g}"
        between = "unknown" if math.isnan(row["low"]) else f"{low} to {high}"
        lines.append(f"| {row['estimator']} | {size} | {between} | {row['verdict']} |")
    return "\n".join(lines)


def _trajectory(found: dict[str, Any]) -> str:
    lines = ["### Release by release", "", "| release | h, points | 95 % of new releases | change | reading |"]
    lines.append("|---|---|---|---|---|")
    for row in found["trajectory"]:
        between = f"{row['interval']['low']:+.1f} to {row['interval']['high']:+.1f}"
        change = "" if row["change"] is None else f"{row['change']:+.1f} (noise ±{row['change_noise']:.1f})"
        name = row["model"] if not row["known"] else f"{row['model']} (published)"
        lines.append(f"| {name} | {row['h']:+.1f} | {between} | {change} | {row['kind']} |")
    return "\n".join(lines)


def _next(answers: dict[str, str], advice: list[dict[str, str]], lines: list[tuple[str, str]]) -> str:
    text = ["### What to do next", "", answers["move"], "", answers["measure"], ""]
    text += [f"- **{rule['topic']}** ({rule['strength']}): {rule['advice']} {rule['evidence']}" for rule in advice]
    for why, line in lines:
        text += ["", f"{why[0].upper()}{why[1:]}:", "", "```bash", line.replace(" --", " \\\n  --"), "```"]
    return "\n".join(text)


def _figures(plan: Plan, part: Part) -> list[Any]:
    if part.kind == "frontier":
        return []
    from cape_lib.charts import coupling as draw
    from cape_lib.charts import look

    look.register(background=None)  # as on a page of the book, whatever runs this
    rows = part.rows.assign(family=plan.name, ladder=plan.name)
    gammas = coupling.local_coupling(rows, x=part.x, y=part.y)
    source = f"your scores ({plan.name})"
    plane = draw.ladder_plane(rows, gammas, x=part.x, y=part.y, source=source)
    sure = draw.sure_steps(gammas)
    title = f"{plan.name}: {sure} of {len(gammas)} steps have an interval on one side of zero"
    steps = draw.local_couplings(gammas, x=part.x, y=part.y, title=title, source=source, name="own-steps")
    return [replace(plane, name="own-plane"), steps]


def _shown(figure: Any) -> Any:
    from nbformat import v4

    output = v4.new_output("display_data", data={"text/html": figure.to_html(), "text/plain": figure.title})
    return v4.new_code_cell("", outputs=[output], metadata={"tags": ["remove-input"]}, execution_count=1)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
