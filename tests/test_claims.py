"""Every claim has a function and a verdict, the rule is kept, and nothing dangles."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from cape_lib import claims, frontier, tables
from cape_lib.base import boundary, coupling
from cape_lib.charts import claims as draw
from cape_lib.claims import registry
from cape_lib.claims.internals import trend_p, trend_power
from cape_lib.claims.verdict import TAKES, answer, holds_zero, matches, near, number
from cape_lib.cli import main
from cape_lib.errors import ScoresError, UsageError
from cape_lib.page.parts import PLACES
from cape_lib.stats import Estimate, fisher, score_noise
from cape_lib.tables import files

KEYS = [
    "id",
    "chapter",
    "source",
    "claim",
    "published",
    "value",
    "low",
    "high",
    "n",
    "definition",
    "panel",
    "verdict",
    "conclusion",
    "conclusion_test",
    "missing",
]


def outcomes_of(ident: str, panel: str) -> dict[str, claims.Stress]:
    """What was tried of a claim on a panel, by name."""
    return {one.name: one for one in registry.entry(ident).run(panel) if isinstance(one, claims.Stress)}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, claims.Verdict]:
    return {one.id: one for one in claims.evaluate()}


def test_every_claim_has_a_function_or_says_what_is_missing_and_every_function_a_claim():
    judged = tables.load("claim_judgements")
    without = set(tables.load("claims")["id"]) - set(registry.registered())
    assert set(registry.registered()) <= set(tables.load("claims")["id"])
    assert set(judged["id"]) == set(tables.load("claims")["id"])
    assert judged[judged["id"].isin(without)]["missing"].notna().all()
    assert len(claims.claim_ids()) >= 99, "the announcement and the two papers make 99"


def test_a_part_is_a_number_as_printed_or_a_statement():
    judged = tables.load("claim_judgements")
    assert (judged["compare"].eq("holds") == judged["published"].isna()).all()


def test_parts_meet_their_judgement_by_name_in_whatever_order(monkeypatch):
    usual = claims.evaluate("C26")[0]
    known = registry.entry("C26")

    def turned(panel):
        first, *tried = known.run(panel)
        yield dict(reversed(first.items()))
        yield from tried

    monkeypatch.setitem(registry._ENTRIES, "C26", dataclasses.replace(known, function=turned))
    assert claims.evaluate("C26")[0].parts == usual.parts


def test_every_claim_gets_a_word_on_each_axis_and_every_word_is_needed(verdicts):
    assert set(verdicts) == set(claims.claim_ids())
    assert {one.verdict for one in verdicts.values()} == set(claims.VERDICTS)
    assert {one.conclusion for one in verdicts.values()} == set(claims.CONCLUSIONS)


def test_no_claim_is_reproduced_without_a_test_or_a_reason_why_there_is_none(verdicts):
    for one in verdicts.values():
        by = one.conclusion_test
        assert by.why and by.reason, one.id
        if one.conclusion == "untested":
            assert by.kind == "none" and by.value is None and not by.says, one.id
        else:
            assert by.kind in TAKES and by.says and math.isfinite(float(by.value)), one.id
            assert one.conclusion in ("withstands", TAKES[by.kind]), one.id


@pytest.mark.slow
def test_every_test_is_of_a_claim_and_is_computed_and_every_one_that_is_computed_is_named():
    known = tables.load("claim_tests")
    assert set(known["id"]) <= {*claims.claim_ids(), *claims.own_claim_ids()}
    assert (known["kind"].notna() == known["test"].notna()).all() and set(known["kind"].dropna()) <= set(TAKES)
    named, computed = defaultdict(set), defaultdict(set)  # claims of one function share its tests
    for ident in registry.registered():
        panels = claims.panels_of(ident)
        there = [panels[0], *({"corrected", "deduplicated"} & set(panels))]
        tests = {name for panel in there for name, one in outcomes_of(ident, panel).items() if one.lost is not None}
        mine = set(known[known["id"] == ident]["test"].dropna())
        assert tests >= mine, f"nothing computes a test of {ident}"
        function = registry.entry(ident).function
        named[function] |= mine
        computed[function] |= tests
    assert computed == named


def test_what_stands_is_reproduced_and_withstands(verdicts):
    stand = [one for one in verdicts.values() if one.stands]
    assert stand and all(one.verdict.startswith("reproduced") and one.conclusion == "withstands" for one in stand)


@pytest.mark.parametrize(
    ("ident", "conclusion", "test"),
    [
        ("C01", "confounded", "size held fixed"),
        ("C08", "artefact", "shuffled scores"),
        ("C15", "contradicted", "every released count"),  # 8 of 26 are not zero
        ("C19", "confounded", "release date held fixed"),
        ("C23", "wrong data", "the corrected rows"),
        ("C25", "wrong data", "the corrected row"),
        ("C35", "contradicted", "models counted once"),  # 61
        ("C38", "contradicted", "the equation itself"),  # 10.6 %
        ("C42", "withstands", "size held fixed"),
        ("C49", "artefact", "score noise"),  # .15 points
        ("C66", "contradicted", "the sign of the slope"),  # +1.49 does not settle
        ("C80", "contradicted", "the subsets it names"),
        ("C82", "contradicted", "the bound as printed"),  # .8668 is not above .87
        ("C88", "withstands", "score noise"),
    ],
)
def test_conclusions_are_decided_by_their_named_test(verdicts, ident, conclusion, test):
    assert (verdicts[ident].conclusion, verdicts[ident].conclusion_test.name) == (conclusion, test)


def test_a_claim_of_mathematics_is_tested_as_worded(verdicts):
    by = {ident: verdicts[ident].conclusion_test for ident in ("C38", "C66", "C80", "C82")}
    assert all(test.kind == "as worded" and test.panel == verdicts[ident].panel for ident, test in by.items())
    assert by["C66"].value == pytest.approx(1.49, abs=0.005) and by["C82"].value == pytest.approx(0.8668, abs=5e-5)
    assert by["C38"].value == pytest.approx(10.6, abs=0.05) and by["C80"].value < 0.5


def test_caveats_of_all_claims_use_the_rows_without_their_known_errors(verdicts):
    for one in verdicts.values():
        by = one.conclusion_test
        if by.kind not in ("none", "as worded"):
            better = [panel for panel in ("corrected", "deduplicated") if panel in one.panels]
            assert by.panel == (better or ["published"])[0], one.id
    assert verdicts["C19"].conclusion_test.panel == "corrected"


def planted(slope: float) -> pd.DataFrame:
    """The eight Pythia rows with TruthfulQA made of size and noise, or, with a slope, of HellaSwag beyond size too."""
    rows = tables.ladder("Pythia", panel="published")
    size = np.log10(rows["params_b"].to_numpy(dtype=float))
    axes = np.linalg.qr(np.column_stack([np.ones_like(size), size, np.arange(8) % 2, np.arange(8) ** 2 % 3]))[0]
    apart, noise = axes[:, 2], axes[:, 3]  # neither follows size, nor the other
    return rows.assign(hellaswag=45 + 15 * size + 6 * apart, truthfulqa=40 - 4 * size + slope * 6 * apart + noise)


@pytest.mark.parametrize(("slope", "conclusion"), [(0.0, "confounded"), (-1.0, "withstands")])
def test_a_planted_confounded_claim_comes_out_confounded_and_a_planted_coupling_withstands(
    monkeypatch, slope, conclusion
):
    rows = planted(slope)
    monkeypatch.setattr(tables, "ladder", lambda *args, **more: rows)
    one = claims.evaluate("C01")[0]
    assert one.parts[0].value < -0.8 and one.conclusion == conclusion


def test_the_gravest_test_decides_and_without_any_the_claim_is_untested():
    def test(kind: str, lost: bool) -> claims.Stress:
        return claims.Stress(1.0, name=kind, kind=kind, why="why", says="gone" if lost else "holds", lost=lost)

    word, by = registry.conclude("C17", [], ["no rows"])
    assert (word, by.kind, by.why) == ("untested", "none", "missing: no rows")
    assert registry.conclude("C01", [test("null", False), test("noise", False)], [])[1].name == "null"
    lost = [test("corrected cell", True), test("covariate", True)]
    word, by = registry.conclude("C01", [test("null", False), *lost], [])
    assert (word, by.name, by.says) == ("wrong data", "corrected cell", "gone")


def test_a_claim_is_as_good_as_its_weakest_part(verdicts):
    for one in verdicts.values():
        assert claims.VERDICTS.index(one.verdict) == min(claims.VERDICTS.index(part.verdict) for part in one.parts)


def test_what_is_not_testable_says_what_is_missing_and_only_that(verdicts):
    for one in verdicts.values():
        untested = any(part.verdict == "not testable" for part in one.parts)
        assert bool(one.missing) == untested, one.id


def test_a_reproduced_number_rounds_to_what_was_printed(verdicts):
    for one in verdicts.values():
        for part in one.parts:
            if part.verdict.startswith("reproduced") and part.compare == "equals":
                places = len((part.published or "").partition(".")[2])
                away = abs(float(part.value) - float(part.published))
                assert away <= 0.5 * 10**-places + part.slack + 1e-9, (one.id, part.name)


@pytest.mark.parametrize(
    ("ident", "verdict"),
    [
        ("C01", "reproduced with definition"),  # the ladder of eight, two of them above the boundary
        ("C02", "differs"),  # Pythia alone has no turning point
        ("C03", "reproduced with definition"),
        ("C08", "reproduced"),
        ("C17", "not testable"),  # changed is not corrected
        ("C19", "reproduced"),
        ("C20", "reproduced with definition"),  # core models only
        ("C24", "differs"),  # Gemini 2.0 Flash lies below the line
        ("C51", "reproduced with definition"),  # 7 B is an end of the ladder that was trained alike
        ("C55", "reproduced with definition"),  # the rule reversed
        ("C59", "differs"),
        ("C60", "reproduced with definition"),  # losses without a source
        ("C62", "reproduced with definition"),
        ("C70", "not testable"),  # the formula comes out; that a model needs it was never tried
        ("C96", "not testable"),  # no smaller model of three of the families in the same run
        ("C64", "reproduced with definition"),
        ("C76", "differs"),  # the printed intervals are narrower than 95 %
        ("C91", "not testable"),  # no HLE score was published
    ],
)
def test_verdicts_that_were_judged_by_hand(verdicts, ident, verdict):
    assert verdicts[ident].verdict == verdict


@pytest.mark.parametrize(
    ("printed", "value", "match"),
    [
        ("0.72", 0.7235, True),
        ("0.720", 0.7235, False),  # the digits that were printed count
        ("-0.989", -0.9886, True),
        ("-0.941", -0.9404, False),
        ("60", 60.49, True),
        ("60", 60.51, False),
        ("0.725", 0.7245, True),  # the edge of the half unit is inside
        ("0.72", float("nan"), False),
        ("0.72", None, False),
    ],
)
def test_a_value_matches_by_rounding_to_the_printed_digits(printed, value, match):
    assert matches(printed, value) is match


def test_about_means_one_significant_digit():
    assert matches("10", 10.7, "about") and not matches("10", 16.0, "about")
    assert matches("60", 58.3, "about") and not matches("60", 10.0, "about")


def test_a_bound_is_a_bound_within_its_rounding():
    assert matches("0.78", 0.816, "at least") and matches("0.87", 0.8668, "at least")
    assert not matches("0.99", 0.45, "at least") and matches("0.09", 0.0, "at most")


def test_a_published_text_that_is_no_number_is_refused():
    with pytest.raises(ScoresError, match="cannot be compared"):
        matches("many", 3.0)


@pytest.mark.parametrize(
    ("printed", "value", "close"),
    [
        ("6.5", 6.5507, True),
        ("-0.983", -0.98394, True),
        ("2.6", 2.39, False),
        ("21", 20.0, False),
        ("0.5", None, False),
    ],
)
def test_a_difference_in_the_last_digit_is_told_from_a_wholesale_one_and_a_count_is_never_near(printed, value, close):
    assert near(printed, value) is close


def test_four_claims_differ_in_the_last_digit_only(verdicts):
    assert {one.id for one in verdicts.values() if one.verdict == "in the last digit"} == {"C10", "C43", "C67", "C87"}
    assert verdicts["C58"].verdict == "differs"
    assert any(part.verdict == "in the last digit" for part in verdicts["C58"].parts)
    assert "in the last digit" in claims.box("C87")._repr_html_()


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(1, 3))
def test_what_does_not_match_never_looks_like_what_was_printed(value, stated, places):
    printed, unit = f"{stated:.{places}f}", Decimal(1).scaleb(-places)
    if abs(Decimal(value) - Decimal(printed)) > unit / 2 + Decimal("1e-7"):
        shown = Decimal(number(value, printed).replace("\N{MINUS SIGN}", "-"))
        assert shown.quantize(unit, ROUND_HALF_UP) != Decimal(printed)
    assert number(6.5507, "6.5") == "6.551" and number(3.4478, "3.5") == "3.448"


@given(st.floats(-1e3, 1e3), st.integers(0, 4))
def test_a_value_always_matches_its_own_rounding(value, places):
    assert matches(f"{value:.{places}f}", value)


def test_the_verdict_follows_the_data(monkeypatch):
    """A claim that was reproduced differs once the table says something else: nothing is typed."""
    frame = tables.frontier("published").assign(gpqa_diamond=lambda rows: rows["gpqa_diamond"].to_numpy()[::-1])
    monkeypatch.setattr(tables, "frontier", lambda *args, **more: frame.copy())
    assert claims.evaluate("C19")[0].verdict == "differs"


def test_the_swing_of_anthropic_runs_backwards_by_the_makers_dates():
    tried = outcomes_of("C26", "published")["order of the dates"]
    assert tried.lost and tried.value < 0
    assert "backwards" in registry.tests_of()["C26"]["order of the dates"]["more"]


def test_two_releases_of_one_month_have_no_order(monkeypatch):
    """The papers date both releases of the swing to the month: then neither comes first, and no recovery is counted."""
    monkeypatch.setattr(tables, "dated_by_makers", lambda frame: frame)
    assert not outcomes_of("C26", "published")["order of the dates"].lost
    own = frontier.trajectories(tables.frontier("published"), lab="Anthropic").set_index("model")
    assert not own.loc["Claude Sonnet 4.6", "order_known"] and own.loc["Claude Opus 4.7", "order_known"]
    known = own["order_known"].to_numpy()[1:]
    recovered = next(registry.entry("C26").run("published"))["recovers within one release"]
    assert recovered.n == int((known & (own["h"] < -10).to_numpy()[:-1]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("ident", ["C23", "C25", "C27"])
def test_a_claim_that_a_correction_changes_says_so(ident):
    tried = claims.evaluate(ident)[0]
    assert "corrected rows" in tried.caveat and tried.conclusion == "wrong data"
    assert claims.evaluate(ident, panel="sourced")[0].conclusion != "wrong data"


def test_one_quantity_is_drawn_once_in_the_claim_its_trials_and_its_chapter():
    pooled, rows = claims.evaluate("C03")[0].parts[0], tables.base_version("bootstrap_script")
    again = boundary.vertex_intervals(rows).set_index("method").loc["rows resampled, as published"]
    assert (again["low"], again["high"]) == (pooled.low, pooled.high)
    shuffled = coupling.population_coupling(tables.base("published")).permutation_p
    assert any(f"p = {shuffled:.3f}" in note for note in claims.evaluate("C59")[0].notes)


@pytest.mark.slow
@pytest.mark.parametrize("panel", ["deduplicated", "uniform", "corrected", "sourced", "current", "independent"])
def test_every_claim_can_be_computed_on_every_panel_that_it_names(panel):
    touched = [ident for ident in claims.claim_ids() if panel in claims.panels_of(ident)]
    result = claims.evaluate(touched, panel=panel)
    assert len(result) > 25 and all(one.panel == panel for one in result)


def test_a_claim_that_a_panel_does_not_touch_says_on_which_it_stands():
    assert claims.evaluate("C36", panel="uniform")[0].panel == "published"
    assert claims.evaluate("C19", panel="deduplicated")[0].panel == "published"


def test_unknown_claims_and_panels_are_refused_with_the_nearest_names():
    with pytest.raises(UsageError, match="C19"):
        claims.evaluate("C199")
    with pytest.raises(UsageError, match="uniform"):
        claims.evaluate("C19", panel="unifrom")


def test_a_new_claim_without_function_judgement_or_rows_is_refused_with_what_is_to_be_done(monkeypatch, capsys):
    known = registry.about()
    monkeypatch.setattr(registry, "about", lambda: {**known, "C900": {"chapter": "06"}})
    assert main(["claims", "C900"]) == 4
    assert "write a function, @claim('C900'), in cape_lib/claims" in capsys.readouterr().err
    new = registry.Entry("C900", lambda panel: iter([answer(float("nan"))]))
    monkeypatch.setitem(registry._ENTRIES, "C900", new)
    assert main(["claims", "C900"]) == 3
    assert "C900 has a part here or in its function only: ''" in capsys.readouterr().err
    row = {"name": "r", "published": "0.9", "compare": "equals"}
    row |= dict.fromkeys(("definition", "particular", "missing", "note"), "")
    monkeypatch.setattr(registry, "judgements", lambda: {"C900": {"r": row}})
    assert main(["claims", "C900"]) == 4
    assert "nothing to compute it from" in capsys.readouterr().err


def test_a_sentence_that_asks_for_what_its_function_does_not_give_is_refused_with_what_it_gives(monkeypatch, capsys):
    row = registry.tests_of()["C82"]["the bound as printed"]
    known = {**registry.tests_of(), "C82": {row["test"]: {**row, "says": "the largest is {largest}"}}}
    monkeypatch.setattr(registry, "tests_of", lambda: known)
    assert main(["claims", "C82"]) == 3
    refusal = capsys.readouterr().err
    assert "asks for 'largest'" in refusal and "smallest" in refusal and refusal.count("\n") == 1


@pytest.mark.slow
def test_every_attempt_to_break_a_claim_has_a_value_and_says_something():
    tried = [each for one in claims.evaluate() for each in one.stress]
    assert len(tried) > 30
    assert all(each.name and each.says for each in tried)
    assert all(each.value is not None and not math.isnan(float(each.value)) for each in tried)


def test_records_are_the_objects_of_the_command_line(verdicts):
    records = claims.as_records(verdicts.values())
    assert [list(record) for record in records] == [KEYS] * len(claims.claim_ids())
    json.dumps(records, allow_nan=True)
    by_id = {record["id"]: record for record in records}
    assert by_id["C19"]["value"] == pytest.approx(0.7235, abs=5e-5) and by_id["C19"]["published"] == 0.72
    assert by_id["C03"]["published"] == [3.5, 2.9, 13.4] and len(by_id["C03"]["value"]) == 3
    for record in records:
        if isinstance(record["published"], list):
            for key in ("value", "low", "high", "n"):
                assert isinstance(record[key], list) and len(record[key]) == len(record["published"]), record["id"]


def test_the_command_prints_a_verdict_and_json(capsys):
    assert main(["claims", "C19"]) == 0
    printed = capsys.readouterr().out
    assert "reproduced" in printed and "confounded" in printed and "release date held fixed" in printed
    place = claims.where("C19")
    for step in (place["file"], f"line {place['line']}", place["call"], place["formula"], "frontier_panel.csv"):
        assert step in printed, "the way from the table to the number"
    assert main(["claims", "c19", "C33", "--json"]) == 0
    assert [record["id"] for record in json.loads(capsys.readouterr().out)] == ["C19", "C33"]


def test_the_command_refuses_an_unknown_claim_and_panel_in_one_line(capsys):
    for words in (["claims", "C199"], ["claims", "--panel", "unifrom"]):
        assert main(words) == 2
        output = capsys.readouterr().err
        assert output.count("\n") == 1 and ("C19" in output or "uniform" in output)


def test_the_command_says_which_claims_a_panel_does_not_touch(capsys):
    assert main(["claims", "C36", "--panel", "uniform"]) == 0
    assert "C36" in capsys.readouterr().err


def test_a_box_shows_word_and_shape_and_links_both_ways():
    html = claims.box("C03")._repr_html_()
    assert 'id="C03"' in html and "../notebooks/audit/08_claims.html#C03" in html
    assert "reproduced with definition" in html and claims.SHAPES["reproduced with definition"] in html
    assert "reproduced with definition" in claims.box("C03")._repr_markdown_()


@pytest.mark.parametrize(
    ("ident", "part", "method"),
    [
        ("C03", "pooled vertex", "rows resampled, as published"),
        ("C58", "effective dimension", "bootstrap"),
        ("C42", "population coupling", "Pearson, Fisher's z"),
    ],
)
def test_an_interval_that_covers_less_than_it_says_says_so_in_its_box(ident, part, method):
    result = claims.evaluate(ident)[0]
    n = None if part == "population coupling" else result.parts[0].n
    assert tables.promise(part, method, n=n) in claims.figures(result.parts[0])
    assert "where it says 95" in claims.box(ident)._repr_html_()


def test_an_interval_of_one_ladder_carries_no_label_of_a_panel():
    assert "where it says" not in claims.figures(claims.evaluate("C01")[0].parts[0])


def test_where_names_an_existing_file_and_the_code_of_the_function():
    for ident in claims.claim_ids():
        place = claims.where(ident)
        lines = (tables.data_dir().parent / place["file"]).read_text("utf-8").splitlines()
        assert ident in lines[place["line"] - 1] and place["formula"] and place["name"] in place["code"]


@pytest.mark.slow
def test_a_claim_reads_exactly_the_tables_that_it_names(monkeypatch):
    read, known = set(), files._checked
    monkeypatch.setattr(files, "_checked", lambda name, file, stamp: read.add(name) or known(name, file, stamp))
    panels = importlib.import_module("cape_lib.tables.frontier")
    monkeypatch.setattr(panels, "_panel", panels._panel.__wrapped__)  # no panel is remembered
    for ident in claims.claim_ids():
        read.clear()
        next(registry.entry(ident).run(claims.panels_of(ident)[0]))
        assert read - {"claims", "claim_judgements", "coverage"} == set(claims.where(ident)["tables"]), ident


def test_counts_add_up(verdicts):
    table = claims.counts(verdicts.values())
    assert table.loc["all", "stand"] == sum(one.stands for one in verdicts.values())
    assert table.loc["all", "claims"] == len(claims.claim_ids())
    assert (table[list(claims.VERDICTS)].sum(axis=1) == table["claims"]).all()


@pytest.mark.slow
def test_the_noise_of_a_change_of_slope_is_that_of_scores_drawn_again():
    """C64: the two slopes as numpy fits them, over scores that noise has moved."""
    rows, rng = tables.ladder("Pythia", panel="deduplicated"), np.random.default_rng(0)
    t, x, y = np.log10(rows["params_b"]), rows["hellaswag"], rows["truthfulqa"]
    drawn = []
    for _ in range(2000):
        noisy = (y + rng.normal(0, score_noise(rows, "truthfulqa"))).to_numpy()
        sides = [(rows["params_b"] <= 1.0).to_numpy(), (rows["params_b"] >= 2.8).to_numpy()]
        rise = [np.diff(noisy[side]) / np.diff(t[side]) for side in sides]
        middle = [(x[side].to_numpy()[1:] + x[side].to_numpy()[:-1]) / 2 for side in sides]
        falls, grows = (np.polyfit(a, b, 1)[0] for a, b in zip(middle, rise, strict=True))
        drawn.append(grows - falls)
    tried = outcomes_of("C64", "deduplicated")["score noise"]
    assert tried.lost and (tried.high - tried.low) / 3.92 == pytest.approx(np.std(drawn), rel=0.06)


def test_what_holds_zero_says_what_would_have_been_seen():
    text = holds_zero(fisher(0.2, 30))
    seen = float(re.search(r"\(less than (0\.\d+) could be missed", text)[1])
    # Fisher's z of an r of that size lies 2.8 standard errors off zero.
    assert math.atanh(seen) == pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) / 27**0.5, abs=0.02)
    assert holds_zero(fisher(0.9, 30)) == "the interval excludes zero"
    assert holds_zero(Estimate(1.0, math.nan, math.nan, 3, "")) == "no interval"


def test_the_trend_test_is_fair_without_a_trend_and_small_with_a_clear_one():
    assert trend_p([3, 3, 3], [10, 10, 10]) > 0.5
    assert trend_p([10, 0, 0], [10, 10, 10]) < 1e-4
    assert trend_power([3, 3, 3], [10, 10, 10]) <= 0.05 < 0.95 < trend_power([9, 5, 1], [10, 10, 10])


def test_a_claim_links_each_of_its_tables_to_its_place_on_the_data_page():
    page = json.loads((tables.data_dir().parent / "book" / "data.ipynb").read_text("utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "markdown")
    places, here = {}, ""
    for anchor, table in re.findall(r"^\(([\w-]+)\)=$|\{download\}`(\w+)\.csv <", text, re.MULTILINE):
        here = anchor or here
        places |= {table: here} if table else {}
    read = {name for ident in [*claims.claim_ids(), *claims.own_claim_ids()] for name in claims.where(ident)["tables"]}
    assert read and all(PLACES.get(name, "other-tables") == places.get(name, "other-tables") for name in read)


def test_the_grid_of_the_two_axes_has_a_place_for_every_claim(verdicts):
    figure = draw.axes(list(verdicts.values()))
    stand = sum(one.stands for one in verdicts.values())
    assert len(figure.rows) == len(verdicts) and f"{stand} of their conclusions" in figure.title
    cells = figure.rows.groupby(["number", "conclusion"]).size()
    assert cells.max() <= draw.ABREAST * draw.DEEP
    assert all(f"{n} {number} and {word}" in figure.alt for (number, word), n in cells.items())


@pytest.mark.parametrize(
    ("ident", "value", "conclusion"),
    [
        ("O01", 0.7476, "withstands"),
        ("O02", 0.1843, "artefact"),
        ("O03", -0.9909, "artefact"),
        ("O04", [18, 20], "artefact"),  # p = 0.053 once corrected for asking four measures: not shown
        ("O05", [12, 16], "artefact"),
        ("O06", -0.6085, "confounded"),
    ],
)
def test_our_own_claims_are_judged_by_the_same_rules_and_counted_apart(ident, value, conclusion) -> None:
    (one,) = claims.evaluate(ident)
    assert one.each("value") == pytest.approx(value, abs=5e-4) and one.verdict == "reproduced"
    assert one.conclusion == conclusion and one.conclusion_test.why
    assert ident in claims.own_claim_ids() and ident not in claims.claim_ids()
