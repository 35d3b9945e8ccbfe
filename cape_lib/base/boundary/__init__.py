"""Where a family is said to turn from fighting to cooperating: critical scales, U shapes and the isocline.

Figures: `charts.boundary`; sentences: `story.boundary`.
"""

from cape_lib.base.boundary.isocline import (
    READINGS,
    calibrate,
    classify,
    compare_readings,
    ratio_sweep,
)
from cape_lib.base.boundary.quadratic import (
    Parabolas,
    UShape,
    VertexBootstrap,
    fit_parabolas,
    u_shape,
    vertex_bootstrap,
    vertex_intervals,
)
from cape_lib.base.boundary.scales import (
    ESTIMATORS,
    BoundaryPower,
    boundary_power,
    critical_scales,
    power_table,
    turn_p,
)
from cape_lib.stats import RATIO, isocline

__all__ = [
    "ESTIMATORS",
    "RATIO",
    "READINGS",
    "BoundaryPower",
    "Parabolas",
    "UShape",
    "VertexBootstrap",
    "boundary_power",
    "calibrate",
    "classify",
    "compare_readings",
    "critical_scales",
    "fit_parabolas",
    "isocline",
    "power_table",
    "ratio_sweep",
    "turn_p",
    "u_shape",
    "vertex_bootstrap",
    "vertex_intervals",
]
