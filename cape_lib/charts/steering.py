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
from cape_lib.charts.look import AMBER, BLUE, GREY, GRID, INK
from cape_lib.stats import wilson, wilson_clustered
from cape_lib.story.steering import verdicts

#: Half of an interval with which one can tell 60 % from 40 % (points).
WANTED = 10.0
SOURCE = "[steering totals](../book/data.html#other-tables), as released"
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


def runs(totals: pd.DataFrame) -> Figure:
    """Every run: the share of texts that changed, with its interval.  totals: from `with_intervals`."""
    shares = totals["n_changed"].astype(int).astype(str) + " of " + totals["n_total"].astype(str)
    rows = totals.assign(row=totals["model"] + ", " + shares)
    again = rows.groupby("row").cumcount()
    rows["row"] = rows["row"].where(again == 0, rows["row"] + " (" + (again + 1).astype(str) + ")")
    kinds = ("prompts recorded", "totals only")
    return figure(
        forest(
            rows,
            "row",
            across("percent", "texts that changed (%)", [0, 100]),
            **forms.by("records", kinds, (BLUE, AMBER), ("circle", "square")),
            tooltip="run n_changed n_total",
        ),
        title=f"{totals['n_total'].min()} to {totals['n_total'].max()} prompts a run leave the share open by up to "
        f"{(totals['high'] - totals['low']).max():.0f} points",
        source=SOURCE,
        n=f"{len(rows)} runs, {int(rows['n_total'].sum())} prompts",
        rows=totals,
        name="steering-runs",
    )


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
    at_ten = float(rows.loc[rows["items"] == 10, "half"].max())
    return figure(
        alt.layer(ten, line_at(WANTED, "y", dashed=True), trace(rows, x, y, colour=alt.value(BLUE))),
        title=f"At a true share of {rows['share'].iloc[0]:.0%}, ten prompts leave it open by ±{at_ten:.0f} points",
        source="Wilson's interval, no data",
        n="a formula, no data",
        rows=rows,
        name="steering-precision",
    )


def _long(rows: pd.DataFrame, words: dict[str, str], *columns: str) -> pd.DataFrame:
    """One row for each of several shares: column share, and `what` it is in words; further columns stay."""
    return rows.rename(columns=words).melt(list(columns), list(words.values()), "what", "share")


def cases(trials: pd.DataFrame) -> Figure:
    """Every run of the protocol: share right under the direction and its best control.  trials: `testbed_trials`."""
    # only what is learnt was tried with several directions
    several = trials["case"] == "learnt"
    named = trials["case"].map(CASES)
    rows = trials.assign(
        row=named.where(~several, named + ", " + trials["contrast"].map(WORDS)),
        rank=trials["case"].map(list(CASES).index),
    )
    words = {"right_after": "the direction", "best_control": "the best of its controls"}
    long = _long(rows.drop(columns="trial"), words, "model", "row", "split", "p", "effect")
    long = long.sort_values("what", kind="stable")  # the direction lies on top of its controls
    return figure(
        forest(
            long,
            row_names("row", rows.sort_values(["rank", "contrast"])["row"].drop_duplicates()),
            across("share", "test questions right after steering", [0, 1], percent=True),
            **forms.by("what", words.values(), (BLUE, GREY), ("circle", "cross")),
            hollow=ALL,
            tooltip="split p effect",
        ),
        title=verdicts(trials),
        source=TESTBED,
        n=f"{len(trials)} runs",
        rows=trials,
        name="protocol-cases",
        caption="Register: from reliable minus web text. Context: after three truths minus after three myths. "
        "Statement: true minus false. Shuffled labels: the model has learnt, and only the labels are mixed; so the "
        "luckiest of many controls can come upon the direction that the mixed labels hide.",
    )


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
    shade, also = colours("what", words), "place control_high kl"
    steered = band(shown, x, right, colour=shade, tooltip=also, point=True, opacity=0.6, bars=True)
    cost = upright("kl", "cost on stories (nats a token)", [0, surface["kl"].max()])
    first = lead_over_random(surface).sort_values("lead").iloc[-1]
    return figure(
        [random + steered, trace(shown, x, cost, colour=alt.value(BLUE), tooltip="place right", point=True)],
        title=f"The direction leads random ones most at {first['place']}: {first['right']:.0%} against "
        f"{first['control_high']:.0%}",
        source=TESTBED,
        n=f"{int(shown['n'].iloc[0])} questions",
        rows=shown,
        name="dose-response",
        caption="Grey: from the lowest to the highest of 20 random directions.",
    )


def tones(rows: pd.DataFrame, *, registers: pd.DataFrame) -> Figure:
    """Share right in each tone before and after steering (for `explore`: column direction).

    rows: from `tone_shares`, of one direction;  registers: `testbed_registers` of both, for the title.
    """
    words = {"before": "unsteered", "after": "steered", "random": "random directions, mean"}
    calm = registers[registers["tone"].isin(["reference", "question"])]
    myths = registers[registers["tone"] == "web, after three myths"]
    each = myths.assign(wrong=myths["n"] - myths["right_before"]).groupby("contrast", sort=False)
    parts = [
        f"{'it corrects ' if not at else ''}{part['corrected'].sum() / part['wrong'].sum():.0%} as a {WORDS[str(one)]}"
        for at, (one, part) in enumerate(each)
    ]
    return figure(
        forest(
            _long(rows, words, "tone", "direction"),
            row_names("tone", rows["tone"].drop_duplicates()),
            across("share", RIGHT, [0, 1], percent=True),
            **forms.by("what", words.values(), (INK, BLUE, GREY), ("circle", "triangle", "cross")),
            hollow=ALL,
            bars=rows.assign(what=words["after"]),
        ),
        title=f"In reliable registers steering breaks {calm['broken'].sum() / calm['right_before'].sum():.0%} of the "
        f"right answers; after three myths {' and '.join(parts)} direction",
        source=TESTBED,
        n=f"{registers['model'].nunique()} models, {int(registers.groupby(['tone', 'contrast'])['n'].sum().max())} "
        "questions a row",
        rows=rows,
        name="tones",
        caption="Rows: the text in which a question stands, and what stands before it. Reference and question are the "
        "two reliable registers.",
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

    def shares(part: pd.DataFrame) -> dict[str, Any]:
        hits = np.concatenate([np.arange(n) < k for n, k in zip(part["n"], part["right_after"], strict=True)])
        after = wilson_clustered(hits, np.repeat(part["model"].to_numpy(), part["n"]))
        return {
            "before": part["right_before"].sum() / part["n"].sum(),
            "after": after.estimate,
            "low": after.low,
            "high": after.high,
            "n": int(part["n"].sum()),
            "random": float(np.average(part["controls"], weights=part["n"])),
            "models": len(part),
        }

    parts = registers.assign(direction=registers["contrast"].map(WORDS)).groupby(["direction", "tone"], sort=False)
    rows = [dict(zip(("direction", "tone"), names, strict=True)) | shares(part) for names, part in parts]
    return pd.DataFrame(rows)
