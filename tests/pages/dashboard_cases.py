"""Random and extreme inputs for the dashboard, what Python says of them, and where a page says something else."""

from __future__ import annotations

import itertools
import json
import math
import random
from typing import Any

import pandas as pd

from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, diagnose_variant, kit
from cape_lib.tables.axes import axis_named, of_rows, settled

Case = dict[str, Any]
SIZES = [0.001, 0.07, 0.16, 0.41, 1.0, 1.4, 2.8, 6.9, 12.0, 30.0, 70.0, 176.0, 3000.0]
#: numbers nearer to zero than this differ in rounding alone
FLOOR = 1e-11


def random_cases(count: int, seed: int = 0) -> list[Case]:
    """Cases in turn of the five kinds: {kind, rows, options}; rows hold numbers, as the checks hand them on."""
    rng = random.Random(seed)
    makers = (_model, _family, _release, _pair, _today)
    return [makers[i % len(makers)](rng) for i in range(count)]


def edge_cases() -> list[Case]:
    """What random numbers seldom hit: ends of the scale, no change, two sizes, unknown noise, huge steps in size."""

    def family(x: list[float], y: list[float], sizes: list[float] | None = None, **more: Any) -> Case:
        rows = [
            {"model": f"M{i}", "params_b": size, "hellaswag": a, "truthfulqa": b} | more
            for i, (size, a, b) in enumerate(zip(sizes or SIZES[1:], x, y, strict=False))
        ]
        return {"kind": "family", "rows": rows, "options": {}}

    ends = [
        {"model": None, "params_b": n, "hellaswag": a, "truthfulqa": b}
        for n in (0.001, 7.0, 5000.0)
        for a in (0.0, 50.0, 100.0)
        for b in (0.0, 100.0)
    ]
    releases = [
        {"model": "R", "swe_bench_verified": a, "gpqa_diamond": b}
        for a in (0.0, 50.0, 100.0)
        for b in (0.0, 90.0, 100.0)
    ]
    ends_of_today = [
        {"model": "T", **dict(zip(kit()["today"]["columns"][-3:], scores, strict=True))}
        for scores in itertools.product((0.0, 50.0, 100.0), (0.0, 100.0), (0.0, 100.0))
    ]
    unknown = [{"params_b": n, "mine": 10.0 + n, "yours": 20.0 - n} for n in (1.0, 2.0, 3.0)]
    return [
        *({"kind": "model", "rows": row, "options": {}} for row in ends),
        *({"kind": "release", "rows": [row], "options": {}} for row in releases),
        *({"kind": "today", "rows": [row], "options": {}} for row in ends_of_today),
        {"kind": "today", "rows": ends_of_today[:2], "options": {"generation": "o3", "mode": "none"}},
        {"kind": "release", "rows": [releases[3] | {"model": None}, releases[4]], "options": {}},
        {"kind": "release", "rows": releases[::4], "options": {"lab": "Google", "line": "current"}},
        family([50.0, 50.0], [40.0, 45.0]),
        family([50.0, 60.0], [40.0, 40.0]),
        family([50.0, 50.0, 50.0], [40.0, 40.0, 40.0]),
        family([0.0, 100.0], [100.0, 0.0]),
        family([30.0, 40.0, 50.0, 60.0], [40.0, 40.0, 40.0, 40.0]),
        family([30.0, 40.0, 50.0, 60.0, 70.0], [45.0, 40.0, 35.0, 40.0, 45.0]),
        family([30.0, 40.0, 50.0, 60.0, 70.0, 80.0], [45.0, 44.0, 43.0, 42.0, 41.0, 40.0], truthfulqa_stderr=0.01),
        family([30.0, 30.0001, 90.0], [40.0, 41.0, 42.0], sizes=[1.0, 1.0000001, 2.0]),
        # found by the fuzzer: nothing but rounding decided what an equation said of such a ladder
        family([1.001, 1.317, 3.417, 1.001, 1.001], [1.001, 1.006, 1.006, 1.006, 1.001], [0.1, 0.3, 0.9, 2.7, 8.1]),
        {"kind": "pair", "rows": unknown, "options": {"x": "mine", "y": "yours"}},
        {"kind": "pair", "rows": unknown, "options": {"x": "mine", "y": "yours", "items": {"mine": 1, "yours": 10**7}}},
    ]


def path_cases(count: int, seed: int = 3) -> list[Case]:
    """Families along every axis but size: random ones in turn, after what random numbers seldom hit."""
    rng = random.Random(seed)
    names = [*sorted(kit()["axes"]), "warmup_steps", "depth_share"]

    def path(name: str, places: list[float], x: list[float], y: list[float], **more: Any) -> Case:
        column = axis_named(name).column
        rows = [
            {"model": f"run-step{i}", column: place, "hellaswag": a, "truthfulqa": b} | more
            for i, (place, a, b) in enumerate(zip(places, x, y, strict=True))
        ]
        return {"kind": "path", "rows": rows, "options": {"axis": name}}

    edges = [
        path("tokens", [3.0, 300.0], [50.0, 60.0], [40.0, 45.0]),
        path("tokens", [1.125, 2.125, 312.5], [50.0, 50.0, 50.0], [40.0, 40.0, 40.0]),
        path("step", [1000.0, 2000.5, 143000.0, 1234567.0], [30.0, 40.0, 50.0, 60.0], [45.0, 40.0, 35.0, 44.0]),
        path("flops", [1e-7, 0.0004, 0.0123, 999.9, 12345.5], [30.0, 40, 50, 60, 70], [45.0, 40, 35, 40, 45]),
        path("date", [19000.0, 19001.0, 19500.0], [30.0, 40.0, 50.0], [45.0, 40.0, 44.0], truthfulqa_stderr=0.2),
        path("d_model", [512.0, 768, 1024, 2048, 4096], [30.0, 40, 50, 60, 70], [41.0, 42, 43, 44, 45]),
        path("step", [1.0, 2, 4, 8], [30.0, 40, 50, 60], [45.0, 44, 43, 42], params_b=1.0, truthfulqa_noise="x"),
    ]
    noise = kit()["between_runs"]
    edges.append(path("tokens", [1.0, 10, 100], [30.0, 40, 50], [45.0, 44, 43], hellaswag_noise=noise))
    for i in range(count):
        name = names[i % len(names)]
        n = rng.choice([2, 3, 4, 5, 7, 9])
        places = sorted(rng.sample(range(15000, 21000), n)) if name == "date" else _places(rng, n)
        if name == "depth_share":  # less than a factor of ten: linear
            places = [float(v) for v in sorted(rng.sample(range(40, 240), n))]
        case = path(name, [float(v) for v in places], [_score(rng) for _ in range(n)], [_score(rng) for _ in range(n)])
        if rng.random() < 0.5:
            for row in case["rows"]:
                row["model"] = rng.choice(["lab/a", "b"]) + str(rng.random())
        edges.append(case)
    return edges


def _places(rng: random.Random, n: int) -> list[float]:
    return sorted({float(f"{10 ** rng.uniform(-2, 5):.{rng.choice([2, 3])}g}") + i * 1e5 for i in range(n)})


def in_python(case: Case) -> Any:
    """The diagnosis as plain data, exactly as JSON would carry it."""
    rows, options = case["rows"], case["options"]
    if case["kind"] == "model":
        result = diagnose_model(rows)
    elif case["kind"] == "release":
        result = diagnose_release(rows, **options)
    elif case["kind"] == "today":
        result = diagnose_variant(rows, **options)
    elif case["kind"] == "path":
        frame = pd.DataFrame(rows)
        more = {name: value for name, value in options.items() if name != "axis"}
        along = of_rows(axis_named(options["axis"]), frame.assign(params_b=frame.get("params_b", float("nan"))))
        along = settled(along, frame[along.column])
        result = diagnose_family(frame, along=along, **more)
    else:
        result = diagnose_family(rows, **options)
    return json.loads(json.dumps(result, allow_nan=False))


#: the same in the page: a function of a list of cases
IN_PAGE = """cases => cases.map(({ kind, rows, options }) => {
  if (kind === "model") return Cape.diagnoseModel(rows, Cape.kit);
  if (kind === "today") return Cape.diagnoseToday(rows, options, Cape.kit);
  return (kind === "release" ? Cape.diagnoseRelease : Cape.diagnoseFamily)(rows, options, Cape.kit);
})"""


def differences(ours: Any, theirs: Any, path: str = "", relative: float = 1e-9) -> list[str]:
    """Every place where two plain results differ: numbers by more than `relative`, all else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        result = [f"{path}: keys {sorted(set(ours) ^ set(theirs))}"] if set(ours) != set(theirs) else []
        both = [(f"{path}.{key}", ours[key], theirs[key]) for key in ours if key in theirs]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        result, both = [], [(f"{path}.{i}", a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    elif all(isinstance(v, int | float) and not isinstance(v, bool) for v in (ours, theirs)):
        return [] if math.isclose(ours, theirs, rel_tol=relative, abs_tol=FLOOR) else [f"{path}: {ours!r}, {theirs!r}"]
    else:
        return [] if ours == theirs else [f"{path}: {ours!r}, {theirs!r}"]
    return result + [line for place, a, b in both for line in differences(a, b, place, relative)]


def _score(rng: random.Random) -> float:
    if rng.random() < 0.1:
        return rng.choice([0.0, 100.0, 50.0, 25.0])
    return round(rng.uniform(1.01, 100), rng.choice([0, 1, 2, 4]))


def _model(rng: random.Random) -> Case:
    size = rng.choice([0.07, 1.0, 7.0, 70.0, rng.uniform(0.01, 500)])
    row = {"model": rng.choice([None, "M"]), "params_b": size, "hellaswag": _score(rng), "truthfulqa": _score(rng)}
    extra = {"metric": rng.choice(["mc2", "mc2", "mc2", "mc1"]), "hellaswag_shots": rng.choice([None, 10, 0])}
    return {"kind": "model", "rows": row | extra, "options": {}}


def _ladder(rng: random.Random) -> list[dict[str, Any]]:
    sizes = sorted(rng.sample(SIZES, rng.randint(2, 10)))
    smooth, x, y = rng.random() < 0.6, rng.uniform(25, 50), rng.uniform(30, 50)
    rows: list[dict[str, Any]] = []
    for i, size in enumerate(sizes):
        x, y = min(99, x + rng.uniform(-2, 10)), max(2, min(99, y + rng.uniform(-4, 4)))
        a, b = (round(x, 2), round(y, 2)) if smooth else (_score(rng), _score(rng))
        rows.append({"model": f"M{i}", "params_b": size, "hellaswag": a, "truthfulqa": b})
    if rng.random() < 0.4:
        for row in rows:
            row |= {name: _score(rng) for name in ("arc_challenge", "winogrande", "mmlu")}
    if rng.random() < 0.3:
        for row in rows:
            row["truthfulqa_stderr"] = round(rng.uniform(0.1, 2), 2)
    rng.shuffle(rows)
    return rows


def _family(rng: random.Random) -> Case:
    return {"kind": "family", "rows": _ladder(rng), "options": {"at": rng.choice([None, 20.0, 200.0])}}


def _pair(rng: random.Random) -> Case:
    rows = [{"mine" if name == "hellaswag" else name: v for name, v in row.items()} for row in _ladder(rng)]
    items = rng.choice([{}, {"mine": rng.randint(50, 5000)}])
    return {"kind": "pair", "rows": rows, "options": {"x": "mine", "y": "truthfulqa", "items": items}}


def _release(rng: random.Random) -> Case:
    rows = [
        {
            "model": f"R{i}",
            "swe_bench_verified": _score(rng),
            "gpqa_diamond": _score(rng),
            "hle": rng.choice([None, _score(rng)]),
            "ifeval": rng.choice([None, _score(rng)]),
            "date": rng.choice([None, "2025", "2025-03", "2026-01-15"]),
        }
        for i in range(rng.randint(1, 4))
    ]
    line = rng.choice(sorted(kit()["frontier"]["lines"]))
    return {"kind": "release", "rows": rows, "options": {"line": line, "lab": rng.choice([None, "Anthropic", "xAI"])}}


def _today(rng: random.Random) -> Case:
    table = kit()["today"]
    known = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    rows = []
    for i in range(rng.choice([1, 1, 2, 3])):
        # Often a known variant itself, or its scores: equal values on both sides of a comparison.
        row = rng.choice(known)
        own = rng.random() < 0.5
        scores = {name: row[name] if own else _score(rng) for name in table["columns"][-3:]}
        name = rng.choice([None, f"T{i}", row["model"]])
        rows.append({"model": name, "params_b": rng.choice([None, *SIZES]), **scores})
    named = rng.choice([None, rng.choice(known)["generation"], "Qwen3.5"])
    return {
        "kind": "today",
        "rows": rows,
        "options": {"mode": rng.choice([None, "reasoning", "none"]), "generation": named},
    }
