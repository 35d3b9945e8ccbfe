"""The only place with random numbers: bootstrap, permutation, score noise; and intervals in closed form."""

from cape_lib.stats.draws import (
    cluster_bootstrap_counts,
    cluster_bootstrap_indices,
    generator,
    noisy_scores,
    percentile_interval,
    permutation_p,
    permutations_within,
    row_bootstrap_counts,
    row_bootstrap_indices,
)
from cape_lib.stats.estimate import Estimate
from cape_lib.stats.lines import (
    Band,
    Line,
    clustered_fisher,
    complete,
    fisher,
    ols,
    partial_pearson,
    pearson,
    pearson_rows,
)
from cape_lib.stats.noise import (
    ITEM_COUNTS,
    fieller,
    fieller_limits,
    ratio_below,
    score_sd,
    wilson,
    wilson_clustered,
)
from cape_lib.stats.rows import complete_rows, ladder_rows, score_noise

__all__ = [
    "ITEM_COUNTS",
    "Band",
    "Estimate",
    "Line",
    "cluster_bootstrap_counts",
    "cluster_bootstrap_indices",
    "clustered_fisher",
    "complete",
    "complete_rows",
    "fieller",
    "fisher",
    "fieller_limits",
    "generator",
    "ladder_rows",
    "noisy_scores",
    "ols",
    "partial_pearson",
    "pearson",
    "pearson_rows",
    "percentile_interval",
    "permutation_p",
    "permutations_within",
    "ratio_below",
    "row_bootstrap_counts",
    "row_bootstrap_indices",
    "score_noise",
    "score_sd",
    "wilson",
    "wilson_clustered",
]
