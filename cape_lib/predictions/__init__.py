"""The papers' seven dated predictions and the book's own, held as data and decided by rule."""

from cape_lib.predictions.cards import (
    Prediction,
    Quantity,
    check_date,
    newest_date,
    own_predictions,
    prediction,
    predictions,
)
from cape_lib.predictions.scoring import (
    CANNOT,
    LEANS_PASS,
    NAMED,
    SETTINGS,
    STATUSES,
    Scored,
    as_table,
    hangs_on,
    other_rankings,
    over_time,
    power,
    resolves,
    score,
    score_all,
    sensitivity,
    transcribed,
    turns,
)
