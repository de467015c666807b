"""Errors of TMDB, in three families (architecture, rule 6).

* TmdbError
  x TransientError          retried; when tries run out, recorded for the movie
    - RateLimitedError      429, with the seconds the server asks to wait
    - ServerError           5xx, or a 404 that is not TMDB's own
    - ConnectionFailedError time-out, dropped connection, no connection, torn body
    - InvalidPayloadError   a 200 that is not the complete requested movie
      . PageError           a page of HTML, as gateways send it
  x RecordError             permanent for this movie: recorded, the run goes on
    - MovieNotFoundError    404 in TMDB's own words
    - OversizedPayloadError a 200 with a body that is too large
    - UnexpectedStatusError any other answer that a retry would not change
  x FatalError              stops the run at the last checkpoint
    - BadKeyError           401
    - AccessDeniedError     403, or a key that is suspended, disabled or without permission
    - CertificateError      the server's certificate is not valid for its name
    - OutageError           the server answers no request: later stages run on what is there
      . UnreachableError    no connection is made, or each breaks off
      . LongPauseError      the server asks to wait longer than a run may
    - ListFailedError       a list of ids could not be fetched, or not all of it
      . ListOutageError     because the server does not answer
* StoppedError              the run stopped before the answer came; not a failure
* BudgetSpent               the run has used all requests or minutes it may use; not a failure
"""

from __future__ import annotations

from datetime import datetime


class TmdbError(Exception):
    """Base of all errors of this package; `reason` is what the failure table records."""

    reason = "error"
    # How often it was tried, this time included.
    attempts = 1
    # Time of the answer's content by this machine's clock; None if there was no answer.
    content_at: datetime | None = None

    def __init__(self, detail: str, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status

    @property
    def kind(self) -> str:
        """Name of the error in counts."""
        return self.reason if self.http_status in (None, 200) else str(self.http_status)


class TransientError(TmdbError):
    """May be gone on the next try."""

    is_temporary = True

    reason = "exhausted_retries"
    # Whether the server answered, so this is not an outage.
    is_answer = False


class RateLimitedError(TransientError):
    """The server accepts no more requests for a while."""


class ServerError(TransientError):
    """The server answered that it cannot answer now."""


class ConnectionFailedError(TransientError):
    """No whole answer arrived; `never_connected` says whether there was no connection at all."""

    def __init__(self, detail: str, *, never_connected: bool = False) -> None:
        super().__init__(detail)
        self.never_connected = never_connected

    @property
    def kind(self) -> str:
        """The name of the error that httpx raised."""
        return str(self).partition(":")[0]


class InvalidPayloadError(TransientError):
    """A 200 whose body is not a JSON object, is another movie, or lacks credits."""

    reason = "invalid_payload"
    is_answer = True


class PageError(InvalidPayloadError):
    """A page of HTML in place of TMDB's answer."""

    is_answer = False


class RecordError(TmdbError):
    """Concerns one movie only, and a retry would not help."""


class MovieNotFoundError(RecordError):
    """TMDB has no movie of that id."""

    reason = "not_found"


class OversizedPayloadError(RecordError):
    """A body is too large, and was not read to its end; a retry would not help."""

    reason = "invalid_payload"


class UnexpectedStatusError(RecordError):
    """An answer that a retry would not change, such as a redirect or TMDB's "invalid id"."""

    reason = "unexpected_status"


class FatalError(TmdbError):
    """No movie can be fetched until the user acts; the text says what to do."""


class BadKeyError(FatalError):
    """TMDB does not accept the key."""


class AccessDeniedError(FatalError):
    """The server denies access to this key or this address."""


class OutageError(FatalError):
    """The server answers no request for longer than a run waits."""

    is_temporary = True


class UnreachableError(OutageError):
    """No connection can be made, or movie after movie gets no whole answer."""


class LongPauseError(OutageError):
    """The server asked to wait longer than a run may."""


class CertificateError(FatalError):
    """The server's certificate is for another name, has expired, or has an unknown authority."""


class ListFailedError(FatalError):
    """A list of ids is missing or invalid, or is longer than TMDB lists."""


class ListOutageError(ListFailedError, OutageError):
    """A list of ids could not be fetched because the server does not answer."""


class StoppedError(Exception):
    """The run stopped before the answer came."""


class BudgetSpent(Exception):
    """A run has used all the requests or minutes that it may use."""
