"""Chapter 10 in sentences: two scores along training, and what two trends alone would give."""

from __future__ import annotations

import pandas as pd

from cape_lib.base import training
from cape_lib.base.training import CAPABILITIES, STEREOTYPE
from cape_lib.stats import corrected
from cape_lib.story.answer import Answer, listed
from cape_lib.tables import label

HIGH = 0.85
STARTS = (1_000, 3_000, 13_000)


def answer(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> Answer:
    """Do two scores of a run couple along its training, beyond rising together?

    rows: `training.runs` with both columns; from_step: the first checkpoint that counts.
    """
    own = training.along(rows, x=x, y=y, from_step=from_step)
    cross = training.crossed(rows, x=x, y=y, from_step=from_step)
    other = float(cross.loc[~cross["own"], "r"].median())
    tests = {name: training.beyond_trend(rows, x=name, y=y, from_step=from_step) for name in _known(rows, x, y)}
    test, p = tests[x], float(corrected([one.p for one in tests.values()])[0])
    high, n = int((own["r"] >= HIGH).sum()), len(own)
    median = float(own["r"].median())
    beyond = "no more than two different runs do" if p >= 0.05 else "a little more than two different runs do"
    if p < 0.05 and test.own - test.twin > 0.2:
        beyond = "far more than two different runs do"
    lead = f"They rise together, {beyond}" if median > 0 else "They do not rise together"
    trends = " Two trends alone give that." if median > 0 and other > median - 0.1 else ""
    sentence = (
        f"**{lead}.** Along training {label(x)} and {label(y)} correlate at {HIGH} or more in {high} of {n} runs "
        f"(median {median:.2f}); {label(x)} of one run and {label(y)} of *another* correlate at {other:.2f} "
        f"(median).{trends}"
    )
    interval = (
        f"From checkpoint to checkpoint, a run with itself r = {test.own:.2f}, with its twin {test.twin:.2f}; that is "
        f"{test.excess.estimate:+.2f} [{test.excess.low:+.2f}, {test.excess.high:+.2f}] more in Fisher's z, "
        f"{test.excess.n} sizes, exact p = {test.p:.3f}{_others(tests, x)}."
    )
    return Answer(sentence, "correlation", interval)


def _known(rows: pd.DataFrame, x: str, y: str) -> list[str]:
    """The chosen capability and the others that the rows have."""
    return [x, *[name for name in CAPABILITIES if name in rows and name not in (x, y)]]


def _others(tests: dict[str, training.BeyondTrend], x: str) -> str:
    others = [f"{label(name)} {test.p:.2f}" for name, test in tests.items() if name != x]
    return f" (the other capabilities: {listed(others)})" if others else ""


def starts(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> str:
    """How the headline shrinks with its first checkpoint, levels and changes."""
    parts = []
    for step in STARTS:
        level = training.along(rows, x=x, y=y, from_step=step)
        change = training.along(rows, x=x, y=y, from_step=step, difference=True)
        parts.append(
            f"from step {step:,} {int((level['r'] >= HIGH).sum())} of {len(level)} runs, changes r = "
            f"{change['r'].median():.2f}"
        )
    return f"Runs at {HIGH} or more, and the median r of the changes between checkpoints: {'; '.join(parts)}."


def start_reading(table: pd.DataFrame, step: int) -> str:
    """What is left from one first checkpoint on: a reading of the slider."""
    r = table.groupby("what")["r"].median()
    high = int((table.loc[table["what"] == "levels", "r"] >= HIGH).sum())
    return (
        f"From step {step:,}: {high} of {table['model'].nunique()} runs at {HIGH} or more; median r of levels "
        f"{r['levels']:.2f}, of changes {r['changes']:.2f}."
    )


def test_text(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The test beyond trend in a sentence."""
    test = training.beyond_trend(rows, x=x, y=y, from_step=from_step)
    verdict = "that is beyond chance" if test.p < 0.05 else "chance gives as much"  # one-sided: a tie can only add
    return (
        f"Changes of {label(x)} go with changes of {label(y)} at r = {test.own:.2f} within a run and "
        f"{test.twin:.2f} with the "
        f"twin: {verdict} (p = {test.p:.3f} over all ways to exchange the twins)."
    )


def test_sure(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The other capabilities, the correction for asking them all, and what the twins are."""
    tests = {name: training.beyond_trend(rows, x=name, y=y, from_step=from_step) for name in _known(rows, x, y)}
    spread = training.twin_spread(rows, y, from_step=from_step)
    p = corrected([test.p for test in tests.values()])
    named = listed([f"{label(name)} {value:.2f}" for name, value in zip(tests, p, strict=True)])
    return (
        f"Corrected for asking {len(tests)} capabilities, p is {named}. A twin saw another corpus; its scores "
        f"differ by "
        f"{spread.estimate:.1f} points (SD of one run, an upper bound for two runs alike)."
    )


def one_run(rows: pd.DataFrame, model: str, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The example: how far the two scores of one run rise, and their r."""
    part = rows[(rows["model"] == model) & (rows["step"] >= from_step)].sort_values("step")
    first, last = part.iloc[0], part.iloc[-1]
    r = training.along(part, x=x, y=y, from_step=from_step)["r"].iloc[0]
    return (
        f"From step {int(first['step']):,} to {int(last['step']):,}, {label(x)} of {model} goes from "
        f"{first[x]:.0f} to "
        f"{last[x]:.0f} %, and {label(y)} from {first[y]:.0f} to {last[y]:.0f} %, where 50 is no preference: r = "
        f"**{r:.2f}** over {len(part)} checkpoints."
    )


def strangers(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000, least: float = 1.4) -> str:
    """r of one run's x with another's y, all sizes and those from `least` billions on."""
    parts = []
    for word, part in (("all sizes", rows), (f"sizes from {least:g} B", rows[rows["params_b"] >= least])):
        median = training.crossed(part, x=x, y=y, from_step=from_step).groupby("own")["r"].median()
        parts.append(f"{word}: with itself {median[True]:.2f}, with another {median[False]:.2f}")
    return f"Median r of {label(x)} with {label(y)}; {'; '.join(parts)}."


def sizes(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> str:
    """r over the sizes at equal tokens, early and at the end."""
    table = training.by_size(rows, x=x, y=y).dropna()
    last = table[table["step"] == table["step"].max()]
    early = table[(table["step"] >= 1_000) & (table["step"] < 13_000)]
    return (
        f"At equal tokens, over {int(last['n'].iloc[0])} sizes at the end of training, r = "
        f"{listed([f'{r:.2f}' for r in last['r']])} (the two corpora); before step 13,000 it lies between "
        f"{early['r'].min():.2f} and {early['r'].max():.2f}. Here time is held, and size takes its place as the "
        f"common cause."
    )


def remember(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> tuple[str, str, str]:
    """Three lines: the headline, the strangers, the test."""
    own = training.along(rows, x=x, y=y, from_step=from_step)
    cross = training.crossed(rows, x=x, y=y, from_step=from_step)
    test = training.beyond_trend(rows, x=x, y=y, from_step=from_step)
    other = float(cross.loc[~cross["own"], "r"].median())
    return (
        f"Any two curves that rise correlate: here {own['r'].median():.2f} within a run, {other:.2f} between runs.",
        "Correlate changes, and put a stranger's curve beside your own.",
        f"What is a run's own, beyond its twin's trend: r {test.own:.2f} against {test.twin:.2f} (p = {test.p:.3f}).",
    )
