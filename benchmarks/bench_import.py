"""One's own scores, timed: `python -m benchmarks family` prints one table.

100 results files are read by `cape import` (a fresh process, 25 models of four files, one of them with MMLU's 57
subjects), and the example family of eight sizes is run through `cape family`. On a machine that does other things too,
the processor seconds are the number to trust.
Budget: 100 files in 3 s; a family of eight sizes in 60 s on two cores, its page under 5 MB.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT, anchor, cape
from benchmarks.row import Row

sys.path.insert(0, str(ROOT / "tests"))

from results_files import SCORES, harness_0_4, write

MODELS = 25
PARTS = (("hellaswag",), ("truthfulqa_mc1", "truthfulqa_mc2"), ("arc_challenge",), ("winogrande",))


def files(folder: Path) -> int:
    """100 files as the harness writes them, each task's settings padded to their usual size; returns their bytes."""
    total = 0
    for number in range(MODELS):
        for tasks in PARTS:
            scores = {task: SCORES[task] for task in tasks}
            name = f"lab/model-{number}"
            document = harness_0_4(model=name, params=(number + 1) * 1e9, scores=scores, mmlu="winogrande" in tasks)
            for settings in document["configs"].values():
                settings["doc_to_text"] = "x" * 1500
            total += write(folder / f"lab__model-{number}", f"results_{tasks[0]}.json", document).stat().st_size
    return total


NAMES = ("cape import, 100 files", "cape family, eight sizes", "family report")


def rows() -> Iterator[Row]:
    """Seconds of `cape import` and `cape family`, and the report's size in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(folder / "results")
        wall, processor = cape(["import", f"{folder}/results", "-o", f"{folder}/scores.csv", "--force", "--quiet"])
        yield Row(NAMES[0], wall, processor / anchor())
        family = ["family", "examples/my_family.csv", "--name", "Larch", "-o", f"{folder}/report", "--quiet"]
        wall, processor = cape(family, runs=1)
        yield Row(NAMES[1], wall, processor / anchor())
        size = (folder / "report" / "index.html").stat().st_size / 1e6
        yield Row(NAMES[2], size, size)
