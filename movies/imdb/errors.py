"""What can go wrong with IMDb's files; the text is one sentence for whoever runs the pipeline.

* ImdbError
  x UnavailableError   the file cannot be read, or the server does not give it
  x NotRatingsError    what is there is no file of ratings, or a torn one
"""

from __future__ import annotations


class ImdbError(Exception):
    """Base of all errors of this package."""


class UnavailableError(ImdbError):
    """The file cannot be had."""

    is_temporary = True


class NotRatingsError(ImdbError):
    """What was found in the place of the file."""
