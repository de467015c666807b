"""What can go wrong with TMDB, in three families (architecture, rule 6).

* TmdbError
  x TransientError          retried; when tries run out, recorded for the movie
    - RateLimitedError      429, with the seconds the server asks to wait
    - ServerError           5xx, or a 404 that is not TMDB's own
    - ConnectionFailedError time-out, dropped connection, no connection, torn body
    - InvalidPayloadError   a 200 that is not the movie asked for, whole
      . PageError           a page of HTML, as gateways send it
  x RecordError             permanent for this movie: recorded, the run goes on
    - MovieNotFoundError    404 in TMDB's own words
    - OversizedPayloadError a 200 with a body of more than is sane
    - UnexpectedStatusError any other answer that a retry would not change
  x FatalError              stops the run at the last checkpoint
    - BadKeyError           401
    - AccessDeniedError     403, or a key that is suspended, disabled or without permission
    - CertificateError      the server does not prove that it is the one asked for
    - OutageError           the server answers no request: later stages run on what is there
      . UnreachableError    no connection is made, or each breaks off
      . LongPauseError      the server asks to wait longer than a run may
    - ListFailedError       a list of ids cannot be had, or not as a whole
      . ListOutageError     because the server does not answer
* StoppedError              the run stops before an answer came; no failure
* BudgetSpent               why it stops where it was given so many requests or minutes; no failure

"""

from __future__ import annotations

from datetime import datetime


class TmdbError(Exception):
    """Base of all errors of this package; `reason` is what the failure table records."""

    reason = "error"
    # How often it was tried, this time included.
    attempts = 1
    # From when the answer's content is, by this machine's clock; None if there was no answer.
    content_at: datetime | None = None

    def __init__(self, detail: str, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status

    @property
    def kind(self) -> str:
        """What a count of errors calls it."""
        return self.reason if self.http_status in (None, 200) else str(self.http_status)


class TransientError(TmdbError):
    """May be gone on the next try."""

    is_temporary = True

    reason = "exhausted_retries"
    # Whether the server answered, so that it is not the server that is away.
    is_answer = False


class RateLimitedError(TransientError):
    """The server refuses more requests for a while."""


class ServerError(TransientError):
    """The server answered that it cannot answer now."""


class ConnectionFailedError(TransientError):
    """No whole answer arrived; `never_connected` tells that not even a connection was made."""

    def __init__(self, detail: str, *, never_connected: bool = False) -> None:
        super().__init__(detail)
        self.never_connected = never_connected

    @property
    def kind(self) -> str:
        """The name of the error that httpx raised."""
        return str(self).partition(":")[0]


class InvalidPayloadError(TransientError):
    """A 200 whose body is no JSON object, is another movie, or lacks credits."""

    reason = "invalid_payload"
    is_answer = True


class PageError(InvalidPayloadError):
    """A page of HTML in place of TMDB's answer."""

    is_answer = False


class RecordError(TmdbError):
    """Will not change on a retry, and concerns one movie only."""


class MovieNotFoundError(RecordError):
    """TMDB has no movie of that id."""

    reason = "not_found"


class OversizedPayloadError(RecordError):
    """A body that was left where it got too large; another try would only read as much once more."""

    reason = "invalid_payload"


class UnexpectedStatusError(RecordError):
    """An answer that a retry would not change, such as a redirect, or an id that TMDB calls invalid."""

    reason = "unexpected_status"


class FatalError(TmdbError):
    """No movie can be fetched until somebody mends something; the text says what."""


class BadKeyError(FatalError):
    """TMDB does not accept the key."""


class AccessDeniedError(FatalError):
    """The server lets nobody in with this key, or from this address."""


class OutageError(FatalError):
    """The server answers no request for longer than a run waits."""

    is_temporary = True


class UnreachableError(OutageError):
    """No connection can be made, or movie after movie gets no whole answer."""


class LongPauseError(OutageError):
    """The server asked to wait longer than a run may."""


class CertificateError(FatalError):
    """The server's certificate is another's, has expired, or comes from an authority nobody knows."""


class ListFailedError(FatalError):
    """A list of ids is not there, is refused, or is longer than TMDB tells."""


class ListOutageError(ListFailedError, OutageError):
    """A list of ids cannot be had because the server does not answer."""


class StoppedError(Exception):
    """The run stopped before the answer came."""


class BudgetSpent(Exception):
    """A run has made all the requests, or used all the minutes, that it was given."""
