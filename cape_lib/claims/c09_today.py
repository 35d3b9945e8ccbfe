"""Chapters 09 and 10: our own claims on models of today and scores along training, tried like those of the papers."""

from __future__ import annotations

from cape_lib.base import training
from cape_lib.claims.registry import claim, stress, test
from cape_lib.claims.verdict import Result, Stress, holds_zero
from cape_lib.frontier import effort, variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, REASONING, WRONG
from cape_lib.stats import Estimate, fisher

TODAY = ("one_lab_2026", "variant_corrections")
#: Claim -> measure, and whether the correlation is of ranks.
R_OF: dict[str, tuple[str, bool]] = {"O01": (KNOWS, False), "O02": (ADMITS, False), "O06": (WRONG, True)}
X = "lambada_openai"
HIGH = 0.85


@claim(R_OF, reads=TODAY)  # O01, O02, O06
def reasoning_and(panel: str, measure: str, rank: bool) -> Result:
    """r, or Spearman's r for O06, of GPQA Diamond and {0} over the variants that have both; makers left out in turn."""
    rows = variants.readings()
    r = variants.association(rows, measure, rank=rank)
    return Result.of(r, f"{len(rows)} variants of {rows['weights'].nunique()} models, {rows['lab'].nunique()} makers")


@test("makers left out", R_OF, kind="clustered interval")
def makers_left_out(panel: str, measure: str, rank: bool) -> Stress:
    r = variants.association(variants.readings(), measure, rank=rank)
    says = f"with whole makers left out in turn {holds_zero(r)}"
    return Stress.of("makers left out in turn", r, says, lost=r.contains(0.0))


@test("release date and size held fixed", R_OF, kind="covariate")
def date_and_size_fixed(panel: str, measure: str, rank: bool) -> Stress:
    r = variants.association(variants.readings(), measure, given=("date", "size"), rank=rank)
    says = f"where makers state a size, r given date and size is {r.estimate:.2f}, and {holds_zero(r)}"
    return Stress.of("partial r given date and size", r, says, lost=r.contains(0.0))


@stress(R_OF)
def other_rows(panel: str, measure: str, rank: bool) -> list[Stress]:
    rows = variants.readings()
    parts = {
        "without the variants that ran out": variants.steady(rows),
        "the best variant of each model": variants.best_of_each(rows),
        "thinking only": rows[rows["mode"] == "reasoning"],
        "not thinking only": rows[rows["mode"] == "none"],
    }
    found = {name: variants.association(part, measure, rank=rank) for name, part in parts.items()}
    return [Stress.of(name, r, holds_zero(r)) for name, r in found.items()]


@stress("O06")
def at_equal_knowledge(panel: str) -> list[Stress]:
    """The wrong share follows what is known by arithmetic: what is left of it at an equal share known."""
    r = variants.association(variants.readings(), WRONG, given=(KNOWS,), rank=True)
    return [Stress.of("at an equal share known", r, holds_zero(r))]


def family_r(measure: str, *, lost: bool) -> Estimate:
    """r of GPQA and a measure over the thinking sizes of Qwen3.5, with or without those that lose by thinking."""
    rows = variants.readings()
    own = (rows["generation"] == "Qwen3.5") & (rows["mode"] == "reasoning")
    kept = own if lost else own & ~variants.truncation(rows)["loses"]
    family = rows[kept]
    return fisher(float(family[REASONING].corr(family[measure])), len(family))


@claim("O03", reads=TODAY)
def one_family(panel: str) -> Result:
    """r of GPQA and the share admitted over the sizes of Qwen3.5, thinking."""
    return Result.of(family_r(ADMITS, lost=True), "sizes of one family are points on a curve")


@test("without the sizes that ran out", "O03", kind="another choice")
def without_truncated(panel: str) -> Stress:
    r, whole, left = family_r(ADMITS, lost=False), family_r(WRONG, lost=True), family_r(WRONG, lost=False)
    turned = whole.estimate * left.estimate < 0
    says = (
        f"without the sizes that lose by thinking r is {r.estimate:.2f} over {r.n}, {holds_zero(r)}, and that of the "
        f"wrong share goes from {whole.estimate:+.2f} to {left.estimate:+.2f}"
    )
    return Stress.of("without what ran out", r, says, lost=turned or r.contains(0.0))


@claim("O04", reads=TODAY)
def effort_admits(panel: str) -> dict[str, Result]:
    """Ladders of effort, by name, in which the share admitted falls from lowest to highest effort, and how many."""
    count = effort.counted(effort.effort_ladders(variants.readings()), ADMITS)
    note = f"{count.sure} of the falls beyond 1.96 standard errors; mean {count.mean:+.1f} points"
    return {"fell": Result(float(count.fell), n=count.n, note=note), "of": Result(float(count.n), n=count.n)}


@test("makers as clusters", "O04", kind="clustered interval")
def effort_by_maker(panel: str) -> Stress:
    count = effort.counted(effort.effort_ladders(variants.readings()), ADMITS)
    change = count.by_maker
    against = f"the mean change may be {change.high:+.1f} points, none or a rise" if change.high >= 0 else ""
    says = (
        f"with the {change.n} makers as replicates the share admitted changes by {change.estimate:+.1f} points, "
        f"at most {change.high:+.1f}"
    )
    return Stress.of("change of the share admitted, points", change, says, against=against)


@stress("O04")
def effort_otherwise(panel: str) -> list[Stress]:
    rows = variants.readings()
    ladders = effort.effort_ladders(rows)
    dose = effort.dose(rows, ADMITS)
    wrong, precise = effort.counted(ladders, WRONG), effort.counted(ladders, PRECISION)
    wider = effort.counted(effort.effort_ladders(rows, bare=False), ADMITS)
    return [
        Stress.of("points for ten times the tokens", dose.by_maker, "makers as replicates"),
        Stress("the wrong share rises in", float(wrong.rose), f"of {wrong.n}", n=wrong.n),
        Stress("precision rises in", float(precise.rose), f"of {precise.n}", n=precise.n),
        Stress("by the wider rule it falls in", float(wider.fell), f"of {wider.n}", n=wider.n),
    ]


@claim("O05", reads=("pythia_checkpoints",))
def runs_at_high_r(panel: str) -> dict[str, Result]:
    """Pythia runs with r(LAMBADA, CrowS-Pairs) of 0.85 or more from step 1,000 on, and how many."""
    own = training.along(training.runs(), x=X)
    high = int((own["r"] >= HIGH).sum())
    note = f"median r {own['r'].median():.2f}"
    return {"runs": Result(float(high), n=len(own), note=note), "of": Result(float(len(own)), n=len(own))}


@test("a stranger's curve", "O05", kind="null")
def strangers(panel: str) -> Stress:
    pairs = training.crossed(training.runs(), x=X)
    other = pairs.loc[~pairs["own"], "r"]
    share, own = float((other >= HIGH).mean()), float((pairs.loc[pairs["own"], "r"] >= HIGH).mean())
    says = (
        f"LAMBADA of one run and CrowS-Pairs of another reach {HIGH} in {share:.0%} of the pairs, a run with itself in "
        f"{own:.0%}: two trends give most of it"
    )
    return Stress.of("share of strangers at 0.85 or more", share, says, n=len(other), lost=share > own / 2)


@stress("O05")
def beyond_trend(panel: str) -> list[Stress]:
    rows = training.runs()
    tests = {x: training.beyond_trend(rows, x=x) for x in training.CAPABILITIES}
    return [
        Stress.of(f"{x}: own less twin, changes (Fisher's z)", one.excess, f"exact one-sided p = {one.p:.3f}")
        for x, one in tests.items()
    ]
