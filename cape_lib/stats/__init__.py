"""The only place with random numbers: bootstrap, permutation, score noise; and intervals in closed form."""

from cape_lib.stats.cosine import (
    Cosines,
    cosines_of_means,
    repeat_cosine,
)
from cape_lib.stats.draws import (
    cluster_bootstrap_counts,
    fixed_normals,
    generator,
    labels_to_codes,
    noisy_scores,
    percentile_interval,
    permutation_p,
    permutations_within,
    row_bootstrap_counts,
)
from cape_lib.stats.estimate import (
    POWER,
    Estimate,
    corrected,
    normal_estimate,
    normal_p,
    p_short,
    p_text,
    seen_difference,
    seen_effect,
    seen_share,
    seen_signs,
    seen_words,
)
from cape_lib.stats.lines import (
    LEAST_CLUSTERS,
    RATIO,
    Band,
    Line,
    cluster_count,
    clustered,
    clustered_r,
    clustered_share,
    clustered_slope,
    complete,
    fisher,
    isocline,
    left_out_interval,
    mean_interval,
    ols,
    partial_pearson,
    pearson,
    pearson_rows,
    student,
)
from cape_lib.stats.noise import (
    complete_rows,
    fieller,
    fieller_limits,
    ladder_rows,
    ratio_below,
    score_noise,
    score_sd,
    wilson,
    wilson_clustered,
)
