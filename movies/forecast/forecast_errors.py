"""Errors of the forecast; each stops the run with one sentence.

* ForecastError
  x ShortageError        too few movies with a known budget and revenue to learn from
  x SuspectedLeakError   the scores are too good to be true
  x ModelFileError       a model file is missing, damaged, or of other data, code or libraries
  x NoForecastError      a requested movie cannot be forecast
"""

from __future__ import annotations


class ForecastError(Exception):
    """Base of all errors of this package."""


class ShortageError(ForecastError):
    """There are too few movies to learn from; `headline` has the figures alone."""

    def __init__(self, sentence: str, headline: str) -> None:
        super().__init__(sentence)
        self.headline = headline


class SuspectedLeakError(ForecastError):
    """The scores are better than information from before a release can make them."""


class ModelFileError(ForecastError):
    """A model file cannot be used."""


class NoForecastError(ForecastError):
    """A movie cannot be forecast."""
