"""Chapter 4 in sentences: what was released of the inside of models, and what a probe with an untrained twin says."""

from __future__ import annotations

import math

import pandas as pd

from cape_lib.stats import Estimate, mean_interval
from cape_lib.story.answer import Answer, between, named, times

#: A run whose coupling differs less between its layers is one number.
FLAT = 1e-4
#: In the name of a measurement: what was not published of it.
UNDEFINED = r"not published|not stated"


def released(internal: pd.DataFrame) -> pd.DataFrame:
    """The released couplings with what keeps them from an answer; internal: table `internal_coupling`.

    Returns one row a value: model, measure, blind (cannot or may not depend on the weights), undefined (definition not
    published), twin (an untrained model).
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


def _apart(gap: pd.DataFrame) -> str:
    count = int((gap["above"] | gap["below"]).sum())
    return f"in {count or 'none'} of {len(gap)} blocks"


def _towards(gap: pd.DataFrame) -> str:
    """Where training moves the coupling, over the blocks that lie apart, to follow a count; empty where none does."""
    above, below = int(gap["above"].sum()), int(gap["below"].sum())
    if above and below:
        return f", {above} times towards working together and {below} times towards competing"
    return ", each time towards working together" if above else ", each time towards competing" if below else ""


def answer(internal: pd.DataFrame, probed: pd.DataFrame, gap: pd.DataFrame, real: pd.DataFrame) -> Answer:
    """Does anything compete inside? What the released values allow and what a probe with a twin finds.

    internal: `internal_coupling`; probed: `testbed_probes`; gap, real: `twin_gap` of the made models and of
    the real ones.
    """
    values = released(internal)
    defined = int((~values["blind"] & ~values["undefined"]).sum())
    blind, twins = int(values["blind"].sum()), int(values["twin"].sum())
    lead = "The released values leave it open" if twins else "From what was released one cannot know"
    beside = f"{twins} are of untrained models" if twins else "none stands beside the same model untrained"
    names = real["model"].nunique()
    sentence = (
        f"**{lead}**: {blind} of {len(values)} published values cannot or may not depend on a model's weights, "
        f"{defined} of the other {len(values) - blind} have a published definition, and {beside}. Our probe, "
        f"with that comparison, finds an effect of training {_apart(gap)} of tiny models and {_apart(real)} of "
        f"{'one real model' if names == 1 else f'{names} real models'}{_towards(pd.concat([gap, real]))}."
    )
    moved = shift(probed)
    interval = (
        f"Training moves the coupling of {moved.n} tiny models by {moved.estimate:+.2f} in the mean "
        f"({between(moved.low, moved.high, digits=2)}); a block counts where the 95 % intervals lie apart."
    )
    return Answer(sentence, "experiment", interval)


def twins(gap: pd.DataFrame) -> str:
    """How many blocks of the made models differ from the same blocks before training; `twin_gap`."""
    both = gap.dropna(subset=["trained", "untrained"])
    far = int((both["untrained"].abs() > 0.5).sum())
    moral = ": a number far from zero is no finding by itself" if far else ""
    return (
        f"Training changed the coupling {_apart(gap)}{_towards(gap)}. Without any training it lies beyond ±0.5 in "
        f"{far} of {len(both)} blocks{moral}."
    )


def flat(spans: pd.Series, internal: pd.DataFrame) -> str:
    """How many released runs are one number at every layer.

    spans: highest minus lowest coupling of each run; internal: table `internal_coupling`.
    """
    still = spans[spans < FLAT]
    heads = internal.loc[internal["measure_id"] == "per_head", "net_coupling"].dropna()
    same = int(heads.value_counts().max()) if len(heads) else 0
    alike = f" Per head, {same} of {len(heads)} models have one and the same value." if same > 1 else ""
    if still.empty:
        return f"None of {len(spans)} runs gives one number at all layers.{alike}"
    decimals = int(-math.log10(max(still.max(), 1e-16)))
    return (
        f"**{len(still)} of {len(spans)}** runs give one number at all layers, the same to {decimals} decimals.{alike}"
    )


def heads(counts: pd.DataFrame, claimed: int) -> str:
    """Competing heads of trained models and of the same models untrained.

    counts: rows trained and untrained, columns heads, competing; claimed: models in the papers' count.
    """
    compete, count = counts["competing"], counts["heads"]
    share, base = compete["trained"] / count["trained"], compete["untrained"] / count["untrained"]
    reads = "about as many" if abs(share - base) < 0.1 else "more" if share > base else "fewer"
    return (
        f"Of the {claimed} models that the papers count, the list was not released. Under one stated definition "
        f"{compete['trained']} of {count['trained']} heads of our tiny models compete, and untrained "
        f"{compete['untrained']} of {count['untrained']}: {reads} with training. A count says nothing without that."
    )


def last_words(probed: pd.DataFrame) -> str:
    """What the placebo couples with; probed: columns placebo, placebo_low, placebo_high."""
    known = probed.dropna(subset=["placebo"])
    sure = int(((known["placebo_low"] > 0) | (known["placebo_high"] < 0)).sum())
    return (
        f"With prompts that all end alike the placebo differs from neutral text in {len(known)} of {len(probed)} "
        f"blocks, and it couples beyond noise in {f'**{sure}**' if sure else 'none'}. In the others there is nothing "
        "that could couple."
    )


def real(gap: pd.DataFrame, rows: pd.DataFrame) -> str:
    """What the probe finds in real models and in their untrained twins.

    gap: `twin_gap` of rows; rows: table `model_probes`.
    """
    above = (rows["low"] > 0).groupby(rows["weights"]).agg(["sum", "count"])
    trained, untrained = (
        f"{one['sum']} of {one['count']}" for _, one in above.loc[["trained", "untrained"]].iterrows()
    )
    return (
        f"The coupling is surely above zero in {trained} trained blocks and in {untrained} untrained ones. Training "
        f"changed it {_apart(gap)}{_towards(gap)}."
    )


def output(table: pd.DataFrame) -> str:
    """Whether the output map does more than a random matrix; table: `testbed_projection`."""
    wide = table.pivot(index=["model", "weights"], columns="what", values=["coupling", "low", "high"])
    logits, low, high = wide["coupling", "logits"], wide["low", "random projection"], wide["high", "random projection"]
    outside = ((logits < low) | (logits > high)).groupby("weights").sum()
    lower = (logits < wide["coupling", "hidden"]).groupby("weights").sum()
    count = table["model"].nunique()
    return (
        f"The coupling behind the output map lies outside the range of 20 random matrices in {outside['trained']} of "
        f"{count} trained tiny models, and in {outside['untrained']} of {count} untrained ones. It is lower than in "
        f"the last state, as a conflict there asks for, in {lower['trained']} of the trained and "
        f"{lower['untrained']} of the untrained."
    )


def drop(several: pd.DataFrame, family: str) -> str:
    """What the sizes of one family show within one kind of measurement.

    several: model, family, size (billions), kind, net_coupling; only kinds with two sizes or more of a family.
    """
    own = several[several["family"] == family]
    if own.empty:
        return f"Of {family} no kind of measurement has two sizes."
    lines = []
    for kind, part in own.sort_values("size").groupby("kind"):
        values = part["net_coupling"]
        way = "rises" if values.iloc[-1] > values.iloc[0] else "falls"
        ends = f"{part['model'].iloc[0]} {values.iloc[0]:.3f}, {part['model'].iloc[-1]} {values.iloc[-1]:.3f}"
        lines.append(f"{kind}: {way} ({ends})")
    both = own.groupby("model")["kind"].nunique().max() > 1
    bridge = "" if both or len(lines) == 1 else " No model was measured in both ways, so no drop between them is known."
    return f"{family} within one kind: {'; '.join(lines)}.{bridge}"


def yours(layers: pd.DataFrame, gap: pd.DataFrame, model: str) -> str:
    """What the probe says of one model that it read now.

    layers: rows of its blocks, trained; gap: `twin_gap` of it and its untrained twin; model: its name.
    """
    below = int((layers["high"] < 0).sum())
    compete = f"competition is shown in {times(below, 'block')}" if below else "no block shows competition"
    return f"{model}: training changed the coupling {_apart(gap)}{_towards(gap)}; {compete}."


def remember(internal: pd.DataFrame, gap: pd.DataFrame, counts: pd.DataFrame) -> list[str]:
    """Three lines to remember."""
    values = released(internal)
    kinds = values.loc[values["blind"], "measure"].str.partition(" (")[0].replace("not stated", "one without a name")
    same = len(gap) - int((gap["above"] | gap["below"]).sum())
    compete, heads = counts.loc["untrained", ["competing", "heads"]].astype(int)
    return [
        f"{int(values['blind'].sum())} of {len(values)} released values cannot or may not depend on the weights"
        f"{named(kinds.drop_duplicates())}.",
        f"Compare a model with itself before training: there the probe says no in {same} of {len(gap)} blocks.",
        f"Untrained heads compete too ({compete} of {heads}): count them beside yours.",
    ]
