"""The introduction: families of models in motion with size, and a form for a model of the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import display

from cape_lib.base.coupling import signs_by_size
from cape_lib.charts.forms import HOLLOW, across, dots, line_at, named, phase_colour, tips, upright, ways
from cape_lib.charts.frame import Figure, figure, filled, inline, say, script_json, where
from cape_lib.charts.look import MUTED, PAPER
from cape_lib.story.answer import verb
from cape_lib.tables import CHANCE, label

#: The size at which the papers put the turn, billions.
CUT = 3.5
#: Kind of model -> what it is called, and its fields: name -> label.
KINDS = {
    "model": (
        "a base model (before chat training)",
        {"params_b": "size, billions", "hellaswag": "HellaSwag, %", "truthfulqa": "TruthfulQA, %"},
    ),
    "release": (
        "a release of 2026",
        {"swe_bench_verified": "SWE-bench Verified, %", "gpqa_diamond": "GPQA Diamond, %"},
    ),
}


def at_size(ladders: pd.DataFrame, gammas: pd.DataFrame, params_b: float, *, x: str, y: str) -> pd.DataFrame:
    """Where each ladder stands at a size: x and y interpolated in log10 of the size, with the phase of that interval.

    ladders: rows of `tables.base` with column ladder; gammas: `coupling.local_coupling` of each, column ladder.
    Returns one row a ladder that spans `params_b` (billions): ladder, x, y, phase, gamma.
    """
    near = gammas[gammas["params_b_low"].le(params_b * 1.000001) & gammas["params_b_high"].ge(params_b / 1.000001)]
    steps, rows = near.groupby("ladder").tail(1).set_index("ladder")[["phase", "gamma"]], []
    for name, sizes in ladders.groupby("ladder", sort=True):
        if sizes["params_b"].min() <= params_b <= sizes["params_b"].max():
            scores = {s: np.interp(np.log10(params_b), np.log10(sizes["params_b"]), sizes[s]) for s in (x, y)}
            rows.append({"ladder": name, **scores})
    return pd.DataFrame(rows, columns=["ladder", x, y]).join(steps, on="ladder")


def standing(ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str) -> Callable[[float], pd.DataFrame]:
    """`at_size` as a function of the size alone, with the sentence that goes with it, for `explore`."""

    def at(params_b: float) -> pd.DataFrame:
        rows = at_size(ladders, gammas, params_b, x=x, y=y)
        tax, bonus, transition = rows["phase"].value_counts().reindex(["tax", "bonus", "transition"], fill_value=0)
        rows.attrs["reading"] = (
            f"At {params_b:g} B, of {len(rows)} families: {tax} {verb(tax, 'lose')} truthfulness (tax), "
            f"{bonus} {verb(bonus, 'gain')} it (bonus), {transition} hardly {verb(transition, 'move')} (transition)."
        )
        return rows

    return at


def finding(gammas: pd.DataFrame) -> str:
    """What the steps of these families say, as the title of the figure."""
    small, between, large = _by_size(gammas)
    return (
        f"In these {gammas['ladder'].nunique()} families of web text truthfulness falls in {small} steps below "
        f"3.5 B, in {between} up to 10 B, in {large} above"
    )


def doubt(gammas: pd.DataFrame, every: pd.DataFrame) -> str:
    """How many families turn themselves, and what the steps of families of every training recipe say.

    gammas: `coupling.local_couplings` of the families shown; every: `coupling.known_steps` of all.
    """
    turning = {str(name): turn for name, rows in gammas.groupby("ladder") if (turn := _turn(rows))}
    ends = gammas.groupby("ladder").agg(low=("params_b_low", "min"), high=("params_b_high", "max"))
    across = [str(name) for name in ends.index[(ends["low"] < CUT) & (ends["high"] > CUT)] if str(name) not in turning]
    at_cut = [name for name, (low, _, high) in turning.items() if low < CUT < high]
    where = ", ".join(f"{name} at {size:g} B" for name, (_, size, _) in turning.items())
    turns = f" ({where}), {', '.join(at_cut) or 'none'} at 3.5 B" if turning else ""
    count, names = len(across), f" ({', '.join(across)})" if across else ""
    small, _, large = _by_size(every)
    known = every.loc[every["tokens_b"].notna(), "ladder"].nunique()
    shown = f"[{len(ends)} families](glossary.html#term-number-of-families)"
    return (
        f"{len(turning)} of {len(ends)} families first sink, then rise{turns}. {count} {verb(count, 'have')} sizes on "
        f"both sides of 3.5 B and {verb(count, 'do')} not turn{names}. The others are seen on one side only. So the "
        f"turn rests on comparing families. The figure shows the {shown} of web text with three sizes or more. The "
        f"counts on top are of all {every['ladder'].nunique()} families, whatever their text, where the picture is "
        f"weaker ({small} below 3.5 B, {large} above 10 B); the fit, of the {known} whose tokens are known."
    )


def _turn(steps: pd.DataFrame) -> tuple[float, float, float] | None:
    """Between which sizes, and at which, a family turns from tax to bonus (billions); None where it does not.

    steps: its `coupling.local_coupling`.
    """
    taxes, bonuses = (steps[steps["phase"] == phase] for phase in ("tax", "bonus"))
    later = bonuses[bonuses["params_b_low"] > taxes["params_b_low"].min()]
    if later.empty:
        return None
    last = taxes[taxes["params_b_low"] < later["params_b_low"].min()]["params_b_low"].max()
    return float(last), float(later["params_b_low"].min()), float(later["params_b_high"].min())


def _by_size(gammas: pd.DataFrame) -> list[str]:
    """Negative steps of all, "15 of 16", below 3.5 B, from there to 10 B, and above."""
    counts = signs_by_size(gammas, edges=(CUT, 10.0))
    return [f"{row.negative:.0f} of {row.steps:.0f}" for row in counts.itertuples()]


def families_in_motion(
    ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str
) -> Callable[..., Figure]:
    """The hero figure as a function of the rows at one size, for `explore`: every ladder's path and where it stands.

    ladders: rows with ladder, params_b (billions), x and y (percent);  gammas: their `coupling.local_couplings`.
    """
    paths = ladders[["ladder", "model", "params_b", x, y]].sort_values(["ladder", "params_b"])
    steps = paths.join(paths.groupby("ladder")[[x, y]].shift(-1).add_suffix("_to")).dropna()
    steps = steps.merge(gammas[["smaller", "larger", "gamma", "phase"]], left_on="model", right_on="smaller")
    low, high = paths[[x, y]].min(), paths[[x, y]].max()
    largest = paths.groupby("ladder").tail(1).sort_values(y, ascending=False)
    guess = [
        line_at(CHANCE[score], axis, colour=MUTED, dashed=True)
        for score, axis in ((x, "x"), (y, "y"))
        if score in CHANCE and low[score] - 4 < CHANCE[score] < high[score] + 4
    ]
    domain = [float(low[x]) - 2, float(high[x] + 0.15 * (high[x] - low[x]))]
    to_right = across(x, f"{label(x)} (%), reasoning →", domain, zero=False, nice=True)
    up = upright(y, f"↑ {label(y)} (%), truthfulness", zero=False, nice=True)
    ends, shares = [f"{x}_to", f"{y}_to"], np.linspace(0, 1, 12)
    # points along each step, from its smaller to its larger model
    covered = [steps[[x, y]] + share * (steps[ends].set_axis([x, y], axis=1) - steps[[x, y]]) for share in shares]
    text: dict[str, Any] = {"gap": 12, "fontSize": 12, "fontWeight": 600}
    names = named(largest, to_right, up, "ladder", height=420, around=[pd.concat(covered)], always=len(largest), **text)
    joins = ways(steps, to_right, up, ends=ends, colour=phase_colour(), strokeWidth=2, opacity=0.5)
    at_cut = dots(at_size(ladders, gammas, CUT, x=x, y=y), to_right, up, shape="diamond", size=60, **HOLLOW)
    drawn = [
        *guess,
        joins.encode(tooltip=tips(steps, "smaller larger gamma")),
        dots(paths, to_right, up, colour=alt.value(MUTED), tooltip="model params_b", size=14, opacity=0.8),
        at_cut,
    ]

    n = f"{paths['ladder'].nunique()} families, {len(paths)} models"
    caption = (
        "Lines: each family from its smallest to its largest size, a colour for what each step did. Dots: where the "
        f"families stand at the chosen size. Diamonds: {CUT:g} B, the published turn. Dashed: what a guess scores."
    )

    def draw(rows: pd.DataFrame) -> Figure:
        look: dict[str, Any] = {"tooltip": "gamma", "size": 190, "stroke": PAPER, "strokeWidth": 1.5}
        chart = alt.layer(*drawn, dots(rows, to_right, up, colour=phase_colour(), **look), *names)
        return figure(chart, "families-in-motion", title, source, n, caption, height=420)

    return draw


def your_model(rates: Mapping[str, Any]) -> None:
    """Show the form: the reader's numbers, the base rate near that size, a link to the diagnosis that carries them.

    `cape-yours.js` moves it, and without a script it is a link to the dashboard.

    rates: `story.intro.rates`, whose texts are Markdown of one line.
    """
    known = {"near": rates["near"], "rates": [one | {"text": inline(one["text"])} for one in rates["rates"]]}
    if where() == "book":
        form = filled("yours.html", kinds=KINDS, rates=script_json(known))
        display({"text/html": form, "text/plain": "A form for your model."}, raw=True)
    else:
        say("`cape diagnose --size 1 --hellaswag 49.7 --truthfulqa 38.9` diagnoses a model of yours.")
