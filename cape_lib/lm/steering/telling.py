"""The answer of the protocol in a few lines, for the terminal and for a chapter."""

from __future__ import annotations

from cape_lib.lm.steering.controls import CLEAN
from cape_lib.lm.steering.protocol import Evaluation
from cape_lib.stats import Estimate


def span(value: Estimate) -> str:
    """An estimate of a share with its interval, "34% [18%, 55%]"."""
    return f"{value.estimate:.0%} [{value.low:.0%}, {value.high:.0%}]"


def report(made: Evaluation) -> list[str]:
    """What was chosen, what it did, what its controls do, and the two verdicts; one line each."""
    outcome, effect = made.outcome, made.effect
    controls = made.methods[made.methods["kind"].isin(CLEAN)]
    fixed = "none was wrong that could be corrected"
    if outcome.n_misaligned:
        fixed = f"corrected {span(outcome.corrected)} of {outcome.n_misaligned} wrong answers"
    lost = "none was right that could break"
    if outcome.n_aligned:
        lost = f"broken {span(outcome.broken)} of {outcome.n_aligned} right ones"
    stopped = f" of {made.planned}: p is settled" if effect.n_controls < made.planned else ""
    names = [name for name in made.mc2 if name not in ("before", "after", "negated")]
    lines = [
        f"{made.model}: {made.place}, strength {made.dose:.2g}, chosen on the tune questions under a budget of "
        f"{made.budget:g} nats a token on neutral text; it costs {made.cost:.2g}",
        f"right before {made.base:.0%}, after {effect.share:.0%}; {effect.n_controls} controls{stopped}: mean "
        f"{effect.mean_control:.0%}, best {effect.best_control:.0%}, cost {controls['cost'].mean():.2g} in the mean, "
        f"cosine to the direction at most {controls['cosine'].abs().max():.2f} (p = {effect.p:.3f})",
        f"{fixed}; {lost}",
    ]
    for name, values in (("MC1", made.mc1), ("MC2", made.mc2)):
        beside = ", ".join(f"{kind} {values[kind].estimate:.0%}" for kind in names)
        lines.append(f"{name} before {span(values['before'])}, after {span(values['after'])}; controls: {beside}")
    lines.append(f"effect: {effect.word}; claim of {made.claimed:.0%}: {made.claim}")
    return lines
