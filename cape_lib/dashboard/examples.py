"""The examples of the dashboard: real rows of the tables, one click away."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.frontier import variants

PAIR = ("hellaswag", "truthfulqa")


def examples() -> list[dict[str, Any]]:
    """Each example: key, label, tab ("model", "family", "release", "pair", "today") and the state that the tab shows.

    Values are those of the tables: the published panel, so that chapters, claims and page speak of the same rows.
    """
    panel = tables.base("published")
    ladders = [
        ("pythia", "Pythia ladder", "Pythia"),
        ("qwen2.5", "Qwen2.5", "Qwen2.5"),
        ("llama-2", "Llama-2", "Llama-2"),
    ]
    tuned = panel["instruct"].fillna(False).astype(bool)
    listed = [
        _model("pythia-1b", "Pythia-1B alone", panel, "Pythia-1B"),
        _model("phi-2", "Phi-2", panel, "Phi-2"),
        _model("llama-2-70b", "Llama-2-70B", panel, "Llama2-70B"),
        *(_family(key, label, panel[panel["ladder"].eq(name)]) for key, label, name in ladders),
        _family("phi", "Phi, whose data changed too", panel[panel["family"].eq("Phi") & ~tuned]),
        _release("opus-4.6", "Claude Opus 4.6"),
        _release("sonnet-4.6", "Claude Sonnet 4.6", ", as published"),
        _variants("gpt-oss", "gpt-oss-120b, little thought and much", ("gpt-oss-120b (low)", "gpt-oss-120b (high)")),
        _pair("commonsense", "Pythia: WinoGrande and TruthfulQA", panel[panel["ladder"].eq("Pythia")]),
    ]
    return [example for example in listed if example is not None]


def _row(row: pd.Series, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: None if pd.isna(row[name]) else row[name] for name in ("model", "params_b", *columns)}


def _model(key: str, label: str, panel: pd.DataFrame, name: str) -> dict[str, Any] | None:
    rows = panel[panel["model"] == name]
    if rows.empty:
        return None
    return {"key": key, "label": label, "tab": "model", "state": {"row": _row(rows.iloc[0], tables.BASE_BENCHMARKS)}}


def _family(key: str, label: str, rows: pd.DataFrame) -> dict[str, Any] | None:
    rows = rows.dropna(subset=list(PAIR)).drop_duplicates("params_b").sort_values("params_b")
    if len(rows) < 2:
        return None
    table = [_row(row, tables.BASE_BENCHMARKS) for _, row in rows.iterrows()]
    return {"key": key, "label": label, "tab": "family", "state": {"rows": table}}


def _release(key: str, name: str, remark: str = "") -> dict[str, Any] | None:
    rows = tables.frontier("published").query("model == @name")
    if rows.empty:
        return None
    row = rows.iloc[0]
    scores = {k: None if pd.isna(row[k]) else float(row[k]) for k in tables.FRONTIER_BENCHMARKS}
    state = {"rows": [{"model": name, "date": str(row["release_date"]), **scores}], "line": "frozen", "lab": row["lab"]}
    return {"key": key, "label": name + remark, "tab": "release", "state": state}


def _variants(key: str, label: str, names: tuple[str, ...]) -> dict[str, Any] | None:
    rows = variants.readings().set_index("model")
    if not set(names) <= set(rows.index):
        return None
    places = rows.loc[list(names), list(variants.PLACE)].astype(float)
    table = [{"model": str(name), **place} for name, place in places.to_dict("index").items()]
    last = rows.loc[names[-1]]
    state = {"rows": table, "mode": last["mode"], "generation": last["generation"]}
    return {"key": key, "label": label, "tab": "today", "state": state}


def _pair(key: str, label: str, rows: pd.DataFrame) -> dict[str, Any]:
    rows = rows.sort_values("params_b")
    table = [_row(row, ("winogrande", "truthfulqa")) for _, row in rows.iterrows()]
    return {"key": key, "label": label, "tab": "pair", "state": {"x": "winogrande", "y": "truthfulqa", "rows": table}}
