"""How two scores move together: between the sizes of one family, over a panel, and among all benchmarks.

Figures: `charts.coupling`, `charts.intro`; sentences: `story.coupling`.
"""

from cape_lib.base.coupling.families import (
    NEAR,
    SIZE_RULE,
    SIZE_RULES,
    TOKEN_EDGE,
    BaseRate,
    FamilyModel,
    base_rate,
    family_model,
    gamma_regression,
    known_steps,
    negative_share,
    partial_couplings,
    sign_regression,
    signs_by_size,
    signs_by_tokens,
    training_tokens,
)
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
from cape_lib.base.coupling.panels import (
    EffectiveDimension,
    PopulationCoupling,
    clustered_pearson,
    cut_sweep,
    effective_dimension,
    pair_couplings,
    population_coupling,
)
