"""The frontier: two scores of a release, the line through all of them, and what lies off it.

What is imported here is what the room offers.
"""

from cape_lib.frontier.influence import (
    cell_effects,
    compute_tiers,
    correction_effects,
    date_confound,
    effort_contrasts,
    headline_numbers,
    influence,
    pair_table,
    published_matrix,
    range_cuts,
    subset_correlations,
)
from cape_lib.frontier.labs import (
    Heterogeneity,
    check_lab,
    heterogeneity,
    known_errors,
    lab_line,
    lab_means,
    lab_permutation,
    lab_r,
    lab_slopes,
    leave_one_lab_out,
    shrunken_slopes,
)
from cape_lib.frontier.lines import (
    LINES,
    NO_LABEL,
    FrontierLine,
    beside_curve,
    complete_rows,
    curve_score,
    emphasis_of,
    fit_line,
    frozen_rows,
    h_field,
    labelled,
    later_releases,
    line,
    next_steps,
    phase_of,
    published_band,
    read_h,
)
from cape_lib.frontier.saturation import (
    TRUE_SPREAD,
    Saturation,
    SpreadDraws,
    noise_spread,
    rotation,
    saturation,
    spread,
    spread_draws,
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
