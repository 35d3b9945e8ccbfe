"""Chapter 5 in sentences: what was counted, what the controls reach, what it costs, what breaks, and a real model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cape_lib.stats import corrected, p_short, wilson
from cape_lib.story.answer import Answer, listed, times

#: Directions of the made worlds that are there to be found; "stmt" is the papers' recipe of statements.
THERE = ("reg", "ctx")
RELIABLE = ("reference", "question")
AFTER_MYTHS = "web, after three myths"


def there_and_not(trials: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs where a direction is there to be found, and runs where none is; trials: table `testbed_trials`."""
    null = trials["case"].str.startswith("null")
    return trials[~null & trials["contrast"].isin(THERE)], trials[null]


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def answer(records: pd.DataFrame, trials: pd.DataFrame, runs: pd.DataFrame) -> Answer:
    """Does a truth direction correct? What was recorded, what made worlds show, what a real model does.

    records: `steering_records`; trials: `testbed_trials`; runs: `model_runs`.
    """
    real, null = there_and_not(trials)
    fixed, wrong = _fixed(runs)
    works = real["effect"].mean() > 0.5 and null["effect"].mean() <= 0.1
    little = "hardly" if _largest(runs)["effect"] else "it is not shown"
    one = "a real model" if runs["model"].nunique() == 1 else f"{runs['model'].nunique()} real models"
    lead = {
        (True, False): f"In worlds that we made, yes; in a real model {little}",
        (True, True): "Yes, in worlds that we made and in a real model",
        (False, True): "In a real model, yes; in worlds that we made it is not shown",
        (False, False): "It is not shown",
    }[works, bool((runs["claim"] == "supported").any())]
    sentence = (
        f"**{lead}**: a direction beats its controls in {int(real['effect'].sum())} of {len(real)} runs where one is "
        f"there to be found and in {int(null['effect'].sum())} of {len(null)} where none is; in {one} it corrects "
        f"{fixed} of {wrong} wrong answers{_of(runs)}. What was published counts changed texts: "
        f"of {len(records)} recorded ones **{int(records['corrected'].notna().sum())}** say whether the answer became "
        "right."
    )
    reach = f"up to {runs['corrected_high'].max():.0%} in a run is not ruled out (95 %)"
    interval = f"In {one}, {times(len(runs), 'run')}: {reach}; the papers say {runs['claimed'].max():.0%}."
    return Answer(sentence, "experiment", interval)


def _largest(runs: pd.DataFrame) -> pd.Series:
    """The recorded run with the most questions, at a quarter of the depth before a sweep: runs share questions."""
    return runs.sort_values("run").sort_values("tested", ascending=False, kind="stable").iloc[0]


def _of(runs: pd.DataFrame) -> str:
    return f", in the largest of {len(runs)} runs" if len(runs) > 1 else ""


def _fixed(runs: pd.DataFrame) -> tuple[int, int]:
    """Answers corrected and answers wrong before, in the run with the most questions."""
    run = _largest(runs)
    return round(float(run["corrected"] * run["misaligned"])), int(run["misaligned"])


def recorded(records: pd.DataFrame) -> str:
    """What the released records count; table `steering_records`."""
    known = records.dropna(subset=["corrected"])
    right = "of these, " + times(int(known["corrected"].astype(bool).sum()), "answer") + " became right"
    return (
        f"Of {len(records)} recorded prompts {int(records['changed'].sum())} have a changed text. "
        f"**{len(known)}** say whether the answer became right{'; ' + right if len(known) else ''}."
    )


def zero(texts: pd.DataFrame) -> str:
    """How many texts "change" when nothing is steered; columns text is, texts, changed (`pages.at_strength_zero`)."""
    parts = [
        f"{how} **{changed} of {count}**" for how, count, changed in texts[["text is", "texts", "changed"]].to_numpy()
    ]
    return "Texts that differ although nothing is steered: " + "; ".join(parts) + "."


def controls(trials: pd.DataFrame) -> str:
    """Verdicts where a direction is there and where none is; table `testbed_trials`."""
    real, null = there_and_not(trials)
    stated = trials[trials["contrast"] == "stmt"]
    rate = wilson(int(null["effect"].sum()), len(null))
    return (
        f"An effect in **{int(real['effect'].sum())} of {len(real)}** runs where a direction is there, in "
        f"**{int(null['effect'].sum())} of {len(null)}** where none is ({rate.low:.0%} to {rate.high:.0%}; "
        f"5 % are to be expected). The papers' own recipe, true minus false statements, has one in "
        f"{int(stated['effect'].sum())} of {len(stated)}."
    )


def cost(doses: pd.DataFrame) -> str:
    """The strongest lead over random directions of one model; `charts.steering.lead_over_random`, a row a place."""
    best = doses.nlargest(1, "lead").to_dict("records")[0]
    verb = "leads" if best["lead"] > 0 else "does not lead"
    return (
        f"At its best place ({str(best['place']).removesuffix(', last')}, strength {best['dose']:g}) the direction "
        f"gets {best['right']:.0%} right, the luckiest of 20 random ones {best['control_high']:.0%}: it {verb}, and "
        f"pays {best['kl']:.2f} nats a token on other text."
    )


def broken(registers: pd.DataFrame) -> str:
    """Right answers lost, and wrong ones corrected after three myths; table `testbed_registers`."""
    calm = registers[registers["tone"].isin(RELIABLE)]
    myths = registers[registers["tone"] == AFTER_MYTHS]
    wrong = int((myths["n"] - myths["right_before"]).sum())
    lost, right = int(calm["broken"].sum()), int(calm["right_before"].sum())
    return (
        f"Where the model was right by itself, steering breaks **{lost} of {right}** answers "
        f"({_share(lost, right)}). After three myths by one author it corrects {int(myths['corrected'].sum())} of "
        f"{wrong} ({_share(int(myths['corrected'].sum()), wrong)})."
    )


def real(runs: pd.DataFrame) -> str:
    """What the recorded runs on real models show together; table `model_runs`."""
    (fixed, wrong), run = _fixed(runs), _largest(runs)
    beats = int(runs["effect"].sum()) or "none"
    lost = f"and {run['broken'] * run['aligned']:.0f} of {run['aligned']} right ones break"
    verdicts = [f"{word} in {count}" for word, count in runs["claim"].value_counts().items()]
    return (
        f"In the largest of {times(len(runs), 'run')} **{fixed} of {wrong}** wrong answers are corrected {lost}; the "
        f"direction beats its controls in {beats} of {len(runs)}. The claim of {runs['claimed'].max():.0%} is "
        f"{listed(verdicts)}."
    )


def real_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a recorded run, its numbers as a table shows them; from table `model_runs`."""
    rows = []
    for row in runs.to_dict("records"):
        line = {"run": _named(row), "wrong corrected": _part(row, "corrected", row["misaligned"])}
        line |= {"right broken": _part(row, "broken", row["aligned"]) if row["aligned"] else "none to break"}
        line |= {"right before": f"{row['right_before']:.0%}", "after": f"{row['right_after']:.0%}"}
        line |= {"best control": f"{row['best_control']:.0%}, of {row['controls']}", "p": p_short(row["p"])}
        rows.append(line | {"claim": row["claim"]})
    return pd.DataFrame(rows)


def _named(row: Mapping[Any, Any]) -> str:
    """A run by what sets it apart, "gemma, block 4, seed 2"."""
    chosen = ", best of a sweep" if ", sweep, " in row["run"] else ""
    place, seed = str(row["place"]).removesuffix(", last"), str(row["run"]).rpartition(", ")[2]
    return f"{row['model']}, {place}{chosen}, {row['questions']} questions, {seed}"


def _part(row: Mapping[Any, Any], name: str, whole: int) -> str:
    return f"{row[name] * whole:.0f} of {whole} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"


def looks(runs: pd.DataFrame) -> str:
    """Whether a small p among several runs says more than that there were several; table `model_runs`."""
    smallest = min(runs.to_dict("records"), key=lambda row: float(row["p"]))
    p = float(corrected(runs["p"]).min())
    verdict = "an effect is sure in it" if p < 0.05 and smallest["effect"] else "no effect is shown"
    return (
        f"The smallest p of {times(len(runs), 'run')} is {smallest['p']:.3f} ({_named(smallest)}); corrected for that "
        f"many looks (Holm) it is {p:.2f}: {verdict}."
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
    row = _largest(runs[runs["run"].isin(swept)])
    shares = shares_of[row["run"]]
    quarter = str((len(shares) - 1) // 4)
    better = int((shares > shares[quarter]).sum())
    more = "none has" if not better else "1 has" if better == 1 else f"{better} have"
    beside = runs.loc[runs["run"] == str(row["run"]).replace("sweep", "quarter"), "right_after"]
    chosen = row["place"].removesuffix(", last")
    tested = f"{chosen}, with {row['right_after']:.0%} of the test questions right"
    tested += "".join(f"; a quarter of the depth has {one:.0%}" for one in beside)
    if chosen == f"block {quarter}":
        tested = "the quarter itself"
    return (
        f"Of {len(shares)} places {more} more of the tune questions right than a quarter of the depth "
        f"({shares[quarter]:.0%}; all: {shares.min():.0%} to {shares.max():.0%}). The search chooses {tested}."
    )


def stronger(doses: pd.DataFrame) -> str:
    """Whether more strength helps on a real model, over all recorded runs; table `model_doses`."""
    runs = [rows.sort_values("dose") for _, rows in doses.groupby("run", sort=False)]
    start, last = (pd.DataFrame([rows.iloc[at] for rows in runs]) for at in (0, -1))
    gains = [round((rows["right"].max() - rows["right"].iloc[0]) * rows["n"].iloc[0]) for rows in runs]
    where = "" if len(runs) == 1 else f" in any of {len(runs)} runs"
    most = f"gains at most {times(max(gains), 'question')} of {start['n'].max():.0f}{where}"
    if max(gains) <= 0:
        most = f"gains no question{where}"
    return (
        f"More strength {most}. Unsteered {_range(start['right'])} are right; the strongest has "
        f"{_range(last['right'])} and costs {_range(last['cost'], '.2f')} nats a token."
    )


def _range(values: pd.Series, form: str = ".0%") -> str:
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} to {high}"


def how_sure(runs: pd.DataFrame) -> str:
    """How much the recorded runs on real models can tell; table `model_runs`."""
    return f"{looks(runs)} Shares corrected of up to {runs['corrected_high'].max():.0%} are not ruled out."


def yours(evaluation: Any) -> str:
    """What the protocol says of one model that it steered now, in plain English; from `pages.evaluated`."""
    outcome, effect = evaluation.outcome, evaluation.effect
    fixed = "no answer was wrong before"
    if outcome.n_misaligned:
        one = outcome.corrected
        fixed = (
            f"**{one.estimate:.0%}** of {outcome.n_misaligned} wrong answers become right (95 % interval {one.low:.0%} "
            f"to {one.high:.0%})"
        )
    lost = "none was right that could break"
    if outcome.n_aligned:
        lost = f"{outcome.broken.estimate:.0%} of {outcome.n_aligned} right ones break"
    beats = "It beats its controls" if effect.holds else "It does not surely beat its controls"
    return (
        f"{evaluation.model}: {fixed}; {lost}. {beats}: right afterwards {effect.share:.0%}, the best of "
        f"{effect.n_controls} controls {effect.best_control:.0%}, p = {effect.p:.3f}. The cost is "
        f"{evaluation.cost:.2f} nats a token."
    )


def remember(trials: pd.DataFrame, runs: pd.DataFrame, registers: pd.DataFrame) -> list[str]:
    """Three lines to remember."""
    real, null = there_and_not(trials)
    fixed, wrong = _fixed(runs)
    calm = registers[registers["tone"].isin(RELIABLE)]
    return [
        "A changed text is no corrected one: run strength zero beside it.",
        f"With controls of the same cost the test can say no: an effect in {_share(real['effect'].sum(), len(real))} "
        f"of runs where one is there, in {_share(null['effect'].sum(), len(null))} where none is.",
        f"A real model: {fixed} of {wrong} wrong answers corrected. Count what breaks too: "
        f"{int(calm['broken'].sum())} of {int(calm['right_before'].sum())} in the made world.",
    ]
