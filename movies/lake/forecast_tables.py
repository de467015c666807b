"""The tables of the revenue forecast: names and columns (what they mean is in docs/forecast.md)."""

from __future__ import annotations

from movies.lake.table import declare

# A row a way to forecast and a segment of the held-back movies; the model is `forecast`.
SCORES = declare(
    "forecast/scores",
    "string: model segment",
    "long: movies",
    "double: median_error_factor share_within_factor_2 log_r2 interval_level coverage median_interval_factor",
    "long: movies_learnt_from movies_calibrated_on",
    "integer: held_back_from held_back_until",
    "string: warning",
)
# A row a movie with a known budget, released in the held-back years or later.
PREDICTIONS = declare(
    "forecast/predictions",
    "long: id",
    "string: title",
    "date: release_date",
    "double: budget_musd predicted_musd low_musd high_musd interval_level revenue_musd",
    "double: budget_times_median_roi_musd genre_median_musd",
)
DRIVERS = declare(
    "forecast/drivers",
    "integer: rank",
    "string: driver features",
    "double: log_r2_drop log_r2_drop_std",
    "integer: repeats",
)
FORECAST = (SCORES, PREDICTIONS, DRIVERS)
