"""The machine under a live notebook: Colab or not, processors, memory, GPU, and which model sizes fit there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cape_lib.page.text import say, where

#: Bytes a parameter: half precision on a GPU, single on a CPU, where half is slow.
BYTES_ON_GPU, BYTES_ON_CPU = 2, 4
#: What weights may take of the memory; the rest is for activations, Python and the system.
SHARE = 0.8
#: Card -> memory in GB, peak arithmetic in half precision in 10^12 operations a second (NVIDIA's data sheets).
CARDS = {"T4": (16.0, 65.0), "A100": (40.0, 312.0)}
#: The ladder that a session picks a size from, where a chapter looks inside a model: billions -> name on the hub.
LADDER = {size: f"EleutherAI/pythia-{1000 * size:.0f}m" for size in (0.07, 0.16, 0.41)}
LADDER |= {size: f"EleutherAI/pythia-{size:g}b" for size in (1.0, 1.4, 2.8, 6.9, 12.0)}
#: What of the peak a reading of short texts reaches, a cautious figure.
REACHED = 0.3


@dataclass(frozen=True)
class Runtime:
    """What this session computes on; memory in GB (10^9 bytes); gpu is "" where there is none."""

    place: str
    cores: int
    memory_gb: float
    gpu: str = ""
    gpu_memory_gb: float = 0.0

    def __str__(self) -> str:
        cores = f"{self.cores} CPU core" + ("s" if self.cores != 1 else "")
        gpu = f"{self.gpu} with {self.gpu_memory_gb:.0f} GB" if self.gpu else "no GPU"
        return f"{self.place}: {cores}, {self.memory_gb:.0f} GB of memory, {gpu}"

    @property
    def largest_b(self) -> float:
        """The largest language model that fits for reading its states, in billions of parameters."""
        return SHARE * (self.gpu_memory_gb / BYTES_ON_GPU if self.gpu else self.memory_gb / BYTES_ON_CPU)

    def pick(self, sizes_b: Iterable[float]) -> float:
        """The largest of `sizes_b` (billions of parameters) that fits here; the smallest where none does."""
        sizes = sorted(sizes_b)
        return max((size for size in sizes if size <= self.largest_b), default=sizes[0])


def needs(sizes_b: Iterable[float], *, tokens: float = 1e6) -> pd.DataFrame:
    """What reading `tokens` tokens takes on each of `CARDS`: an estimate by arithmetic, not a measurement.

    sizes_b: billions of parameters.  Returns one row a size: parameters (B), weights (GB), and per card the minutes,
    or "does not fit".  Two operations a parameter and token, at `REACHED` of the card's peak.
    """
    rows = pd.DataFrame({"parameters (B)": list(sizes_b)})
    rows["weights (GB)"] = rows["parameters (B)"] * BYTES_ON_GPU
    for card, (memory, peak) in CARDS.items():
        minutes = (2e9 * rows["parameters (B)"] * tokens / (REACHED * peak * 1e12) / 60).map("{:.2g} min".format)
        rows[f"{card}, {memory:g} GB"] = minutes.where(rows["weights (GB)"] <= SHARE * memory, "does not fit")
    return rows


def runtime() -> Runtime:
    """The processors that this process may use, the memory that it may fill and the first NVIDIA GPU."""
    place = "Google Colab" if where() == "colab" else "This machine"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = []  # physical, or the limit of the container where that is less; 0 where the system does not say
    with suppress(AttributeError, ValueError, OSError):
        memory.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # another kind of system, or "max": no limit
            memory.append(int(Path(limit).read_text(encoding="ascii")))
    # the driver is asked: torch need not be there, nor be loaded
    ask, gpu = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"], ("", 0.0)
    with suppress(OSError, subprocess.SubprocessError, IndexError, ValueError):
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True).stdout
        name, mebibytes = answer.splitlines()[0].rsplit(",", 1)
        gpu = name.strip(), float(mebibytes) * 2**20 / 1e9
    return Runtime(place, cores, min(memory, default=0) / 1e9, *gpu)


def tell() -> None:
    """Say which runtime was found and which size to pick there, in a live notebook.

    A published page is read elsewhere than it was made, so that nothing is said there.
    """
    if where() != "book":
        here = runtime()
        fit = f"Language models of up to about {here.largest_b:.2g} billion parameters fit"
        say(f"{here}. {fit}, of Pythia's sizes `{LADDER[here.pick(LADDER)]}`.")
