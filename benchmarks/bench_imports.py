"""What an import costs: `python -m benchmarks imports` prints one table.

Each statement runs in a fresh interpreter, five times, the best counts; the ratio is of processor seconds to those of
`import pandas, scipy.stats`. Budget: 1.3 times the anchor; figures, which need altair, twice that.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import anchor, best
from benchmarks.row import Row

INSTRUMENTS = ("tables", "resampling", "ingest", "coupling", "boundary", "levers", "frontier", "predictions", "claims")
#: name -> statement
STATEMENTS = {
    "import cape_lib": "import cape_lib",
    "import every instrument": f"from cape_lib import {', '.join(INSTRUMENTS)}",
    "import cape_lib.charts": "import cape_lib.charts",
}


def rows() -> Iterator[Row]:
    """One row a statement; the value is the ratio itself."""
    for name, statement in STATEMENTS.items():
        ratio = best(["-c", statement], 5)[1] / anchor()
        yield Row(name, ratio, ratio)
