"""Every published claim recomputed: judgement held as data, values computed, number and conclusion by rule.

`evaluate("C19")` recomputes claims, `box("C03", "C52")` shows them in a chapter. The functions stand in
`base_models`, `internals`, `releases` and `c09_today`, loaded when a claim is asked for.
"""

from cape_lib.claims.box import CLASSES, Box, badge, box, figures, how, printed, tested
from cape_lib.claims.registry import (
    OURS,
    as_records,
    claim_ids,
    counts,
    evaluate,
    own_claim_ids,
    panels_of,
    where,
)
from cape_lib.claims.verdict import (
    CONCLUSIONS,
    SHAPES,
    TAKES,
    VERDICTS,
    Part,
    Result,
    Stress,
    Verdict,
    answer,
    matches,
    stress,
    weakest,
)
