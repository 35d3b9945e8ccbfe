"""The table of coverage: every part of the library that states an interval or a verdict, on planted truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from experiments.coverage import cosines, couplings, levers, releases, scales, steps, today
from experiments.coverage.rates import Rate, streams

Part = Callable[[int, np.random.Generator], Iterator[Rate]]
#: name -> what yields its rows from a number of replications and a generator
PARTS: dict[str, Part] = {
    "critical scales": scales.rates,
    "power": scales.power,
    "pooled vertex": scales.pooled_rates,
    "local coupling": couplings.gamma_rates,
    "population coupling": couplings.panel_rates,
    "cosines": cosines.rates,
    "effective dimension": couplings.dimension_rates,
    "shares": couplings.share_rates,
    steps.PART: steps.rates,
    "h-field": releases.h_rates,
    "step or excursion": releases.rule_rates,
    "lab slopes": releases.lab_rates,
    releases.SPREADS: releases.spread_rates,
    levers.PART: levers.rates,
    today.VARIANTS: today.variant_rates,
    today.LEVERS: today.lever_rates,
    today.TRAINING: today.training_rates,
}


def run_part(name: str, *, replications: int, seed: int = 0) -> pd.DataFrame:
    """The rows of one part: part, method, truth, n, noise, measure, unit, value, low, high, replications, role, label.

    name: a key of `PARTS` (UsageError else); replications: how many families, panels or releases are planted a row.
    The same seed gives the same rows, whichever other parts are run.
    """
    if name not in PARTS:
        raise UsageError(suggest("part", name, PARTS))
    rows = pd.DataFrame(list(PARTS[name](replications, streams(seed, name))))
    return rows.round({"value": 4, "low": 4, "high": 4})
