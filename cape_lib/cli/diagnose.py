"""`cape diagnose`: the dashboard's answers in the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cape_lib.cli import importing, pair_of
from cape_lib.errors import MissingError, UsageError

if TYPE_CHECKING:
    import pandas as pd

EPILOG = """\
examples:
  cape diagnose --size 1 --hellaswag 49.7 --truthfulqa 38.9      one model: what one size can say
  cape diagnose scores.csv                                         a family: CSV or results files
  cape diagnose scores.csv --x my_bench --y truthfulqa --x-items 400
  cape diagnose checkpoints.csv --axis tokens                      checkpoints of one run
  cape diagnose scores.csv --pairs instruct                        instruct models against their base; recipe, seed
  cape diagnose --swe 80.8 --gpqa 91.3 --lab Anthropic             a frontier release
  cape diagnose --gpqa 86 --accuracy 40 --non-hallucination 30 --mode reasoning      a model of today
  cape diagnose --example pythia                                   one of the dashboard's examples"""
SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
KNOWS, ADMITS = "omniscience_accuracy", "omniscience_non_hallucination"
#: no model has so many billions of parameters: a size from here on is in another unit
LARGEST_B = 5_000.0


def configure(parser: argparse.ArgumentParser) -> None:
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


def run(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The five answers to what was given; as JSON the whole diagnosis."""
    result = _diagnosis(args)
    return summary(result), text(result)


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Kind, phase, the main number with its interval and the advice, then the whole diagnosis."""
    short: dict[str, Any] = {
        "kind": result["kind"],
        "phase": result["phase"],
        "headline": result["answers"]["headline"],
    }
    if result["kind"] == "release":
        last, line = result["rows"][-1], result["line"]
        short |= {"h": last["h"], "low": last["interval"]["low"], "high": last["interval"]["high"]}
        short |= {"line": line["name"], "panel": line["panel"]}
    elif result["kind"] == "today":
        for name, place in ((ADMITS, "admits"), ("wrong", "wrong")):
            short |= {name: result["rows"][-1][name], f"{place}_percentile": result["beside"][place]["below"]}
        short |= {"equals": result["beside"]["n"]}
    elif result["kind"] == "model":
        lead = result["trend"]["truthfulqa"]
        short |= {"residual": lead["residual"], "low": lead["interval"]["low"], "high": lead["interval"]["high"]}
    elif result["kind"] == "pairs":
        short |= {"by": result["by"], "pairs": len(result["pairs"])}
    else:
        last = result["steps"][-1]
        short |= {"axis": result["axis"]} if result["kind"] == "path" else {}
        short |= {"gamma": last["gamma"], "low": last["interval"]["low"], "high": last["interval"]["high"]}
        short |= {"interval": last["interval"]["shape"]}
    return short | {"advice": [rule["advice"] for rule in result["advice"]], "diagnosis": result}


def text(result: dict[str, Any]) -> list[str]:
    """The diagnosis for a reader: headline, five answers, the steps or releases, advice with its evidence."""
    from cape_lib.dashboard.wording import QUESTIONS

    lines = [result["answers"]["headline"], ""]
    lines += [f"{question:<24}{result['answers'][key]}" for key, question in QUESTIONS.items()]
    lines += [f"note: {note}" for note in result["notes"]]
    if "steps" in result and isinstance(result["steps"], list):
        what = "whole path" if result["kind"] == "path" else "whole ladder"
        whole = [_step(result["whole"]) + f" ({what})"] if len(result["steps"]) > 1 else []
        lines += ["", *whole, *(_step(step) for step in result["steps"])]
    if result["kind"] == "pairs":
        from cape_lib.dashboard.pairs import sentence

        labels = [result["labels"][result[axis]] for axis in ("x", "y")]
        lines += ["", *(f"  {sentence(pair, *labels)}" for pair in result["pairs"])]
    lines += [""] if result["advice"] else []
    lines += [f"- {rule['advice']}\n  evidence ({rule['strength']}): {rule['evidence']}" for rule in result["advice"]]
    return lines


def _step(step: dict[str, Any]) -> str:
    from cape_lib.dashboard.wording import shown

    ends = [step[key] for key in (("first", "last") if "first" in step else ("smaller", "larger"))]
    return (
        f"  {ends[0]} to {ends[1]}: gamma {shown(step['gamma'], '+2')} {shown(step['interval'], 'i2')}, "
        f"P(tax) {shown(step['p_tax'], '%')}, P(bonus) {shown(step['p_bonus'], '%')}: {step['phase']}"
    )


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
    if asked["today"]:
        return _variant(args)
    return _model(args) if asked["model"] else release(args)


def _model(args: argparse.Namespace) -> dict[str, Any]:
    from cape_lib.dashboard import diagnose_model

    pair, extra = ("hellaswag", "truthfulqa"), ("arc_challenge", "winogrande", "mmlu")
    row = {"model": args.name, **{name: getattr(args, name) for name in ("params_b", *pair, *extra)}}
    (model,) = checked([row], need=pair, also=extra)
    return diagnose_model(model | {"metric": args.metric})


def _variant(args: argparse.Namespace) -> dict[str, Any]:
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
    from cape_lib import tables
    from cape_lib.dashboard import diagnose_family, diagnose_release
    from cape_lib.dashboard.pairs import comparable, diagnose_pairs

    args.size = args.params_b
    if args.size not in (None, "total", "active"):
        raise UsageError(f"--size {args.size}: with SCORES it is total or active: which parameters are the size")
    asked = pair_of(args) or ()
    scores = importing.read_by_options(args.scores, args, pair_of=asked).scores
    frontier = {SWE, GPQA} <= set(scores.frame.columns)
    if frontier and not asked and scores.axis.by_size:
        return _noted(diagnose_release(_releases(scores.frame), line=args.line, lab=args.lab), scores.notes)
    if {KNOWS, ADMITS} & set(scores.frame.columns) and not asked and scores.axis.by_size:
        return _noted(_today(_variants(scores.frame, args.scores[0]), args), scores.notes)
    base = {"hellaswag", "truthfulqa"} <= set(scores.frame.columns)
    x, y = asked or ((SWE, GPQA) if frontier and not base else ("hellaswag", "truthfulqa"))
    for name in (x, y):
        if name not in scores.frame.columns:
            has = ", ".join(map(str, scores.frame.columns))
            raise MissingError(f"{args.scores[0]}: no column {name}; it has {has}")
    chosen = tables.one_family(scores, args.name)
    if args.pairs:
        rows, by = comparable(chosen, args.pairs, x, y, name=args.name or chosen.name)
        return _noted(diagnose_pairs(rows, by, x=x, y=y), chosen.notes)
    ladder = tables.ladder_of(chosen, x, y, name=args.name or scores.name)
    at = ladder.axis.read(args.at) if args.at else None
    beside = None if ladder.axis.by_size or "family" not in scores.frame else scores.frame
    items = {name: n for name, n in ((x, args.x_items), (y, args.y_items)) if n}
    notes = [*chosen.notes, *ladder.notes]
    if ladder.left_out:
        notes.append(f"left out for want of a score: {', '.join(ladder.left_out)}")
    return _noted(diagnose_family(ladder.rows, x=x, y=y, at=at, items=items, along=ladder.axis, beside=beside), notes)


def _noted(result: dict[str, Any], notes: Iterable[str]) -> dict[str, Any]:
    """The diagnosis with notes on how its table was read, before its own."""
    return result | {"notes": [*notes, *result["notes"]]}


def _records(frame: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    """Rows as records of those columns that there are; None for a blank."""
    rows = frame[[name for name in columns if name in frame.columns]]
    filled = rows.astype(object).where(rows.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in filled.to_dict("records")]


def _releases(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.dropna(subset=[SWE, GPQA]).rename(columns={"release_date": "date"})
    if rows.empty:
        raise MissingError(f"no row has both {SWE} and {GPQA}; add a release with both")
    rows = rows.sort_values("date") if "date" in rows else rows
    return _records(rows, "model", "date", SWE, GPQA, "hle", "ifeval")


def _variants(frame: pd.DataFrame, file: str) -> list[dict[str, Any]]:
    missing = [name for name in (GPQA, KNOWS, ADMITS) if name not in frame.columns]
    if missing:
        raise MissingError(f"{file}: no column {missing[0]}; a model of today needs {GPQA}, {KNOWS} and {ADMITS}")
    return _records(frame, "model", "params_b", GPQA, KNOWS, ADMITS)


def _example(name: str) -> dict[str, Any]:
    from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, diagnose_variant, kit
    from cape_lib.names import suggest

    known = {example["key"]: example for example in kit()["examples"]}
    if name not in known:
        raise UsageError(suggest("example", name, known))
    state, tab = known[name]["state"], known[name]["tab"]
    if tab == "model":
        return diagnose_model(state["row"])
    others: dict[str, tuple[Callable[..., dict[str, Any]], tuple[str, ...]]] = {
        **dict.fromkeys(("family", "pair"), (diagnose_family, ("x", "y"))),
        "release": (diagnose_release, ("line", "lab")),
        "today": (diagnose_variant, ("mode", "generation")),
    }
    other, options = others[tab]
    return other(state["rows"], **{option: state[option] for option in options if option in state})


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
