"""What a diagnosis compares with: panels, trends, lines and constants, as plain data that the browser reads as well."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import numpy as np
import pandas as pd

import cape_lib
from cape_lib import tables
from cape_lib.base import boundary, coupling, levers
from cape_lib.dashboard import wording
from cape_lib.dashboard.wording import Plain, records
from cape_lib.frontier import effort, variants
from cape_lib.frontier.lines import BALANCED, EXCURSION, LEVEL, LINES, RATIOS, FrontierLine, X, Y, beside_curve, line
from cape_lib.frontier.trajectory import THRESHOLD, change_limit, within_lab_scatter
from cape_lib.ingest import task_table
from cape_lib.stats import LEAST_CLUSTERS, Z95, Floats, seen_difference, seen_share, student
from cape_lib.tables import model_names
from cape_lib.tables.axes import KNOWN, NAMES, RAW_FLOPS, WIDE, axis_named
from cape_lib.tables.columns import MEASURES, TEXT
from cape_lib.tables.columns import table as column_table
from cape_lib.tables.one_family import BETWEEN_RUNS
from cape_lib.tables.scores import ABSENT, PROTOCOL_KINDS
from cape_lib.tables.variants import OMNISCIENCE_QUESTIONS

#: the panel of the base comparisons: 148 models measured by one harness
BASE_PANEL = "uniform"
FRONTIER_PANEL = "current"
#: known and given releases of one lab together; more take the limit of so many
MOST_RELEASES = 120
#: numbers of sizes with a promise of their own; more sizes take that of the largest
MOST_PROMISED = 20


@cache
def kit() -> Plain:
    """The reference of every diagnosis, JSON-ready; computed once from the tables.

    Keys: constants (z95, seen, nodes, weights, items, labels, ratios), `base` (rows of the uniform panel, with
    sources), `trends` (score on log10 N of the web-trained rows), `steps` (known local couplings), `dimension` (d_eff
    of the panel), `frontier` (releases and lines), `today` (variants of one laboratory), `power` (of calling a
    boundary), `promises` (how often its intervals are right), the `rules` of advice, `words`, `answers`, `questions`,
    `views`, `checks`, the `forms` with the `short` names of their columns, `examples`.
    """
    base = known_models()
    nodes, weights = np.polynomial.legendre.leggauss(48)
    return {
        "version": cape_lib.__version__,
        "z95": Z95,
        "seen": seen_difference(1.0),
        "t95": [None, *(student(0.95, freedom) for freedom in range(1, known_steps()["family"].nunique()))],
        "nodes": nodes.tolist(),
        "weights": weights.tolist(),
        "items": dict(tables.ITEM_COUNTS),
        "labels": dict(tables.LABELS),
        "base_benchmarks": list(tables.BASE_BENCHMARKS),
        "mmlu": task_table()["mmlu_subjects"],
        "columns": column_table() | {"no_scores": sorted(TEXT | MEASURES)},
        "results": _results(),
        "axes": {name: asdict(axis_named(name)) for name in NAMES if name != "params"},
        "no_axes": sorted(TEXT | set(KNOWN)),
        "wide": WIDE,
        "raw_flops": RAW_FLOPS,
        "ratio": boundary.RATIO,
        "frontier_ratios": {"gpqa_diamond": RATIOS[X, Y], "ifeval": RATIOS[Y, "ifeval"]},
        "base": _base(base),
        "trends": trends(),
        "steps": records(known_steps()[["family", "size_b", "gamma", "phase", "tokens_b"]]),
        "near": coupling.NEAR,
        "least_clusters": LEAST_CLUSTERS,
        "token_edge": coupling.TOKEN_EDGE,
        "between_runs": BETWEEN_RUNS,
        "readings": _readings(base),
        "dimension": _dimension(base),
        "frontier": _frontier(),
        "today": _today(),
        "power": boundary.power_table(),
        "promises": {
            name.replace(" ", "_"): [promised(name, n) for n in range(MOST_PROMISED + 1)]
            for name in boundary.ESTIMATORS
        },
        "rules": wording.rules(),
        "questions": wording.QUESTIONS,
        **{name: wording.templates(name) for name in ("words", "answers", "views", "checks")},
        "short": wording.templates("forms")["labels"],
        "forms": _forms(),
        "examples": examples(),
    }


def _forms() -> Plain:
    """The form of each tab (`forms.json`), with the lines, labs and generations that one may choose.

    A choice is a value and the words for it, where they are not the value itself.
    """
    forms = dict(wording.templates("forms")["tabs"])
    labs = sorted(tables.frontier(FRONTIER_PANEL).dropna(subset=[X, Y])["lab"].unique())
    generations = variant_rows()["generation"].value_counts()
    several = sorted(generations.index[generations > 1])
    release = {
        "line": [[name, f"{name}: {about}"] for name, about in LINES.items()],
        "lab": [["", "not said"], *([name] for name in labs)],
    }
    generation = [["", "not named"], *([name] for name in several)]
    today = forms["today"]
    forms["release"] = forms["release"] | {"options": release}
    forms["today"] = today | {"options": today["options"] | {"generation": generation}}
    return forms


@cache
def promised(estimator: str, sizes: int) -> str:
    """How often the interval of an estimator of a boundary is right at so many sizes, in words (`tables.promise`)."""
    return tables.promise("critical scales", estimator, n=min(sizes, MOST_PROMISED))


@cache
def variant_rows() -> pd.DataFrame:
    """The variants that a model of today is compared with, as of `variants.readings`, and whether each `ran_out`.

    Smallest first, those without a size last; of one size in order of GPQA.
    """
    rows = variants.readings()
    rows = rows.assign(ran_out=variants.truncation(rows)["set_aside"])
    return rows.sort_values(["params_b", variants.REASONING, "model"], ignore_index=True)


def _columns(frame: pd.DataFrame) -> Plain:
    """A table as its columns and rows: shorter than records."""
    return {"columns": list(frame), "rows": [list(row.values()) for row in records(frame)]}


def _today() -> Plain:
    """The variants as columns and rows, with what is known of efforts and of variants that ran out."""
    rows = variant_rows()
    columns = ["model", "lab", "generation", "weights", "mode", "ran_out", "params_b", *variants.PLACE]
    ladders = effort.effort_ladders(rows)
    return _columns(rows.assign(weights=pd.factorize(rows["weights"])[0])[columns]) | {
        "questions": OMNISCIENCE_QUESTIONS,
        "facts": {
            "known": len(rows),
            "ladders": len(ladders),
            "ladders_fell": int((ladders[variants.ADMITS] < 0).sum()),
            "ladders_rose": int((ladders[variants.WRONG] > 0).sum()),
            "ran_out": int(rows["ran_out"].sum()),
            "tokens": f"{variants.MANY_TOKENS:,}",
            "questions": f"{OMNISCIENCE_QUESTIONS:,}",
            "data_end": variants.DATA_END,
        },
    }


def _results() -> Plain:
    """How results files are read: task -> column and metric of each tool, usual shots, parts of protocols, names.

    Tasks are those of benchmarks whose number of questions is known.
    """
    tools = {tool: task_table()["tools"][tool] for tool in ("lm-eval 0.4", "lm-eval 0.3", "leaderboard v1")}
    known = {*tables.ITEM_COUNTS, "truthfulqa_mc1"}
    return {
        "tasks": {
            tool: {task: list(metrics.items()) for task, metrics in tasks.items() if set(metrics) <= known}
            for tool, tasks in tools.items()
        },
        "usual_shots": task_table()["usual_shots"],
        "protocols": {"kinds": PROTOCOL_KINDS, "absent": ABSENT},
        "names": model_names.patterns(),
    }


def known_models() -> pd.DataFrame:
    """The models that base scores are compared with."""
    return tables.base(BASE_PANEL)


@cache
def trends() -> dict[str, Plain]:
    """By benchmark, the trend of web-trained models that one model is held against."""
    return {name: levers.web_trend(known_models(), name) for name in ("hellaswag", "truthfulqa")}


@cache
def known_steps() -> pd.DataFrame:
    """Every known step between neighbouring sizes (`coupling.known_steps`), the same as on the first page."""
    return coupling.known_steps(known_models())


def _readings(panel: pd.DataFrame) -> dict[str, int]:
    """On how many known steps (`n`) each reading of the papers' curve is right, and the guess "always negative"."""
    steps = boundary.classify(panel)
    return {"n": len(steps)} | {name.split(" ")[0]: int(steps[name].sum()) for name in boundary.READINGS}


def _base(panel: pd.DataFrame) -> Plain:
    """The panel as columns and rows; a source stands once in a list."""
    places, sources = pd.factorize(panel["source"], sort=True)
    columns = ["model", "family", "params_b", "hellaswag", "truthfulqa", "source"]
    named = [{"name": source, "url": tables.source_url(source)} for source in sources]
    spreads = base_places(panel).std(axis=0).tolist()
    return _columns(panel.assign(source=places)[columns]) | {"panel": BASE_PANEL, "sources": named, "spreads": spreads}


def base_places(rows: pd.DataFrame) -> Floats:
    """Where base models lie, (n, 3): log10 of the size, HellaSwag and TruthfulQA."""
    return np.column_stack([np.log10(rows["params_b"]), rows[["hellaswag", "truthfulqa"]]])


def _dimension(panel: pd.DataFrame) -> Plain:
    fit = coupling.effective_dimension(panel)
    return {
        "panel": BASE_PANEL,
        "n": fit.estimate.n,
        "estimate": fit.estimate.estimate,
        "interval": wording.interval(fit.estimate.low, fit.estimate.high),
        "promise": tables.promise("effective dimension", "bootstrap", n=fit.estimate.n),
        "benchmarks": list(tables.BASE_BENCHMARKS),
        "eigenvalues": fit.eigenvalues.tolist(),
        "vectors": fit.vectors.T.tolist(),
    }


def _frontier() -> Plain:
    rows = tables.frontier(FRONTIER_PANEL).sort_values(["released", "model"])
    both = rows.dropna(subset=[X, Y])
    above = beside_curve(both)["above"]
    releases = both.assign(
        date=both["release_date"].astype(str),
        day=(both["released"] - pd.Timestamp("1970-01-01")).dt.days,  # a browser need not read vague dates
        url=both[f"{Y}_source"].map(tables.source_url),
    )
    return {
        "panel": FRONTIER_PANEL,
        "excursion": EXCURSION,
        "balanced": BALANCED,
        "curve": {"n": len(above), "below": int((~above).sum()), "seen": 100 * seen_share(len(above))},
        "releases": records(releases[["model", "lab", "date", "day", *tables.FRONTIER_BENCHMARKS, "url"]]),
        "lines": {name: {"about": about} | _line(line(name), both) for name, about in LINES.items()},
    }


def _line(chosen: FrontierLine, rows: pd.DataFrame) -> Plain:
    """A frontier line as plain data: what `FrontierLine.reach` and `interval` take, and by the number of releases in a
    lab's sequence the limit of `frontier.changes`."""
    scatter = within_lab_scatter(rows, chosen=chosen)
    limits = [max(THRESHOLD, float(change_limit(*scatter, n))) for n in range(2, MOST_RELEASES + 1)]
    own = ("name", "panel", "date", "slope", "intercept", "scatter")
    return {
        **{name: getattr(chosen, name) for name in own},
        **{name: getattr(chosen.fit, name) for name in ("n", "mean_x", "spread_x", "r")},
        "t": student(LEVEL, chosen.fit.n - 2),
        "change_limits": [None, None, *limits],
    }


def examples() -> list[Plain]:
    """Each of `examples.json`: key, label, tab ("model", "family", "release", "pair", "today"), the state of the tab.

    Values are those of the tables: the published panel, so that chapters, claims and page speak of the same rows. An
    example whose rows are not all in the tables is left out.
    """
    base = tables.base("published").dropna(subset=["hellaswag", "truthfulqa"])
    base = base[~base["instruct"].fillna(False).astype(bool)].drop_duplicates(["family", "ladder", "params_b"])
    releases = tables.frontier("published")
    panels = {
        "release": (releases.assign(date=releases["release_date"]), ("date", *tables.FRONTIER_BENCHMARKS)),
        "today": (variants.readings(), variants.PLACE),
    }
    listed = []
    for item in wording.templates("examples"):
        tab, by, state, wanted = item["tab"], item["by"], item.get("state", {}), item["rows"]
        pair = state.values() if tab == "pair" else tables.BASE_BENCHMARKS
        rows, columns = panels.get(tab, (base.sort_values("params_b"), ("params_b", *pair)))
        part = rows[rows[by].isin(wanted)]
        if tab in panels:
            part = part.sort_values(by, key=lambda names, order=wanted: names.map(order.index))
        if len(part) < (1 if tab in ("model", "release") else 2):
            continue
        table = records(part[["model", *columns]])
        shown: Plain = {"row": table[0]} if tab == "model" else {"rows": table}
        shown |= {name: part[name].iloc[-1] for name in item.get("take", ())} | state
        listed.append({name: item[name] for name in ("key", "label", "tab")} | {"state": shown})
    return listed
