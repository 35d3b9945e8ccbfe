"""How two scores move together: between the sizes of one family, over a panel, and among all benchmarks."""

from cape_lib.base.coupling.all_families import FamilyModel, family_model
from cape_lib.base.coupling.dimension import EffectiveDimension, effective_dimension
from cape_lib.base.coupling.local import (
    PHASES,
    WholeLadder,
    local_coupling,
    local_couplings,
    phase,
    settled_beyond,
    whole_ladder,
    whole_ladders,
)
from cape_lib.base.coupling.population import (
    PopulationCoupling,
    clustered_pearson,
    cut_sweep,
    pair_couplings,
    population_coupling,
)
from cape_lib.base.coupling.steps import (
    SIZE_RULE,
    SIZE_RULES,
    TOKEN_EDGE,
    BaseRate,
    base_rate,
    gamma_regression,
    known_steps,
    negative_share,
    partial_couplings,
    sign_regression,
    signs_by_size,
    signs_by_tokens,
    training_tokens,
)

__all__ = [
    "PHASES",
    "SIZE_RULE",
    "SIZE_RULES",
    "TOKEN_EDGE",
    "BaseRate",
    "EffectiveDimension",
    "FamilyModel",
    "PopulationCoupling",
    "WholeLadder",
    "base_rate",
    "clustered_pearson",
    "cut_sweep",
    "effective_dimension",
    "family_model",
    "gamma_regression",
    "known_steps",
    "local_coupling",
    "local_couplings",
    "negative_share",
    "pair_couplings",
    "partial_couplings",
    "phase",
    "population_coupling",
    "settled_beyond",
    "sign_regression",
    "signs_by_size",
    "signs_by_tokens",
    "training_tokens",
    "whole_ladder",
    "whole_ladders",
]
