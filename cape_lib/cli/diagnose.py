"""`cape diagnose`: the dashboard's answers in the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from cape_lib.cli import importing, pair_of
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import PAIRS

EPILOG = {
    "diagnose": """\
examples:
  cape diagnose --size 1 --hellaswag 49.7 --truthfulqa 38.9      one model: what one size can say
  cape diagnose scores.csv                                         a family: CSV or results files
  cape diagnose scores.csv --x my_bench --y truthfulqa --x-items 400
  cape diagnose checkpoints.csv --axis tokens                      checkpoints of one run
  cape diagnose scores.csv --pairs instruct                        instruct models against their base; recipe, seed
  cape diagnose --swe 80.8 --gpqa 91.3 --lab Anthropic             a frontier release
  cape diagnose --gpqa 86 --accuracy 40 --non-hallucination 30 --mode reasoning      a model of today
  cape diagnose --example pythia                                   one of the dashboard's examples"""
}
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
#: kind -> what stands first in its JSON: name -> its place in the diagnosis
MAIN: dict[str, dict[str, str]] = {
    "release": {
        "h": "rows.-1.h",
        "low": "rows.-1.interval.low",
        "high": "rows.-1.interval.high",
        "line": "line.name",
        "panel": "line.panel",
    },
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
    "pairs": {"by": "by"},
    **dict.fromkeys(("family", "pair"), _STEP),
    "path": {"axis": "axis"} | _STEP,
}


def options_diagnose(parser: argparse.ArgumentParser) -> None:
    """Options of `cape diagnose`."""
    parser.add_argument("scores", nargs="*", metavar="SCORES", help="tables or results files of one family")
    add = parser.add_argument_group("one model").add_argument
    what = "parameters, such as 6.9 or 410M; of a table: total or active"
    add("--size", dest="params_b", metavar="BILLIONS", help=what)
    for name in ("hellaswag", "truthfulqa", "arc-challenge", "winogrande", "mmlu"):
        add(f"--{name}", metavar="PERCENT")
    add("--metric", choices=("mc1", "mc2"), default="mc2", help="which TruthfulQA (default mc2)")
    add = parser.add_argument_group("a frontier release").add_argument
    for flag in ("swe", "gpqa", "hle", "ifeval"):
        add(f"--{flag}", metavar="PERCENT")
    add("--line", default="frozen", help="line that h is read from (default frozen)")
    add("--lab", help="compare with this lab's earlier releases")
    add("--date", help="release date: year, year-month or year-month-day")
    several = "with --gpqa, and --size where it is known; SCORES may hold several efforts, lowest first"
    add = parser.add_argument_group("a model of today", several).add_argument
    add("--accuracy", metavar="PERCENT", help="share of AA-Omniscience answered right")
    add("--non-hallucination", metavar="PERCENT", help="of the others, the share not answered wrong")
    add("--mode", choices=("reasoning", "none"), help="compare with variants that think, or do not")
    add("--generation", metavar="NAME", help="its family, such as Qwen3.5: its sizes stand beside it")
    add = parser.add_argument_group("a family").add_argument
    for axis, usual in (("x", "hellaswag"), ("y", "truthfulqa")):
        add(f"--{axis}", metavar="BENCHMARK", help=f"default {usual}")
        add(f"--{axis}-items", type=int, metavar="N", help="questions in it, for the noise")
    at = "size of the forecast (default twice the largest), or a value of --axis"
    add("--at", metavar="BILLIONS", help=at)
    add("--pairs", metavar="COLUMN", help="compare models of one size that differ in it: instruct, recipe, seed ...")
    add = parser.add_argument
    add("--name", help="name of the model or release; of a table, the family")
    add("--example", metavar="NAME", help="an example of the dashboard, such as pythia")
    add("--json", action="store_true", help="print one JSON object")
    add("-q", "--quiet", action="store_true", help="no notes on what was read")
    importing.add_reading_options(parser, sized=False)


def run_diagnose(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The five answers to what was typed; as JSON the main numbers, the advice and the whole diagnosis."""
    from cape_lib.dashboard.wording import lookup

    result = _diagnosis(args)
    short = {"kind": result["kind"], "phase": result["phase"], "headline": result["answers"]["headline"]}
    short |= {name: lookup(result, path) for name, path in MAIN[result["kind"]].items()}
    short |= {"pairs": len(result["pairs"])} if result["kind"] == "pairs" else {}
    return short | {"advice": [rule["advice"] for rule in result["advice"]], "diagnosis": result}, text(result)


def text(result: dict[str, Any]) -> list[str]:
    """The diagnosis for a reader: headline, five answers, the steps or releases, advice with its evidence."""
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
        rows = frame.dropna(subset=[SWE, GPQA]).rename(columns={"release_date": "date"})
        if rows.empty:
            raise MissingError(f"no row has both {SWE} and {GPQA}; add a release with both")
        rows = rows.sort_values("date") if "date" in rows else rows
        releases = records(rows.filter(["model", "date", SWE, GPQA, "hle", "ifeval"]))
        result = diagnose_release(releases, line=args.line, lab=args.lab)
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
