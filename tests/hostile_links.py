"""Links that a careless or a hostile hand may give to the dashboard, and what must hold for whatever comes of them.

The page itself answers, in a browser, and Python answers the same state: both say the same to nine digits, or both say
what is wrong. Shared by `tests/pages/test_dashboard.py` (shortly) and `benchmarks/fuzz.py` (long).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from hostile import BLANKS, JSON, NASTY_TEXT, NOT_NUMBERS, TYPED, typed_rows
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "pages"))
from dashboard_cases import differences

from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, diagnose_variant, kit
from cape_lib.dashboard.inputs import check_batch, check_place, check_size, check_table
from cape_lib.tables.axes import axis_named, of_rows, settled

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
  const { result = null, problems = [] } = Cape.state.diagnose(state);
  Cape.app.state = state;
  const again = Cape.state.fromLink(Cape.state.toLink());
  const texts = (s) => JSON.stringify(s[s.tab], (_, v) => (v === "" ? undefined : v));
  const alike = again !== null && again.tab === state.tab && texts(again) === texts(state);
  if (show) Cape.page.go(state);
  const clean = [{}.polluted, window.broken, Object.keys(Object.prototype).length].join() === ",,0";
  return { kind: result ? "read" : "problem", state: state[state.tab], tab: state.tab, result, problems, alike, clean,
    asked: show ? document.querySelectorAll(".cape-dash script:not([type]), .cape-dash img").length : 0 };
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


def in_python(answer: dict[str, Any]) -> Any:
    """What Python says of a state that the page read: ("read", diagnosis) or ("problem", codes)."""
    state, tab = answer["state"], answer["tab"]
    if tab == "model":
        rows, problems = check_table([state["row"]], need=PAIR, also=EXTRA)
        if problems:
            return "problem", problems
        return "read", diagnose_model(rows[0] | {"metric": state["row"].get("metric") or "mc2"})
    if tab == "release":
        rows, problems = check_table(state["rows"], need=AXES[:2], also=AXES[2:], sized=False)
        if problems:
            return "problem", problems
        return "read", diagnose_release(rows, line=state["line"], lab=state["lab"] or None)
    if tab == "today":
        rows, problems = check_table(state["rows"], need=SHARES, also=["params_b"], sized=False)
        if problems:
            return "problem", problems
        mode = None if state["mode"] == "any" else state["mode"]
        return "read", diagnose_variant(rows, mode=mode, generation=state["generation"] or None)
    x, y = PAIR if tab == "family" else (state["x"], state["y"])
    also = EXTRA if tab == "family" else []
    stepped = state["axis"] == "step" or (state["axis"] == "flops" and any(row.get("step") for row in state["rows"]))
    batch, odd = check_batch(state["batch"]) if stepped else (None, None)
    axis = None if state["axis"] == "params" else axis_named("step" if batch else state["axis"])
    made = axis_named("flops" if state["axis"] == "flops" else "tokens")
    asked = {"also": also, "least": 2, "allow_mixed": bool(state["mixed"]), "axis": axis, "batch_tokens": batch}
    rows, problems = check_table(state["rows"], need=[x, y], **asked, target=made.column)
    if axis is not None:
        places = [row[axis.column] for row in rows]
        axis = settled(axis, places) if batch is None else made
    size, bad = check_size(state.get("at") or "") if axis is None else check_place(state.get("at") or "", axis)
    items = {state[n]: int(state[f"{n}_items"]) for n in ("x", "y") if tab == "pair" and _whole(state[f"{n}_items"])}
    wrong = any(tab == "pair" and state[f"{n}_items"].strip() and not _whole(state[f"{n}_items"]) for n in ("x", "y"))
    if problems or bad or odd or wrong:
        return "problem", problems
    if axis is not None:
        frame = pd.DataFrame(rows)
        along = of_rows(axis, frame.assign(params_b=frame.get("params_b", float("nan"))))
        answer = diagnose_family(frame, x=x, y=y, at=size, items=items, along=along)
        if batch is not None and made.name == "flops" and _sixfold(frame):
            answer["notes"].insert(0, "flops_1e21: 6 N D, of params_b and tokens_b")
        if batch is not None and (frame["tokens_b"] == frame["step"] * batch / 1e9).any():
            answer["notes"].insert(0, f"tokens_b: step x {batch:,.0f} tokens")
        return "read", answer
    return "read", diagnose_family(rows, x=x, y=y, at=size, items=items)


def _sixfold(frame: pd.DataFrame) -> bool:
    return "params_b" in frame and bool((frame["flops_1e21"] == 6e-3 * frame["params_b"] * frame["tokens_b"]).any())


def _whole(text: str) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= 8


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
        assert answer["clean"] and answer["asked"] == 0 and answer["alike"], {k: answer[k] for k in ("clean", "alike")}
        kind, ours = in_python(answer)
        assert kind == answer["kind"], (kind, answer["kind"], ours, answer["problems"])
        if kind == "read":
            plain = json.loads(json.dumps(ours, allow_nan=False))
            assert not (wrong := differences(plain, answer["result"])), wrong[:3]
        return kind

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
