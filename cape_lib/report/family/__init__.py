"""The chapters rerun on one's own scores: what they allow, the report, and what to measure next."""

from cape_lib.report.family.planning import LEAST_SIZES, Part, Plan, parts, plan
from cape_lib.report.family.rerun import rerun, stored
from cape_lib.report.family.summary import (
    about,
    bullets,
    cannot_show,
    diagnose,
    figures,
    headline,
    numbers,
    opening,
    ready_to_run,
    what_next,
)
