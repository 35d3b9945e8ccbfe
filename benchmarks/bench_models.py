"""Steering and probing as ratios: `python -m benchmarks models` prints one table; `bench_lm.py` measures more."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.processes import anchor
from benchmarks.row import Row

#: name -> what `bench_lm` calls it
STEERING = {
    "steering: as fast as plain generate": "plain generate, batch 64",
    "steering: as fast as one prompt at a time": "one prompt at a time",
}
NAMES = (*STEERING, "probing: times the forward passes", "steering protocol with its controls")


def rows() -> Iterator[Row]:
    """The ratios of one shape on this machine's processor or accelerator, in turn with what they are compared with."""
    import torch

    from benchmarks import bench_lm

    torch.set_num_threads(os.cpu_count() or 1)  # what ran before in this process may have left it at one
    device = "cuda" if torch.cuda.is_available() else "cpu"
    result = {row["what"]: row["ratio"] for row in bench_lm.steering_cost("70m", device, 3)}
    for name, what in STEERING.items():
        yield Row(name, result[what], result[what])
    probing = bench_lm.probe_cost("70m", device)["ratio"]
    yield Row(NAMES[2], probing, probing)
    protocol = bench_lm.protocol_cost()
    yield Row(NAMES[3], protocol["seconds"], protocol["cpu"] / anchor())
