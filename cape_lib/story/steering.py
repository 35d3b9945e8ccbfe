"""Chapter 5 in sentences: what was counted, what the controls reach, what it costs, what breaks, and a real model."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cape_lib.stats import wilson
from cape_lib.story.answer import Answer, times

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
    corrected, wrong = _corrected(runs)
    works = real["effect"].mean() > 0.5 and null["effect"].mean() <= 0.1
    one = "a real model" if runs["model"].nunique() == 1 else f"{runs['model'].nunique()} real models"
    lead = {
        (True, False): "In worlds that we made, yes; in a real model it is not shown",
        (True, True): "Yes, in worlds that we made and in a real model",
        (False, True): "In a real model, yes; in worlds that we made it is not shown",
        (False, False): "It is not shown",
    }[works, bool((runs["claim"] == "supported").any())]
    sentence = (
        f"**{lead}**: a direction beats its controls in {int(real['effect'].sum())} of {len(real)} runs where one is "
        f"there to be found and in {int(null['effect'].sum())} of {len(null)} where none is; in {one} it corrects "
        f"{corrected} of {wrong} wrong answers in {times(len(runs), 'run')}. What was published counts changed texts: "
        f"of {len(records)} recorded ones **{int(records['corrected'].notna().sum())}** say whether the answer became "
        "right."
    )
    reach = f"up to {runs['corrected_high'].max():.0%} in a run is not ruled out (95 %)"
    interval = f"In {one}, {times(len(runs), 'run')}: {reach}; the papers say {runs['claimed'].max():.0%}."
    return Answer(sentence, "experiment", interval)


def _corrected(runs: pd.DataFrame) -> tuple[int, int]:
    """Answers corrected and answers wrong before, over all recorded runs."""
    return round(float((runs["corrected"] * runs["misaligned"]).sum())), int(runs["misaligned"].sum())


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
    """The strongest lead over random directions of one model; `protocol.lead_over_random`, a row a place."""
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
    """What each recorded run on a real model shows, a line a run; table `model_runs`."""
    return "\n".join(f"- {_run(row)}" for row in runs.itertuples())


def _run(row: Any) -> str:
    lost = "none was right before"
    if row.aligned:
        broken, reach = round(row.broken * row.aligned), f"{row.broken_low:.0%} to {row.broken_high:.0%}"
        lost = f"{broken} of {row.aligned} right ones break ({reach})"
    place, seed = str(row.place).removesuffix(", last"), str(row.run).rpartition(", ")[2]
    return (
        f"{row.model}, {place}, {seed}: **{row.corrected * row.misaligned:.0f} of {row.misaligned}** wrong answers "
        f"corrected ({row.corrected_low:.0%} to {row.corrected_high:.0%}), {lost}. Right before "
        f"{row.right_before:.0%}, after {row.right_after:.0%}, best of {times(row.controls, 'control')} "
        f"{row.best_control:.0%}: the direction {'beats' if row.effect else 'does not beat'} them. The claim of "
        f"{row.claimed:.0%} is {row.claim}."
    )


def stronger(doses: pd.DataFrame) -> str:
    """Whether more strength helps on a real model; table `model_doses`, the first run if there are several."""
    own = doses[doses["run"] == doses["run"].iloc[0]].sort_values("dose").to_dict("records")
    start, last = own[0], own[-1]
    best = max(own, key=lambda row: row["right"])
    gained = round((best["right"] - start["right"]) * best["n"])
    most = f"gains {times(gained, 'question')} of {best['n']:.0f} at best" if gained > 0 else "gains no question"
    return (
        f"More strength {most}. The weakest has {start['right']:.0%} right and costs {start['cost']:.2f} nats a token; "
        f"the strongest has {last['right']:.0%} and costs {last['cost']:.2f}."
    )


def how_sure(runs: pd.DataFrame) -> str:
    """How much the recorded runs on real models can tell; table `model_runs`."""
    reach = runs["corrected_high"].max()
    return (
        f"{times(len(runs), 'run')}, {times(int(runs['tested'].sum()), 'test question')}. Shares corrected of up to "
        f"{reach:.0%} are not ruled out."
    )


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
    corrected, wrong = _corrected(runs)
    calm = registers[registers["tone"].isin(RELIABLE)]
    return [
        "A changed text is no corrected one: run strength zero beside it.",
        f"With controls of the same cost the test can say no: an effect in {_share(real['effect'].sum(), len(real))} "
        f"of runs where one is there, in {_share(null['effect'].sum(), len(null))} where none is.",
        f"A real model: {corrected} of {wrong} wrong answers corrected. Count what breaks too: "
        f"{int(calm['broken'].sum())} of {int(calm['right_before'].sum())} in the made world.",
    ]
