"""One model, frontier releases, a model of today: each held against what is known of others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.base.coupling import NEAR, TOKEN_EDGE, base_rate
from cape_lib.base.levers import beside_trend
from cape_lib.dashboard.kit import FRONTIER_PANEL, base_places, kit, known_models, known_steps, trends, variant_rows
from cape_lib.dashboard.wording import Plain, answered, interval, number, records
from cape_lib.errors import UsageError
from cape_lib.frontier import variants
from cape_lib.frontier.lines import BALANCED, EMPHASES, RATIOS, FrontierLine, X, Y
from cape_lib.frontier.saturation import BEST, ROTATE_BELOW
from cape_lib.frontier.variants import ADMITS, KNOWS, PLACE, PRECISION, REASONING, WRONG
from cape_lib.names import suggest
from cape_lib.stats import RATIO, ROUNDED_Z95, isocline, score_sd, seen_difference
from cape_lib.tables.frontier import middle

PAIR = ("hellaswag", "truthfulqa")
#: gamma for which the suggested second size would tell the sign
TYPICAL_GAMMA = 0.3
#: mean squared distance from the trends, in standard deviations, beyond which scores may be swapped
FAR = 9.0
#: the axes whose saturation is told, old and new
AXES = ((X, Y), (X, "hle"), (Y, "hle"), (Y, "ifeval"))
#: what a release has besides its interval
_RELEASE = (
    *("model", "date", "x", "y", "expected", "h", "outside", "noise_sd", "phase", "emphasis", "gpqa_critical"),
    *("ifeval", "ifeval_critical", "ifeval_above", "ordinary_low", "ordinary_high"),
)
#: sizes count as alike within this factor
ALIKE = 2.0


# ---- one model ----


def diagnose_model(model: Mapping[str, Any]) -> Plain:
    """What two scores of one model say beside the known models.

    model: params_b (billions), hellaswag, truthfulqa (percent), optionally model (name), arc_challenge, winogrande,
        mmlu (percent), metric ("mc2", "mc1"), hellaswag_shots, truthfulqa_shots; already checked.
    Returns plain data: `trend` (residual of each score from the web-trained models of that size, points, with the 95 %
    prediction interval), `curve` (the papers' curve in both readings), `nearest` (known models, with sources), `steps`
    (known steps near that size), `second` (how far away a second size must score), `answers`, `advice`, `notes`.
    Phase is never made from one model: `phase` is None.
    """
    comparable = model.get("metric", "mc2") != "mc1"
    size, (x, y) = float(model["params_b"]), (float(model[name]) for name in PAIR)
    trend = {name: residual(trends()[name], size, score) for name, score in zip(PAIR, (x, y), strict=True)}
    noise_x, noise_y = (ROUNDED_Z95 * float(score_sd(score, name)) for name, score in zip(PAIR, (x, y), strict=True))
    gap = math.sqrt(2) * noise_y
    seen = seen_difference(gap / ROUNDED_Z95)
    diagnosis: Plain = {
        "kind": "model",
        "phase": None,
        "name": model.get("model") or "This model",
        "params_b": size,
        "hellaswag": x,
        "truthfulqa": y,
        "comparable": comparable,
        "trend": trend,
        "noise": noise_y,
        "curve": _curve(x, y),
        "steps": base_rates(size),
        "nearest": neighbours(size, x, y) if comparable else [],
        "second": {"dy": gap, "dx": gap / TYPICAL_GAMMA, "dx_least": math.sqrt(2) * noise_x},
    }
    shots = {name: model.get(f"{name}_shots") for name in PAIR}
    facts = {
        "residual_size": abs(trend["truthfulqa"]["residual"]),
        "token_edge": TOKEN_EDGE,
        "typical": TYPICAL_GAMMA,
        "seen": {"dy": seen, "dx": seen / TYPICAL_GAMMA},
        "shots": {name: None if value is None else int(value) for name, value in shots.items()},
        "swapped": perhaps_swapped([(size, x, y)]),
    }
    whole = answered(diagnosis, facts)
    return whole if comparable else whole | {"advice": []}


def residual(trend: Plain, size: float, score: float) -> Plain:
    """Score less the trend at this size (points), with where one more web-trained model would lie around it.

    `interval`: residual plus and minus the exact 95 % prediction half-width: where it holds zero, the model is as one
    expects; `outside`; `within_range`: the size lies among those of the trend.
    """
    expected, half = beside_trend(trend, size)
    off = score - expected
    return {
        "expected": expected,
        "residual": off,
        "half": half,
        "interval": interval(off - half, off + half),
        "outside": abs(off) > half,
        "z": off / (half / trend["t95"]),
        "within_range": trend["low_b"] <= size <= trend["high_b"],
        **{name: trend[name] for name in ("n", "low_b", "high_b")},
    }


def perhaps_swapped(rows: Sequence[tuple[float, float, float]]) -> bool:
    """Whether (size, HellaSwag, TruthfulQA) rows lie far from the web trends as given and near them when exchanged."""

    def distance(place: tuple[int, int]) -> float:
        z = [residual(trends()[name], row[0], row[i])["z"] for row in rows for name, i in zip(PAIR, place, strict=True)]
        return float(np.mean(np.square(z)))

    usual = distance((1, 2))
    return usual > FAR and distance((2, 1)) < usual / 4


def base_rates(size: float) -> Plain:
    """`coupling.base_rate` of a tax near this size as plain data: n, tax, negative (gamma below 0), the share of a tax
    (0-1) and its interval; `low_b` to `high_b` (billions) is near.

    `few_n`, `few_tax`, `few_negative`, `many_...`: the same among families trained on fewer tokens than
    `coupling.TOKEN_EDGE` and on more, where that is known.
    """
    steps = known_steps()
    sides = {"": steps, "few_": steps[steps["tokens_b"] < TOKEN_EDGE], "many_": steps[steps["tokens_b"] >= TOKEN_EDGE]}
    rates = {side: base_rate(part, size) for side, part in sides.items()}
    share = rates[""].share
    near = {"low_b": size / NEAR, "high_b": size * NEAR, "share": number(share.estimate)}
    counts = (("n", "steps"), ("tax", "tax"), ("negative", "negative"))
    return near | {
        "interval": interval(share.low, share.high),
        **{f"{side}{name}": getattr(rate, of) for side, rate in rates.items() for name, of in counts},
    }


def _curve(x: float, y: float) -> Plain:
    """The papers' curve at this HellaSwag score, what its two readings say, and how often each is right."""
    critical = float(isocline(x))
    above = y > critical
    sides = ("together", "against each other")
    readings = dict(zip(("stated", "reversed"), sides if above else sides[::-1], strict=True))
    curve = {"ratio": RATIO, "critical": critical, "margin": y - critical, "above": above}
    return curve | readings | {"record": kit()["readings"]}


def neighbours(size: float, x: float, y: float, most: int = 5) -> list[Plain]:
    """The known models nearest in log10 size, HellaSwag and TruthfulQA (each divided by its spread), nearest first."""
    rows = known_models()
    away = (base_places(rows) - [math.log10(size), x, y]) / kit()["base"]["spreads"]
    near = rows.assign(distance=np.sqrt((away**2).sum(axis=1))).sort_values(["distance", "model"]).head(most)
    columns = ["model", "family", "params_b", *PAIR, "source", "distance"]
    return [
        row | {"source": {"name": row["source"], "url": tables.source_url(row["source"])}}
        for row in records(near[columns])
    ]


# ---- frontier releases ----


def diagnose_release(
    releases: Sequence[Mapping[str, Any]] | pd.DataFrame, *, line: str = "frozen", lab: str | None = None
) -> Plain:
    """h of one release or of a lab's sequence, with prediction interval, under a named line.

    releases: oldest first; model (name), swe_bench_verified, gpqa_diamond (percent), optionally hle, ifeval, date (or
        release_date); already checked.  line: a name of `frontier.LINES`.
    lab: a lab of the panel: its known releases come first in the trajectory.
    Returns plain data: `rows` (one a release: expected, the range of 95 % of releases, h, interval, noise_sd, phase,
    emphasis, curves), `line`,
    `trajectory` (change and kind of each), `nearest`, `saturation`, `answers` (of the last release), `advice`, `notes`.
    """
    chosen, known = _line(line), _known()
    frame = _frame(releases, known)
    read = frontier.h_field(frame, chosen=chosen)
    read["ordinary_low"], read["ordinary_high"] = chosen.ordinary(read[X])
    rows = _releases(read)
    last = rows[-1]
    trail = _trajectory(read, known, chosen, lab)
    axes = _saturation(frame, known)
    diagnosis: Plain = {
        "kind": "release",
        "phase": last["phase"],
        "line": kit()["frontier"]["lines"][line],
        "lab": lab,
        "rows": rows,
        "trajectory": trail,
        "nearest": _nearest(last),
        "saturation": axes,
    }
    scored = [axis for axis in axes if axis["sigma"] is not None]
    widest = max(scored, key=lambda axis: axis["spread_new"], default=None)
    other = frontier.read_h(last["y"], last["x"], chosen).iloc[0]
    facts = {
        "h_size": abs(last["h"]),
        "noise95": ROUNDED_Z95 * last["noise_sd"],
        "widest": widest and {"label": tables.label(widest["new"]), "spread": widest["spread_new"]},
        "top": BEST,
        "curve": kit()["frontier"]["curve"],
        "swapped": bool(last["outside"] and other["h_low"] <= 0 <= other["h_high"]),
    }
    return answered(diagnosis, facts)


_line = lru_cache(maxsize=16)(frontier.line)


@lru_cache(maxsize=1)
def _known() -> pd.DataFrame:
    """The known releases with both scores, oldest first."""
    return tables.frontier(FRONTIER_PANEL).dropna(subset=[X, Y])


def _frame(releases: Sequence[Mapping[str, Any]] | pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The releases as a table in their order; without a date a known release has its own, else it comes after all."""
    frame = pd.DataFrame(releases)
    frame = frame.assign(date=frame["release_date"].map(str, na_action="ignore")) if "release_date" in frame else frame
    frame = frame.reindex(columns=["model", "date", *tables.FRONTIER_BENCHMARKS])
    scores = frame[list(tables.FRONTIER_BENCHMARKS)].astype(float)
    names = frame["model"].astype(object).where(frame["model"].notna() & frame["model"].ne(""), None)
    frame = frame.assign(**scores, model=names)
    days = [middle(str(date)) if isinstance(date, str) and date else pd.NaT for date in frame["date"]]
    usual = frame["model"].map(known.set_index("model")["released"])
    return frame.assign(released=pd.Series(days, dtype="datetime64[ns]").fillna(usual))


def _releases(read: pd.DataFrame) -> list[Plain]:
    """The rows of `h_field` as plain data, beside the papers' two curves."""
    ends = read[["h", "h_low", "h_high"]].to_numpy(float).tolist()
    table = read.rename(columns={X: "x", Y: "y"}).assign(
        model=read["model"].fillna("This release"),
        outside=(read["h_low"] > 0) | (read["h_high"] < 0),
        emphasis=[frontier.labelled(*row, within=BALANCED, words=EMPHASES) for row in ends],
        gpqa_critical=isocline(read[X], RATIOS[X, Y]),
        ifeval_critical=isocline(read[Y], RATIOS[Y, "ifeval"]),
    )
    table["ifeval_above"] = (table["ifeval"] >= table["ifeval_critical"]).where(table["ifeval"].notna())
    rows = records(table[[name for name in _RELEASE if name in table]])
    return [row | {"interval": interval(*end)} for row, (_, *end) in zip(rows, ends, strict=True)]


def _trajectory(read: pd.DataFrame, known: pd.DataFrame, chosen: FrontierLine, lab: str | None) -> list[Plain]:
    """The lab's known releases up to the first given one and then those given, with what `frontier.changes` says."""
    first = read["released"].iloc[0]
    before = known[(known["lab"] == lab) & ~known["model"].isin(read["model"])]
    before = before if pd.isna(first) else before[before["released"] <= first]
    read = read.assign(known=False)
    if len(before):
        earlier = frontier.h_field(before, chosen=chosen).assign(known=True, date=before["release_date"])
        read = pd.concat([earlier.reindex(columns=read.columns), read], ignore_index=True)
    changes = frontier.changes(read, scatter=frontier.within_lab_scatter(known, chosen=chosen))
    changes = changes.assign(known=read["known"], change_noise=changes["change_high"] - changes["change"])
    rows = records(changes[["known", "change", "change_noise", "limit", "kind"]])
    return [
        {name: release[name] for name in ("model", "date", "h", "interval")} | row
        for release, row in zip(_releases(read), rows, strict=True)
    ]


def _saturation(frame: pd.DataFrame, known: pd.DataFrame) -> list[Plain]:
    """sigma = spread of the old axis / spread of the new one among the top five by the old, given releases included."""
    rows = pd.concat([known[~known["model"].isin(frame["model"])], frame.fillna({"model": ""})], ignore_index=True)
    answer = []
    for old, new in AXES:
        both = rows.dropna(subset=[old, new])
        top = frontier.top_rows(both, old)
        first, second = (frontier.spread(top[name]) if len(top) == BEST else None for name in (old, new))
        sigma = first / second if first is not None and second else None
        ratio = {"sigma": sigma, "spread_old": first, "spread_new": second}
        ratio["rotate"] = None if first is None else sigma is not None and sigma < ROTATE_BELOW
        models = [] if first is None else [name or "This release" for name in top["model"]]
        answer.append({"old": old, "new": new, "n": len(both), **ratio, "models": models})
    return answer


def _nearest(last: Plain, most: int = 4) -> list[Plain]:
    near = [
        {name: row[name] for name in ("model", "lab", "date", "url")}
        | {"x": row[X], "y": row[Y], "distance": math.hypot(row[X] - last["x"], row[Y] - last["y"])}
        for row in kit()["frontier"]["releases"]
        if row["model"] != last["model"]
    ]
    return sorted(near, key=lambda row: (row["distance"], row["model"]))[:most]


# ---- a model of today ----


def diagnose_variant(
    rows: Sequence[Mapping[str, Any]], *, mode: str | None = None, generation: str | None = None
) -> Plain:
    """One model of today among the variants of one laboratory, or the same weights at several efforts.

    rows: from the lowest effort to the highest; model (name), gpqa_diamond, omniscience_accuracy,
        omniscience_non_hallucination (percent), optionally params_b (billions); already checked.
    mode: "reasoning" or "none": compare with that mode only.  generation: a generation of the table, its family.
    Returns plain data: `rows` (with wrong share and precision), `beside` (percentiles of the last among equals in GPQA,
    with their range by question noise), `nearest`, `ladder` (the known variants of the generation), `change` (first to
    last effort, None for one), `answers`, `advice`, `notes`. `phase` is None: a phase compares two sizes.
    """
    names = [row.get("model") or ("This model" if len(rows) == 1 else f"Effort {i}") for i, row in enumerate(rows, 1)]
    scores = pd.DataFrame(rows).reindex(columns=["params_b", *PLACE]).astype(float)
    own, known = variants.readings(scores.assign(model=names)), variant_rows()
    peers = known[~known["model"].isin(names) & ((known["mode"] == mode) | (mode is None))]
    place = variants.neighbours(peers, own.iloc[-1])
    family = peers[peers["generation"] == generation]
    size, sized = float(own["params_b"].iloc[-1]), None
    if math.isfinite(size):  # of the equals in GPQA those of about its size, and how many admit less
        alike = variants.equals(peers, float(own[REASONING].iloc[-1]))
        alike = alike[alike["params_b"].between(size / ALIKE, size * ALIKE)]
        sized = {"n": len(alike), "below": int((alike[ADMITS] < own[ADMITS].iloc[-1]).sum())}
    change = _change(own) if len(own) > 1 else None
    diagnosis: Plain = {
        "kind": "today",
        "phase": None,
        "mode": mode,
        "generation": generation,
        "rows": _plain(own),
        "beside": {name: getattr(place, name) for name in ("n", "width", "models", "labs")}
        | {
            name: {"below": one.estimate, "low": one.low, "high": one.high}
            for name, one in (("admits", place.admits), ("wrong", place.wrong))
        }
        | {"sized": sized},
        "nearest": _plain(place.nearest, "distance"),
        "ladder": None if generation is None else _plain(family, "ran_out"),
        "change": change,
    }
    fell = change is not None and change[ADMITS] < -change["noise"][ADMITS]
    return answered(diagnosis, kit()["today"]["facts"] | {"family": _family(own.iloc[-1], family), "fell": fell})


def check_generation(name: str) -> str:
    """The generation of the table under this name; UsageError with near ones for another."""
    known = sorted(variant_rows()["generation"].unique())
    folded: dict[str, str] = {one.casefold(): one for one in known}
    if name.casefold() not in folded:
        raise UsageError(suggest("generation", name, known))
    return folded[name.casefold()]


def _plain(rows: pd.DataFrame, *more: str) -> list[Plain]:
    """Variants as plain data; what is not known is None."""
    shown = (REASONING, KNOWS, ADMITS, WRONG, PRECISION)
    return records(rows.reindex(columns=["model", "lab", "mode", "params_b", *shown, *more]))


def _change(own: pd.DataFrame) -> Plain:
    """Last effort less the first, points, and what question noise alone may do to it (95 %, as if independent)."""
    first, last = own.iloc[0], own.iloc[-1]
    noise = {
        name: ROUNDED_Z95 * math.hypot(first[f"{name}_stderr"], last[f"{name}_stderr"])
        for name in (REASONING, ADMITS, WRONG)
    }
    return {name: float(last[name] - first[name]) for name in (*PLACE, WRONG)} | {"noise": noise}


def _family(last: pd.Series, family: pd.DataFrame) -> Plain:
    """What the sentences on its family speak of: how many are lower, and smallest beside largest size.

    Of one size the variant with the best GPQA counts; variants that ran out of tokens are left out of the sizes.
    """
    sized = family[family["params_b"].notna() & ~family["ran_out"]]
    best = sized.groupby("params_b").tail(1)  # the variants stand in order of size and GPQA
    facts: Plain = {"n": len(family), "sizes": len(best)}
    facts |= {short: int((family[name] < last[name]).sum()) for short, name in (("admits", ADMITS), ("wrong", WRONG))}
    if best.empty:
        return facts
    low, high = best.iloc[0], best.iloc[-1]
    changes = {name: float(high[name] - low[name]) for name in (REASONING, ADMITS, WRONG)}
    return facts | {"smallest": low["params_b"], "largest": high["params_b"], "d": changes}
