"""The frontier: two scores of a release, the line through all of them, and what lies off it.

What is imported here is what the room offers on releases; the modules on model variants (`variants`, `effort`) go by
their names.
"""

from cape_lib.frontier.labs import (
    cell_effects,
    check_lab,
    compute_tiers,
    correction_effects,
    date_confound,
    effort_contrasts,
    headline_numbers,
    heterogeneity,
    influence,
    known_errors,
    lab_line,
    lab_means,
    lab_permutation,
    lab_r,
    lab_slopes,
    leave_one_lab_out,
    pair_table,
    published_matrix,
    range_cuts,
    shrunken_slopes,
    subset_correlations,
)
from cape_lib.frontier.lines import (
    LINES,
    NO_LABEL,
    FrontierLine,
    beside_curve,
    complete_rows,
    curve_score,
    fit_line,
    frozen_rows,
    h_field,
    labelled,
    later_releases,
    line,
    next_steps,
    published_band,
    read_h,
)
from cape_lib.frontier.saturation import (
    TRUE_SPREAD,
    noise_spread,
    rotation,
    saturation,
    spread,
    spread_draws,
    spread_interval,
    top_rows,
)
from cape_lib.frontier.trajectory import (
    change_limit,
    changes,
    classify_changes,
    order_null,
    rule_error_rates,
    trajectories,
    within_lab_scatter,
)
