"""Chapter 10 in sentences: two scores along training, and what two trends alone would give.

rows, x, y, from_step: `training.runs` with both columns, the two scores, and the first checkpoint that counts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.base import training
from cape_lib.base.training import CAPABILITIES, STEREOTYPE
from cape_lib.errors import MissingError
from cape_lib.names import suggest
from cape_lib.stats import corrected, p_short, p_text, seen_effect, seen_words
from cape_lib.story.answer import Answer, listed, of, with_interval
from cape_lib.tables import label, load

HIGH = 0.85
#: r of a run's changes less that with its twin, beyond which a run has much of its own
MUCH = 0.2
STARTS = (1_000, 3_000, 13_000)
#: What a test asks, in a few words.
ASKS = {
    "lambada_openai": "the last word of a passage",
    "arc_easy": "science for children",
    "sciq": "science with its passage",
    "piqa": "everyday physics",
    STEREOTYPE: "stereotyped sentences preferred",
}


def answer(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> Answer:
    """Do two scores of a run belong together along its training, beyond rising together?"""
    r = training.along(rows, x=x, y=y, from_step=from_step)["r"]
    reach = training.crossed(rows, x=x, y=y, from_step=from_step).groupby("own")["r"].agg(lambda r: (r >= HIGH).mean())
    every = by_capability(rows, x, y, from_step)
    test, p = every[x]
    lead = "Little of that is shown: that both rise gives most of it"
    if r.median() <= 0:
        lead = "They do not rise together"
    elif p >= 0.05:
        lead = "That is not shown: two curves that rise give as much"
    elif test.own - test.twin > MUCH:
        lead = "Yes, far beyond what two rising curves give"
    sentence = (
        f"**{lead}.** While a model learns, {_asked(x)} and {_asked(y)} correlate at {HIGH} or more in "
        f"{of(r >= HIGH)} training runs ({reach[True]:.0%}). But {label(x)} of one run and {label(y)} of *another*, "
        f"which cannot act on each other, do so in {reach[False]:.0%} of the pairs."
    )
    levels = by_capability(rows, x, y, from_step, difference=False)[x]
    tests = [f"{_beside(test, p)} for these changes", f"{_beside(*levels)} for the scores themselves"]
    if from_step < STARTS[-1]:
        late = by_capability(rows, x, y, STARTS[-1])[x]
        tests.append(f"{_beside(*late)} for the lead of changes from step {STARTS[-1]:,} on")
    interval = (
        f"Changes from checkpoint to checkpoint correlate at {test.own:.2f} within a run and at {test.twin:.2f} with "
        f"its twin (the same text with or without repeats). Both are averaged over {test.excess.n} sizes in Fisher's "
        f"z, which stretches r near one; there the lead is {with_interval(test.excess, signed=True)}. One-sided, "
        f"corrected for asking {len(every)} capabilities ({listed(map(label, every))}): {listed(tests)}."
    )
    return Answer(sentence, "correlation", interval)


def _asked(name: str) -> str:
    """A test with what it asks, "SciQ (science with its passage)"."""
    return f"{label(name)} ({ASKS[name]})" if name in ASKS else label(name)


def data_end() -> str:
    """Where the data end: the state of the source, and what it says of days."""
    commit = str(load("sources").set_index("source").loc["pythia", "commit"])
    return f"Data end with commit {commit} of EleutherAI's evaluations, which name no day."


def _medians(rows: pd.DataFrame, x: str, y: str, from_step: int) -> tuple[float, float]:
    """The median r of x with y of the same run, and with y of another run."""
    r = training.crossed(rows, x=x, y=y, from_step=from_step).groupby("own")["r"].median()
    return float(r[True]), float(r[False])


def by_capability(
    rows: pd.DataFrame, x: str, y: str, from_step: int, *, difference: bool = True
) -> dict[str, tuple[pd.Series, float]]:
    """The test beyond trend of x and of every other capability, each with its p, Holm-corrected for asking them all."""
    names = [x, *[name for name in CAPABILITIES if name in rows and name not in (x, y)]]
    tests = [training.beyond_trend(rows, x=n, y=y, from_step=from_step, difference=difference) for n in names]
    return dict(zip(names, zip(tests, corrected([one.p for one in tests]).tolist(), strict=True), strict=True))


def starts(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> str:
    """How the headline shrinks with its first checkpoint, levels and changes."""
    parts: list[str] = []
    for step in STARTS:
        r, change = (training.along(rows, x=x, y=y, from_step=step, difference=d)["r"] for d in (False, True))
        also = " and" if parts else f" have r of {HIGH} or more, and changes"
        parts.append(f"from step {step:,} on, {of(r >= HIGH)}{also} {change.median():.2f}")
    return f"Runs with a high r, and the median r of the changes between checkpoints: {'; '.join(parts)}."


def starts_table(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> pd.DataFrame:
    """`starts` as a table, a row a first checkpoint."""
    table = []
    for step in STARTS:
        r, change = (training.along(rows, x=x, y=y, from_step=step, difference=d)["r"] for d in (False, True))
        table.append((f"{step:,}", int((r >= HIGH).sum()), r.median(), change.median()))
    columns = ["from step", f"runs of {len(r)} at {HIGH} or more", "median r of scores", "median r of changes"]
    return pd.DataFrame(table, columns=columns)


def start_reading(table: pd.DataFrame, step: int) -> str:
    """What is left from one first checkpoint on: a reading of the slider."""
    r = table.groupby("what")["r"].median()
    high = int((table.loc[table["what"] == "levels", "r"] >= HIGH).sum())
    return (
        f"From step {step:,}: {high} of {table['model'].nunique()} runs at {HIGH} or more; median r of levels "
        f"{r['levels']:.2f}, of changes {r['changes']:.2f}."
    )


def test_text(test: pd.Series, rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The test beyond trend (`training.beyond_trend` of x) in a sentence, its p corrected for all capabilities."""
    every = by_capability(rows, x, y, from_step)
    p = every[x][1]
    return (
        f"Changes of {label(x)} go with changes of {label(y)} at r = {test.own:.2f} within a run and {test.twin:.2f} "
        f"with the twin (averaged over sizes in Fisher's z, so not the median above): "
        f"{'that is beyond chance' if p < 0.05 else 'chance gives as much'} "
        f"({p_text(p, 'greater')}, over all ways to exchange the twins, corrected for asking {len(every)} "
        f"capabilities).{_later(rows, p, x, y, from_step)}"
    )


def averages(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """r of changes within a run by three averages: the chapter's test has the first, its tables the last."""
    test = training.beyond_trend(rows, x=x, y=y, from_step=from_step)
    r = training.along(rows, x=x, y=y, from_step=from_step, difference=True)["r"]
    return (
        f"r of changes within a run: {test.own:.2f} as the mean over sizes in Fisher's z, {r.mean():.2f} as the plain "
        f"mean of the runs, {r.median():.2f} as their median."
    )


def _later(rows: pd.DataFrame, p: float, x: str, y: str, from_step: int) -> str:
    """Whether the test says the same of the later checkpoints alone; empty where they are all there is."""
    if from_step >= STARTS[-1]:
        return ""
    test, late = by_capability(rows, x, y, STARTS[-1])[x]
    lead, when = _lead(test, late), f"rom step {STARTS[-1]:,} on"
    tested = f"({p_text(late, 'greater')}{f'; {lead}' if lead else ''})"
    if late >= 0.05 <= p:
        return f" Nor is it shown f{when} {tested}."
    return f" F{when} it is {'not shown' if late >= 0.05 else 'shown too' if p < 0.05 else 'shown'} {tested}."


def _lead(test: pd.Series, p: float) -> str:
    """The lead (Fisher's z) that a test would have seen, where its p shows none; else empty."""
    seen = seen_words(seen_effect(test.excess)) if p >= 0.05 else ""
    return f"a lead of {seen}" if seen else ""


def _beside(test: pd.Series, p: float) -> str:
    """A p with the lead that would have been seen."""
    lead = _lead(test, p)
    return f"{p_text(p, '')} ({lead})" if lead else p_text(p, "")


def test_sure(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The other capabilities, and what the twins are."""
    every = by_capability(rows, x, y, from_step)
    spread = training.twin_spread(rows, y, from_step=from_step)
    return (
        f"The same test of the other capabilities has one-sided p: "
        f"{listed(f'{label(name)} {p_short(p)}' for name, (_, p) in every.items() if name != x)} (corrected for asking "
        f"all {len(every)}). At one checkpoint twins are typically {2**0.5 * spread.estimate:.1f} points of "
        f"{label(y)} apart."
    )


def noise_text(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> str:
    """What r of changes could have been at most, given the noise of the questions, from each first checkpoint on."""
    noise = training.change_noise(rows, [x, y], starts=STARTS)
    real = noise.assign(real=(1 - noise["share"]).clip(lower=0) ** 0.5)
    last, at_most, more = noise[noise["score"] == y].iloc[-1], [], []
    for step in STARTS:
        most = float(real.loc[real["from_step"] == step, "real"].to_numpy().prod())
        r = float(training.along(rows, x=x, y=y, from_step=step, difference=True)["r"].median())
        at_most.append(f"{most:.2f} from step {step:,} on")
        if r > most:
            more.append(f"{r:.2f} from step {step:,} on")
    cancels = "checkpoints answer the same questions, and much of that noise cancels"
    return (
        f"Changes are noisy: from step {int(last['from_step']):,} on, {label(y)} moves by {last['sd']:.1f} points "
        f"(SD) from one checkpoint to the next, and another sample of its questions alone could move it by "
        f"{last['noise']:.1f}. Where all of that noise is there, even a perfect tie shows no more than r = "
        f"{listed(at_most)}.{f' They show more ({listed(more)}): {cancels}.' if more else ''} That changes couple "
        f"less later does not show that only trend was there; that strangers' levels couple alike does."
    )


def control_text(rows: pd.DataFrame, *, from_step: int = 1_000) -> str:
    """Whether the test against twins sees a tie where one is expected, between two capabilities of one run."""
    pairs = training.control(rows, from_step=from_step)
    seen, least = pairs["p"] < 0.05, pairs.sort_values("excess").iloc[0]
    power = "It has that power" if seen.all() else "So a capability that does not pass it may still be tied"
    return (
        f"Would the test see a tie? Two capabilities of one run should have one. It sees it in {of(seen)} "
        f"pairs (one-sided p < 0.05, not corrected); the weakest pair, {_asked(least['first'])} with "
        f"{_asked(least['second'])}, has {least['own']:.2f} within a run and {least['twin']:.2f} with the twin (means "
        f"in z). {power}."
    )


def tempting(own: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> str:
    """The headline that two rising curves tempt to; own: `training.along`, r of each run."""
    headline = f"as a model gains in {label(x)}, it moves in {label(y)}"
    if (x, y) == (CAPABILITIES[0], STEREOTYPE):
        headline = "as a model learns to predict text, it learns to stereotype"
    return f"r is {HIGH} or more in {of(own['r'] >= HIGH)} runs. A headline could read: *{headline}*."


def one_run(rows: pd.DataFrame, model: str, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> str:
    """The example: how far the two scores of one run rise, and their r."""
    if model not in set(rows["model"]):
        raise MissingError(suggest("run", model, sorted(set(rows["model"]))))
    run = rows[rows["model"] == model]
    part = run[run["step"] >= from_step].sort_values("step")
    first, last = part.iloc[0], part.iloc[-1]
    r = training.along(part, x=x, y=y, from_step=from_step)["r"].iloc[0]
    return (
        f"From step {int(first['step']):,} to {int(last['step']):,}, {label(x)} of {model} goes from {first[x]:.0f} to "
        f"{last[x]:.0f} %, and {label(y)} from {first[y]:.0f} to {last[y]:.0f} %: r = **{r:.2f}** over {len(part)} "
        f"of its {len(run)} checkpoints."
    )


def strangers(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000, least: float = 1.4) -> str:
    """r of one run's x with another's y, all sizes and those from `least` billions on."""
    own, other = _medians(rows, x, y, from_step)
    large, large_other = _medians(rows[rows["params_b"] >= least], x, y, from_step)
    return (
        f"{label(x)} of a run goes with {label(y)} of the same run at r = {own:.2f}, with that of another run at "
        f"{other:.2f} (medians); among the sizes from {least:g} B at {large:.2f} and {large_other:.2f}."
    )


def sizes(table: pd.DataFrame) -> str:
    """r over the sizes at equal tokens, early and at the end; table: `training.by_size`."""
    table = table.dropna()
    last = table[table["step"] == table["step"].max()]
    early, later = (table.loc[table["step"].between(*ends), "r"] for ends in ((1_000, 12_999), (13_000, np.inf)))
    return (
        f"At equal tokens, over {int(last['n'].iloc[0])} sizes at the end of training, r = "
        f"{listed(f'{r:.2f}' for r in last['r'])} (with repeats and without); before step 13,000 it lies between "
        f"{early.min():.2f} and {early.max():.2f}, from there on it is {later.median():.2f} in the median and "
        f"{later.min():.2f} at the lowest. Here time is held, and size may be the common cause in its place."
    )


def remember(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> tuple[str, str, str]:
    """Three lines: the headline, the strangers, the test."""
    own, other = _medians(rows, x, y, from_step)
    test, p = by_capability(rows, x, y, from_step)[x]
    ends = f"r of changes {test.own:.2f} against {test.twin:.2f}, {p_text(p, 'greater')}"
    seen = _lead(test, p)
    beyond = f"That a run has anything of its own beyond its twin is not shown ({ends}{seen and f'; {seen}'})"
    if p < 0.05:
        beyond = (
            f"Beyond its twin a run shows {'much' if test.own - test.twin > MUCH else 'little'} of its own ({ends})"
        )
    return (
        f"Two curves that rise correlate: here {own:.2f} within a run, {other:.2f} between runs.",
        "Correlate changes, and put a stranger's curve beside your own.",
        f"{beyond}.{_later(rows, p, x, y, from_step)}",
    )


def start_rows(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> pd.DataFrame:
    """Rows of the figure `by_start`: r of each run from a step on, of levels and of changes, with a reading."""
    kinds = {"levels": False, "changes": True}
    parts = {what: training.along(rows, x=x, y=y, from_step=from_step, difference=kinds[what]) for what in kinds}
    return pd.concat(parts, names=["what"]).reset_index("what").reset_index(drop=True)


def low_ticks(rows: pd.DataFrame, pairs: pd.DataFrame, y: str) -> str:
    """Whose y most low ticks are, and how far it rises there; empty where they are not of the same runs.

    rows: from the first checkpoint on that counts; pairs: `training.crossed` of them.
    """
    own, strangers = pairs[pairs["own"]].set_index("y_model")["r"], pairs[~pairs["own"]]
    median = strangers.groupby("y_model", sort=False)["r"].median()
    low, under = median.index[median < HIGH], strangers[strangers["r"] < HIGH]
    if not under["y_model"].isin(low).mean() > 0.5:
        return ""
    y_of = rows.sort_values("step").groupby("model")[y]
    rise = (y_of.last() - y_of.first())[low]
    included = ", their own included" if (own[low] < HIGH).all() else ""
    return (
        f" Most of the ticks far left are {label(y)} of {listed(low)} (it changes there by "
        f"{rise.min():+.1f} to {rise.max():+.1f} points): these go less with any run{included}."
    )
