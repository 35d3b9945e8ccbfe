"""Chapters 09 and 10: our own claims on models of today and scores along training, tried like those of the papers."""

from __future__ import annotations

from cape_lib.base import training
from cape_lib.claims.registry import Attempts, claim
from cape_lib.claims.verdict import Result, holds_zero, stress
from cape_lib.frontier import effort, variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, REASONING, WRONG
from cape_lib.stats import Estimate, fisher, p_text

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
    count = f"{len(rows)} variants of {rows['weights'].nunique()} models, {rows['lab'].nunique()} makers"
    yield Result.of(r, count)

    says = f"with whole makers left out in turn {holds_zero(r)}"
    yield stress("makers left out", r, says, lost=r.contains(0.0))
    left = variants.association(rows, measure, given=("date", "size"), rank=rank)
    says = f"where makers state a size, r given date and size is {left.estimate:.2f}, and {holds_zero(left)}"
    yield stress("release date and size held fixed", left, says, lost=left.contains(0.0))
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


def family_r(measure: str, *, lost: bool) -> Estimate:
    """r of GPQA and a measure over the thinking sizes of Qwen3.5, with or without those that lose by thinking."""
    rows = variants.readings()
    own = (rows["generation"] == "Qwen3.5") & (rows["mode"] == "reasoning")
    family = rows[own if lost else own & ~variants.truncation(rows)["loses"]]
    return fisher(float(family[REASONING].corr(family[measure])), len(family))


@claim("O03", reads=TODAY)
def one_family(panel: str) -> Attempts:
    """r of GPQA and the share admitted over the sizes of Qwen3.5, thinking."""
    yield Result.of(family_r(ADMITS, lost=True), "sizes of one family are points on a curve")

    r, whole, left = family_r(ADMITS, lost=False), family_r(WRONG, lost=True), family_r(WRONG, lost=False)
    turned = whole.estimate * left.estimate < 0
    says = (
        f"without the sizes that lose by thinking r is {r.estimate:.2f} over {r.n}, {holds_zero(r)}, and that of the "
        f"wrong share goes from {whole.estimate:+.2f} to {left.estimate:+.2f}"
    )
    yield stress("without the sizes that ran out", r, says, lost=turned or r.contains(0.0))


@claim("O04", reads=TODAY)
def effort_admits(panel: str) -> Attempts:
    """Ladders of effort, by name, in which the share admitted falls from lowest to highest effort, and how many."""
    rows = variants.readings()
    ladders = effort.effort_ladders(rows)
    admits, wrong, precise = (effort.counted(ladders, m) for m in (ADMITS, WRONG, PRECISION))
    n = len(ladders)
    note = f"{admits['sure']} of the falls beyond 1.96 standard errors; mean {admits['mean']:+.1f} points"
    yield {"fell": Result(float(admits["fell"]), n=n, note=note), "of": Result(float(n), n=n)}

    change = effort.over_makers(ladders, ADMITS)
    more = f": it may be {change.high:+.1f} points, none or a rise"
    says = (
        f"with the {change.n} makers as replicates the share admitted changes by {change.estimate:+.1f} points, "
        f"at most {change.high:+.1f}"
    )
    yield stress("makers as clusters", change, says, lost=change.high >= 0, more=more)
    beyond = effort.over_makers(ladders.assign(beyond=ladders[ADMITS] - ladders[effort.BY_KNOWING]), "beyond")
    says = "with as many wrong answers as before it would fall too, for more is known; beyond that "
    says += holds_zero(beyond, scale="plain", digits=1)
    yield stress("beyond what knowing more makes", beyond, says)
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
    high, n = float((along >= HIGH).sum()), len(along)
    yield {"runs": Result(high, n=n, note=f"median r {along.median():.2f}"), "of": Result(float(n), n=n)}

    other = pairs.loc[~pairs["own"], "r"]
    share, own = float((other >= HIGH).mean()), float((pairs.loc[pairs["own"], "r"] >= HIGH).mean())
    says = (
        f"LAMBADA of one run and CrowS-Pairs of another reach {HIGH} in {share:.0%} of the pairs, a run with itself in "
        f"{own:.0%}: two trends give most of it"
    )
    yield stress("a stranger's curve", share, says, n=len(other), lost=share > own / 2)
    for x in training.CAPABILITIES:
        beyond = training.beyond_trend(rows, x=x)
        name = f"{x}: own less twin, changes (Fisher's z)"
        yield stress(name, beyond.excess, f"exact, {p_text(beyond.p, 'greater')}")
