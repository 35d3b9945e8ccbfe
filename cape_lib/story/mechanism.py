"""Chapter 4 in sentences: what was released of the inside of models, and what a probe with an untrained twin says."""

from __future__ import annotations

import math

import pandas as pd

from cape_lib.stats import Estimate, clustered, mean_interval
from cape_lib.story.answer import Answer, between, capital, of, pick, times, verb, with_interval

#: A run whose coupling differs less between its layers is one number.
FLAT = 1e-4
#: How often an unbiased squared distance is above zero where there is none, about.
EVEN = 0.5
#: Kind of measurement -> in words; two kinds are never compared.
KINDS = {
    "per_head": "per head, Qwen",
    "attention_pattern": "attention pattern",
    "flat_not_stated": "not stated, flat",
    "opt_ladder": "OPT ladder",
    "per_unit_nc2": "per unit, first run",
    "per_unit_nc3": "per unit, second run",
    "hidden_state": "hidden state",
    "cosine_of_means": "cosine of means",
    "text_only": "paper text only",
}
#: In the name of a measurement: what was not published of it.
UNDEFINED = r"not published|not stated"
#: How often two 95 % intervals lie apart where nothing differs, at most.
APART = 0.05


def released(internal: pd.DataFrame) -> pd.DataFrame:
    """The released couplings with what keeps them from an answer; internal: table `internal_coupling`.

    Returns one row a value: model, measure, blind (the weights have no influence, or perhaps none), undefined
    (definition not published), twin (an untrained model).
    """
    values = internal.dropna(subset=["net_coupling"])
    words = values["model"].astype(str) + " " + values["note"].fillna("").astype(str)
    return pd.DataFrame(
        {
            "model": values["model"],
            "measure": values["measure"],
            "blind": values["weight_dependent"].isin(["false", "doubtful"]),
            "undefined": values["measure"].str.contains(UNDEFINED),
            "twin": words.str.contains("untrained|random weights", case=False),
        }
    )


def shift(probed: pd.DataFrame) -> Estimate:
    """What training adds to the coupling (-2 to 2): mean over models of trained minus untrained, t interval.

    probed: table `testbed_probes`; a model counts once, by the mean of its blocks.
    """
    wide = probed.pivot(index=["model", "layer"], columns="weights", values="coupling")
    change = (wide["trained"] - wide["untrained"]).groupby("model").mean().dropna()
    return mean_interval(change, "mean over models, t interval")


def twin_gap(probed: pd.DataFrame) -> pd.DataFrame:
    """One row a block: coupling trained and untrained, and whether their 95 % intervals lie apart.

    probed: `testbed_probes`, or the rows of one model in that form.  A block in which a twin has no coupling cannot
    differ, and is left out.
    """
    wide = probed.pivot(index=["model", "layer"], columns="weights", values=["coupling", "low", "high"])
    low, high = wide["low"], wide["high"]
    gap = wide["coupling"][["trained", "untrained"]]
    gap = gap.assign(above=low["trained"] > high["untrained"], below=high["trained"] < low["untrained"])
    return pd.DataFrame(gap.dropna().rename_axis(columns=None).reset_index())


def _sure(gap: pd.DataFrame) -> int:
    """In how many blocks the intervals of a model and of its twin lie apart."""
    return int((gap["above"] | gap["below"]).sum())


def _apart(gap: pd.DataFrame) -> str:
    return f"in {_sure(gap) or 'none'} of {len(gap)} blocks"


def _towards(gap: pd.DataFrame) -> str:
    """Where training moves the coupling, over the blocks that lie apart, to follow a count; empty where none does."""
    above, below = int(gap["above"].sum()), int(gap["below"].sum())
    if above and below:
        return f", {above} times towards likeness and {below} times towards opposition"
    return ", each time towards likeness" if above else ", each time towards opposition" if below else ""


def answer(
    internal: pd.DataFrame, probed: pd.DataFrame, gap: pd.DataFrame, real: pd.DataFrame, ends: pd.DataFrame
) -> Answer:
    """Does anything compete, inside or at the output? What released values allow and what a probe with a twin finds.

    internal: `internal_coupling`; probed: `testbed_probes`; gap, real: `twin_gap` of the made models and of
    the real ones; ends: `at_output`.
    """
    values = released(internal)
    twins = int(values["twin"].sum())
    lead = "The released values leave it open" if twins else "From what was released one cannot know"
    beside = f"{twins} are of untrained models" if twins else "none stands beside the same model untrained"
    names = real["model"].nunique()
    sentence = (
        f"**{lead}**: on {of(values['blind'])} released values a model's weights have no influence, or "
        f"perhaps none, and {beside}. Our probe tells tiny models from one untrained twin, beyond prompt noise, "
        f"{_apart(gap)} (layers) and "
        f"{'one real model' if names == 1 else f'{names} real models'} {_apart(real)}"
        f"{_towards(pd.concat([gap, real]))}. {capital(_competes(ends))}."
    )
    moved = shift(probed)
    interval = (
        f"Training moves the coupling of {moved.n} tiny models by {moved.estimate:+.2f} in the mean "
        f"({between(moved.low, moved.high, digits=2)}); a block counts where the 95 % intervals lie apart."
    )
    return Answer(sentence, "experiment", interval)


def differ(gap: pd.DataFrame) -> str:
    """In how many blocks a model differs from its untrained twin beyond the noise of prompts, and which way.

    gap: `twin_gap`.
    """
    if gap.empty:
        return "trained and untrained cannot be compared: no block has a coupling"
    return f"trained and untrained differ beyond prompt noise {_apart(gap)}{_towards(gap)}"


def here(gap: pd.DataFrame) -> str:
    """What those models show that a figure is set to; gap: their `twin_gap`."""
    return f"Here {_apart(gap)}{_towards(gap)}."


def how_sure(gap: pd.DataFrame) -> str:
    """What the interval of a coupling and of its twin holds, and what it does not; gap: `twin_gap`."""
    return (
        "Each interval is a jackknife over prompts, so it holds the choice of words; one untrained twin a model, so "
        f"the luck of its random weights is not in it. Not corrected for {len(gap)} blocks: by prompt noise about "
        f"{APART * len(gap):.0f} at most."
    )


def twins(gap: pd.DataFrame) -> str:
    """How far from zero the coupling of the made models is before any training; `twin_gap`."""
    far = int((gap["untrained"].abs() > 0.5).sum())
    moral = ": a number far from zero is no finding by itself" if far else ""
    return (
        f"Without any training the coupling lies beyond ±0.5 in {far} of the {len(gap)} blocks where noise hides no "
        f"arrow{moral}."
    )


def flat(spans: pd.Series, internal: pd.DataFrame) -> str:
    """How many released runs are one number at every layer.

    spans: highest minus lowest coupling of each run; internal: table `internal_coupling`.
    """
    still = spans[spans < FLAT]
    heads = internal.query("measure_id == 'per_head'")["net_coupling"].dropna()
    same = heads.value_counts().max() if len(heads) else 0
    lead = f"None of {len(spans)} runs gives one number at all layers."
    if len(still):
        decimals = int(-math.log10(max(still.max(), 1e-16)))
        lead = f"**{len(still)} of {len(spans)}** runs give one number at all layers, the same to {decimals} decimals."
    shared = f" Measured per head, {same} of {len(heads)} models share one value." if same > 1 else ""
    blind = of(released(internal)["blind"])
    return f"{lead}{shared} On {blind} released values weights have no influence, or perhaps none."


def defined(internal: pd.DataFrame) -> str:
    """How many released values that can depend on the weights have a definition; internal: `internal_coupling`."""
    values = released(internal)
    known = values.loc[~values["blind"], "undefined"].eq(False)
    return f"{known.sum()} of the other {len(known)} have a published definition"


def head_change(table: pd.DataFrame) -> Estimate:
    """Share of heads that compete, trained minus untrained (-1 to 1), interval over models; table: `testbed_heads`."""
    wide = table.pivot(index="model", columns="weights", values=["competing", "heads"])
    columns = [wide[what][weights] for what in ("competing", "heads") for weights in ("trained", "untrained")]

    def change(trained: pd.Series, untrained: pd.Series, heads: pd.Series, bare: pd.Series) -> float:
        return float(trained.sum() / heads.sum() - untrained.sum() / bare.sum())

    return clustered(change, *columns, clusters=wide.index, unit="models")


def more_heads(more: Estimate) -> str:
    """Whether training changes the share of heads that compete, with its interval; more: `head_change`."""
    reads = pick(more, "more with training", "fewer with training", "a difference is not shown")
    return f"{reads} ({100 * more.estimate:+.0f} points [{100 * more.low:+.0f}, {100 * more.high:+.0f}])"


def heads(table: pd.DataFrame, more: Estimate, internal: pd.DataFrame, *, claimed: int) -> str:
    """Competing heads as released, and those of trained models and of the same models untrained.

    table: `testbed_heads`; more: its `head_change`; internal: table `internal_coupling`; claimed: models in the papers'
    count.
    """
    each = internal["competing_units"].fillna(internal["competing_fraction"]).groupby(internal["model"]).max().dropna()
    counts = table.groupby("weights")[["competing", "heads"]].sum()
    trained, untrained = ("{} of {}".format(*counts.loc[weights]) for weights in ("trained", "untrained"))
    return (
        f"The list of the {claimed} models was not released; of the {len(each)} with a released count "
        f"{(each > 0).sum()} have such a head. For us a head competes if the coupling of its outputs is surely "
        f"below zero (one-sided p < 0.05, Benjamini-Hochberg over its model): {trained} heads of tiny models, and "
        f"{untrained} untrained: {more_heads(more)}."
    )


def last_words(probed: pd.DataFrame) -> str:
    """What the placebo couples with; probed: columns placebo, placebo_low, placebo_high."""
    known = probed.dropna(subset=["placebo"])
    sure = int(((known["placebo_low"] > 0) | (known["placebo_high"] < 0)).sum())
    chance = EVEN**2 * len(probed)
    many = "; more than chance gives, so endings still tell" if len(known) > chance else ""
    return (
        f"In {len(known)} of {len(probed)} blocks the placebo has a coupling at all: both its arrows are longer than "
        f"noise makes them on average (by chance about {chance:.0f}, fewer in states of few dimensions{many}). In "
        f"{f'**{sure}**' if sure else 'none'} of these is it beyond noise."
    )


def real(rows: pd.DataFrame) -> str:
    """What the probe finds in real models and in their untrained twins; rows: table `model_probes`."""
    trained, untrained = (of(part) for _, part in (rows["low"] > 0).groupby(rows["weights"]))
    return f"The coupling is surely above zero in {trained} trained blocks and in {untrained} untrained ones."


def at_output(table: pd.DataFrame) -> pd.DataFrame:
    """One row a model and its weights: what the output map does to the coupling; table: `testbed_projection`.

    Returns change (behind it minus before it), outside (True where it lies outside the range of the random matrices,
    missing where either has no coupling), before (competition is sure before it, missing likewise), alike (the same
    of likeness, False where missing) and arises (competition is sure behind it alone).
    """
    wide = table.pivot(index=["model", "weights"], columns="what", values=["coupling", "low", "high"])
    logits, low, high = wide["coupling", "logits"], wide["low", "random projection"], wide["high", "random projection"]
    outside = ((logits < low) | (logits > high)).astype("boolean").mask(logits.isna() | low.isna())
    competes = pd.DataFrame(wide["high"] < 0)
    arises = competes["logits"] & ~competes["hidden"]
    change = logits - wide["coupling", "hidden"]
    before = competes["hidden"].astype("boolean").mask(wide["coupling", "hidden"].isna())
    alike = wide["low", "hidden"] > 0
    return pd.DataFrame({"change": change, "outside": outside, "before": before, "alike": alike, "arises": arises})


def by_weights(ends: pd.DataFrame) -> dict[str, Estimate]:
    """Mean change of the coupling by the output map, trained and untrained, t interval over models; `at_output`."""
    groups = ends["change"].dropna().groupby(level="weights")
    return {str(weights): mean_interval(part, "mean over models, t interval") for weights, part in groups}


def _does(ends: pd.DataFrame) -> str:
    """What the output map of trained models does; `at_output`."""
    does = ("raises the coupling", "lowers the coupling", "moves the coupling by nothing sure")
    return pick(by_weights(ends)["trained"], *does)


def _competes(ends: pd.DataFrame) -> str:
    """In how many tiny models competition is sure before the output map, and behind it alone; `at_output`."""
    before = ends["before"].dropna().astype(bool).groupby(level="weights").apply(of)
    alike = ends["alike"].groupby(level="weights").sum().astype(int)
    alone = int(ends["arises"].xs("trained", level="weights").sum()) or "none"
    return (
        f"in the state before the output map {before['trained']} tiny models surely compete and {alike['trained']} are "
        f"surely alike (untrained: {before['untrained']} and {alike['untrained']}), behind it alone {alone} compete"
    )


def output(ends: pd.DataFrame) -> str:
    """Whether the output map does more than a random matrix; ends: `at_output`."""
    known, means = ends["outside"].dropna().astype(bool).groupby(level="weights"), by_weights(ends)
    lie, models = known.apply(of), known.size()
    chance = {f"{2 * models[weights] / 21:.0f}" for weights in ("trained", "untrained")}
    gone = len(ends) - int(models.sum())
    without = f"; {gone} more {verb(gone, 'have')} no coupling" if gone else ""
    return (
        f"The coupling behind the output map lies outside the range of 20 random matrices in {lie['trained']} trained "
        f"tiny models, and in {lie['untrained']} untrained ones (by chance about {' or '.join(sorted(chance))} each"
        f"{without}). **So in tiny models the output map {_does(ends)}** (mean "
        f"{with_interval(means['trained'], signed=True)}; untrained {with_interval(means['untrained'], signed=True)}). "
        f"{capital(_competes(ends))}. The box asks whether the "
        "released values fall there at every size."
    )


def within_kinds(internal: pd.DataFrame) -> pd.DataFrame:
    """The couplings of families of which one kind of measurement has two sizes or more.

    internal: `tables.load("internal_coupling")`.  Returns its rows with size (billions) and kind.
    """
    rows = internal.dropna(subset=["net_coupling"])
    number = rows["model"].str.extract(r"([\d.]+)([BM])")
    size = number[0].astype(float) / number[1].map({"B": 1.0, "M": 1000.0})
    rows = rows.assign(size=size, kind=rows["measure_id"].map(KINDS))
    runs = rows[rows["measure_id"].isin(["opt_ladder", "per_unit_nc2", "per_unit_nc3"])].sort_values(["family", "size"])
    return pd.DataFrame(runs.groupby(["family", "kind"]).filter(lambda part: len(part) > 1))


def drop(several: pd.DataFrame, family: str) -> str:
    """What the sizes of one family show within one kind of measurement.

    several: `within_kinds`.
    """
    own = several[several["family"] == family].sort_values("size")
    if own.empty:
        return f"Of {family} no kind of measurement has two sizes."
    ways, ends = [], []
    for _, part in own.groupby("kind"):
        first, last = part["net_coupling"].iloc[[0, -1]]
        small, large = part["model"].iloc[[0, -1]]
        ways.append("rises" if last > first else "falls")
        ends.append(f"from {first:.3f} ({small}) to {last:.3f} ({large})")
    both = own.groupby("model")["kind"].nunique().max() > 1
    bridge = "" if both or len(ends) == 1 else " No model was measured in both ways, so no drop between them is known."
    kinds = "the one kind of measurement" if len(ends) == 1 else "each kind of measurement"
    if len(set(ways)) == 1:
        return f"{family} {ways[0]} within {kinds}: {', and '.join(ends)}.{bridge}"
    each = "; ".join(f"it {way} {end}" for way, end in zip(ways, ends, strict=True))
    return f"{family} does not go one way within {kinds}: {each}.{bridge}"


def yours(layers: pd.DataFrame, model: str) -> str:
    """What the probe says of one model that it read now.

    layers: rows of its blocks, trained; model: its name.  That it differs from its twin the figure's title says.
    """
    below = int((layers["high"] < 0).sum())
    compete = f"competition is shown in {times(below, 'block')}" if below else "no block shows competition"
    return f"{model}: {compete}."


def remember(internal: pd.DataFrame, gap: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Three lines to remember; gap: `twin_gap`; table: `testbed_heads`."""
    blind, same = released(internal)["blind"], len(gap) - _sure(gap)
    compete, heads = table.loc[table["weights"] == "untrained", ["competing", "heads"]].sum().astype(int)
    return [
        f"On {of(blind)} released values the weights have no influence, or perhaps none.",
        f"Compare a model with itself before training: in {same} of {len(gap)} blocks no difference is shown.",
        f"Untrained heads compete too ({compete} of {heads}): count them beside yours.",
    ]
