"""Base models: three panels, every version of the scores, ladders of sizes, losses."""

from __future__ import annotations

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import BASE_BENCHMARKS
from cape_lib.tables.files import load

BASE_PANELS: tuple[str, ...] = ("published", "deduplicated", "uniform")
_ABOUT = ("model", "family", "ladder", "lab", "params_b", "d_model", "pretrain_tokens_b", "training")
_MARKS = ("truthfulqa_metric", "estimated", "instruct", "doubtful", "source")
COLUMNS = [*_ABOUT, *BASE_BENCHMARKS, *_MARKS]


def base(panel: str = "published") -> pd.DataFrame:
    """Base models of one panel, by family and size; scores in percent (0-100), params_b in billions.

    panel: "published" (63 rows as released), "deduplicated" (61 models; the two second rows of Llama 3 left out,
    GPT-J and GPT-NeoX out of Pythia) or "uniform" (148 models of ObsScaling, one harness). `ladder` names the sizes of
    one family that were trained alike and is missing elsewhere; `doubtful` says in words what is wrong with a row.
    Raises UsageError for an unknown panel.
    """
    if panel not in BASE_PANELS:
        raise UsageError(suggest("base panel", panel, BASE_PANELS))
    if panel == "uniform":
        frame = load("uniform_panel")
    elif panel == "published":
        frame = load("base_panel").assign(family=lambda rows: rows["family_published"])
        frame = frame[frame["in_published"].eq(True)]
    else:
        frame = load("base_panel")
        frame = frame[frame["in_deduplicated"].eq(True)]
    return frame[COLUMNS].sort_values(["family", "params_b", "model"], ignore_index=True)


def added() -> pd.DataFrame:
    """Families that were added after the first version, with the columns of `base`; in no panel, so that none moves."""
    rows = load("families")
    return rows.assign(ladder=rows["family"], estimated=False, instruct=False, doubtful=None).reindex(columns=COLUMNS)


def ladder(name: str, *, panel: str = "published") -> pd.DataFrame:
    """The sizes of one family that were trained alike, smallest first, with the columns of `base`.

    name: a ladder ("Pythia", "GPT-Neo/J/NeoX") or a family, which gives its rows that are in a ladder. The published
    panel files GPT-J and GPT-NeoX under Pythia; `ladder("Pythia")` is the eight Pythia sizes all the same. A family of
    `added` is found beside every panel.
    Raises UsageError where no ladder has that name.
    """
    frame = base(panel)
    rows = frame[frame["ladder"] == name]
    if rows.empty:
        rows = frame[frame["ladder"].notna() & (frame["family"] == name)]
    if rows.empty:  # read only then: a claim reads no table that it does not name
        rows = added().query("family == @name")
    if rows["ladder"].nunique() != 1:
        raise UsageError(suggest(f"ladder in the {panel} panel", name, [*ladders(panel), *added()["family"].unique()]))
    return rows.sort_values("params_b", ignore_index=True)


def ladders(panel: str = "published") -> list[str]:
    """Names of the ladders of a panel with at least two sizes, in alphabetical order."""
    counts = base(panel)["ladder"].value_counts()
    return sorted(str(name) for name in counts[counts > 1].index)


def base_versions() -> list[str]:
    """Names of the versions of the base scores: one for each file of the sources that holds some."""
    return sorted(load("base_scores")["version"].unique())


def base_version(version: str) -> pd.DataFrame:
    """Base scores of one version, wide: model, family, ladder, params_b (billions), benchmarks (percent).

    The quadratic vertex of 3.5 B comes out in version "bootstrap_script" only. A benchmark without a value in this
    version has a column of NaN. Raises UsageError for an unknown version.
    """
    if version not in base_versions():
        raise UsageError(suggest("version of the base scores", version, base_versions()))
    scores = load("base_scores")
    scores = scores[scores["version"] == version]
    wide = scores.pivot(index="model", columns="benchmark", values="value")
    wide = wide.reindex(columns=[*BASE_BENCHMARKS, *sorted(set(wide.columns) - set(BASE_BENCHMARKS))])
    about = load("base_panel").set_index("model")[["family", "ladder", "params_b"]]
    frame = about.join(wide, how="right").rename_axis("model").rename_axis(None, axis="columns").reset_index()
    return frame.sort_values(["family", "params_b", "model"], ignore_index=True)


def losses() -> pd.DataFrame:
    """Losses of the Pythia sizes in two series, `published constants` and `measured` (nats per token)."""
    return load("losses")
