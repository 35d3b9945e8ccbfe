"""Every published claim recomputed: a function each, judgement held as data, the verdict by rule.

`evaluate("C19")` recomputes claims, `box("C03", "C52")` shows them in a chapter. The functions stand in one small
file a chapter (`c01_coupling` ...), loaded only when one of their claims is asked for.
"""

from cape_lib.claims.box import CLASSES, Box, badge, box, figures, how, last_digit, printed
from cape_lib.claims.evaluate import as_records, counts, evaluate, panels_of
from cape_lib.claims.overview import Overview, overview
from cape_lib.claims.registry import claim_ids, where
from cape_lib.claims.rule import SHAPES, VERDICTS, matches, weakest
from cape_lib.claims.verdict import Part, Result, Stress, Verdict

__all__ = [
    "CLASSES",
    "SHAPES",
    "VERDICTS",
    "Box",
    "Overview",
    "Part",
    "Result",
    "Stress",
    "Verdict",
    "as_records",
    "badge",
    "box",
    "claim_ids",
    "counts",
    "evaluate",
    "figures",
    "how",
    "last_digit",
    "matches",
    "overview",
    "panels_of",
    "printed",
    "weakest",
    "where",
]
