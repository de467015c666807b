"""Errors of IMDb's files; each text is a sentence for the user.

* ImdbError
  x UnavailableError   the file cannot be read, or could not be fetched
  x NotRatingsError    the content is not a file of ratings, or is torn
"""

from __future__ import annotations


class ImdbError(Exception):
    """Base of all errors of this package."""


class UnavailableError(ImdbError):
    """The file could not be fetched or read."""

    is_temporary = True


class NotRatingsError(ImdbError):
    """The content is not a file of ratings, or is torn."""
