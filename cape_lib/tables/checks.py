"""Checks that look at more than one cell: what a schema of columns cannot say."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

# position of the row, column, reason with its mend; None where nothing is wrong
Finding = tuple[int, str, str] | None
NEVER_NEAR_ZERO = ["swe_bench_verified", "gpqa_diamond", "ifeval", "ifbench"]


def frontier_scores(rows: pd.DataFrame) -> Finding:
    """One maker and one release date a model, one version a point, and no two main statements of equal rank."""
    for column in ("lab", "release_date"):
        first = rows.groupby("model")[column].transform("first")
        for at in rows.index[rows[column] != first][:1]:
            model = rows.loc[at, "model"]
            reason = f"{rows.loc[at, column]!r}, but {model!r} has {first[at]!r} above; one of the two is another model"
            return int(at), column, reason
    fraction = rows.index[(rows["value"] <= 1) & rows["benchmark"].isin(NEVER_NEAR_ZERO)]
    if len(fraction):
        said = rows.loc[fraction[0], "value"]
        return int(fraction[0]), "value", f"{said:g} looks like a fraction; multiply by 100"
    silent = rows.index[(rows["role"] != "main") & rows["reason"].isna()]
    if len(silent):
        return int(silent[0]), "reason", "is blank; say why the statement cannot stand for the model"
    main = rows[rows["role"] == "main"]
    named = main.dropna(subset=["version"])
    first_version = named.groupby("model")["version"].transform("first")
    for at in named.index[named["version"] != first_version][:1]:
        said, model = named.loc[at, "version"], named.loc[at, "model"]
        reason = (
            f"{said!r}, but the point {model!r} stands for version {first_version[at]!r}; its role is other version"
        )
        return int(at), "version", reason
    dated = main.assign(stated_on=main["date"].fillna(main["release_date"]))
    groups = dated.groupby(["model", "benchmark", "claimed_by", "stated_on", "stated_by"])["value"]
    for at in dated.index[dated["value"] != groups.transform("first")][:1]:
        reason = f"{rows.loc[at, 'value']:g} is the second value of one day; give one of the two the role other setting"
        return int(at), "value", reason
    return None


def families(rows: pd.DataFrame) -> Finding:
    """Two sizes or more in a family, each once, measured alike, in percent."""
    for column in ("hellaswag", "truthfulqa"):
        low = rows.index[rows[column] <= 1]
        if len(low):
            return int(low[0]), column, f"{rows.loc[low[0], column]:g} looks like a fraction; multiply by 100"
    for at in rows.index[rows.duplicated(["family", "params_b"])][:1]:
        return int(at), "params_b", f"a second model of {rows.loc[at, 'params_b']:g} B in the family; keep one"
    for column in ("truthfulqa_metric", "score_source"):
        first = rows.groupby("family")[column].transform("first")
        for at in rows.index[rows[column] != first][:1]:
            return int(at), column, f"differs from {first[at]!r} above; a family is measured in one way"
    alone = rows.index[rows.groupby("family")["model"].transform("size") < 2]
    return (int(alone[0]), "family", "has one size; a family has two or more") if len(alone) else None


CHECKS: dict[str, Callable[[pd.DataFrame], Finding]] = {"frontier_scores": frontier_scores, "families": families}
