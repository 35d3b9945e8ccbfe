"""The first page of a report: what the person's own scores say, what they cannot show, what to run next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling
from cape_lib.dashboard.known import diagnose_release
from cape_lib.dashboard.one_family import diagnose_family, diagnose_pairs, open_pairs, sentence
from cape_lib.output import plain
from cape_lib.report.family.measuring import next_point, next_size, stderr_columns
from cape_lib.report.family.planning import Part
from cape_lib.story import listed

#: every name, in a sentence
_and = partial(listed, most=1_000)
#: The words of the first page, for a reader who has not come to the chapters yet.
WORDS = (
    "*gamma* is points of {y} won or lost for each point of {x} between two {points}. Below −0.1 a step is a **tax**, "
    "above 0.1 a **bonus**, in between a **transition**. An interval in brackets holds 95 %. "
    "*z* is a change over its standard error, beyond 2 more than noise; *P(gamma below zero)* how likely a loss is, "
    "given the noise of the scores."
)
ESTIMATORS = (
    "Four estimators look for the size N_c at which falling turns to rising; chapter 2 explains them, and they answer "
    "different questions."
)
PLACES = "Four estimators look for the place {where} at which falling turns to rising; they answer different questions."
STDERR = "For a score p (percent) of n questions it is $\\sqrt{p(100-p)/n}$."
PAIR_WORDS = (
    "Models of one size, side by side: each change is in points, with half of its 95 % interval behind ±. "
    "The changes of {y} and of {x} are asked of every pair; p is corrected for that (Holm)."
)
H_WORDS = (
    "*h* is how far a release lies above (+) or below (−) the GPQA Diamond score that its SWE-bench score leads one to "
    "expect. The interval is where a new release of any lab falls 19 times in 20."
)


def diagnose(part: Part) -> dict[str, Any]:
    """One analysis as JSON holds it: `kind`, `x`, `y`, `diagnosis`, and what to measure next with its reason.

    That is `next_size`, beside `critical_scales`, for sizes; `next_point`, beside `axis`, along another axis.
    """
    rows, x, y = part.rows, part.x, part.y
    answer: dict[str, Any] = {"kind": part.kind, "x": x, "y": y}
    if part.kind == "frontier":
        name = str(rows["family"].iloc[0])
        lab = name if name in set(tables.frontier("current")["lab"]) else None
        answer |= {"diagnosis": diagnose_release(rows, lab=lab)}
    elif part.kind == "path":
        path = diagnose_family(rows, x=x, y=y, along=part.along, beside=part.beside)
        answer |= {"axis": part.along.name, "diagnosis": path, "next_point": next_point(rows, part.along, path)}
    elif part.kind == "pairs":
        answer |= {"diagnosis": diagnose_pairs(rows, part.by, x=x, y=y)}
    else:
        scales = boundary.critical_scales(rows, x=x, y=y)
        answer |= {"diagnosis": diagnose_family(rows, x=x, y=y, scales=scales)}
        answer |= {"critical_scales": scales.to_dict("records"), "next_size": next_size(rows, scales)}
    as_json: dict[str, Any] = plain(answer)
    return as_json


def cannot_show(analysis: dict[str, Any]) -> list[str]:
    """What the scores of one analysis cannot show, a sentence each."""
    kind, diagnosis = analysis["kind"], analysis["diagnosis"]
    limits = []
    if kind == "pairs":
        if still := open_pairs(diagnosis):
            limits.append(f"A difference of {_and(still)}: score noise covers it, or its noise is not known.")
    elif kind == "frontier":
        trail = [row for row in diagnosis["trajectory"] if not row["known"]]
        inside = [row["model"] for row in trail if row["interval"]["low"] <= 0 <= row["interval"]["high"]]
        if inside:
            which = f"any of {_and(inside)}" if len(inside) > 1 else inside[0]
            limits.append(f"That {which} lies off the line at all: zero is inside the interval of h.")
        changed = [row for row in trail if row["change"] is not None]
        if noisy := [row["model"] for row in changed if abs(row["change"]) <= row["change_noise"]]:
            limits.append(f"A change of h up to {_and(noisy)}: the noise of the questions covers it.")
        if len(diagnosis["rows"]) < 4:
            limits.append("A slope of your own: chapter 6 gives one to labs with at least four releases.")
        limits.append("What the training aimed at: h is one number, and many causes move it.")
    else:
        what, whole = ("turn", "path") if kind == "path" else ("boundary", "ladder")
        # Estimators that fail for the same reason share a sentence.
        reasons: dict[str, list[str]] = {}
        for name, row in _estimates(analysis).items():
            if row["verdict"] != "boundary":
                reasons.setdefault(row["reason"], []).append(name)
        limits += [f"A {what} by {_and(names)}: {reason}." for reason, names in reasons.items()]
        steps, over = diagnosis["steps"], diagnosis["whole"]
        if len(steps) > 1 and over["p_negative"] is not None and not over["settled"]:
            limits.append(f"The sign over the whole {whole}: score noise alone could turn it.")
        unknown, unsettled = (
            sum(step["p_negative"] is None for step in steps),
            sum(not step["settled"] for step in steps),
        )
        if unknown or unsettled:
            why = "how noisy the scores are is not known" if unknown else "score noise alone could turn it"
            limits.append(f"The sign of {unknown or unsettled} of {len(steps)} steps: {why}.")
    return [*limits, *diagnosis["notes"]]


def _estimates(analysis: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Estimator -> its estimate of a turn."""
    if analysis["kind"] == "path":
        return {name.replace("_", " "): row for name, row in analysis["diagnosis"]["boundary"].items()}
    return {row["estimator"]: row for row in analysis["critical_scales"]}


def opening(part: Part, name: str) -> tuple[str, Any, str]:
    """How the report on one analysis begins: the headline and how sure it is (Markdown), its figure, its limits.

    name: of the family, as the report shows it.
    """
    analysis = diagnose(part)
    answers = analysis["diagnosis"]["answers"]
    sure = f'<div class="cape-sure">\n\n**How sure?** {answers["sure"]}\n\n</div>'
    text = "\n\n".join([headline(part, analysis), sure, answers["compared"]])
    return text, figures(name, part, analysis)[-1], bullets(cannot_show(analysis))


def headline(part: Part, analysis: dict[str, Any]) -> str:
    """What the scores say, what the words mean, and in which phase (Markdown)."""
    answers = analysis["diagnosis"]["answers"]
    pair = f"{tables.label(part.x)} and {tables.label(part.y)}"
    points = {"frontier": "releases", "pairs": "models"}.get(part.kind, part.along.points)
    count = f"{len(part.rows)} {points} say" if len(part.rows) > 1 else "one release says"
    words = {"frontier": H_WORDS, "pairs": PAIR_WORDS}.get(part.kind, WORDS)
    words = words.format(x=tables.label(part.x), y=tables.label(part.y), points=part.along.points)
    phase = answers["phase"][0].upper() + answers["phase"][1:]
    return f"What {count} about {pair}: **{answers['headline']}**\n\n{words}\n\n{phase}"


def numbers(part: Part, analysis: dict[str, Any]) -> str:
    """The numbers of an analysis one by one (Markdown): turns of a path, releases, pairs, or critical sizes."""
    diagnosis, names = analysis["diagnosis"], (tables.label(part.x), tables.label(part.y))
    if part.kind == "pairs":
        return bullets(sentence(pair, *names) for pair in diagnosis["pairs"])
    if part.kind == "frontier":
        rows = []
        for row in diagnosis["trajectory"]:
            name = row["model"] if not row["known"] else f"{row['model']} (published)"
            between = f"{row['interval']['low']:+.1f} to {row['interval']['high']:+.1f}"
            change = "" if row["change"] is None else f"{row['change']:+.1f} (noise ±{row['change_noise']:.1f})"
            rows.append([name, f"{row['h']:+.1f}", between, change, row["kind"]])
        return _table(["release", f"h, points ({diagnosis['line']['name']} line)", "95 %", "change", "reading"], rows)
    estimates, along = _estimates(analysis), part.along
    if part.kind == "path":
        rows = [
            [name, row["text"] or f"none in these {along.points}", row["verdict"]] for name, row in estimates.items()
        ]
        table = _table(["estimator", "turn, with 95 % of the noise draws", "verdict"], rows)
        return f"{PLACES.format(where=along.where)}\n\n{table}"
    rows = []
    for name, row in estimates.items():
        size, high = _size(row["n_c_b"], "none in these sizes"), _size(row["high"], "beyond every size")
        low = "below every size" if row["low"] == 0 else _size(row["low"], "unknown")
        rows.append([name, size, "unknown" if row["low"] is None else f"{low} to {high}", row["verdict"]])
    table = _table(["estimator", "N_c, billions", "95 % of the noise draws", "verdict"], rows)
    counts = [int(row["n"]) for row in estimates.values()]
    promise = tables.promises("critical scales", [*estimates], n=counts[0]) if counts else ""
    return "\n\n".join([ESTIMATORS, table, promise] if promise else [ESTIMATORS, table])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def _size(value: float | None, without: str) -> str:
    return without if value is None else f"{value:.3g}"


def about(report: Mapping[str, Any]) -> str:
    """Which parameters are the size, and what the person should know of the table (Markdown)."""
    sized = any(part["kind"] not in ("frontier", "path") for part in report["parts"])
    sizes = [f"Sizes are {report['size_measure']} parameters."] if sized else []
    return bullets([*sizes, *report["notes"]]) or "Nothing was left out."


def what_next(part: Part, analysis: dict[str, Any]) -> str:
    """What would move the answer, and what to measure next (Markdown)."""
    answers, advice = analysis["diagnosis"]["answers"], analysis["diagnosis"]["advice"]
    rules = [f"- **{rule['topic']}** ({rule['strength']}): {rule['advice']} {rule['evidence']}" for rule in advice]
    text = [answers["move"], answers["measure"], "\n".join(rules)]
    if part.kind not in ("frontier", "pairs"):
        if columns := stderr_columns(part, analysis):
            named = _and([f"`{name}`" for name in columns])
            text.append(f"To say how sure: add {named} to the table, in points. {STDERR}")
        if part.kind == "path":
            point, near = analysis["next_point"], analysis["next_point"]["text"]
        else:
            point, near = analysis["next_size"], f"{analysis['next_size']['params_b']:.2g} B"
        text.append(f"The {part.along.point} that would say most: near {near}, {point['why']}.")
    return "\n\n".join(text)


def ready_to_run(lines: Iterable[Mapping[str, str]]) -> str:
    """Commands, each with its reason (Markdown)."""
    text: list[str] = []
    for row in lines:
        why, command = row["why"], row["command"].replace(" --", " \\\n  --")
        text += [f"{why[0].upper()}{why[1:]}:", "", "```bash", command, "```", ""]
    return "\n".join(text)


def figures(name: str, part: Part, analysis: dict[str, Any]) -> list[Any]:
    """The figures of one analysis; name: of the family, as the report shows it."""
    from cape_lib.charts import look

    look.register(background=None)  # as on a page of the book, whatever runs this
    if part.kind == "frontier":
        return [_releases_figure(name, part)]
    from cape_lib.charts import base as draw

    if part.kind == "pairs":
        compared = analysis["diagnosis"]
        title = f"{name}: {compared['answers']['headline'].rstrip('.')}"
        pairs, source = pd.DataFrame(compared["pairs"]), f"your scores ({name})"
        return [draw.pairs_of_one_size(pairs, x=part.x, y=part.y, title=title, source=source)]

    rows = part.rows.assign(family=name, ladder=name)
    along = part.along
    gammas = coupling.local_coupling(rows, x=part.x, y=part.y, along=along)
    source = f"your scores ({name})"
    plane = draw.ladder_plane(rows, gammas, x=part.x, y=part.y, source=source, along=along)
    whole = analysis["diagnosis"]["whole"]
    sure = sum(step["settled"] for step in analysis["diagnosis"]["steps"])
    title = f"{name}: {sure} of {len(gammas)} steps have a sign beyond score noise"
    if gammas["p_negative"].isna().all():
        title = f"{name}: {len(gammas)} steps, and no interval, for the noise of the scores is not known"
    elif len(gammas) > 1:
        title = (
            f"{name}: {whole['dy']:+.1f} points of {tables.label(part.y)} over {along.path} "
            f"(z = {whole['z']:+.1f}), {sure} of {len(gammas)} steps with a sign beyond score noise"
        )
    steps = draw.local_couplings(gammas, x=part.x, y=part.y, title=title, source=source, name="own-steps", along=along)
    return [replace(plane, name="own-plane"), steps]


def _releases_figure(name: str, part: Part) -> Any:
    """The frozen line and its band with the person's releases picked out among the papers' ones."""
    from cape_lib import frontier
    from cape_lib.charts import frontier as draw

    known, line = frontier.frozen_rows(tables.frontier("published")), frontier.line("frozen")
    own = part.rows.assign(lab=name)
    own = own.assign(release_date=own.get("release_date", ""), released=pd.Series(pd.NaT, index=own.index))
    h = frontier.h_field(pd.concat([known, own]), chosen=line)
    mine = h[h["lab"] == name]
    inside = int(((mine["h_low"] <= 0) & (mine["h_high"] >= 0)).sum())
    title = f"{name}: {inside} of {len(mine)} releases lie where the frozen line expects a new one"
    drawn = draw.releases(h, line, own=name, source=f"frontier panel as published; your scores ({name})")
    return replace(drawn, name="own-releases", title=title)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
