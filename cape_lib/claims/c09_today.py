"""Chapters 09 and 10: our own claims on models of today and scores along training, tried like those of the papers."""

from __future__ import annotations

import pandas as pd

from cape_lib.base import training
from cape_lib.claims.registry import Attempts, claim
from cape_lib.claims.verdict import answer, beyond_zero, holds_zero, stress
from cape_lib.frontier import effort, variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, REASONING, WRONG
from cape_lib.stats import Estimate, fisher, p_short, p_text

TODAY = ("one_lab_2026", "variant_corrections")
#: Claim -> measure, and whether the correlation is of ranks.
R_OF: dict[str, tuple[str, bool]] = {"O01": (KNOWS, False), "O02": (ADMITS, False), "O06": (WRONG, True)}
X = "lambada_openai"
HIGH = 0.85


@claim(R_OF, reads=TODAY)  # O01, O02, O06
def reasoning_and(panel: str, measure: str, rank: bool) -> Attempts:
    """r, or Spearman's r for O06, of GPQA Diamond and {0} over the variants that have both; makers left out in turn."""
    rows = variants.readings()
    r = variants.association(rows, measure, rank=rank)
    yield answer(r, rows=len(rows), models=rows["weights"].nunique(), makers=rows["lab"].nunique())

    yield beyond_zero("makers left out", r)
    yield beyond_zero(
        "release date and size held fixed", variants.association(rows, measure, given=("date", "size"), rank=rank)
    )
    parts = {
        "without the variants that ran out": variants.steady(rows),
        "the best variant of each model": variants.best_of_each(rows),
        "thinking only": rows[rows["mode"] == "reasoning"],
        "not thinking only": rows[rows["mode"] == "none"],
    }
    others = {name: variants.association(part, measure, rank=rank) for name, part in parts.items()}
    if measure == WRONG:
        # the wrong share follows what is known by arithmetic: what is left of it at an equal share known
        others["at an equal share known"] = variants.association(rows, WRONG, given=(KNOWS,), rank=True)
    for name, other in others.items():
        yield stress(name, other, holds_zero(other))


@claim("O03", reads=TODAY)
def one_family(panel: str) -> Attempts:
    """r of GPQA and the share admitted over the sizes of Qwen3.5, thinking."""
    rows = variants.readings()
    family = rows[(rows["generation"] == "Qwen3.5") & (rows["mode"] == "reasoning")]
    steady = family[~variants.truncation(rows)["loses"][family.index]]

    def r_of(sizes: pd.DataFrame, measure: str) -> Estimate:
        return fisher(float(sizes[REASONING].corr(sizes[measure])), len(sizes))

    yield answer(r_of(family, ADMITS))

    r, whole, left = r_of(steady, ADMITS), r_of(family, WRONG).estimate, r_of(steady, WRONG).estimate
    lost = whole * left < 0 or r.contains(0.0)
    yield stress("without the sizes that ran out", r, lost=lost, zero=holds_zero(r), whole=whole, left=left)


@claim("O04", reads=TODAY)
def effort_admits(panel: str) -> Attempts:
    """Ladders of effort, by name, in which the share admitted falls from lowest to highest effort, and how many."""
    rows = variants.readings()
    ladders = effort.effort_ladders(rows)
    admits, wrong, precise = (effort.counted(ladders, m) for m in (ADMITS, WRONG, PRECISION))
    n = len(ladders)
    yield answer({"fell": admits["fell"], "of": n}, n, sure=admits["sure"], mean=admits["mean"])

    change, (p, after) = effort.over_makers(ladders, ADMITS), effort.student_p(ladders, ADMITS)
    name, lost = "makers as clusters", change.high >= 0
    yield stress(name, change, lost=lost, makers=change.n, p=p_text(p), after=p_short(after))
    beyond = effort.over_makers(ladders.assign(beyond=ladders[ADMITS] - ladders[effort.BY_KNOWING]), "beyond")
    held = effort.over_makers(ladders, effort.BY_KNOWING)
    says = f"with as many wrong answers as before it would change by {held.estimate:+.1f} points, for what is known "
    says += f"changes; beyond that {holds_zero(beyond, scale='plain', digits=1)}; another baseline splits it otherwise"
    yield stress("beyond what knowing more makes", beyond, says)
    longer = effort.effort_ladders(rows, minimal=True)
    from_minimal = effort.over_makers(longer, ADMITS)
    says = f"it falls in {effort.counted(longer, ADMITS)['fell']} of {len(longer)}; "
    says += holds_zero(from_minimal, scale="plain", digits=1)
    yield stress("with minimal, which does not think, as the lowest effort", from_minimal, says)
    says = f"two-sided; {change.n} makers that agree can give no less than {2.0 ** (1 - change.n):.2g}"
    yield stress("p where each maker's sign is a coin", float(admits["p"]), says, n=change.n)
    yield stress("points for ten times the tokens", effort.dose(rows, ADMITS), "makers as replicates")
    wider = effort.counted(effort.effort_ladders(rows, bare=False), ADMITS)
    least = min(effort.ladder_checks(rows).to_dict("records"), key=lambda check: check["admits_fell"] / check["n"])
    for name, hits, of in (
        ("the wrong share rises in", wrong["rose"], n),
        ("precision rises in", precise["rose"], n),
        ("by the wider rule it falls in", wider["fell"], wider["n"]),
        (f"where it falls least ({least['check']}) it falls in", least["admits_fell"], least["n"]),
    ):
        yield stress(name, float(hits), f"of {of}", n=int(of))


@claim("O05", reads=("pythia_checkpoints",))
def runs_at_high_r(panel: str) -> Attempts:
    """Pythia runs with r(LAMBADA, CrowS-Pairs) of 0.85 or more from step 1,000 on, and how many."""
    rows = training.runs()
    along, pairs = training.along(rows, x=X)["r"], training.crossed(rows, x=X)
    high = {own: each["r"] >= HIGH for own, each in pairs.groupby("own")}
    yield answer({"runs": (along >= HIGH).sum(), "of": len(along)}, len(along), median=along.median())

    share, own = float(high[False].mean()), float(high[True].mean())
    yield stress("a stranger's curve", share, n=len(high[False]), lost=share > own / 2, own=own)
    for x in training.CAPABILITIES:
        beyond = training.beyond_trend(rows, x=x)
        name = f"{x}: own less twin, changes (Fisher's z)"
        yield stress(name, beyond.excess, f"exact, {p_text(beyond.p, 'greater')}")
