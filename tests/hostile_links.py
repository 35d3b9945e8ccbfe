"""Links that a careless or a hostile hand may give to the dashboard, and what must hold for whatever comes of them.

The page itself answers, in a browser, and Python answers of the numbers that the page read: both say the same to nine
digits, or the page says what is wrong. Shared by `tests/pages/test_dashboard.py` (shortly) and `benchmarks/fuzz.py`
(long).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hostile import BLANKS, JSON, NASTY_TEXT, NOT_NUMBERS, TYPED, typed_rows
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "pages"))
import dashboard_cases

from cape_lib.dashboard import kit

PAIR = ["hellaswag", "truthfulqa"]
EXTRA = ["arc_challenge", "winogrande", "mmlu"]
AXES = ["swe_bench_verified", "gpqa_diamond", "hle", "ifeval"]
SHARES = ["gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination"]
NAMES = ["__proto__", "constructor", "toString", "rows", "row", "tab", "x", "kind", "hellaswag\u0000", "a" * 61, "Ω"]
ODD_AXES = ["flops", "d_model", "date", "winogrande", "hellaswag", "day", "seed", "__proto__", "constructor", "<b>"]
MARKUP = ["<img src=x onerror=window.broken=1>", "</script><script>window.broken=1</script>", "javascript:alert(1)"]
#: every 40th state is also put on the page and drawn
SHOWN = 40
ANSWER = """([hash, show]) => {
  const state = Cape.state.fromLink(hash);
  if (state === null) return { kind: "refused" };
  let asked = null;
  const usual = { ...Cape };
  for (const name of Object.keys(usual).filter((key) => /^diagnose/.test(key))) {
    Cape[name] = (rows, options) => {
      asked = [name, rows, options];
      return usual[name](...(name === "diagnoseModel" ? [rows, Cape.kit] : [rows, options, Cape.kit]));
    };
  }
  const { result = null, problems = [] } = Cape.state.diagnose(state);
  Object.assign(Cape, usual);
  Cape.app.state = state;
  const again = Cape.state.fromLink(Cape.state.toLink());
  const texts = (s) => JSON.stringify(s[s.tab], (_, v) => (v === "" ? undefined : v));
  const alike = again !== null && again.tab === state.tab && texts(again) === texts(state);
  if (show) Cape.page.go(state);
  const clean = [{}.polluted, window.broken, Object.keys(Object.prototype).length].join() === ",,0";
  return { kind: result ? "read" : "problem", asked, result, problems, alike, clean,
    markup: show ? document.querySelectorAll(".cape-dash script:not([type]), .cape-dash img").length : 0 };
}"""


@st.composite
def links(draw: Any) -> str:
    """The part of an address after the page: a state of the dashboard, whole, odd or broken."""
    tab = draw(st.sampled_from(["model", "family", "release", "today", "pair"]))
    part: dict[str, Any] = {"tab": tab}
    rows = draw(typed_rows())
    if tab == "model":
        part["row"] = draw(st.sampled_from(rows)) | {"metric": draw(st.sampled_from(["mc1", "mc2", "mc3", ""]))}
    elif tab == "release":
        part["rows"] = [{"model": r["model"], AXES[0]: r[PAIR[0]], AXES[1]: r[PAIR[1]]} for r in rows]
        part |= {"line": draw(st.sampled_from(["frozen", "current", "toString", "x"])), "lab": draw(_WORDS)}
    elif tab == "today":
        part["rows"] = [
            {"model": r["model"], "params_b": r["params_b"], SHARES[0]: r[PAIR[0]], SHARES[1]: r[PAIR[1]]}
            | {SHARES[2]: r[PAIR[1]]}
            for r in rows
        ]
        part["mode"] = draw(st.sampled_from(["", "any", "reasoning", "none", "toString", "x"]))
        part["generation"] = draw(st.sampled_from(["", "Qwen3.5", "o3", "__proto__"])) or draw(_WORDS)
    else:
        part["rows"] = rows
        part["at"] = draw(st.sampled_from(["", "20", "200", "0", "-1", "1e9", "abc", "70B"]))
        part["axis"] = draw(st.sampled_from(["params", "params", "step", "tokens", "flops", "warmup_steps", *ODD_AXES]))
        column = {"tokens": "tokens_b", "flops": "flops_1e21"}.get(part["axis"], part["axis"])
        part["rows"] = [{column: row["params_b"]} | row for row in rows]
        if part["axis"] == "flops" and draw(st.booleans()):
            part["rows"] = [{"step": str(at + 1)} | row for at, row in enumerate(rows)]
        part["batch"] = draw(st.sampled_from(["", "", "2M", "2,097,152", "0", "many", "1e999"]))
    if tab == "pair":
        part |= {"x": draw(st.sampled_from(PAIR + NAMES)), "y": draw(st.sampled_from(PAIR + NAMES))}
        part["x_items"] = draw(st.sampled_from(["", "0", "400", "1e3", "-4", "99999999", "999999999"]))
    for _ in range(draw(st.integers(0, 2)) if draw(st.integers(0, 2)) == 0 else 0):
        _spoil(draw, part)
    text = json.dumps(part, ensure_ascii=draw(st.booleans()))
    hurt = draw(st.integers(0, 11))
    if hurt == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", '"', "}", "\\u0000", "{", "1e999", ","]))
    elif hurt == 1:
        text = json.dumps(draw(JSON))
    code = quote(text, safe="")
    if hurt == 2:
        code = code[: draw(st.integers(0, len(code)))]
    elif hurt == 3:
        code = quote(code, safe="")
    return draw(st.sampled_from(["#d=", "#d=", "#d=", "#d=", "#D=", "#", ""])) + code if hurt == 4 else "#d=" + code


_WORDS = st.sampled_from(["", "Anthropic", "OpenAI", "no such lab", *MARKUP, *NASTY_TEXT[:6]])


def _spoil(draw: Any, part: dict[str, Any]) -> None:
    key = draw(st.sampled_from(sorted(part)))
    kind = draw(st.sampled_from(["node", "name", "cell"]))
    if kind == "node" and key != "tab":
        part[key] = draw(JSON | TYPED)
    elif kind == "name":
        part[draw(st.sampled_from(NAMES))] = draw(TYPED | JSON)
    elif isinstance(part.get("rows"), list) and part["rows"] and isinstance(part["rows"][0], dict):
        part["rows"][0][draw(st.sampled_from([*PAIR, *NAMES, "params_b"]))] = draw(
            st.sampled_from(NASTY_TEXT + NOT_NUMBERS + BLANKS + MARKUP) | st.floats() | st.none() | st.booleans() | JSON
        )


def in_python(name: str, rows: Any, options: dict[str, Any]) -> Any:
    """What Python says of the rows and options that the page took out of a state."""
    kind = name.removeprefix("diagnose").lower()
    if kind == "model":
        options = {}
    elif kind == "family":
        options = {key: value for key, value in options.items() if value is not None}
        kind = "path" if "axis" in options else kind
    return dashboard_cases.in_python({"kind": kind, "rows": rows, "options": options})


def check_with(page: Any) -> Callable[[str, Path], str]:
    """The check of one link on an open page: what the page says is what Python says, and nothing was let in."""
    count = 0

    def check(link: str, folder: Path) -> str:
        nonlocal count
        count += 1
        answer = page.evaluate(ANSWER, [link, count % SHOWN == 0])
        assert not page.errors, page.errors
        if answer["kind"] == "refused":
            return "refused"
        sound = {name: answer[name] for name in ("clean", "alike", "markup")}
        assert sound == {"clean": True, "alike": True, "markup": 0}
        if answer["kind"] == "problem":
            assert answer["problems"] and all(problem["message"] for problem in answer["problems"])
            return "problem"
        # How a step became tokens is said of the form, which Python does not see.
        notes = [note for note in answer["result"]["notes"] if not note.startswith(("tokens_b:", "flops_1e21:"))]
        page_says = answer["result"] | {"notes": notes}
        wrong = dashboard_cases.differences(in_python(*answer["asked"]), page_says)
        assert not wrong, wrong[:3]
        return "read"

    return check


@contextmanager
def open_dashboard(folder: Path) -> Iterator[Any]:
    """The dashboard alone on a page of a headless browser, with the errors that it raises in `errors`."""
    from browser import installed
    from playwright.sync_api import sync_playwright

    from cape_lib.dashboard.page import inline

    kit()
    file = folder / "dashboard.html"
    file.write_text(inline(), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(file.resolve().as_uri())
        page.wait_for_selector(".cape-dash[data-ready]")
        yield page
        browser.close()
