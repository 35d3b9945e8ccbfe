"""Probes: how the states that reasoning and truthfulness prompts leave in a model relate, by block and by head.

`capture` reads hidden states, `couplings` measures how they relate, with intervals, `probe` does all of it for one
model, with its output projection, and `twins` sets untrained weights beside it.
"""

from cape_lib.lm.probes.capture import capture, capture_with_heads
from cape_lib.lm.probes.report import (
    Probe,
    check_prompts,
    couplings,
    participation_ratio,
    probe,
    projection_table,
    twins,
    with_placebo,
)
