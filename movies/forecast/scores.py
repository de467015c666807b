"""Score forecasts on movies that the model was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from movies.forecast.trees import Floats

# Information from before a release explains about half of the spread of log revenue. A larger share than this
# is treated as a leak of later information.
LARGEST_LOG_R2 = 0.7


@dataclass(frozen=True)
class Score:
    """Scores of one way to forecast on some movies; an error factor is how many times too high or low."""

    movies: int
    median_error_factor: float
    share_within_factor_2: float
    log_r2: float | None
    coverage: float
    median_interval_factor: float


def score(actual: Floats, predicted: Floats, low: Floats, high: Floats) -> Score:
    """Compare forecasts with actual revenues, all in log10; R² is None if all movies earned the same."""
    errors = np.abs(actual - predicted)
    return Score(
        movies=len(actual),
        median_error_factor=float(10 ** np.median(errors)),
        share_within_factor_2=float(np.mean(errors <= np.log10(2))),
        log_r2=log_r2(actual, predicted),
        coverage=float(np.mean((low <= actual) & (actual <= high))),
        median_interval_factor=float(10 ** np.median(high - low)),
    )


def log_r2(actual: Floats, predicted: Floats) -> float | None:
    """Return the explained share of the spread of log revenue; below 0, the mean is better."""
    spread = float(np.sum((actual - actual.mean()) ** 2))
    return None if spread == 0 else 1 - float(np.sum((actual - predicted) ** 2)) / spread


def describe_leak(r2: float | None) -> str | None:
    """Return why a score should not be believed, or None if it may be."""
    if r2 is None or r2 <= LARGEST_LOG_R2:
        return None
    return (
        f"A log R² of {r2:.2f} on held-back movies is more than what is known before a release can explain "
        f"({LARGEST_LOG_R2}): something of what came after it has likely got into the features"
    )
