"""Figures of chapter 5: what was counted and how sure it is; the steering protocol on testbed models."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import ndtri

from cape_lib.charts import forms
from cape_lib.charts.forms import ALL, across, band, colours, forest, line_at, row_names, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.levers import TESTBED
from cape_lib.charts.look import BLUE, GREY, GRID, INK
from cape_lib.stats import wilson, wilson_clustered
from cape_lib.story.steering import verdicts

#: Half of an interval with which one can tell 60 % from 40 % (points).
WANTED = 10.0
#: Texts that a direction is fitted on -> in words
WORDS = {"reg": "register", "ctx": "context", "stmt": "statement"}
#: Where a direction is there to be found, and where none is -> in words, in the order of the rows
CASES = {
    "planted": "put there by hand",
    "learnt": "learnt",
    "null: below the dip": "none: model too narrow",
    "null: shuffled labels": "none: shuffled labels",
    "null: untrained": "none: untrained model",
}
RIGHT = "questions right"


def with_intervals(totals: pd.DataFrame) -> pd.DataFrame:
    """Share of changed texts with Wilson's interval, percent.  totals: `tables.load("steering_totals")`."""
    shares = [wilson(int(k), int(n)) for k, n in zip(totals["n_changed"], totals["n_total"], strict=True)]
    columns = {"percent": "estimate", "low": "low", "high": "high"}
    percents = {column: [100 * getattr(share, name) for share in shares] for column, name in columns.items()}
    records = totals["has_records"].map({True: "prompts recorded", False: "totals only"})
    return totals.assign(**percents, records=records)


def precision(items: np.ndarray, *, share: float) -> pd.DataFrame:
    """Half of Wilson's 95 % interval (points) at a share (0-1) for each number of items."""
    z = float(ndtri(0.975))  # in closed form: an expected count need not be whole
    half = 100 * z * np.sqrt(share * (1 - share) / items + z * z / (4 * items * items)) / (1 + z * z / items)
    table = pd.DataFrame({"items": items, "half": half, "share": share})
    enough = int(table.loc[table["half"].round(1) <= WANTED, "items"].min())
    table.attrs["reading"] = (
        f"At a true share of {share:.0%}, {enough} questions answered wrong before give ±{WANTED:g} points."
    )
    return table


def needed(rows: pd.DataFrame) -> Figure:
    """Half width of the interval against the number of questions answered wrong before; rows: `precision`."""
    x, y = across("items", "questions answered wrong before"), upright("half", "half of the 95 % interval (points)")
    ten = line_at(10, "x", colour=GRID).mark_rule(color=GRID, strokeWidth=6)
    chart = ten + line_at(WANTED, "y", dashed=True) + trace(rows, x, y, colour=alt.value(BLUE))
    at_ten = float(rows.loc[rows["items"] == 10, "half"].max())
    title = f"At a true share of {rows['share'].iloc[0]:.0%}, ten prompts leave it open by ±{at_ten:.0f} points"
    return figure(chart, "steering-precision", title, "Wilson's interval, no data", "a formula, no data", rows=rows)


def _long(rows: pd.DataFrame, words: dict[str, str], *columns: str) -> pd.DataFrame:
    """One row for each of several shares: column share, and `what` it is in words; further columns stay."""
    return rows.rename(columns=words).melt(list(columns), list(words.values()), "what", "share")


def cases(trials: pd.DataFrame) -> Figure:
    """Every run of the protocol: share right under the direction and its best control.  trials: `testbed_trials`."""
    # only what is learnt was tried with several directions
    several, case = trials["case"] == "learnt", trials["case"].map(CASES)
    rows = trials.assign(
        row=case.where(~several, case + ", " + trials["contrast"].map(WORDS)),
        rank=trials["case"].map(list(CASES).index),
    )
    words = {"right_after": "the direction", "best_control": "the best of its controls"}
    long = _long(rows.drop(columns="trial"), words, "model", "row", "split", "p", "effect")
    chart = forest(
        long.sort_values("what", kind="stable"),  # the direction lies on top of its controls
        row_names("row", rows.sort_values(["rank", "contrast"])["row"].drop_duplicates()),
        across("share", "test questions right after steering", [0, 1], percent=True),
        **forms.by("what", words.values(), (BLUE, GREY), ("circle", "cross")),
        hollow=ALL,
        tooltip="split p effect",
    )
    caption = (
        "Register: from reliable minus web text. Context: after three truths minus after three myths. "
        "Statement: true minus false. Shuffled labels: the model has learnt, and only the labels are mixed; so the "
        "luckiest of many controls can come upon the direction that the mixed labels hide."
    )
    return figure(chart, "protocol-cases", verdicts(trials), TESTBED, f"{len(trials)} runs", caption, rows=trials)


def lead_over_random(surface: pd.DataFrame) -> pd.DataFrame:
    """One row a place: the strength (above 0) where the direction leads random ones most, and what both reach there.

    surface: `testbed_surface` of one model and contrast.
    """
    steered = surface[surface["dose"] > 0].assign(lead=surface["right"] - surface["control_high"])
    best = steered.loc[steered.groupby("place", sort=False)["lead"].idxmax()]
    return best[["place", "dose", "right", "low", "high", "control_high", "kl", "lead", "n"]].reset_index(drop=True)


def dose_reading(rows: pd.DataFrame) -> str:
    """The strength at which one place leads random directions most, with its cost, in a sentence."""
    best = lead_over_random(rows).iloc[0]
    return (
        f"At {best['place']} the lead is largest at strength {best['dose']:g}: {best['right']:.0%} right, the "
        f"best of 20 random directions {best['control_high']:.0%}, at {best['kl']:.2f} nats a token on stories."
    )


def dose_response(rows: pd.DataFrame, *, surface: pd.DataFrame) -> Figure:
    """Share right by strength beside isotropic controls, and the cost on other text (for `explore`: column layer).

    rows: `testbed_surface` of one place;  surface: of all places of that model, for the title.
    """
    shown = rows.assign(what="the direction", other="20 random directions")
    words = {"the direction": BLUE, "20 random directions": GREY}
    x = across("dose", "strength (standard deviations of the projection)")
    right, least = (upright(column, RIGHT, [0, 1], percent=True) for column in ("right", "control_low"))
    random = alt.Chart(shown).mark_area(opacity=0.3)
    random = random.encode(x=x, y=least, y2="control_high:Q", color=colours("other", words))
    look: dict[str, Any] = {"colour": colours("what", words), "point": True, "tooltip": "place control_high kl"}
    steered = band(shown, x, right, opacity=0.6, bars=True, **look)
    cost = upright("kl", "cost on stories (nats a token)", [0, surface["kl"].max()])
    first = lead_over_random(surface).sort_values("lead").iloc[-1]
    return figure(
        [random + steered, trace(shown, x, cost, colour=alt.value(BLUE), tooltip="place right", point=True)],
        "dose-response",
        f"The direction leads random ones most at {first['place']}: {first['right']:.0%} against "
        f"{first['control_high']:.0%}",
        TESTBED,
        f"{int(shown['n'].iloc[0])} questions",
        "Grey: from the lowest to the highest of 20 random directions; what these cost was not recorded.",
        rows=shown,
    )


def tones(rows: pd.DataFrame, *, registers: pd.DataFrame) -> Figure:
    """Share right in each tone before and after steering (for `explore`: column direction).

    rows: from `tone_shares`, of one direction;  registers: `testbed_registers` of both, for the title.
    """
    words = {"before": "unsteered", "after": "steered", "random": "random directions, mean"}
    chart = forest(
        _long(rows, words, "tone", "direction"),
        row_names("tone", rows["tone"].drop_duplicates()),
        across("share", RIGHT, [0, 1], percent=True),
        **forms.by("what", words.values(), (INK, BLUE, GREY), ("circle", "triangle", "cross")),
        hollow=ALL,
        bars=rows.assign(what=words["after"]),
    )
    calm = registers[registers["tone"].isin(["reference", "question"])]
    myths = registers[registers["tone"] == "web, after three myths"]
    myths = myths.assign(wrong=myths["n"] - myths["right_before"])
    each = myths.groupby("contrast", sort=False)[["corrected", "wrong"]]
    corrects = [f"{part.corrected / part.wrong:.0%} as a {WORDS[part.Index]}" for part in each.sum().itertuples()]
    return figure(
        chart,
        "tones",
        f"In reliable registers steering breaks {calm['broken'].sum() / calm['right_before'].sum():.0%} of the right "
        f"answers; after three myths it corrects {' and '.join(corrects)} direction",
        TESTBED,
        f"{registers['model'].nunique()} models, {int(registers.groupby(['tone', 'contrast'])['n'].sum().max())} "
        "questions a row",
        "Rows: the text in which a question stands, and what stands before it. Reference and question are the two "
        "reliable registers.",
        rows=rows,
    )


def tone_reading(rows: pd.DataFrame) -> str:
    """Shares right before and after steering where the model is wrong by itself; rows: as in `tones`."""
    at = rows.set_index("tone")
    words = {"web, open": "open web text", "web, after three myths": "after three myths"}
    return (
        f"The {rows['direction'].iloc[0]} direction: "
        + ", ".join(f"{words[tone]} {at['before'][tone]:.0%} to {at['after'][tone]:.0%}" for tone in words)
        + " right."
    )


def tone_shares(registers: pd.DataFrame) -> pd.DataFrame:
    """One row a tone and direction: shares right before, after (with 95 % limits, clustered by model) and random.

    registers: `testbed_registers`.  Shares 0-1.
    """

    rows = []
    parts = registers.assign(direction=registers["contrast"].map(WORDS)).groupby(["direction", "tone"], sort=False)
    for (direction, tone), part in parts:
        hits = np.concatenate([np.arange(n) < k for n, k in zip(part["n"], part["right_after"], strict=True)])
        after = wilson_clustered(hits, np.repeat(part["model"].to_numpy(), part["n"]))
        row = {"direction": direction, "tone": tone, "before": part["right_before"].sum() / part["n"].sum()}
        row |= {"after": after.estimate, "low": after.low, "high": after.high, "n": int(part["n"].sum())}
        rows.append(row | {"random": float(np.average(part["controls"], weights=part["n"])), "models": len(part)})
    return pd.DataFrame(rows)
