"""`cape diagnose`: the dashboard's answers in the terminal; `cape hfield`: h of one release alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cape_lib.cli import importing, pair_of
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import PAIRS

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
KNOWS, ADMITS = "omniscience_accuracy", "omniscience_non_hallucination"
#: no model has so many billions of parameters: a size from here on is in another unit
LARGEST_B = 5_000.0
_STEP = {
    "gamma": "steps.-1.gamma",
    "low": "steps.-1.interval.low",
    "high": "steps.-1.interval.high",
    "interval": "steps.-1.interval.shape",
}
_H = {
    "low": "rows.-1.interval.low",
    "high": "rows.-1.interval.high",
    "line": "line.name",
    "panel": "line.panel",
}
#: what `cape hfield` gives as JSON: name -> its place in the diagnosis of the release
_OF_ROW = ("h", "expected", "ordinary_low", "ordinary_high", "noise_sd", "phase", "emphasis")
HFIELD = {name: f"rows.-1.{name}" for name in _OF_ROW} | _H | {"date": "line.date"}
#: kind -> what stands first in its JSON: name -> its place in the diagnosis
MAIN: dict[str, dict[str, str]] = {
    "release": {"h": "rows.-1.h"} | _H,
    "today": {
        ADMITS: f"rows.-1.{ADMITS}",
        "admits_percentile": "beside.admits.below",
        "wrong": "rows.-1.wrong",
        "wrong_percentile": "beside.wrong.below",
        "equals": "beside.n",
    },
    "model": {
        "residual": "trend.truthfulqa.residual",
        "low": "trend.truthfulqa.interval.low",
        "high": "trend.truthfulqa.interval.high",
    },
    "pairs": {"by": "by", "pairs": "pairs.length"},
    **dict.fromkeys(("family", "pair"), _STEP),
    "path": {"axis": "axis"} | _STEP,
}


def run_diagnose(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The five answers to what was typed; as JSON the main numbers, the advice and the whole diagnosis."""
    result = _diagnosis(args)
    first = {"kind": "kind", "phase": "phase", "headline": "answers.headline"} | MAIN[result["kind"]]
    return _short(result, first) | {"diagnosis": result}, text(result)


def _short(result: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    """What stands at these places of a diagnosis, and its advice."""
    from cape_lib.dashboard.wording import lookup

    names = {name: lookup(result, path) for name, path in places.items()}
    return names | {"advice": [rule["advice"] for rule in result["advice"]]}


def text(result: dict[str, Any]) -> list[str]:
    """The diagnosis for a reader: headline, five answers, the steps or releases, advice with its evidence."""
    from cape_lib.dashboard import wording
    from cape_lib.dashboard.one_family import sentence
    from cape_lib.dashboard.wording import QUESTIONS, shown

    def line(step: dict[str, Any], note: str = "") -> str:
        ends = [step[key] for key in (("first", "last") if "first" in step else ("smaller", "larger"))]
        gamma = f"gamma {shown(step['gamma'], '+2')} {shown(step['interval'], 'i2')}"
        chances = f"P(tax) {shown(step['p_tax'], '%')}, P(bonus) {shown(step['p_bonus'], '%')}"
        return f"  {ends[0]} to {ends[1]}: {gamma}, {chances}: {step['phase']}{note}"

    lines = [result["answers"]["headline"], ""]
    lines += [f"{question:<24}{result['answers'][key]}" for key, question in QUESTIONS.items()]
    lines += [f"note: {note}" for note in result["notes"]]
    if result["kind"] == "model" and result["comparable"]:
        lines += ["", wording.text("model", "{@curve}", result)]
    if result["kind"] in ("family", "pair", "path"):
        what = "whole path" if result["kind"] == "path" else "whole ladder"
        whole = [line(result["whole"], f" ({what})")] if len(result["steps"]) > 1 else []
        lines += ["", *whole, *map(line, result["steps"])]
    if result["kind"] == "pairs":
        labels = [result["labels"][result[axis]] for axis in ("x", "y")]
        lines += ["", *(f"  {sentence(pair, *labels)}" for pair in result["pairs"])]
    lines += [""] if result["advice"] else []
    lines += [f"- {rule['advice']}\n  evidence ({rule['strength']}): {rule['evidence']}" for rule in result["advice"]]
    return lines


def _diagnosis(args: argparse.Namespace) -> dict[str, Any]:
    asked = {
        "scores": bool(args.scores),
        "model": args.hellaswag is not None or args.truthfulqa is not None,
        "release": args.swe is not None,
        "today": args.accuracy is not None or args.non_hallucination is not None,
        "example": bool(args.example),
    }
    if sum(asked.values()) != 1:
        raise UsageError(
            "say one of: SCORES files, --size with --hellaswag and --truthfulqa, --swe with --gpqa, "
            "--gpqa with --accuracy and --non-hallucination, --example"
        )
    if not (asked["today"] or asked["scores"]) and (args.mode or args.generation):
        raise UsageError("--mode and --generation belong to a model of today: give --accuracy and --non-hallucination")
    if not args.scores and (args.axis != "params" or args.pairs or args.batch_tokens):
        raise UsageError("--axis, --pairs and --batch-tokens are for SCORES files; name one")
    if args.example:
        return _example(args.example)
    if args.scores:
        return _file(args)
    if asked["release"]:
        return release(args)
    if asked["model"]:
        from cape_lib.dashboard import diagnose_model

        pair, extra = PAIRS[0], ("arc_challenge", "winogrande", "mmlu")
        row = {"model": args.name, **{name: getattr(args, name) for name in ("params_b", *pair, *extra)}}
        (model,) = checked([row], need=pair, also=extra)
        return diagnose_model(model | {"metric": args.metric})
    if args.accuracy is None or args.non_hallucination is None:
        raise UsageError(
            "what a model admits says little without what it knows, and the reverse: give both --accuracy and "
            "--non-hallucination"
        )
    row = {"model": args.name, "params_b": args.params_b, GPQA: args.gpqa}
    return _today([row | {KNOWS: args.accuracy, ADMITS: args.non_hallucination}], args)


def _today(table: list[dict[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    """The diagnosis of variants of one model, lowest effort first, under --mode and --generation."""
    from cape_lib.dashboard import diagnose_variant
    from cape_lib.dashboard.known import check_generation

    rows = checked(table, need=(GPQA, KNOWS, ADMITS), also=("params_b",), sized=False)
    generation = check_generation(args.generation) if args.generation else None
    return diagnose_variant(rows, mode=args.mode, generation=generation)


def release(args: argparse.Namespace) -> dict[str, Any]:
    """The diagnosis of the release whose scores are options; UsageError for what cannot be a score, a lab or a line."""
    from cape_lib import tables
    from cape_lib.dashboard import diagnose_release
    from cape_lib.frontier import check_lab

    optional = {name: getattr(args, name, None) for name in ("hle", "ifeval", "date")}
    row = {"model": getattr(args, "name", None), SWE: args.swe, GPQA: args.gpqa, **optional}
    rows = checked([row], need=(SWE, GPQA), also=("hle", "ifeval"), sized=False)
    lab = check_lab(tables.frontier("current"), args.lab) if args.lab else None
    return diagnose_release(rows, line=args.line, lab=lab)


def _file(args: argparse.Namespace) -> dict[str, Any]:
    """The diagnosis of a table: of its releases, its models of today, its pairs, or the ladder of one family."""
    from cape_lib import tables
    from cape_lib.dashboard import diagnose_family, diagnose_pairs, diagnose_release
    from cape_lib.dashboard.one_family import comparable
    from cape_lib.dashboard.wording import records

    args.size, file = args.params_b, args.scores[0]
    if args.size not in (None, "total", "active"):
        raise UsageError(f"--size {args.size}: with SCORES it is total or active: which parameters are the size")
    asked = pair_of(args) or ()
    scores = importing.read_by_options(args.scores, args, pair_of=asked).scores
    frame, notes, usual = scores.frame, scores.notes, not asked and scores.axis.by_size
    there = set(frame.columns)
    if {SWE, GPQA} <= there and usual:
        rows = frame.dropna(subset=[SWE, GPQA])
        if rows.empty:
            raise MissingError(f"no row has both {SWE} and {GPQA}; add a release with both")
        rows = rows.sort_values("release_date") if "release_date" in rows else rows
        result = diagnose_release(rows, line=args.line, lab=args.lab)
    elif {KNOWS, ADMITS} & there and usual:
        for name in (GPQA, KNOWS, ADMITS):
            if name not in there:
                raise MissingError(f"{file}: no column {name}; a model of today needs {GPQA}, {KNOWS} and {ADMITS}")
        result = _today(records(frame.filter(["model", "params_b", GPQA, KNOWS, ADMITS])), args)
    else:
        x, y = asked or next((pair for pair in PAIRS if set(pair) <= there), PAIRS[0])
        for name in (x, y):
            if name not in there:
                raise MissingError(f"{file}: no column {name}; it has {', '.join(map(str, frame.columns))}")
        chosen = tables.one_family(scores, args.name)
        notes = chosen.notes
        if args.pairs:
            rows, by = comparable(chosen, args.pairs, x, y, name=args.name or chosen.name)
            result = diagnose_pairs(rows, by, x=x, y=y)
        else:
            ladder = tables.ladder_of(chosen, x, y, name=args.name or scores.name)
            if ladder.rows.empty:
                blank = " and ".join(name for name in (x, y) if chosen.frame[name].isna().all()) or "one of the two"
                step = "give two sizes or more both scores, in percent"
                raise MissingError(f"{file}: no row has both {x} and {y}, every one lacks {blank}; {step}")
            at = ladder.axis.read(args.at) if args.at else None
            beside = None if ladder.axis.by_size or "family" not in frame else frame
            items = {name: n for name, n in ((x, args.x_items), (y, args.y_items)) if n}
            left = ladder.left_out
            notes += (*ladder.notes, *([f"left out for want of a score: {', '.join(left)}"] if left else []))
            options: dict[str, Any] = {"at": at, "items": items, "along": ladder.axis, "beside": beside}
            result = diagnose_family(ladder.rows, x=x, y=y, **options)
    return result | {"notes": [*notes, *result["notes"]]}


def _example(name: str) -> dict[str, Any]:
    from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, diagnose_variant, kit

    diagnose: dict[str, Callable[..., dict[str, Any]]] = {
        **dict.fromkeys(("family", "pair"), diagnose_family),
        "release": diagnose_release,
        "today": diagnose_variant,
    }
    known = {example["key"]: example for example in kit()["examples"]}
    if name not in known:
        raise UsageError(suggest("example", name, known))
    state, tab = known[name]["state"], known[name]["tab"]
    if tab == "model":
        return diagnose_model(state["row"])
    options = ("x", "y", "line", "lab", "mode", "generation")
    return diagnose[tab](state["rows"], **{option: state[option] for option in options if option in state})


def run_hfield(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """h with its interval, line, phase and advice; as JSON an object with h, low, high, line, panel, date,
    expected, noise_sd, phase, emphasis, advice and, with a lab, its trajectory."""
    result = release(args)
    last, line = result["rows"][-1], result["line"]
    answer = _short(result, HFIELD)
    answer |= {"trajectory": result["trajectory"]} if args.lab else {}

    def lines() -> Iterator[str]:
        interval = f"[{answer['low']:+.1f}, {answer['high']:+.1f}]"
        yield f"h = {last['h']:+.1f} points {interval}, {line['name']} line of {line['date']}"
        ordinary = f"{last['ordinary_low']:.1f} to {last['ordinary_high']:.1f}"
        noise = f"sampling noise of h {last['noise_sd']:.1f} points (sd)"
        yield f"expected GPQA Diamond {last['expected']:.1f}, of 95 % of releases {ordinary}; {noise}"
        yield f"phase: {', '.join(dict.fromkeys((last['phase'], last['emphasis'])))}"
        for rule in result["advice"]:
            yield f"advice ({rule['strength']}): {rule['advice']}"
        if not last["outside"]:
            yield "The interval holds zero: releases of the panel lie this far from the line without any cause to name."
        for row in answer.get("trajectory", ()):
            yield f"  {row['date'] or '':<11} {row['model']:<24} h = {row['h']:+5.1f} ({row['kind']})"

    return answer, lines()


def checked(
    table: list[dict[str, Any]], *, need: Sequence[str], also: Sequence[str] = (), sized: bool = True
) -> list[dict[str, Any]]:
    """Rows typed as options, as numbers: percent, billions, a date as it is; None for what is not there.

    need: columns that each row must have; also: that it may have; sized: rows are of models and need params_b, else
    they may have a date. Raises UsageError (column, value, next step) for the first value that cannot be right.
    """
    names = [*(["params_b"] if sized else []), *need, *also, *([] if sized else ["date"])]
    needed = {*need, "params_b"} if sized else set(need)
    return [
        {"model": row.get("model") or None} | {name: _value(name, row.get(name), name in needed) for name in names}
        for row in table
    ]


def _value(name: str, typed: Any, needed: bool) -> Any:
    from cape_lib.tables.columns import to_number, to_size
    from cape_lib.tables.frontier import end_of

    text = "" if typed is None else str(typed).strip()
    size = name == "params_b"
    what = "billions of parameters, such as 6.9 or 410M" if size else "percent, 0 to 100"
    if not text:
        if needed:
            raise UsageError(f"{name} is missing; give {what}")
        return None
    if name == "date":
        end_of(text)
        return text
    value = (to_size if size else to_number)(text, decimal_comma=False)
    if size and value is not None and value >= 1e5:
        raise UsageError(f"{name}: {text!r} looks like a count of parameters; in billions it is {value / 1e9:g}")
    if value is None and "," in text:
        what = f"{text.replace(',', '.')}, with a decimal point"
    if value is None or (not 0 < value < LARGEST_B if size else not 0 <= value <= 100):
        kind = "not a number" if value is None else "no size" if size else "no score"
        raise UsageError(f"{name}: {text!r} is {kind}; give {what}")
    if not size and 0 < value <= 1:
        raise UsageError(f"{name}: {text!r} looks like a fraction; in percent it is {100 * value:g}")
    return value
