"""The dashboard in a browser: the same numbers as Python, every bad input answered, nothing interpreted as markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import hostile_links
import numpy as np
import pytest
from dashboard_cases import IN_PAGE, differences, edge_cases, in_python, path_cases, random_cases
from hypothesis import given

from cape_lib import frontier, stats, tables
from cape_lib.base import boundary, dynamics
from cape_lib.cli import main
from cape_lib.dashboard import diagnose_model, kit, wording
from cape_lib.dashboard.page import inline
from cape_lib.tables.axes import axis_named

pytestmark = pytest.mark.page

#: what a reader sees: every number on the page with its place in the diagnosis
SEEN = """() => [...document.querySelectorAll('[data-key]')].filter(e => e.closest('[role=tabpanel]:not([hidden])'))
  .map(e => [e.dataset.key, e.dataset.value, e.textContent])"""
ANSWERS = """() => Object.fromEntries([...document.querySelectorAll('[role=tabpanel]:not([hidden]) [data-answer]')]
  .map(e => [e.dataset.answer, e.textContent]))"""
#: the book's dark page, in which the dashboard stands
DARK = """() => { const page = document.documentElement;
  page.dataset.theme = "dark"; document.body.style.background = "#121212";
  const inks = { ink: "#e9ecef", muted: "#aab2ba", grid: "#3a4047", paper: "#14181e", line: "#454c54",
    shade: "#1f252c" };
  for (const [name, ink] of Object.entries(inks)) page.style.setProperty(`--cape-${name}`, ink); }"""
NAMES = [
    "<img src=x onerror=window.broken=1>",
    "</script><script>window.broken=1</script>",
    "'\"><svg onload=window.broken=1>",
    "{{7*7}}${window.broken=1}",
    "javascript:window.broken=1",
    "=HYPERLINK(1)",
    "\u202eabc\u0000",
    "&lt;b&gt;",
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dashboard") / "dashboard.html"
    file.write_text(inline(), encoding="utf-8")
    return file


@pytest.fixture
def page(document: Path, open_page: Callable[..., Any]) -> Iterator[Any]:
    """The dashboard alone, from a file, ready; afterwards: no request left the machine, nothing complained."""
    opened = open_page(document, width=1000)
    opened.wait_for_selector(".cape-dash[data-ready]")
    yield opened
    assert opened.requests == []
    assert opened.complaints == []
    assert opened.evaluate("window.broken") is None


def go(page: Any, tab: str, **state: Any) -> Any:
    """Put a state of one tab on the page (texts, as typed); returns the page's diagnosis or None."""
    return page.evaluate(
        """([tab, part]) => { const s = Cape.page.fresh(); s.tab = tab; Object.assign(s[tab], part);
        return Cape.page.go(s); }""",
        [tab, state],
    )


def texts(row: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in row.items()}


def result_of(page: Any) -> str:
    return str(page.inner_text("[role=tabpanel]:not([hidden]) .dash-result"))


# ---- one engine, two languages ----


@pytest.mark.parametrize(
    "of", [lambda: edge_cases() + random_cases(500), lambda: path_cases(200)], ids=["sizes", "other axes"]
)
def test_page_and_python_agree_on_random_and_all_extreme_inputs_to_nine_digits(
    page: Any, of: Callable[[], list[Any]]
) -> None:
    cases = of()
    theirs = page.evaluate(IN_PAGE, cases)
    wrong = [
        (case, lines)
        for case, page_says in zip(cases, theirs, strict=True)
        if (lines := differences(in_python(case), page_says))
    ]
    assert not wrong, f"{len(wrong)} of {len(cases)} differ; the first: {wrong[0]}"


def test_the_pages_arithmetic_is_that_of_the_instruments(page: Any) -> None:
    z = stats.fixed_normals(40)
    assert np.array(page.evaluate("Cape.numbers.fixedNormals(40)")) == pytest.approx(z.T, rel=1e-12, abs=1e-13)
    cases = np.round(np.random.default_rng(5).uniform(-9, 9, (60, 4)), 3)
    cases[:, 2:] = np.abs(cases[:, 2:]) + 0.01
    ratio = page.evaluate("cases => cases.map((c) => [...Cape.numbers.fieller(...c, 0)])", cases.tolist())
    dy, dx, var_dy, var_dx = cases.T
    ends = np.array([[np.nan if v is None else v for v in row] for row in ratio], dtype=float)
    assert ends == pytest.approx(np.array(stats.fieller_limits(dy, dx, var_dy=var_dy, var_dx=var_dx)).T, rel=1e-9)
    below = page.evaluate("cases => cases.map((c) => Cape.numbers.ratioBelow(0.1, ...c, 0))", cases.tolist())
    assert below == pytest.approx(stats.ratio_below(0.1, dy, dx, var_dy=var_dy, var_dx=var_dx), abs=1e-12)
    for name in frontier.LINES:
        places = [0.0, 1.5, 40.0, 77.7, 100.0]
        drawn = page.evaluate(
            "([name, places]) => places.map((x) => Cape.ordinary(Cape.kit.frontier.lines[name], x))", [name, places]
        )
        low, high = frontier.line(name).ordinary(places)
        assert [end for end, _ in drawn] == pytest.approx(low, rel=1e-9, abs=1e-9)
        assert [end for _, end in drawn] == pytest.approx(high, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["Pythia", "OPT", "BLOOM", "Cerebras-GPT", "Llama-2", "Qwen2.5"])
def test_the_pages_turns_and_forecasts_are_those_of_the_instruments(page: Any, name: str) -> None:
    ladder = tables.ladder(name)
    rows = ladder[["model", "params_b", "hellaswag", "truthfulqa"]].to_dict("records")
    seen = page.evaluate("rows => Cape.diagnoseFamily(rows, {}, Cape.kit)", rows)
    for row in boundary.critical_scales(ladder).to_dict("records"):
        turn = seen["boundary"][row["estimator"].replace(" ", "_")]
        usual = {"estimate": row["n_c_b"], "low": row["low"], "high": row["high"]}
        usual = {key: value if np.isfinite(value) and value != 0 else None for key, value in usual.items()}
        usual |= {"share": row["share"], "verdict": row["verdict"]}
        assert not differences(usual, {key: turn[key] for key in usual})
    for method, row in dynamics.carried_on(ladder).iterrows():
        ahead = [float(v) if np.isfinite(v) else None for v in row]
        assert not differences(ahead, [seen["forecast"]["methods"][method][key] for key in ("x", "y", "held_out")])


def test_every_number_shown_is_the_number_computed(page: Any) -> None:
    states = [
        ("model", {"row": texts({"params_b": 7, "hellaswag": 77.7, "truthfulqa": 39.0})}),
        *((example["tab"], example["state"]) for example in kit()["examples"] if example["tab"] != "model"),
    ]
    for tab, state in states:
        state = {k: [texts(row) for row in v] if k == "rows" else v for k, v in state.items()}
        go(page, tab, **state)
        computed = in_python(_case(tab, state))
        seen = page.evaluate(SEEN)
        assert len(seen) >= 20
        for place, value, shown in seen:
            result: Any = computed
            for key in place.split("."):
                result = result[int(key)] if isinstance(result, list) else result[key]
            if isinstance(result, dict):
                assert not differences({k: result[k] for k in ("low", "high")}, json.loads(value)), place
            else:
                assert not differences(result, float(value) if value else None), (place, shown)


def _case(tab: str, state: dict[str, Any]) -> dict[str, Any]:
    def number(text: str) -> Any:
        return float(text) if text else None

    def row(given: dict[str, str], sized: bool) -> dict[str, Any]:
        rest = {name: text or None if name in ("model", "date") else number(text) for name, text in given.items()}
        return rest if sized else {"date": None} | rest

    if tab == "model":
        return {"kind": tab, "rows": row(state["row"], True), "options": {}}
    rows = [row(given, tab != "release") for given in state["rows"]]
    options = {name: state[name] for name in ("x", "y", "line", "lab", "mode", "generation") if name in state}
    return {"kind": tab, "rows": rows, "options": options}


def test_the_analyses_agree_between_page_and_command(page: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("pythia-1b", "phi-2", "llama-2-70b", "opus-4.6", "gpt-oss", "commonsense"):
        assert main(["diagnose", "--example", key, "--json"]) == 0
        command = json.loads(capsys.readouterr().out)["diagnosis"]
        page.click(f"[data-example='{key}']")
        assert not differences(command, page.evaluate("Cape.page.result()"))
        shown = page.evaluate(ANSWERS)
        assert {name: text.replace("\u2212", "-") for name, text in shown.items()} == {
            name: text for name, text in command["answers"].items() if name != "headline"
        }


# ---- what people type ----


#: what is typed -> the number in a field of scores and in one of sizes, or the code of what is wrong
TYPED: dict[str, tuple[Any, Any]] = {
    "": (None, None),
    " ": (None, None),
    "49.7": (49.7, 49.7),
    "49,7": ("comma", "size_comma"),
    "150": ("over", 150),
    "150 %": ("over", "size_text"),
    "-3": ("negative", "size_zero"),
    "0.497": ("fraction", 0.497),
    "1": ("fraction", 1),
    "0": (0, "size_zero"),
    "100": (100, 100),
    "abc": ("text", "size_text"),
    "NaN": ("text", "size_text"),
    "Infinity": ("text", "size_text"),
    "1e1": (10, 10),
    ".5": ("fraction", 0.5),
    "5.": (5, 5),
    "63.5%": (63.5, "size_text"),
    "1,000.5": ("text", "size_text"),
    "<b>": ("text", "size_text"),
    "0x10": ("text", "size_text"),
    "6900000000": ("over", "size_count"),
    "1e300": ("over", "size_text"),
    "410M": ("text", pytest.approx(0.41)),
    "6.9b": ("text", 6.9),
    "7 B": ("text", 7),
    "6900": ("over", "size_large"),
    "0.0000001": ("fraction", 1e-7),
    "\u0663": ("text", "size_text"),
    "\x1f50": ("text", "size_text"),
    "50\x85": ("text", "size_text"),
    "\ufeff50": (50, 50),
    "7\u00a0B": ("text", 7),
    "\u20037B": ("text", 7),
}
#: the same along an axis: on tokens (log), steps (log) and a column of another name (linear)
PLACES: dict[str, tuple[Any, Any, Any]] = {
    "": (None, None, None),
    "3": (3, 3, 3),
    "1.2T": (1200, "place_text", "place_text"),
    "300B": (300, "place_text", "place_text"),
    "143,000": (143000, 143000, 143000),
    "1,5": ("place_text", "place_text", "place_text"),
    "0": ("place_zero", "place_zero", 0),
    "-0.5": ("place_zero", "place_zero", "place_below"),
    "abc": ("place_text", "place_text", "place_text"),
    "3e12": ("place_count", 3e12, 3e12),
    "1e999": ("place_text", "place_text", "place_text"),
}
DATES = {
    "": None,
    "2024-05": 19844,
    "2024": 19723,
    "2024-02-31": "date",
    "2023-02-29": "date",
    "3": "date",
    "1e9": "date",
}


def test_what_is_typed_is_a_number_or_what_is_wrong(page: Any) -> None:
    for place, check in enumerate(("checkScore", "checkSize")):
        read = page.evaluate(f"texts => texts.map(Cape.read.{check})", list(TYPED))
        assert [value if wrong is None else wrong["code"] for value, wrong in read] == [
            both[place] for both in TYPED.values()
        ]
    assert page.evaluate("Cape.read.checkScore('0.497')[1].mend") == "49.7"
    rows = [{"params_b": "1", "hellaswag": "0.5", "truthfulqa": "140"}, {"hellaswag": "5"}, {"model": "\x1f"}, {}]
    problems = page.evaluate("rows => Cape.read.checkTable(rows, { need: ['hellaswag', 'truthfulqa'] }).problems", rows)
    assert [(one["row"], one["column"], one["code"]) for one in problems] == [
        (0, "hellaswag", "fraction"),
        (0, "truthfulqa", "over"),
        (1, "params_b", "missing_size"),
        (1, "truthfulqa", "missing"),
        (2, "params_b", "missing_size"),
        (2, "hellaswag", "missing"),
        (2, "truthfulqa", "missing"),
    ]


@pytest.mark.parametrize(
    ("size", "hellaswag", "truthfulqa", "says", "mend"),
    [
        ("", "49.7", "38.9", "size is missing", None),
        ("1", "", "38.9", "HellaSwag is missing", None),
        ("1", "abc", "38.9", "not a number", None),
        ("1", "150", "38.9", "over 100", None),
        ("1", "150%", "38.9", "over 100", None),
        ("1", "-4", "38.9", "negative", None),
        ("1", "0.497", "38.9", "fraction", "49.7"),
        ("1", "49,7", "38.9", "decimal comma", "49.7"),
        ("6900000000", "64", "33", "count of parameters", "6.9"),
        ("0", "64", "33", "above zero", None),
        ("big", "64", "33", "not a size", None),
    ],
)
def test_bad_numbers_clear_the_result_and_offer_the_mend(
    page: Any, size: str, hellaswag: str, truthfulqa: str, says: str, mend: str | None
) -> None:
    assert go(page, "model", row={"params_b": "1", "hellaswag": "49.7", "truthfulqa": "38.9"})["kind"] == "model"
    assert go(page, "model", row={"params_b": size, "hellaswag": hellaswag, "truthfulqa": truthfulqa}) is None
    assert says in page.inner_text("#dash-panel-model .dash-form")
    assert "No diagnosis" in result_of(page)
    assert page.evaluate(SEEN) == []
    wrong = page.locator("#dash-panel-model input[aria-invalid=true]")
    assert wrong.count() == 1
    assert page.evaluate(
        "e => !!document.getElementById(e.getAttribute('aria-describedby')).textContent", wrong.element_handle()
    )
    if mend is not None:
        page.click(f"text=Use {mend}")
        assert page.evaluate("Cape.page.result().kind") == "model"
        assert page.evaluate("document.activeElement.value") == mend


def test_an_old_result_goes_with_the_first_wrong_keystroke(page: Any) -> None:
    page.click("[data-example='pythia-1b']")
    field = page.locator("#dash-panel-model input").nth(1)
    field.fill("49.7x")
    assert "No diagnosis" in result_of(page)
    assert page.locator("#dash-panel-model svg.dash-chart").count() == 0
    field.fill("49.7")
    assert "Which phase?" in result_of(page)


def test_a_phase_is_never_made_from_size_alone(page: Any) -> None:
    for size in ("0.07", "1", "70"):
        for hellaswag, truthfulqa in (("100", "100"), ("30", "45"), ("87", "45")):
            result = go(page, "model", row={"params_b": size, "hellaswag": hellaswag, "truthfulqa": truthfulqa})
            assert result["phase"] is None
            assert page.evaluate(ANSWERS)["phase"].startswith("Not known")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no rows"),
        ("model,params_b,hellaswag,truthfulqa", "no rows"),
        ("apples,pears\n1,2\n", "names no column"),
        ("model,params_b,hellaswag\na,1,40\nb,2,50", "No column TruthfulQA"),
        ("model,params_b,hellaswag,truthfulqa\na,1,40,38", "this needs 2"),
        ("model,params_b,hellaswag,truthfulqa\na,1,40,38\nb,1,50,39", "stands in row 1 already"),
        ("model,params_b,hellaswag,truthfulqa\na,1,0.40,0.38\nb,2,0.50,0.39", "looks like a fraction"),
        ('model,params_b,hellaswag,truthfulqa\na,1,"40,5",38.1\nb,2,50,39', "decimal comma"),
        ("model,params_b,hellaswag,truthfulqa\na,7,40,38\nb,13e9,50,39", "count of parameters"),
        ("model,params_b,hellaswag,truthfulqa,hellaswag_shots\na,1,40,38,10\nb,2,50,39,0", "not comparable"),
        ("model,params_b,hellaswag,truthfulqa\na,1,40,38,9,9\nb,2,50,39", "check the separators"),
    ],
)
def test_a_bad_table_is_answered_with_what_is_wrong(page: Any, text: str, says: str) -> None:
    page.click("#dash-tab-family")
    page.locator("#dash-panel-family .dash-intake summary").click()
    page.fill("#dash-panel-family textarea", text)
    page.click("#dash-panel-family >> text=Read the text")
    assert says in page.inner_text("#dash-panel-family")
    assert page.evaluate("Cape.page.result()") is None or says == "check the separators"
    if says == "not comparable":
        page.click("text=Compare them all the same")
        assert page.evaluate("Cape.page.result().kind") == "family"


def test_fractions_of_a_whole_table_are_mended_at_once(page: Any) -> None:
    rows = [
        {"params_b": "1", "hellaswag": "0.4", "truthfulqa": "0.38"},
        {"params_b": "2", "hellaswag": "0.5", "truthfulqa": "0.39"},
    ]
    assert go(page, "family", rows=rows) is None
    page.click("text=Correct all 4")
    assert page.evaluate("Cape.page.result().steps[0].dx") == pytest.approx(10)


def test_swapped_columns_are_noticed(page: Any) -> None:
    rows = [
        {"params_b": n, "hellaswag": y, "truthfulqa": x}
        for n, x, y in (("7", "77.7", "39.0"), ("13", "81.0", "34.2"), ("70", "87.3", "44.9"))
    ]
    assert any("swapped" in note for note in go(page, "family", rows=rows)["notes"])


# ---- another axis than size ----

CHECKPOINTS = """model,tokens_b,hellaswag,truthfulqa
run,3,30,45
run,30,45,40
run,300,60,42
"""


@pytest.mark.parametrize(
    ("text", "axis", "stretch"),
    [
        (CHECKPOINTS, "tokens", "From 3 to 300 B tokens"),
        (CHECKPOINTS.replace("tokens_b", "Training tokens (B)"), "tokens", "From 3 to 300 B tokens"),
        (CHECKPOINTS.replace("tokens_b", "step"), "step", "From step 3 to 300"),
        (CHECKPOINTS.replace("tokens_b", "flops_1e21"), "flops", "From 3 to 300 × 10²¹ FLOPs"),
        (
            "model,params_b,hellaswag,truthfulqa\npythia@step1000,1.4,30,45\npythia@step143000,1.4,60,42\n",
            "step",
            "From step 1,000 to 143,000",
        ),
        (
            "model,release date,hellaswag,truthfulqa\na,2023-05,30,45\nb,2024-05-17,60,42\n",
            "date",
            "From 2023-05-01 to 2024-05-17",
        ),
        (
            CHECKPOINTS.replace("tokens_b,", "tokens_b,params_b,")
            .replace("run,3,", "run,3,1,")
            .replace("run,30,", "run,30,2,")
            .replace("run,300,", "run,300,4,"),
            "params",
            None,
        ),
    ],
)
def test_a_pasted_table_goes_along_the_axis_on_which_its_rows_differ(
    page: Any, text: str, axis: str, stretch: str | None
) -> None:
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", text)
    result = page.evaluate("Cape.page.result()")
    assert page.evaluate("Cape.app.state.family.axis") == axis
    if stretch is None:
        assert result["kind"] == "family"
        return
    assert result["answers"]["headline"].startswith(stretch)
    shown = result_of(page)
    assert not [word for word in ("sizes", "ladder", "parameters", "largest", "N_c") if word in shown]
    for place, value, _ in page.evaluate(SEEN):
        results: Any = result
        for key in place.split("."):
            results = results[int(key)] if isinstance(results, list) else results[key]
        if not isinstance(results, dict):
            assert value == ("" if results is None else str(results)) or float(value) == pytest.approx(results), place


def test_seeds_along_training_become_their_mean_at_each_step(page: Any) -> None:
    rows = "".join(f"m-seed{s},{t},{30 + t + s},{45 - t + s}\n" for t in (1, 2, 3) for s in (1, 2))
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", f"model,step,hellaswag,truthfulqa\n{rows}")
    result = page.evaluate("Cape.page.result()")
    assert [(point["step"], point["x"]) for point in result["points"]] == [(1, 32.5), (2, 33.5), (3, 34.5)]
    assert result["runs"] == ["hellaswag", "truthfulqa"]


def test_an_axis_is_chosen_in_the_form_and_stays_in_the_link(page: Any) -> None:
    rows = [
        {"model": f"w{d}", "params_b": str(n), "d_model": str(d), "hellaswag": str(x), "truthfulqa": str(y)}
        for n, d, x, y in ((0.4, 1024, 40, 38), (1.4, 2048, 52, 39), (6.9, 4096, 64, 41))
    ]
    assert go(page, "family", rows=rows)["kind"] == "family"
    page.locator("#dash-panel-family select").select_option("d_model")
    result = page.evaluate("Cape.page.result()")
    assert result["answers"]["headline"].startswith("With d_model from 1,024 to 4,096")
    again = page.evaluate("Cape.state.fromLink(Cape.state.toLink())")
    assert again["family"]["axis"] == "d_model"
    odd = page.evaluate('Cape.state.fromLink(\'#d=\' + encodeURIComponent(\'{"tab":"family","axis":"<b>"}\'))')
    assert odd["family"]["axis"] == "params"


def test_a_place_on_an_axis_is_a_number_or_what_is_wrong(page: Any) -> None:
    def read(name: str, texts: list[str]) -> list[Any]:
        check = "([texts, name]) => texts.map((text) => Cape.axes.check(text, Cape.axes.named(name)))"
        return [value if wrong is None else wrong["code"] for value, wrong in page.evaluate(check, [texts, name])]

    for place, name in enumerate(("tokens", "step", "warmup_steps")):
        assert read(name, list(PLACES)) == [three[place] for three in PLACES.values()], name
    assert read("date", list(DATES)) == list(DATES.values())
    assert page.evaluate("Cape.axes.named('warmup_steps')") == asdict(axis_named("warmup_steps"))
    for text, tokens in (("2M", 2e6), ("2097152", 2097152), ("0.5m", 5e5), ("2,097,152", 2097152), ("", None)):
        assert page.evaluate("text => Cape.axes.checkBatch(text)", text) == [tokens, None]
    for text in ("0", "-1", "abc", "1,5", "1e999"):
        value, problem = page.evaluate("text => Cape.axes.checkBatch(text)", text)
        assert value is None and "tokens of one step" in problem["message"]


def test_large_numbers_are_written_alike(page: Any) -> None:
    values = [
        999.4,
        1000.0,
        1234567.5,
        999999999999999.0,
        1e15,
        2.0**53 + 2,
        9.99e20,
        1e21,
        1.5e21,
        1e23,
        6.02214076e23,
        1e300,
    ]
    for axis in (axis_named("flops"), axis_named("step")):
        theirs = page.evaluate("([axis, vs]) => vs.map((v) => Cape.axes.number(axis, v))", [asdict(axis), values])
        assert theirs == [axis.number(value) for value in values]
    typed = [format(Decimal(f"{value:.6g}"), "f") for value in values]
    assert page.evaluate("vs => vs.map(Cape.read.plain)", values) == typed


def own_table(name: str, values: list[float]) -> str:
    scores = ((30, 45, "x"), (45, 40, "y"), (60, 42, "z"))
    rows = "".join(f"{m},{value},{x},{y}\n" for value, (x, y, m) in zip(values, scores, strict=True))
    return f"model,{name},hellaswag,truthfulqa\n{rows}"


def from_command(text: str, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["diagnose", str(path), *words, "--json"]) == 0
    diagnosis: dict[str, Any] = json.loads(capsys.readouterr().out)["diagnosis"]
    return diagnosis


@pytest.mark.parametrize(
    ("name", "values", "stretch"),
    [
        ("warmup_steps", [3, 30, 300], "With warmup_steps from 3 to 300"),
        ("depth_share", [40, 55.5, 70], "With depth_share from 40 to 70"),
        ("dropout", [0, 0.1, 0.3], "With dropout from 0 to 0.3"),
        ("corpus_bytes", [1e21, 1e22, 1.5e23], "With corpus_bytes from 1e+21 to 1.5e+23"),
    ],
)
def test_a_column_of_numbers_is_an_axis_as_of_the_command(
    page: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, values: list[float], stretch: str
) -> None:
    text = own_table(name, values)
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", text)
    page.locator("#dash-panel-family select").select_option(name)
    result = page.evaluate("Cape.page.result()")
    assert result["answers"]["headline"].startswith(stretch)
    assert not differences(from_command(text, tmp_path, capsys, "--axis", name), result)
    shown = result_of(page)
    assert not [word for word in ("sizes", "ladder", "parameters", "largest", "N_c") if word in shown]
    again = page.evaluate("Cape.state.diagnose(Cape.state.fromLink(Cape.state.toLink())).result")
    assert not differences(result, again)


def test_steps_become_tokens_by_the_tokens_of_one_as_of_the_command(
    page: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(
        [
            "model,step,tokens_b,hellaswag,truthfulqa\n",
            *(
                f"m@step{s},{s},{t},{x},{y}\n"
                for s, t, x, y in ((1000, "", 30, 45), (4000, "", 45, 40), (16000, 33, 52, 41), (64000, "", 60, 42))
            ),
        ]
    )
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", text)
    page.locator("#dash-panel-family select").select_option("step")
    assert page.evaluate("Cape.page.result().axis") == "step"
    page.get_by_label("Tokens a step").fill("2M")
    result = page.evaluate("Cape.page.result()")
    assert [point["tokens_b"] for point in result["points"]] == [2, 8, 33, 128]
    assert result["answers"]["headline"].startswith("From 2 to 128 B tokens")
    ours = from_command(text, tmp_path, capsys, "--axis", "tokens", "--batch-tokens", "2M")
    names = [{point.pop("model") for point in answer["points"]} for answer in (ours, result)]
    assert len(names[0]) == len(names[1]) == 4
    assert not differences(ours, result)
    again = page.evaluate("Cape.state.diagnose(Cape.state.fromLink(Cape.state.toLink())).result")
    assert again["points"][0]["tokens_b"] == 2 and again["answers"] == result["answers"]
    page.get_by_label("Tokens a step").fill("many")
    assert page.evaluate("Cape.page.result()") is None
    assert "many is no number of tokens" in page.inner_text("#dash-panel-family")


def test_steps_become_compute_by_the_tokens_of_one_as_of_the_command(
    page: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ((1000, 30, 45), (4000, 45, 40), (16000, 52, 41), (64000, 60, 42))
    text = "model,step,params_b,hellaswag,truthfulqa\n" + "".join(f"m@step{s},{s},1.5,{x},{y}\n" for s, x, y in rows)
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", text)
    page.locator("#dash-panel-family select").select_option("flops")
    page.get_by_label("Tokens a step").fill("2M")
    result = page.evaluate("Cape.page.result()")
    assert [point["flops_1e21"] for point in result["points"]] == pytest.approx(
        [6e-3 * 1.5 * 2e-3 * s for s, _, _ in rows]
    )
    ours = from_command(text, tmp_path, capsys, "--axis", "flops", "--batch-tokens", "2M")
    names = [{point.pop("model") for point in answer["points"]} for answer in (ours, result)]
    assert len(names[0]) == len(names[1]) == 4
    assert not differences(ours, result)
    again = page.evaluate("Cape.state.diagnose(Cape.state.fromLink(Cape.state.toLink())).result")
    assert again["answers"] == result["answers"]


def test_a_benchmark_of_the_pair_or_a_column_of_text_is_no_axis(page: Any) -> None:
    text = "model,lr,recipe,arc,hellaswag,truthfulqa\na,0.1,x1,50,30,45\nb,0.2,x2,60,45,40\n"
    page.click("#dash-tab-family")
    page.evaluate("text => Cape.page.readText(text)", text)
    offered = page.evaluate("[...document.querySelectorAll('#dash-panel-family select option')].map((o) => o.value)")
    assert [name for name in offered if name not in ("params", *kit()["axes"])] == ["lr", "arc_challenge"]
    for name in ("hellaswag", "recipe", "day", "release_date", "lr_stderr", "steps", "__proto__", "constructor", "a b"):
        part = json.dumps({"tab": "family", "axis": name})
        link = "part => Cape.state.fromLink('#d=' + encodeURIComponent(part)).family.axis"
        assert page.evaluate(link, part) in ("params", *kit()["axes"]), name
        assert page.evaluate("name => Cape.axes.isOwn(name, ['hellaswag', 'truthfulqa'])", name) is False


# ---- files ----


def give(page: Any, *files: tuple[str, str]) -> None:
    page.click("#dash-tab-family")
    chooser = page.locator("#dash-panel-family input[type=file]")
    chooser.set_input_files([{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in files])
    page.wait_for_timeout(50)


def harness(model: str, size: float, hellaswag: float, truthfulqa: float, **change: Any) -> str:
    results = {
        "hellaswag": {"acc_norm,none": hellaswag, "acc_norm_stderr,none": 0.005},
        "truthfulqa_mc2": {"acc,none": truthfulqa, "acc_stderr,none": "N/A"},
    }
    document = {
        "results": results,
        "n-shot": {"hellaswag": 10, "truthfulqa_mc2": 0},
        "date": 1.7e9,
        "model_name": model,
        "config": {"model_num_parameters": int(size * 1e9), "limit": None},
    }
    return json.dumps(document | change)


def test_results_files_become_a_family(page: Any) -> None:
    give(page, ("a.json", harness("lab/a-1b", 1.0, 0.5, 0.4)), ("b.json", harness("lab/b-7b", 7.0, 0.7, 0.36)))
    result = page.evaluate("Cape.page.result()")
    assert [size["params_b"] for size in result["sizes"]] == [1.0, 7.0]
    assert result["sizes"][0]["x_sd"] == pytest.approx(0.5)
    assert result["steps"][0]["gamma"] == pytest.approx(-0.2)


def test_the_page_reads_what_the_import_reads(page: Any, tmp_path: Path) -> None:
    from results_files import harness_0_4, read_results

    result = []
    for i, release in enumerate(["0.4.0", "0.4.3", "0.4.9", "0.4.13"]):
        document = json.dumps(harness_0_4(release, f"lab/model-{i}", params=(i + 1) * 1e9, mmlu=True))
        (tmp_path / f"results_{i}.json").write_text(document, encoding="utf-8")
        result.append((f"results_{i}.json", document))
    params = {f"lab/model-{i}": float(i + 1) for i in range(4)}
    ours = read_results([tmp_path], params=params, allow=("mixed",)).scores
    theirs = page.evaluate(
        """files => Cape.harness.assemble(files.map(([n, t]) => Cape.harness.readDocument(n, t)).map(d =>
        ({...d, readings: d.readings.map(r => ({...r, protocol: ''}))}))).rows""",
        result,
    )
    assert [row["model"] for row in sorted(theirs, key=lambda row: row["model"])] == sorted(ours["model"])
    for row in theirs:
        own = ours[ours["model"] == row["model"]].iloc[0]
        for name in ("hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "truthfulqa_mc1"):
            assert row[name] == pytest.approx(own[name], abs=1e-4), (row["model"], name)
            assert row[f"{name}_stderr"] == pytest.approx(own[f"{name}_stderr"], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (harness("m", 1.0, 0.5, 0.4)[:-30], "not complete JSON"),
        ("{}", "no results of lm-evaluation-harness"),
        ("[1, 2]", "no results of lm-evaluation-harness"),
        (json.dumps({"results": {"leaderboard_bbh": {"acc_norm,none": 0.4}}}), "leaderboard v2"),
        (json.dumps({"results": {"piqa": {"acc,none": 0.4}}}), "none of the benchmarks"),
        (harness("m", 1.0, 0.5, 0.4, config={"limit": 10}), "partial run"),
        (harness("m", 1.0, 50, 0.4), "not a fraction"),
        (harness("m", 1.0, 0.5, 0.4, config={}), "no parameter count"),
    ],
)
def test_a_bad_results_file_is_answered_with_what_is_wrong(page: Any, text: str, says: str) -> None:
    page.click("[data-example='pythia']")
    give(page, ("r.json", text))
    assert says in page.inner_text("#dash-panel-family")
    assert page.evaluate("Cape.page.result()") is None


def test_two_ways_of_measuring_are_not_mixed(page: Any) -> None:
    other = harness("b", 7.0, 0.7, 0.36, **{"n-shot": {"hellaswag": 0, "truthfulqa_mc2": 0}})
    give(page, ("a.json", harness("a", 1.0, 0.5, 0.4)), ("b.json", other))
    assert "Measure both alike" in page.inner_text("#dash-panel-family")
    assert page.evaluate("Cape.page.result()") is None


def test_a_file_of_50_mb_is_refused_without_being_opened(page: Any) -> None:
    page.click("#dash-tab-family")
    opened = page.evaluate(
        """async () => { let opened = false;
        const file = { name: "big.json", size: 50e6, text: () => { opened = true; return "{}"; },
          arrayBuffer: () => { opened = true; return new ArrayBuffer(2); } };
        await Cape.page.readFiles([file]); return opened; }"""
    )
    assert opened is False
    assert "50 MB" in page.inner_text("#dash-panel-family")


def test_nothing_that_a_person_gives_is_read_as_markup(page: Any) -> None:
    for i, name in enumerate(NAMES):
        rows = [
            {"model": name, "params_b": "1", "hellaswag": "40", "truthfulqa": "38"},
            {"model": f"{name}{i}", "params_b": "2", "hellaswag": "50", "truthfulqa": "36"},
        ]
        assert go(page, "family", rows=rows) is not None
        go(page, "model", row={"model": name, "params_b": name, "hellaswag": name, "truthfulqa": name})
        go(page, "release", rows=[{"model": name, "swe_bench_verified": "80", "gpqa_diamond": "80", "date": name}])
        go(page, "pair", x=name, y="truthfulqa", rows=rows)
        give(
            page, ("x.csv", f"model,params_b,{name}\n{name},1,{name}\n"), (f"{name}.json", harness(name, 1.0, 0.5, 0.4))
        )
        link = json.dumps(
            {"tab": "family", "rows": [{"model": name, name: name, "params_b": "1"}], "__proto__": {"a": 1}}
        )
        page.evaluate("text => Cape.page.fromLink('#d=' + encodeURIComponent(text))", link)
    assert page.locator(".cape-dash img, .cape-dash iframe, .cape-dash [onerror], .cape-dash [onload]").count() == 0


# ---- the page itself ----


def test_a_link_brings_back_the_same_diagnosis(page: Any, document: Path, open_page: Callable[..., Any]) -> None:
    page.click("[data-example='qwen2.5']")
    link, before = page.evaluate("location.hash"), page.evaluate("Cape.page.result()")
    assert "<" not in link and '"' not in link
    again = open_page(document)
    again.goto(document.as_uri() + link)
    again.reload()
    again.wait_for_selector(".cape-dash[data-ready]")
    assert not differences(before, again.evaluate("Cape.page.result()"))


def test_any_link_gives_what_python_gives_or_is_refused(page: Any, tmp_path: Path) -> None:
    page.errors = page.complaints
    check = hostile_links.check_with(page)

    @given(hostile_links.links())
    def any_link(link: str) -> None:
        check(link, tmp_path)

    any_link()
    go(page, "model", row={})  # what was shown last may have been wrong on purpose


@pytest.mark.parametrize("link", ["#d=%7B", "#d=" + "x" * 20000, "#d=null", "#d=%5B%5D", "#d=%22%22"])
def test_a_broken_link_shows_an_example_and_says_so(document: Path, open_page: Callable[..., Any], link: str) -> None:
    page = open_page(document)
    page.goto("about:blank")
    page.goto(document.as_uri() + link)
    page.wait_for_selector(".cape-dash[data-ready]")
    assert "link could not be read" in page.inner_text(".cape-dash")
    assert page.complaints == []


def test_tabs_and_fields_work_by_keyboard_alone(page: Any) -> None:
    assert page.locator("[role=tab]").count() == page.locator("[role=tabpanel]").count() == 5
    page.focus("#dash-tab-model")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "dash-tab-family"
    assert page.get_attribute("#dash-tab-family", "aria-selected") == "true"
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    for text in ("7", "77.7", "39"):
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    assert page.evaluate("Cape.page.result().params_b") == 7


def test_every_input_has_a_name_and_results_are_announced(page: Any) -> None:
    for tab in ("model", "family", "release", "pair"):
        page.click(f"#dash-tab-{tab}")
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('.cape-dash :is(input, select, textarea, button)')].filter(e =>
            e.checkVisibility() && !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
            .length"""
        )
        assert unnamed == 0, tab
    page.click("[data-example='phi-2']")
    page.wait_for_timeout(900)
    assert page.inner_text(".dash-heard") == page.inner_text("#dash-panel-model .dash-headline")


def test_the_papers_curve_is_said_below_the_answers_as_the_terminal_says_it(page: Any) -> None:
    page.click("[data-example='pythia-1b']")
    (line,) = page.locator("#dash-panel-model .dash-result > p", has_text="does not tell the phase").all_inner_texts()
    row = next(item["state"]["row"] for item in kit()["examples"] if item["key"] == "pythia-1b")
    assert line == wording.text("model", "{@curve}", diagnose_model(row))


@pytest.mark.parametrize("key", ["pythia-1b", "pythia", "opus-4.6", "commonsense"])
def test_a_phone_needs_no_sideways_scroll(document: Path, open_page: Callable[..., Any], key: str) -> None:
    page = open_page(document, width=390)
    page.click(f"[data-example='{key}']")
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("key", ["pythia-1b", "pythia", "opus-4.6", "gpt-oss", "commonsense"])
def test_the_words_of_a_chart_are_read_on_a_phone(document: Path, open_page: Callable[..., Any], key: str) -> None:
    page = open_page(document, width=390)
    page.click(f"[data-example='{key}']")
    sizes, out_of_it = page.evaluate("""() => {
      const shown = [...document.querySelectorAll("[role=tabpanel]:not([hidden]) svg.dash-chart")];
      const texts = shown.flatMap((chart) => [...chart.querySelectorAll("text")].map((text) => [chart, text]));
      const scale = (chart) => chart.getBoundingClientRect().width / chart.viewBox.baseVal.width;
      const beyond = ([chart, text]) => [chart, text].map((e) => e.getBoundingClientRect().right);
      return [
        texts.map(([chart, text]) => parseFloat(window.getComputedStyle(text).fontSize) * scale(chart)),
        texts.filter((pair) => beyond(pair)[1] > beyond(pair)[0] + 1).map(([, text]) => text.textContent),
      ]; }""")
    assert min(sizes) >= 11
    assert out_of_it == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("key", ["pythia-1b", "pythia", "opus-4.6", "commonsense"])
def test_assistive_technology_finds_nothing_to_complain_of(
    document: Path, open_page: Callable[..., Any], key: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(document, scheme=scheme)
    if scheme == "dark":
        page.evaluate(DARK)
    page.click(f"[data-example='{key}']")
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    rules = {"rules": {rule: {"enabled": False} for rule in ("region", "landmark-one-main", "page-has-heading-one")}}
    output = Axe().run(page, options=rules).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]][:3]) for rule in output] == []


def test_problems_are_readable_and_named_for_assistive_technology(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    go(page, "family", rows=[{"params_b": "7e9", "hellaswag": "0.4", "truthfulqa": "140"}, {"params_b": "x"}])
    rules = {"rules": {rule: {"enabled": False} for rule in ("region", "landmark-one-main", "page-has-heading-one")}}
    output = Axe().run(page, options=rules).response["violations"]
    assert [rule["id"] for rule in output] == []


def test_what_is_exported_is_what_is_shown(page: Any) -> None:
    page.click("[data-example='llama-2']")
    for name, begins in (
        ("Table (CSV)", b"smaller,larger"),
        ("Diagnosis (JSON)", b"{"),
        ("Chart (SVG)", b"<svg"),
        ("Chart (PNG)", b"\x89PNG"),
    ):
        with page.expect_download() as download:
            page.click(f"text={name}")
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(begins)
        if name.endswith("(JSON)"):
            assert not differences(json.loads(content)["diagnosis"], page.evaluate("Cape.page.result()"))
