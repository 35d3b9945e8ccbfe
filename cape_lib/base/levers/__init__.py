"""The levers of the papers (width, curation, architecture), each with its null or with what is confounded."""

from cape_lib.base.levers.contrasts import CONFOUNDED, architecture_rows, generation_pairs
from cape_lib.base.levers.curation import (
    CRITICAL_B,
    READINGS,
    WebTrend,
    curated,
    curation_contrasts,
    equivalent_scale,
    minimum_curation,
    ten_times,
    web_trained,
    web_trend,
)
from cape_lib.base.levers.width import (
    REFERENCE_WIDTH,
    WidthNull,
    normalise,
    random_r,
    width_by_ladder,
    width_normalised,
)

__all__ = [
    "CONFOUNDED",
    "CRITICAL_B",
    "READINGS",
    "REFERENCE_WIDTH",
    "WebTrend",
    "WidthNull",
    "architecture_rows",
    "curated",
    "curation_contrasts",
    "equivalent_scale",
    "generation_pairs",
    "minimum_curation",
    "normalise",
    "random_r",
    "ten_times",
    "web_trained",
    "web_trend",
    "width_by_ladder",
    "width_normalised",
]
