"""One quantity, one value: report, terminal, dashboard, chapter and claim are asked the same about ten families and ten
releases, and give the same numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cape_lib import claims, frontier, predictions, stats, tables
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.cli import main
from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, kit
from cape_lib.frontier.lines import X, Y
from cape_lib.report import family as reports
from cape_lib.report import sweep
from cape_lib.story import boundary as chapter_2
from cape_lib.story import frontier as chapter_6
from cape_lib.story import intro as first_page

FAMILIES = [
    ("published", "Pythia"),
    ("published", "OPT"),
    ("published", "BLOOM"),
    ("published", "Cerebras-GPT"),
    ("published", "Llama-2"),
    ("published", "Qwen2.5"),
    ("uniform", "Pythia"),
    ("uniform", "Llama-3.1"),
    ("uniform", "OPT"),
    ("uniform", "Qwen1.5"),
]
RELEASES = [
    "Claude Opus 4.6",
    "Claude Sonnet 4.6",
    "Claude 3.5 Haiku",
    "DeepSeek-V2.5",
    "DeepSeek V3.2",
    "Gemini 3 Pro",
    "GPT-5",
    "GLM-5",
    "o3",
    "Kimi K2.5",
]


def known(name: str) -> pd.Series:
    """The first release of the current panel whose name begins so."""
    panel = tables.frontier("current").dropna(subset=[X, Y])
    return panel[panel["model"].str.startswith(name)].iloc[0]


def first_quick(names: list[Any], quick: int = 3) -> list[Any]:
    """All names as parameters, those after the first few left to `make test`."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (place >= quick)) for place, name in enumerate(names)]


@pytest.fixture(params=first_quick(FAMILIES), ids="-".join)
def ladder(request: pytest.FixtureRequest) -> pd.DataFrame:
    panel, name = request.param
    return tables.ladder(name, panel=panel)


def answers(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def same(one: float | None, other: float | None) -> bool:
    """Equal to rounding; what a table calls NaN, 0 or infinity beside a size is None in plain data."""
    missing = [v is None or not math.isfinite(v) or v == 0 for v in (one, other)]
    return all(missing) if any(missing) else bool(np.isclose(one, other, rtol=1e-12))


def test_a_family_has_one_answer_everywhere(
    ladder: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ["model", "params_b", "hellaswag", "truthfulqa"]
    file = tmp_path / "scores.csv"
    ladder[columns].to_csv(file, index=False)
    command = answers(capsys, "diagnose", str(file), "--allow-mixed")["diagnosis"]
    (task,) = sweep.tasks(ladder[columns].assign(family="one"))
    (part,) = sweep.answer(task)["parts"]
    page = json.loads(json.dumps(diagnose_family(ladder[columns])))
    assert part["diagnosis"] == page == command
    chapter = boundary.critical_scales(ladder)
    for row, rest in zip(part["critical_scales"], chapter.to_dict("records"), strict=True):
        seen = page["boundary"][row["estimator"].replace(" ", "_")]
        assert row["verdict"] == rest["verdict"] == seen["verdict"]
        for name, column in (("estimate", "n_c_b"), ("low", "low"), ("high", "high"), ("share", "share")):
            assert same(row[column], rest[column]) and same(seen[name], rest[column]), (row["estimator"], name)
    whole, steps = coupling.whole_ladder(ladder), coupling.local_coupling(ladder)
    assert (page["whole"]["dy"], page["whole"]["z"]) == pytest.approx((whole.dy.estimate, whole.z))
    for name in ("gamma", "p_negative", "p_tax", "p_transition", "p_bonus"):
        assert [step[name] for step in page["steps"]] == pytest.approx(list(steps[name]))
    assert page["steps"][-1]["phase"] == steps["phase"].iloc[-1] == coupling.phase(page["steps"][-1]["gamma"])
    assert page["power"]["boundary"] == boundary.boundary_power(ladder)
    r, (first, second) = page["r"], ladder[["hellaswag", "truthfulqa"]].dropna().to_numpy().T
    whole_r = stats.pearson(first, second)
    assert same(r["estimate"], whole_r.estimate)
    for method, row in dynamics.carried_on(ladder).iterrows():
        assert same(page["forecast"]["methods"][method]["y"], row["truthfulqa"])


@pytest.mark.parametrize("estimator", list(boundary.ESTIMATORS))
def test_a_claim_on_a_turn_gives_the_size_of_the_dashboard(estimator: str) -> None:
    page = diagnose_family(tables.ladder("OPT"))["boundary"][estimator.replace(" ", "_")]
    row = boundary.critical_scales(tables.ladder("OPT", panel="published")).set_index("estimator").loc[estimator]
    assert same(page["estimate"], row["n_c_b"]) and page["verdict"] == row["verdict"]
    if estimator == "minimum size":
        assert claims.evaluate("C47")[0].parts[0].value == pytest.approx(page["estimate"])


def test_r_of_claim_chapter_and_dashboard_is_one() -> None:
    page = diagnose_family(tables.ladder("Pythia"))["r"]["estimate"]
    assert page == pytest.approx(coupling.population_coupling(tables.ladder("Pythia"), resamples=9).pearson.estimate)
    assert page == pytest.approx(claims.evaluate("C01", panel="published")[0].parts[0].value)


@pytest.mark.parametrize("place", range(2))
def test_a_curated_model_lies_off_the_trend_by_one_number(place: int) -> None:
    chapter = levers.curation_contrasts(tables.base("uniform")).iloc[place]
    page = diagnose_model({name: chapter[name] for name in ("params_b", "hellaswag", "truthfulqa")})["trend"]
    for score, column in (("hellaswag", "x"), ("truthfulqa", "y")):
        assert page[score]["residual"] == pytest.approx(chapter[f"{column}_excess"], rel=1e-12)


@pytest.mark.parametrize("size", [0.2, 1.0, 3.5, 7.0, 70.0])
def test_the_base_rate_of_a_size_is_that_of_the_instrument(size: float) -> None:
    steps = coupling.known_steps(tables.base("uniform"))
    page = diagnose_model({"params_b": size, "hellaswag": 50.0, "truthfulqa": 40.0})["steps"]
    rate = coupling.base_rate(steps, size)
    assert f"**{rate.tax} of {rate.steps}** known steps" in first_page.rate(steps, size)
    assert first_page.rate(steps, size).endswith(f"by sign alone, {rate.negative}.")
    assert (page["n"], page["tax"]) == (rate.steps, rate.tax)
    assert page["share"] == rate.share.estimate
    assert (page["interval"]["low"], page["interval"]["high"]) == (rate.share.low, rate.share.high)
    few, many = (coupling.base_rate(steps[side], size) for side in (steps["tokens_b"] < 600, steps["tokens_b"] >= 600))
    assert (page["few_n"], page["few_tax"]) == (few.steps, few.tax)
    assert (page["many_n"], page["many_tax"]) == (many.steps, many.tax)
    assert [page[f"{side}negative"] for side in ("", "few_", "many_")] == [one.negative for one in (rate, few, many)]
    assert (page["low_b"], page["high_b"]) == (size / 3, size * 3)


def test_the_first_page_has_the_base_rate_of_every_size_that_is_typed() -> None:
    steps = coupling.known_steps(tables.base("uniform"))
    page = first_page.rates(steps)
    rng = np.random.default_rng(0)
    for size in (1.4, 3.0, 6.9, 12.0, 30.0, *np.exp(rng.uniform(-7, 8, 50))):
        text = [one["text"] for one in page["rates"] if one["from"] <= size][-1]
        rate = coupling.base_rate(steps, size)
        assert (f"**{rate.tax} of {rate.steps}** known" in text) == (rate.steps > 0), size
        assert text.count("{size}") == 1
    assert page["near"] == 3 and "Near 70 B, from 23 to 210 B" in first_page.rate(steps, 70.0)


@pytest.mark.parametrize("name", first_quick(RELEASES))
def test_a_release_has_one_answer_everywhere(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = known(name)
    scores = ["--swe", str(row[X]), "--gpqa", str(row[Y]), "--lab", row["lab"]]
    hfield = answers(capsys, "hfield", *scores)
    command = answers(capsys, "diagnose", *scores)
    last = command["diagnosis"]["rows"][-1]
    chapter = frontier.h_field(tables.frontier("current"), chosen="frozen").set_index("model").loc[row["model"]]
    value = frontier.read_h(row[X], row[Y], frontier.line("frozen")).iloc[0]
    for place in (hfield, command):
        assert (place["h"], place["low"], place["high"]) == pytest.approx((value["h"], value["h_low"], value["h_high"]))
        assert (place["h"], place["low"], place["high"]) == pytest.approx(tuple(chapter[["h", "h_low", "h_high"]]))
        assert place["phase"] == value["phase"] == chapter["phase"]
    assert hfield["advice"] == command["advice"]
    assert hfield["trajectory"] == command["diagnosis"]["trajectory"]
    assert last["noise_sd"] == pytest.approx(chapter["noise_sd"])
    page = diagnose_release([{"model": row["model"], **row[[*tables.FRONTIER_BENCHMARKS]]}])["saturation"]
    for axis in page:
        known_axis = frontier.saturation(
            tables.frontier("current").dropna(subset=[X, Y]), old=axis["old"], new=axis["new"]
        )
        assert axis["sigma"] == pytest.approx(known_axis.sigma) and axis["rotate"] == known_axis.rotate


def test_a_panel_has_one_answer_in_the_terminal_the_chapter_and_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    command, panel = answers(capsys, "frontier", "--panel", "current"), tables.frontier("current").dropna(subset=[X, Y])
    trend, (error, _) = frontier.lab_line(panel), frontier.leave_one_lab_out(panel)
    chapter = {"r": trend["r"], "slope": trend["slope"], "intercept": trend["intercept"], "leave_one_lab_out": error}
    parts = {
        name: part
        for entry, name in (("C19", "r"), ("C75", "leave_one_lab_out"), ("C76", "slope"), ("C76", "intercept"))
        for part in claims.evaluate(entry, panel="current")[0].parts
        if part.name in (name, "error")
    }
    for name, one in chapter.items():
        shown = command[name]
        assert (shown["value"], shown["low"], shown["high"]) == pytest.approx((one.estimate, one.low, one.high)), name
        claim = parts[name]
        assert (claim.value, claim.low, claim.high) == pytest.approx((one.estimate, one.low, one.high)), name
    turned, (row,) = frontier.rotation(panel), [command["saturation"]]
    sigma = turned[(turned["old"] == X) & (turned["new"] == Y)].iloc[0]
    shown = [float(row[name]) for name in ("sigma", "low", "high")]
    assert all(same(one, other) for one, other in zip(shown, sigma[["sigma", "low", "high"]], strict=True))
    means = {lab["lab"]: lab["mean"] for lab in command["lab_means"]}
    table = frontier.lab_means(panel, chosen=frontier.fit_line(panel), core_only=False).set_index("lab")["mean"]
    assert means == pytest.approx(table.to_dict())


def test_what_is_resampled_has_one_interval_in_chapter_and_claim() -> None:
    panel = tables.base("published")
    whole = coupling.effective_dimension(panel[panel["params_b"] < 3.5]).estimate
    part = claims.evaluate("C58", panel="published")[0].parts[0]
    assert (part.value, part.low, part.high) == (whole.estimate, whole.low, whole.high)
    scale = levers.ten_times(levers.equivalent_scale(panel, reading="x"))
    part = claims.evaluate("C06", panel="published")[0].parts[0]
    assert (part.value, part.low, part.high) == (scale.estimate, scale.low, scale.high)


def test_the_dimension_of_a_panel_is_that_of_the_instrument_with_its_interval() -> None:
    page, whole = kit()["dimension"], coupling.effective_dimension(tables.base("uniform")).estimate
    assert page["estimate"] == whole.estimate
    assert (page["interval"]["low"], page["interval"]["high"]) == (whole.low, whole.high)


def test_r_with_the_date_held_fixed_is_one_in_terminal_chapter_and_claim(capsys: pytest.CaptureFixture[str]) -> None:
    command = answers(capsys, "frontier", "--panel", "current")["partial_r_given_date"]
    dated = tables.dated_by_makers(tables.frontier("current"))
    rows = chapter_6.calendar({"current": frontier.date_confound(dated)})
    held = rows.set_index("what").loc[chapter_6.HELD]
    tested = claims.evaluate("C19", panel="current")[0].conclusion_test
    assert tested.name == "release date held fixed"
    shown = (command["value"], command["low"], command["high"])
    assert shown == pytest.approx(tuple(held[["estimate", "low", "high"]]))
    assert shown == pytest.approx((tested.value, tested.low, tested.high))


def test_the_pooled_parabola_of_the_chapter_turns_where_the_instrument_says() -> None:
    rows = tables.base_version("bootstrap_script")
    drawn, table = chapter_2.parabola(rows, chapter_2.ALL)["turn"].iloc[0], boundary.vertex_intervals(rows)
    assert drawn == pytest.approx(boundary.vertex_bootstrap(rows, resamples=9).point)
    assert list(table["n_c_b"]) == pytest.approx([drawn] * len(table))


def test_the_gamma_of_the_flow_is_that_of_the_steps() -> None:
    line, rest = dynamics.gamma_flow(tables.ladder("Pythia"))
    steps = coupling.local_coupling(tables.ladder("Pythia"))
    again, point = dynamics.flow(np.log10(steps["params_b_mid"].to_numpy()), steps["gamma"].to_numpy())
    assert (line.slope.estimate, rest.estimate) == pytest.approx((again.slope.estimate, point.estimate))


def test_a_prediction_has_the_number_of_the_chapters_and_claims() -> None:
    panel = tables.frontier("current")
    scored = {one.card.id: one for one in predictions.score_all()}
    for card, pair in ((2, (Y, "ifeval")), (5, (X, Y)), (7, (X, "hle"))):
        r = frontier.lab_r(panel.dropna(subset=list(pair)), *pair)
        assert (scored[card].value, scored[card].low, scored[card].high) == (r.estimate, r.low, r.high), card
    pairs = frontier.pair_table(panel).set_index(["first", "second"])
    assert scored[7].value == pytest.approx(pairs["r"][X, "hle"])
    spread, top = scored[1], frontier.headline_numbers(panel).loc["top-five spread, old axis"]
    assert (spread.value, spread.low, spread.high) == pytest.approx(tuple(top[["estimate", "low", "high"]]))
    assert spread.value == pytest.approx(claims.evaluate("C34")[0].conclusion_test.value)
    ((x, y, h),) = scored[3].rows[[X, Y]].assign(h=scored[3].value).to_numpy(float)
    assert h == pytest.approx(frontier.read_h(x, y, frontier.line("frozen"))["h"].iloc[0])


def test_the_published_bands_decide_what_is_inside_them() -> None:
    panel = tables.frontier("published")
    bands, later = frontier.published_band(panel), frontier.later_releases(panel)
    assert list(later["inside_published"]) == list(later["h"].abs() <= bands["published"])
    assert list(later["inside_flat"]) == list(later["h_flat"].abs() <= bands["flat"])
    assert claims.evaluate("C33", panel="published")[0].parts[0].value == pytest.approx(bands["published"])


def test_labs_are_told_apart_by_the_scatter_that_limits_their_changes() -> None:
    rows = frontier.frozen_rows(tables.frontier("published"))
    h = frontier.h_field(rows, chosen=None)
    scatter, freedom = frontier.within_lab_scatter(rows, chosen=None)
    assert (scatter, freedom) == pytest.approx(stats.scatter_within(h["h"], h["lab"]))
    test = frontier.lab_permutation(rows, core_only=False, resamples=99).set_index("question")
    means = np.bincount(stats.labels_to_codes(h["lab"])[0])
    apart = frontier.labs.seen_between(means, means.size - 1, freedom)
    assert test["seen"]["do labs differ in h?"] == pytest.approx(scatter * apart)


@pytest.mark.parametrize("panel", list(tables.BASE_PANELS))
def test_r_within_families_is_one_by_dummies_and_by_means(panel: str) -> None:
    rows = stats.complete_rows(tables.base(panel), ["params_b", "hellaswag", "truthfulqa"])
    whole = coupling.population_coupling(rows, resamples=99)
    first, second, family = rows["hellaswag"], rows["truthfulqa"], rows["family"]
    r, p = stats.within_r(first, second, family, resamples=99, rng=stats.generator(0))
    assert (r, p) == pytest.approx((whole.family_demeaned.estimate, whole.permutation_p))


@pytest.mark.parametrize("lab", ["Anthropic", "OpenAI", "Google", "DeepSeek"])
def test_a_labs_known_changes_are_those_of_chapter_6(lab: str) -> None:
    """The newest release of a lab, diagnosed as the newest, has the trajectory that the chapter's table shows."""
    chapter = frontier.trajectories(tables.frontier("current"), lab=lab).set_index("model")
    newest = chapter.iloc[-1]
    row = {"model": chapter.index[-1], X: newest[X], Y: newest[Y], "date": newest["release_date"]}
    page = pd.DataFrame(diagnose_release([row], lab=lab)["trajectory"]).set_index("model")
    assert list(page.index) == list(chapter.index)
    assert list(page["kind"]) == list(chapter["kind"])
    assert page["change"].to_numpy(float) == pytest.approx(chapter["change"].to_numpy(float), nan_ok=True)
    assert page["limit"].to_numpy(float) == pytest.approx(chapter["limit"].to_numpy(float))


def test_a_report_on_releases_is_the_diagnosis_of_them() -> None:
    rows = tables.frontier("current").query("lab == 'DeepSeek'").dropna(subset=[X, Y])
    own = rows[["model", "release_date", X, Y]].assign(family="Mine").reset_index(drop=True)
    (part,) = reports.parts(own, name="Mine")
    diagnosis = reports.diagnose(part)["diagnosis"]
    chapter = frontier.h_field(rows, chosen="frozen")
    assert [row["h"] for row in diagnosis["rows"]] == pytest.approx(list(chapter["h"]))
