"""One's own scores, timed: `python benchmarks/bench_import.py` prints one table.

100 results files are read by `cape import` (a fresh process, 25 models of four files, one of them with MMLU's 57
subjects), and the example family of eight sizes is run through `cape family`. On a machine that does other things too,
the processor seconds are the number to trust.
Budget: 100 files in 3 s; a family of eight sizes in 60 s on two cores, its page under 5 MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from results_files import SCORES, harness_0_4, write  # noqa: E402

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


def timed(arguments: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of one command of ours, in a process of its own, its kernels included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "cape_lib.cli", *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = files(folder / "results")
        imported = min(
            timed(["import", str(folder / "results"), "-o", str(folder / f"{i}.csv"), "--quiet"]) for i in range(3)
        )
        family = timed(["family", "examples/my_family.csv", "--name", "Larch", "-o", str(folder / "report"), "--quiet"])
        page = (folder / "report" / "index.html").stat().st_size
    print("what                                  wall, s  processor, s  size, MB  budget")
    print(f"cape import, 100 files                {imported[0]:7.1f}  {imported[1]:12.1f}  {size / 1e6:8.1f}  3 s")
    print(f"cape family, eight sizes              {family[0]:7.1f}  {family[1]:12.1f}  {page / 1e6:8.1f}  60 s, 5 MB")


if __name__ == "__main__":
    main()
