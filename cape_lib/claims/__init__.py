"""Every published claim recomputed: judgement held as data, values computed, number and conclusion by rule.

`evaluate("C19")` recomputes claims, `box("C03", "C52")` shows them in a chapter. The functions stand in
`base_models`, `internals` and `releases`, loaded when a claim is asked for.
"""

from cape_lib.claims.registry import (
    CLASSES,
    OURS,
    SOURCES,
    Box,
    as_records,
    badge,
    badges,
    box,
    claim_ids,
    counts,
    evaluate,
    moved,
    own_claim_ids,
    panels_of,
    where,
)
from cape_lib.claims.verdict import (
    CONCLUSIONS,
    SHAPES,
    VERDICTS,
    Part,
    Result,
    Stress,
    Verdict,
    figures,
    how,
    printed,
    tested,
)
