"""Chapter 5 in sentences: what was counted, what the controls reach, what breaks, and a real model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.stats import Estimate, corrected, p_short, p_text, wilson, wilson_clustered
from cape_lib.story.answer import Answer, listed, of, span, times, verb

#: Texts that a direction is fitted on -> in words.
WORDS = {"reg": "register", "ctx": "context", "stmt": "statement"}
#: Directions of the made worlds that are there to be found; "stmt" is the papers' recipe of statements.
THERE = ("reg", "ctx")
PAPERS = "stmt"
RELIABLE = ("reference", "question")
OPEN = "web, open"
AFTER_MYTHS = "web, after three myths"
#: Half of an interval with which one can tell 60 % from 40 % (points).
WANTED = 10.0
#: p up to which a direction ranks among the best of its controls.
LEVEL = 0.05


def there_and_not(trials: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of learnt directions that are there to be found, and runs where none is; trials: table `testbed_trials`.

    A direction put there by hand (case "planted") is neither: it is found by construction.
    """
    null = trials["case"].str.startswith("null")
    return trials[(trials["case"] == "learnt") & trials["contrast"].isin(THERE)], trials[null]


def surely(runs: pd.DataFrame) -> pd.Series:
    """Which recorded runs show an effect after the correction for that many looks (Holm); table `model_runs`."""
    return runs["effect"].astype(bool) & (corrected(runs["p"]) < LEVEL)


def answer(records: pd.DataFrame, trials: pd.DataFrame, runs: pd.DataFrame) -> Answer:
    """Does a truth direction correct? What was recorded, what made worlds show, what a real model does.

    records: `steering_records`; trials: `testbed_trials`; runs: `model_runs`.
    """
    there, null = there_and_not(trials)
    several = int((there.groupby("contrast")["effect"].mean() > 0.5).sum())
    works = there["effect"].mean() > 0.5 and null["effect"].mean() <= 0.1
    some = f"{'two' if several == 2 else several} kinds of direction" if several > 1 else "one kind of direction"
    one = "one real model" if runs["model"].nunique() == 1 else f"{runs['model'].nunique()} real models"
    hardly = "hardly" if surely(runs).any() else "it is not shown"
    lead = {
        (True, False): f"In made worlds, yes for {some}; in a real model {hardly}",
        (True, True): f"Yes, in made worlds for {some}, and in a real model",
        (False, True): "In a real model, yes; in made worlds it is not shown",
        (False, False): "It is not shown",
    }[works, bool((runs["claim"] == "supported").any())]
    registers = tables.load("testbed_registers")
    open_web, myths = (_part(registers, [tone])[1] for tone in (OPEN, AFTER_MYTHS))
    sentence = (
        f"**{lead}**: {_explained(there)} beat their controls (random or mislabelled) in "
        f"{_in_runs(there)} and correct {open_web} in open web text, {myths} after three myths; the papers' own "
        f"recipe beats them in {of(trials.loc[trials['contrast'] == PAPERS, 'effect'])}. In {one} another direction "
        f"(right minus wrong answers) corrects {_fixed(runs)} wrong answers{_in_largest(runs)}. What was published "
        f"counts changed texts: of {len(records)} recorded prompts {_says_right(records)} whether the answer became "
        "right."
    )
    interval = (
        f"In {one}, {times(len(runs), 'run')}: {_not_ruled_out(runs)} not ruled out (95 %); the papers say "
        f"{runs['claimed'].max():.0%}.{_power(_largest(runs), runs) if 'not shown' in lead else ''}"
    )
    return Answer(sentence, "experiment", interval)


def _in_runs(there: pd.DataFrame) -> str:
    """In how many runs there is an effect, and of how many models they are."""
    return f"{of(there['effect'])} runs ({times(there['model'].nunique(), 'model')})"


def _power(run: pd.Series, runs: pd.DataFrame) -> str:
    """How often an effect of a stated size would have been shown in as many questions; of planted answers.

    Where so many looks are corrected for that the controls allow no p small enough, that.
    """
    most = int(runs["controls"].max())
    if len(runs) / (1 + most) >= LEVEL:
        return f" Corrected for {len(runs)} runs, {most} controls are too few to show an effect."
    planted = tables.load("coverage").query("method == 'effect beyond controls' and measure == 'power'")
    near = planted[planted["n"] == planted.loc[(planted["n"] - run["tested"]).abs().idxmin(), "n"]]
    plain = " (p not corrected)" if len(runs) > 1 else ""
    return (
        f" *Not shown* is not *none*: a direction that {near['truth'].iloc[0]} beats its controls{plain} in "
        f"{span(near['value'])} of planted runs of {near['n'].iloc[0]:.0f} questions."
    )


def _kinds(there: pd.DataFrame) -> str:
    """The kinds of direction that are there to be found, "register and context directions"."""
    return f"{listed(WORDS[kind] for kind in THERE if kind in set(there['contrast']))} directions"


def _explained(there: pd.DataFrame) -> str:
    """The kinds of direction that are there to be found, each with the texts that it is made of."""
    made_of = {"reg": "reliable minus web text", "ctx": "after truths minus after myths"}
    kinds = [f"{WORDS[kind]} ({made_of[kind]})" for kind in THERE if kind in set(there["contrast"])]
    return f"{listed(kinds)} directions"


def _most_asked(runs: pd.DataFrame) -> pd.DataFrame:
    """The recorded runs with the most questions, at a quarter of the depth before a sweep: runs share questions."""
    most: pd.DataFrame = runs[runs["tested"] == runs["tested"].max()]
    return most.sort_values("run")


def _largest(runs: pd.DataFrame) -> pd.Series:
    """The first of the runs with the most questions."""
    return _most_asked(runs).iloc[0]


def _in_largest(runs: pd.DataFrame) -> str:
    """Which of several runs are the largest, ", in each of the 2 largest of 6 runs"."""
    most = len(_most_asked(runs))
    each = "the largest" if most == 1 else f"each of the {most} largest"
    return f", in {each} of {len(runs)} runs" if len(runs) > 1 else ""


def _counted(runs: pd.DataFrame, part: str, whole: str) -> str:
    """Answers of the largest runs, "7 of 247"; where these differ, each of them."""
    counts = [(round(float(run[part] * run[whole])), int(run[whole])) for _, run in _most_asked(runs).iterrows()]
    if len({n for _, n in counts}) == 1:
        return f"{listed(dict.fromkeys(count for count, _ in counts))} of {counts[0][1]}"
    return listed(f"{count} of {n}" for count, n in counts)


def _fixed(runs: pd.DataFrame) -> str:
    """Answers corrected of those wrong before, in the largest runs."""
    return _counted(runs, "corrected", "misaligned")


def _not_ruled_out(runs: pd.DataFrame) -> str:
    """The upper ends of the share corrected, of the largest runs and of any: "7 % in the largest, 19 % in a run"."""
    largest, wide = _most_asked(runs)["corrected_high"].max(), runs["corrected_high"].max()
    if wide == largest:
        return f"up to {wide:.0%} {'is' if len(runs) == 1 else 'in a run is'}"
    few = int(runs.sort_values("corrected_high")["misaligned"].iloc[-1])
    return f"up to {largest:.0%} in the largest and {wide:.0%} in a run of {few} wrong answers are"


def _says_right(records: pd.DataFrame) -> str:
    """How many of the records say it, "**none** says"; table `steering_records`."""
    known = int(records["corrected"].notna().sum())
    return f"**{known}** {verb(known, 'say')}" if known else "**none** says"


def recorded(records: pd.DataFrame) -> str:
    """What the released records count; table `steering_records`."""
    known = records.dropna(subset=["corrected"])
    says = "**None** says whether the answer became right"
    if len(known):
        right = times(int(known["corrected"].astype(bool).sum()), "answer")
        says = f"**{len(known)}** say whether the answer became right; of these, {right} became right"
    return f"Of {len(records)} recorded prompts {int(records['changed'].sum())} have a changed text. {says}."


def published(totals: pd.DataFrame) -> str:
    """What the published share of a model in the tax phase counts; table `steering_totals`."""
    changed, prompts = totals.loc[totals["phase"] == "TAX", ["n_changed", "n_total"]].iloc[0].astype(int)
    return f"The published {changed / prompts:.0%} is {changed} of {prompts} texts changed, not answers corrected."


def few_prompts(totals: pd.DataFrame) -> str:
    """How wide the interval of a share is in so few prompts; totals: `steering_totals` with low and high (percent)."""
    wide = (totals["high"] - totals["low"]).max()
    return f"{span(totals['n_total'], '')} prompts a run leave the share open by up to {wide:.0f} points."


def zero(texts: pd.DataFrame, name: str, trials: pd.DataFrame) -> str:
    """How many texts of a model "change" when nothing is steered; columns text is, texts, changed.

    texts: `pages.at_strength_zero`;  trials: as in `yours`.
    """
    parts = [f"{how} **{n} of {of}**" for how, n, of in texts[["text is", "changed", "texts"]].to_numpy()]
    return f"{_kind(name, trials)}, not steered. Texts that differ: {'; '.join(parts)}."


def verdicts(trials: pd.DataFrame) -> str:
    """In how many runs there is an effect, where a direction is there and where none is; table `testbed_trials`."""
    there, null = there_and_not(trials)
    recipe = trials[trials["contrast"] == PAPERS]
    return (
        f"An effect in {_in_runs(there)} of {_kinds(there)}, in {of(recipe['effect'])} of the papers' recipe "
        f"(statement), in {of(null['effect'])} where nothing is to be found"
    )


def controls(trials: pd.DataFrame, by_chance: Estimate) -> str:
    """What to expect of runs where no direction is to be found; table `testbed_trials`.

    by_chance: the share of these runs with an effect.
    """
    recipe = trials.loc[trials["contrast"] == PAPERS, "effect"]
    papers = wilson(int(recipe.sum()), len(recipe))
    seen = f"{round(by_chance.estimate * by_chance.n)} of {by_chance.n}"
    return (
        "*Effect*: the direction beats its controls (p up to 0.05). Where nothing is to be found, chance alone gives "
        f"up to 5 %; here **{seen}** ({by_chance.low:.0%} to {by_chance.high:.0%}). The papers' own recipe, true "
        f"minus false statements: {of(recipe)} ({papers.low:.0%} to {papers.high:.0%}). No p is corrected for the "
        "number of runs."
    )


def controls_sure(trials: pd.DataFrame) -> str:
    """What a verdict against controls hangs on: what an older rule gives; table `testbed_trials`."""
    learnt, _ = there_and_not(trials)
    return (
        "Whoever chooses the controls chooses the verdict. An older rule, whose shuffles keep a part of the direction, "
        f"sees {learnt['effect_leaky'].sum()} of {len(learnt)} learnt directions, ours {learnt['effect'].sum()}. We "
        "changed it after a first design had been seen, before these models were trained."
    )


def broken(registers: pd.DataFrame, share: float) -> str:
    """Right answers lost, and wrong ones corrected in two texts, of all directions; table `testbed_registers`.

    share: of the right answers in the reliable registers, that lost (0-1).
    """
    lost, _ = _part(registers, RELIABLE, "broken", "right_before")
    web, myths = ("{} ({})".format(*_part(registers, [tone])) for tone in (OPEN, AFTER_MYTHS))
    return (
        f"In the two reliable registers steering breaks **{lost}** right answers ({share:.0%}). In open web text it "
        f"corrects {web}, after three myths {myths}."
    )


def _part(
    registers: pd.DataFrame, tones: Sequence[str], some: str = "corrected", whole: str = "wrong"
) -> tuple[str, str]:
    """Answers of some texts of all those, as a count and as a share; table `testbed_registers`."""
    counts = registers.assign(wrong=registers["n"] - registers["right_before"])
    count, every = counts.loc[counts["tone"].isin(tones), [some, whole]].sum().astype(int)
    return f"{count} of {every}", f"{count / every:.0%}" if every else "none"


def real(runs: pd.DataFrame, *, holm: Sequence[float], below: pd.Series) -> str:
    """What the recorded runs on real models show together; table `model_runs`.

    holm: p of each run, corrected for that many looks;  below: whether its interval stays below the papers' share.
    """
    most = len(_most_asked(runs))
    where = "In the largest" if most == 1 else f"In each of the {most} largest"
    controls = int(runs["controls"].max())
    better = int(LEVEL * (1 + controls)) - 1
    rank = f": of {controls}, {better} may do as well" if better >= 0 else ""
    here = "this model" if runs["model"].nunique() == 1 else "these models"
    stay = int(below.sum())
    many = "all" if len(runs) > 1 and stay == len(runs) else f"{stay} of"
    won = runs[runs["effect"].astype(bool)]
    sure = int((runs["effect"].astype(bool) & (np.asarray(holm) < LEVEL)).sum()) or "none"
    same = len(won) > 1 and won.duplicated(["model", "place", "dose", "questions"], keep=False).all()
    return (
        f"{where} of {times(len(runs), 'run')} **{_fixed(runs)}** wrong answers are corrected, and "
        f"{_counted(runs, 'broken', 'aligned')} right ones break. To *beat* its controls a direction must rank "
        f"among the best (p up to 0.05{rank}) and lead their mean surely: "
        f"{'uncorrected, ' if len(runs) > 1 else ''}{len(won) or 'none'} of {len(runs)} do"
        f"{' (at one place and strength: one result, measured again)' if same else ''}, by p alone "
        f"{int((runs['p'] <= LEVEL).sum())}{f'; corrected for {len(runs)} looks {sure}' if len(runs) > 1 else ''}. "
        f"In {here} {many} "
        f"{times(len(runs), 'interval')} of the share corrected {verb(stay, 'stay')} below the claimed "
        f"{runs['claimed'].max():.0%}."
    )


def real_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a recorded run, its numbers as a table shows them; from table `model_runs`."""

    def part(row: Mapping[Any, Any], name: str, whole: int) -> str:
        return f"{row[name] * whole:.0f} of {whole} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"

    def below(row: Mapping[Any, Any]) -> str:
        return "yes" if row["corrected_high"] < row["claimed"] else "no" if row["claim"] == "supported" else "open"

    return pd.DataFrame(
        {
            "run": _named(row, several=runs["model"].nunique() > 1),
            "p": p_short(row["p"]),
            f"below {runs['claimed'].max():.0%}": below(row),
            "wrong corrected": part(row, "corrected", row["misaligned"]),
            "after": f"{row['right_after']:.1%}",
            "best control": f"{row['best_control']:.1%}, of {row['controls']}",
            "right before": f"{row['right_before']:.1%}",
            "right broken": part(row, "broken", row["aligned"]) if row["aligned"] else "none to break",
        }
        for row in runs.to_dict("records")
    )


def _named(row: Mapping[Any, Any], *, several: bool = True) -> str:
    """A run by what sets it apart, "gemma, block 4, seed 2"; several: whether there are several models to tell."""
    chosen = ", best of a sweep" if ", sweep, " in row["run"] else ""
    place, seed = str(row["place"]).removesuffix(", last"), str(row["run"]).rpartition(", ")[2]
    whose = f"{row['model']}, " if several else ""
    return f"{whose}{place}{chosen}, {row['questions']} questions, {seed}"


def looks(runs: pd.DataFrame) -> str:
    """Whether a small p among several runs says more than that there were several; table `model_runs`."""
    smallest = min(runs.to_dict("records"), key=lambda row: float(row["p"]))
    p = float(corrected(runs["p"]).min())
    verdict = "an effect is sure in it" if p < LEVEL and smallest["effect"] else "no effect is shown"
    least = 1 / (1 + smallest["controls"])  # of the p that so many controls allow
    if p >= LEVEL and smallest["p"] <= 1.001 * least and len(runs) * least >= LEVEL:
        verdict += f", and {smallest['controls']} controls are too few to show one"
    return (
        f"The smallest p of {times(len(runs), 'run')}, one-sided, is {p_short(float(smallest['p']))} "
        f"({_named(smallest)}); corrected for that many looks (Holm) it is {p_short(p)}: {verdict}."
    )


def places(runs: pd.DataFrame, places: pd.DataFrame) -> str:
    """Whether a quarter of the depth is a better place than others; tables `model_runs`, `model_places`.

    Of the sweep with the most questions: shares of the tune questions right by place, and test questions right at the
    place chosen and at the quarter, where that run was recorded too.
    """
    shares_of = {run: rows.set_index("site")["direction"] for run, rows in places.groupby("run")}
    swept = [run for run, shares in shares_of.items() if "embed" in shares.index and len(shares) > 2]
    if not swept:
        return ""
    sweeps = runs[runs["run"].isin(swept)]
    row = _largest(sweeps)
    shares = shares_of[row["run"]]
    quarter = str((len(shares) - 1) // 4)
    better = int((shares > shares[quarter]).sum())
    more = f"{better or 'none'} {'have' if better > 1 else 'has'}"
    beside = runs.loc[runs["run"] == str(row["run"]).replace("sweep", "quarter"), "right_after"]
    chosen = row["place"].removesuffix(", last")
    tested = f"{chosen}, with {row['right_after']:.0%} of the test questions right"
    tested += "".join(f"; a quarter of the depth has {one:.0%}" for one in beside)
    if chosen == f"block {quarter}":
        tested = "the quarter itself"
    others = sweeps[sweeps["run"] != row["run"]]
    tested += "".join(
        f"; with {questions}, {place.removesuffix(', last')}"
        for questions, place in others[["questions", "place"]].itertuples(index=False)
    )
    return (
        f"Of {len(shares)} places {more} more of the tune questions right than a quarter of the depth "
        f"({shares[quarter]:.0%}; all: {shares.min():.0%} to {shares.max():.0%}). With {row['questions']} questions "
        f"the search, which counts the cost as well, chooses {tested}."
    )


def stronger(doses: pd.DataFrame) -> str:
    """Whether more strength helps on a real model, over all recorded runs; table `model_doses`."""
    runs = [rows.sort_values("dose") for _, rows in doses.groupby("run", sort=False)]
    start, last = (pd.DataFrame([rows.iloc[at] for rows in runs]) for at in (0, -1))
    gain = max(rows["right"].max() - rows["right"].iloc[0] for rows in runs)
    where = "" if len(runs) == 1 else f" in any of {len(runs)} runs"
    most = f"at most {100 * gain:.0f} points{where} ({span(start['n'], '.0f')} questions each)"
    return (
        f"More strength gains {most if gain > 0 else f'nothing{where}'}. Unsteered {span(start['right'])} are right; "
        f"the strongest has {span(last['right'])} and costs {span(last['cost'], '.2f')} nats a token."
    )


def with_intervals(totals: pd.DataFrame) -> pd.DataFrame:
    """Share of changed texts with Wilson's interval, percent.  totals: `tables.load("steering_totals")`."""
    counts = totals[["n_changed", "n_total"]].to_numpy(int).tolist()
    shares = 100 * pd.DataFrame([wilson(*pair) for pair in counts], totals.index)[["estimate", "low", "high"]]
    words = totals["has_records"].map({True: "prompts recorded", False: "totals only"})
    return totals.assign(percent=shares["estimate"], low=shares["low"], high=shares["high"], records=words)


def precision(items: np.ndarray, *, share: float) -> pd.DataFrame:
    """Half of Wilson's 95 % interval (points) at a share (0-1) for each number of items."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(share * items, items, method="wilson")  # an expected count need not be whole
    table = pd.DataFrame({"items": items, "half": 50 * (high - low), "share": share})
    enough = int(table.loc[table["half"].round(1) <= WANTED, "items"].min())
    table.attrs["reading"] = (
        f"At a true share of {share:.0%}, {enough} questions answered wrong before give ±{WANTED:g} points."
    )
    return table


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


def tone_reading(rows: pd.DataFrame) -> str:
    """Shares right before and after steering where the model is wrong by itself; rows: `tone_shares`, one direction."""
    at = rows.set_index("tone")
    words = {OPEN: "open web text", AFTER_MYTHS: "after three myths"}
    return (
        f"The {rows['direction'].iloc[0]} direction: "
        + ", ".join(f"{words[tone]} {at['before'][tone]:.0%} to {at['after'][tone]:.0%}" for tone in words)
        + " right."
    )


def _kind(name: str, trials: pd.DataFrame) -> str:
    """A model by its name, and that it is a made one; trials: table `testbed_trials`."""
    return f"{name}, a made model" if name in set(trials["model"]) else name


def yours(evaluation: Any, trials: pd.DataFrame) -> str:
    """What the protocol says of one model that it steered now, in plain English; from `pages.evaluated`.

    trials: table `testbed_trials`, whose models are made ones.
    """
    outcome, effect = evaluation.outcome, evaluation.effect
    fixed = "no answer was wrong before"
    if outcome.n_misaligned:
        one = outcome.corrected
        fixed = (
            f"**{one.estimate:.0%}** of {outcome.n_misaligned} wrong answers become right (95 % interval {one.low:.0%} "
            f"to {one.high:.0%})"
        )
    lost = "none was right before"
    if outcome.n_aligned:
        lost = f"{outcome.broken.estimate:.0%} of {outcome.n_aligned} right ones break"
    beats = "It beats its controls" if effect.holds else "It does not surely beat its controls"
    return (
        f"{_kind(evaluation.model, trials)}: {fixed}; {lost}. {beats}: right afterwards {effect.share:.0%}, the best "
        f"of {effect.n_controls} controls {effect.best_control:.0%}, {p_text(effect.p, 'greater')}, not corrected. The "
        f"cost is {evaluation.cost:.2f} nats a token."
    )


def remember(trials: pd.DataFrame, runs: pd.DataFrame, registers: pd.DataFrame) -> list[str]:
    """Three lines to remember."""
    null = there_and_not(trials)[1]["effect"]
    calm = registers[registers["tone"].isin(RELIABLE)]
    return [
        "A changed text is no corrected one: run strength zero beside it.",
        "With controls of the same cost the test can say no: an effect in "
        f"{of(null)} runs where nothing is to be found.",
        f"A real model: {_fixed(runs)} wrong answers corrected. Count what breaks too: "
        f"{int(calm['broken'].sum())} of {int(calm['right_before'].sum())} in reliable texts of the made world.",
    ]
