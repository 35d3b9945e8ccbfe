"""How two scores move together: between the sizes of one family, over a panel, and among all benchmarks."""

from cape_lib.base.coupling.dimension import EffectiveDimension, effective_dimension
from cape_lib.base.coupling.local import (
    PHASES,
    WholeLadder,
    local_coupling,
    local_couplings,
    phase,
    settled_beyond,
    signs_by_size,
    whole_ladder,
    whole_ladders,
)
from cape_lib.base.coupling.pairs import cut_sweep, pair_couplings
from cape_lib.base.coupling.population import PopulationCoupling, clustered_pearson, population_coupling

__all__ = [
    "PHASES",
    "EffectiveDimension",
    "PopulationCoupling",
    "WholeLadder",
    "clustered_pearson",
    "cut_sweep",
    "effective_dimension",
    "local_coupling",
    "local_couplings",
    "pair_couplings",
    "phase",
    "population_coupling",
    "settled_beyond",
    "signs_by_size",
    "whole_ladder",
    "whole_ladders",
]
