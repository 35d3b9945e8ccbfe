"""The tables `data/testbed_*.csv`, each made again by one call: the measurements behind chapters 3, 4 and 5.

Each writes into a folder of the caller's choice. The long ones (grid, surface, trials) go on where an interrupted run
stopped; the others take seconds to a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.lm.testbed import recipes, store
from cape_lib.names import suggest
from cape_lib.output import whole

Report = Callable[[str], None]
#: the seeds of `steering.surface` and of the experiment on width, as in the book
SURFACE_SEEDS = (1, 2, 3)
WIDTH_SEEDS = (1, 2, 3, 4, 5)


def scores(folder: Path, _report: Report) -> None:
    """testbed_scores.csv and testbed_curves.csv, out of the cards of the shipped models; nothing is computed."""
    _write(pd.DataFrame(store.score_rows(store.home())), folder / "testbed_scores.csv")
    _write(pd.DataFrame(store.curve_rows(store.home())), folder / "testbed_curves.csv")


def grid(folder: Path, report: Report) -> None:
    """testbed_grid.csv: trains about a hundred models, half a minute of a core each."""
    from cape_lib.lm.testbed import grids

    grids.run("curation", folder / "testbed_grid.csv", report=report)
    grids.run("fixed-parameters", folder / "testbed_grid.csv", seeds=WIDTH_SEEDS, report=report)


def probes(folder: Path, report: Report) -> None:
    """testbed_probes.csv, testbed_projection.csv and testbed_heads.csv: each model and its untrained twin."""
    from cape_lib.lm import models
    from cape_lib.lm import probes as probing
    from cape_lib.lm.testbed import prompts

    layers, output, heads = [], [], []
    for name, recipe in recipes.shipped().items():
        if name.startswith("K"):
            continue
        lm = models.load(store.folder_of(name))
        found = probing.twins(lm, prompts.probe_sets(recipe), seeds=(recipe.seed,))
        for weights, one in zip(("trained", "untrained"), found, strict=True):
            about = {"model": name, "weights": weights, "width": recipe.width}
            layers.append(_about(about, one.layers))
            output.append(_about(about, one.projection))
            heads.append(about | {"heads": len(one.heads), "competing": one.competing,
                                  "cooperating": one.cooperating, "texts": one.n_texts})  # fmt: skip
        report(name)
    _write(pd.concat(layers), folder / "testbed_probes.csv")
    _write(pd.concat(output), folder / "testbed_projection.csv")
    _write(pd.DataFrame(heads), folder / "testbed_heads.csv")


def surface(folder: Path, report: Report) -> None:
    """testbed_surface.csv: every place and strength, on ladder D and world R."""
    from cape_lib.lm import models
    from cape_lib.lm.steering.protocol import Plan
    from cape_lib.lm.steering.surface import surface as measure
    from cape_lib.lm.testbed import prompts

    table = folder / "testbed_surface.csv"
    done = set(pd.read_csv(table)[["model", "contrast"]].itertuples(index=False, name=None)) if table.is_file() else ()
    for name, contrast in _surfaces():
        if (name, contrast) in done:
            continue
        recipe = recipes.named(name)
        pairs, neutral = prompts.contrast(recipe, contrast), prompts.neutral(recipe, n=16)
        lm = models.load(store.folder_of(name))
        made = measure(lm, prompts.truth_table(recipe), pairs, Plan(seed=recipe.seed), neutral=neutral).round(4)
        _about({"model": name, "contrast": contrast, "width": recipe.width}, made).to_csv(
            table, mode="a", header=not table.is_file(), index=False, lineterminator="\n"
        )
        report(f"{name} {contrast}")


def _surfaces() -> Iterator[tuple[str, str]]:
    for seed in SURFACE_SEEDS:
        for width in sorted(recipes.WIDTHS, key=str):
            yield f"D-d{width}-s{seed}", "reg"
        for contrast in ("ctx", "reg"):
            yield f"R-s{seed}", contrast


def trials(folder: Path, report: Report) -> None:
    """testbed_trials.csv, testbed_controls.csv and testbed_pooled.csv: the protocol where the answer is known."""
    from cape_lib.lm.testbed import trials as protocol

    protocol.run(folder, report=report)
    order = [trial.name for trial in protocol.trials()]
    table = pd.read_csv(folder / "testbed_trials.csv", dtype=str, keep_default_na=False).set_index("trial")
    _write(table.loc[order].reset_index(), folder / "testbed_trials.csv")  # whatever order interrupted runs left
    _write(protocol.pooled(pd.read_csv(folder / "testbed_trials.csv")), folder / "testbed_pooled.csv")


def registers(folder: Path, report: Report) -> None:
    """testbed_registers.csv: what the directions of world R do to questions in every register and context."""
    from cape_lib.lm.testbed import tones

    rows = []
    for seed in recipes.R_SEEDS:
        for contrast in ("ctx", "reg"):
            rows.append(tones.tones(f"R-s{seed}", contrast))
            report(f"R-s{seed} {contrast}")
    _write(pd.concat(rows), folder / "testbed_registers.csv")


TABLES: dict[str, Callable[[Path, Report], None]] = {
    "scores": scores, "grid": grid, "probes": probes, "surface": surface, "trials": trials, "registers": registers,
}  # fmt: skip


def measure(table: str, folder: Path, *, report: Report = print) -> None:
    """Make the tables of one experiment in `folder`; UsageError for an experiment that is not in TABLES."""
    if table not in TABLES:
        raise UsageError(suggest("experiment", table, TABLES))
    TABLES[table](store.made_folder(folder), report)


def _about(about: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**about)[[*about, *table.columns]].round(4)


def _write(table: pd.DataFrame, path: Path) -> None:
    """The table as data/ keeps tables; whole or not at all."""
    flags = table.select_dtypes(bool).columns
    table = table.assign(**{name: table[name].map({True: "true", False: "false"}) for name in flags})
    with whole(path) as draft:
        table.to_csv(draft, index=False, lineterminator="\n")
