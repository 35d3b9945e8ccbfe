"""One's own scores, timed: `python -m benchmarks family` prints one table.

100 and 1,000 results files are read by `cape import` (a fresh process, models of four files, one of them with MMLU's 57
subjects), a table of 10,000 rows is taken in, and the example family of eight sizes is run through `cape family`. On a
machine that does other things too, the processor seconds are the number to trust: the value beside each budget is the
lesser of wall and processor seconds where one process does the work.
Budget: 100 files in 3 s, 1,000 in 20 s; 10,000 rows in 1 s; a family of eight sizes in 30 s, its page under 5 MB.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT, anchor, cape
from benchmarks.row import Row

sys.path.insert(0, str(ROOT / "tests"))

from results_files import SCORES, harness_0_4, write

PARTS = (("hellaswag",), ("truthfulqa_mc1", "truthfulqa_mc2"), ("arc_challenge",), ("winogrande",))


def files(folder: Path, count: int) -> int:
    """So many files as the harness writes them, the settings padded to their usual size; returns their bytes."""
    total = 0
    for number in range(count // len(PARTS)):
        for tasks in PARTS:
            scores = {task: SCORES[task] for task in tasks}
            name = f"lab/model-{number}"
            document = harness_0_4(model=name, params=(number + 1) * 1e9, scores=scores, mmlu="winogrande" in tasks)
            for settings in document["configs"].values():
                settings["doc_to_text"] = "x" * 1500
            total += write(folder / f"lab__model-{number}", f"results_{tasks[0]}.json", document).stat().st_size
    return total


NAMES = (
    "cape import, 100 files",
    "cape import, 1000 files",
    "intake of a table of 10,000 rows",
    "cape family, eight sizes",
    "family report",
)
ROWS = 10_000


def table(path: Path) -> None:
    """A table of many families as people have them: usual heads, sizes with units, standard errors, a text column."""
    lines = ["Model,Model Family,Params,HellaSwag (10-shot),TruthfulQA MC2,MMLU 5-shot,notes"]
    for at in range(ROWS):
        size = 0.1 * 2 ** (at % 10)
        scores = f"{30 + at % 60}.25±0.5,{35 + at % 13}.5±1.4,{25 + at % 40}.1"
        lines.append(f"f{at // 10}-{size:.3g}B,Family {at // 10},{size:.3g}B,{scores},made up")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def intake(path: Path, runs: int = 3) -> float:
    """Processor seconds of reading and checking a table, the library being loaded."""
    from cape_lib.ingest import read_any

    times = []
    for _ in range(runs):
        start = time.process_time()
        if len(read_any([str(path)]).scores.frame) != ROWS:
            raise SystemExit(f"benchmarks: {path} lost rows")
        times.append(time.process_time() - start)
    return min(times)


def rows() -> Iterator[Row]:
    """Seconds of `cape import`, of an intake and of `cape family`, and the report's size in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for line, count in zip(NAMES[:2], (100, 1000), strict=True):
            files(folder / f"results-{count}", count)
            command = ["import", f"{folder}/results-{count}", "-o", f"{folder}/scores.csv", "--force", "--quiet"]
            wall, processor = cape(command, runs=3 if count == 100 else 1)
            yield Row(line, min(wall, processor), processor / anchor())
        table(folder / "table.csv")
        seconds = intake(folder / "table.csv")
        yield Row(NAMES[2], seconds, seconds / anchor())
        family = ["family", "examples/my_family.csv", "--name", "Larch", "-o", f"{folder}/report", "--quiet"]
        wall, processor = cape(family, runs=1)
        yield Row(NAMES[3], min(wall, processor), processor / anchor())
        size = (folder / "report" / "index.html").stat().st_size / 1e6
        yield Row(NAMES[4], size, size)
