"""Chapter 9 in sentences: what models of today know and admit, by reasoning, by size and under thinking."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError
from cape_lib.frontier import effort, fit_line, lab_means, variants
from cape_lib.frontier.variants import ADMITS, DATA_END, KNOWS, MEASURES, PRECISION, REASONING, WRONG
from cape_lib.stats import Estimate, partial_pearson, pearson
from cape_lib.story.again_sizes import one_family
from cape_lib.story.answer import Answer, listed, times
from cape_lib.tables import frontier, label, load

WORDS = {
    KNOWS: "the share of all questions answered right",
    ADMITS: "of what was not right, the share that was not wrong",
    WRONG: "the share of all questions answered wrong",
    PRECISION: "of the answers given, the share that was right",
}
#: what a rise of the measure means for making things up
BETTER = {KNOWS: 1, ADMITS: 1, WRONG: -1, PRECISION: 1}


def r_text(r: Estimate) -> str:
    """A correlation with its interval, "0.18 [-0.01, 0.37]"."""
    return f"{r.estimate:.2f} [{r.low:.2f}, {r.high:.2f}]"


def direction(r: Estimate) -> int:
    """1 or -1 where the interval leaves zero out, else 0."""
    return 0 if r.contains(0.0) or np.isnan(r.low) else (1 if r.estimate > 0 else -1)


def answer(rows: pd.DataFrame | None = None) -> Answer:
    """Does a better reasoner make up less? Over the variants of today, with three measures.

    rows: from `variants.readings`, by default the 440 of the book.
    """
    rows = variants.readings() if rows is None else rows
    r = {measure: variants.association(rows, measure) for measure in MEASURES}
    knows = {1: "know more", -1: "know less", 0: "do not surely know more"}[direction(r[KNOWS])]
    admits = {
        1: "they also admit more of what they do not know",
        -1: "they admit less of what they do not know",
        0: "whether they admit what they do not know hardly goes with it",
    }[direction(r[ADMITS])]
    wrong = {-1: "fewer", 1: "more", 0: "not surely fewer"}[direction(r[WRONG])]
    opens = {1: "with leaving", -1: "against leaving", 0: "hardly with leaving"}[direction(r[ADMITS])]
    sentence = (
        f"**Better reasoners {knows}; {admits}.** Over {len(rows)} variants of today's models, reasoning (GPQA, "
        f"hard science questions) goes with more questions of fact answered right (correlation r = "
        f"{r[KNOWS].estimate:.2f}), with {wrong} answered wrong (r with the wrong = {r[WRONG].estimate:.2f}), and "
        f"{opens} open what is not known (r = {r[ADMITS].estimate:.2f}). "
        f"{effort_moral(rows)}"
    )
    interval = (
        f"95 % intervals, each of {rows['lab'].nunique()} makers left out in turn: right "
        f"[{r[KNOWS].low:.2f}, {r[KNOWS].high:.2f}], "
        f"wrong [{r[WRONG].low:.2f}, {r[WRONG].high:.2f}], admitted [{r[ADMITS].low:.2f}, {r[ADMITS].high:.2f}]. "
        f"All measured by one laboratory; data end {DATA_END}."
    )
    return Answer(sentence, "correlation", interval)


def effort_moral(rows: pd.DataFrame) -> str:
    """What more thinking does at the same weights, by three measures; empty without ladders of effort."""
    try:
        ladders = effort.effort_ladders(rows)
    except MissingError:
        return ""
    count = {measure: effort.counted(ladders, measure) for measure in MEASURES}
    return (
        f"At the same weights more thinking raises what is known in {count[KNOWS].rose} of {len(ladders)} models and "
        f"lowers the share admitted in {count[ADMITS].fell}{_two_ways(count)}."
    )


def _two_ways(count: dict[str, effort.Counted]) -> str:
    """What follows where wrong answers and right ones among those given rise together."""
    wrong, precise = count[WRONG], count[PRECISION]
    both = wrong.rose > wrong.fell and precise.rose > precise.fell
    return ": whether that is making up more depends on the measure" if both else ""


def twins(rows: pd.DataFrame, *, within: float = 1.0) -> str:
    """Two thinking models that reason alike (GPQA within `within` points) and differ most in wrong answers."""
    top = rows[(rows["mode"] == "reasoning") & (rows[REASONING] >= rows[REASONING].quantile(0.95))]
    gpqa, wrong = top[REASONING].to_numpy(float), top[WRONG].to_numpy(float)
    apart = np.abs(wrong[:, None] - wrong[None, :])
    apart[np.abs(gpqa[:, None] - gpqa[None, :]) > within] = -1.0
    i, j = np.unravel_index(int(apart.argmax()), apart.shape)
    more, less = (top.iloc[k] for k in ((i, j) if wrong[i] > wrong[j] else (j, i)))
    return (
        f"**{less['model']}** and **{more['model']}** reason alike: GPQA {less[REASONING]:.0f} and "
        f"{more[REASONING]:.0f}. The first answers {less[KNOWS]:.0f} % right and {less[WRONG]:.0f} % wrong, and "
        f"leaves "
        f"{less['rest']:.0f} %. The second answers {more[KNOWS]:.0f} % right and {more[WRONG]:.0f} % wrong, and "
        f"leaves "
        f"{more['rest']:.0f} %."
    )


def r_line(r: Estimate, measure: str) -> str:
    """One correlation as a sentence."""
    return f"r(GPQA, {label(measure)}) = **{r.estimate:.2f}** [{r.low:.2f}, {r.high:.2f}] over {r.n} variants."


def measure_reading(rows: pd.DataFrame, measure: str) -> str:
    """What one measure says about better reasoners, with r given date and size beside it."""
    r = variants.association(rows, measure)
    given = variants.association(rows, measure, given=("date", "size"))
    word = {1: "rises with GPQA", -1: "falls with GPQA", 0: "does not surely go with GPQA"}[direction(r)]
    moral = {1: "better reasoners make up less", -1: "better reasoners make up more", 0: "no clear link"}
    good = moral[direction(r) * BETTER[measure]] if measure != KNOWS else "knowing, not admitting"
    return (
        f"**{label(measure)}**, {WORDS[measure]}, {word}: r = {r_text(r)}, n = {r.n}; "
        f"given date and size {r_text(given)}, n = {given.n}. By this measure: {good}."
    )


def measures_disagree(rows: pd.DataFrame) -> str:
    """Whether the three measures of making things up agree on the moral."""
    signs = {m: direction(variants.association(rows, m)) * BETTER[m] for m in (ADMITS, WRONG, PRECISION)}
    held = {m: direction(variants.association(rows, m, given=("date", "size"))) * BETTER[m] for m in signs}
    same = len(set(signs.values())) == 1
    named = listed([f"{label(m)} {_way(s)}" for m, s in signs.items()])
    kept = listed([f"{label(m)} {_way(s)}" for m, s in held.items()])
    lead = "The three measures agree" if same else "**The moral depends on the measure**"
    return f"{lead}: {named}. Given date and size: {kept}. (Better: less made up; open: the interval holds zero.)"


def _way(sign: int) -> str:
    return {1: "better", -1: "worse", 0: "open"}[sign]


def sure(rows: pd.DataFrame) -> str:
    """How sure the correlations are: makers, domains as replicates, years, and the variants that ran out."""
    domains = {m: variants.by_domain(rows, m)[1] for m in (ADMITS, WRONG)}
    left = variants.association(variants.steady(rows), ADMITS)
    one_each = variants.association(variants.best_of_each(rows), ADMITS)
    years = variants.by_year(rows, ADMITS)
    return (
        f"{rows['lab'].nunique()} makers were left out in turn. With the six domains as replicates r is "
        f"{r_text(domains[ADMITS])} for the {label(ADMITS)} and {r_text(domains[WRONG])} for the "
        f"{label(WRONG)}. For the "
        f"{label(ADMITS)} it is {r_text(left)} without the variants that ran out, {r_text(one_each)} with the "
        f"best variant "
        f"of each model only, and by year of release {listed([f'{y.r:.2f} ({y.year})' for y in years.itertuples()])}."
    )


def effort_text(rows: pd.DataFrame) -> str:
    """The count of ladders of effort by four measures, makers named."""
    ladders = effort.effort_ladders(rows)
    count = {score: effort.counted(ladders, score) for score in effort.CHANGES}
    makers = ladders["lab"].value_counts()
    return (
        f"Of {len(ladders)} models at two or more efforts, from {times(len(makers), 'maker')} ({makers.iloc[0]} by "
        f"{makers.index[0]}), GPQA rises in {count[REASONING].rose} and the share known in {count[KNOWS].rose}. "
        f"The share "
        f"admitted **falls in {count[ADMITS].fell}** (mean {count[ADMITS].mean:+.1f} points). The wrong share "
        f"rises in "
        f"{count[WRONG].rose}, precision in {count[PRECISION].rose}: by one measure it makes up more, by the "
        f"other less."
    )


def effort_sure(rows: pd.DataFrame) -> str:
    """The dose with its interval, and how many single changes are beyond noise."""
    ladders = effort.effort_ladders(rows)
    fell = effort.counted(ladders, ADMITS)
    dose = effort.dose(rows, ADMITS)
    wrong = effort.dose(rows, WRONG)
    return (
        f"{fell.sure} of the {fell.fell} falls are beyond 1.96 standard errors of 6,000 questions each. As a "
        f"dose, ten times "
        f"the reasoning tokens change the share admitted by {dose.by_maker.estimate:+.1f} "
        f"[{dose.by_maker.low:+.1f}, {dose.by_maker.high:+.1f}] points and the wrong share by "
        f"{wrong.by_maker.estimate:+.1f} [{wrong.by_maker.low:+.1f}, {wrong.by_maker.high:+.1f}] "
        f"({len(dose.slopes)} models, their {dose.by_maker.n} makers as replicates)."
    )


def off_on_text(rows: pd.DataFrame) -> str:
    """Thinking off against its lowest effort: pairs, makers, three measures."""
    pairs = effort.off_and_on(rows)
    count = {score: effort.counted(pairs, score) for score in MEASURES}
    admits = count[ADMITS]
    return (
        f"From no thinking to the least of it, in {len(pairs)} pairs of the same weights, precision rises in "
        f"{count[PRECISION].rose}, the wrong share falls in {count[WRONG].fell}, and the share admitted rises in "
        f"{admits.rose}. Averaged by maker, it rises in {admits.makers_up} of {admits.makers}: what thinking does to "
        f"admitting {'is not one thing' if 0 < admits.makers_up < admits.makers else 'is the same everywhere'}."
    )


def hump_text(rows: pd.DataFrame) -> str:
    """A little thought admits more, more thought less: how many models, beside two planted nulls."""
    one = effort.hump(rows)
    return (
        f"*A little thought admits more, more thought less?* {one.humped} of {one.n} models with all three "
        f"settings, from "
        f"{times(one.makers, 'maker')}, have that hump. Where thinking did nothing, a third would; where it "
        f"only lowered, "
        f"{one.trend_share:.0%}, because both steps share the low point. p = {one.p:.2g} against a third, with models "
        f"taken for independent: a hypothesis, and {one.makers} makers are few."
    )


def line_text(panel: str = "independent") -> str:
    """The frontier line where one agent and one laboratory measured all, beside that of the makers' own values."""
    here, makers = frontier(panel), frontier("corrected")
    one, other = fit_line(here, panel=panel), fit_line(makers, panel="corrected")
    slope, wide = one.fit.slope, other.fit.slope
    return (
        f"Measured by one agent and one laboratory, {one.fit.n} releases lie on GPQA = {slope.estimate:.2f} "
        f"[{slope.low:.2f}, {slope.high:.2f}] SWE {one.intercept:+.0f} (r = {one.fit.r:.2f}); on the makers' "
        f"own values "
        f"the slope is {wide.estimate:.2f} [{wide.low:.2f}, {wide.high:.2f}] (n = {other.fit.n})."
    )


def agent_text() -> str:
    """The line of the independent panel, given the version of the agent and given the date."""
    rows = load("frontier_independent")
    version = rows["swe_agent"].str.extract(r"v1\.(\d+)", expand=False).astype(float)
    day = (pd.to_datetime(rows["release_date"]) - pd.Timestamp("2025-01-01")).dt.days.astype(float)
    swe, gpqa = rows["swe_bench_verified"], rows["gpqa_diamond"]
    plain, agent, date = pearson(swe, gpqa), partial_pearson(swe, gpqa, version), partial_pearson(swe, gpqa, day)
    high = rows["swe_bench_verified"] >= 65
    upper = pearson(swe[high], gpqa[high])
    return (
        f"r(SWE, GPQA) = {r_text(plain)} over {plain.n} releases; given the version of the agent "
        f"{r_text(agent)}, given the "
        f"date {r_text(date)}; from SWE 65 on {r_text(upper)} (n = {upper.n}). Versions of the agent go with the date "
        f"(r = {version.corr(day):.2f}), so that neither can be told from the other."
    )


def labs_text() -> str:
    """Mean h of each lab on the line of the independent panel, those whose interval leaves zero out."""
    panel = frontier("independent")
    means = lab_means(panel, chosen=fit_line(panel, panel="independent"), core_only=False)
    sure_ones = means[(means["low"] > 0) | (means["high"] < 0)]
    names = [f"{row['lab']} {row['mean']:+.1f}" for row in sure_ones.to_dict("records")]
    return f"Of {len(means)} labs these have a mean h whose interval leaves zero out: {listed(names)}."


def remember(rows: pd.DataFrame) -> tuple[str, str, str]:
    """Three lines: what goes with reasoning, what fell, what thinking does."""
    r = {m: variants.association(rows, m) for m in (KNOWS, ADMITS)}
    given = variants.association(rows, ADMITS, given=("date", "size"))
    ladders = effort.effort_ladders(rows)
    family = one_family(rows, "Qwen3.5")
    whole = float(family[REASONING].corr(family[ADMITS]))
    fell = effort.counted(ladders, ADMITS).fell
    knows = "goes" if direction(r[KNOWS]) > 0 else "does not surely go"
    admits = {1: "and also", -1: "and goes against", 0: "and not surely"}[direction(r[ADMITS])]
    return (
        f"Reasoning {knows} with knowing (r = {r[KNOWS].estimate:.2f}), {admits} with admitting "
        f"(r = {r_text(r[ADMITS])}; given date and size {given.estimate:.2f}).",
        f"r = {whole:.2f} in one family rested on models that ran out of tokens: count tokens before you read a score.",
        f"More thinking at the same weights admits less in {fell} of {len(ladders)}; say which denominator you mean.",
    )
