"""The tables of the revenue forecast: names and columns (see docs/forecast.md)."""

from __future__ import annotations

from movies.lake.silver_tables import SILVER_MOVIES
from movies.lake.table import declare, pick

SCORES = declare(
    "forecast/scores",
    "Ways to forecast revenue, and how well each did on held-back movies.",
    """
    string model: Way to forecast: `forecast`, or a plain guess.
    string segment: Movies that it is scored on: all, a year, or a tier of budgets.
    long movies: Number of these movies.
    double median_error_factor: Median factor by which forecasts are too high or too low.
    double share_within_factor_2: Share of movies whose forecast is at most twice too high or too low.
    double log_r2: Share of the variance of log revenue that is explained; below 0 one number is better.
    double interval_level: Share of movies that should be in the interval.
    double coverage: Share of movies that are in the interval.
    double median_interval_factor: Median of the interval's high end divided by its low end.
    long movies_learnt_from: Number of movies that the model was trained on.
    long movies_calibrated_on: Number of those whose late errors made the interval.
    integer held_back_from: First release year that was held back.
    integer held_back_until: Last release year that was held back.
    string warning: Why the scores should not be believed; null if they may be.
    """,
)
PREDICTIONS = declare(
    "forecast/predictions",
    "Movies with a budget, released in the held-back years or later, and what they may earn.",
    pick(SILVER_MOVIES, "id title release_date budget_musd"),
    """
    double predicted_musd: Forecast of the revenue, in millions of dollars.
    double low_musd: Low end of the forecast's interval, in millions of dollars.
    double high_musd: High end of the forecast's interval, in millions of dollars.
    double interval_level: Share of movies whose revenue should be in the interval.
    """,
    pick(SILVER_MOVIES, "revenue_musd"),
    """
    double budget_times_median_roi_musd: Plain guess: budget times median return, in millions of dollars.
    double genre_median_musd: Plain guess: median revenue of the genre, in millions of dollars.
    """,
)
DRIVERS = declare(
    "forecast/drivers",
    "What forecasts depend on, and how much is lost without it.",
    """
    integer rank: Place by what is lost without the driver, from 1.
    string driver: Property of movies.
    string features: Features that describe the property, joined by `|`.
    double log_r2_drop: Mean loss of log R² if the features are shuffled.
    double log_r2_drop_std: Standard deviation of the loss over the repeats.
    integer repeats: Number of times that the features were shuffled.
    """,
)
FORECAST = (SCORES, PREDICTIONS, DRIVERS)
