"""Faults on demand; seed, movie and attempt decide which fault a request gets."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)


class Fault(StrEnum):
    """A kind of wrong answer; `Faults` has the rate of each under the same name."""

    TOO_MANY_REQUESTS = "too_many_requests"  # 429, with Retry-After when `retry_after` is set
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503, with Retry-After as above
    UNAUTHORIZED = "unauthorized"  # 401, as if the key were revoked
    HANG = "hang"  # no answer until the client disconnects
    TORN_BODY = "torn_body"  # half of the announced body, then the connection closes
    DROPPED = "dropped"  # the connection closes without an answer
    DRIP = "drip"  # the body byte by byte, `drip_ms` apart
    REDIRECT = "redirect"  # 302 to the same path below `redirect_to`
    HTML = "html"  # a page with status 200
    NOT_AN_OBJECT = "not_an_object"  # JSON with status 200 that is a list
    MISSING_CREDITS = "missing_credits"  # movies only: the payload without its credits
    WRONG_ID = "wrong_id"  # movies only: the payload carries the next id


class Faults(BaseModel):
    """The faults of the sandbox; by default there are none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    # Share of requests with each fault. A request has one fault at most, so the sum is at most 1.
    too_many_requests: NonNegativeFloat = 0
    server_error: NonNegativeFloat = 0
    unavailable: NonNegativeFloat = 0
    unauthorized: NonNegativeFloat = 0
    hang: NonNegativeFloat = 0
    torn_body: NonNegativeFloat = 0
    dropped: NonNegativeFloat = 0
    drip: NonNegativeFloat = 0
    redirect: NonNegativeFloat = 0
    html: NonNegativeFloat = 0
    not_an_object: NonNegativeFloat = 0
    missing_credits: NonNegativeFloat = 0
    wrong_id: NonNegativeFloat = 0
    by_movie: dict[int, Fault] = Field(default={}, description="movies that always meet one fault")
    first_attempts: NonNegativeInt | None = Field(
        default=None, description="attempts at a movie or list after which it is answered well; None: no end"
    )
    movies_only: bool = Field(default=False, description="leave lists and exports alone")
    retry_after: NonNegativeInt | None = Field(
        default=None, description="seconds that a 429 or 503 asks to wait"
    )
    retry_after_as_date: bool = Field(default=False, description="say it as an HTTP date")
    drip_ms: PositiveFloat = Field(default=50, description="what lies between two bytes that drip")
    redirect_to: str = Field(default="", description="URL of another server")
    latency_ms: NonNegativeFloat = 0
    limit_per_second: PositiveInt | None = Field(
        default=None, description="requests answered in any one second; those above it get a 429"
    )

    @model_validator(mode="after")
    def _require_shares(self) -> Self:
        total = sum(share for _, share in self._shares())
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of all faults add up to {total:g}, and 1 is the most")
        return self

    def draw(self, subject: int | str, attempt: int) -> Fault | None:
        """Return the fault of an attempt (from 1) at a movie id or list path, always the same."""
        if self.first_attempts is not None and attempt > self.first_attempts:
            return None
        if subject in self.by_movie:
            return self.by_movie[int(subject)]
        digest = blake2b(f"{self.seed}:{subject}:{attempt}".encode(), digest_size=8).digest()
        point = int.from_bytes(digest) / 2**64
        for fault, share in self._shares():
            if point < share:
                return fault
            point -= share
        return None

    def _shares(self) -> list[tuple[Fault, float]]:
        return [(fault, getattr(self, fault)) for fault in Fault]


class FaultPlan:
    """The present faults and the attempts so far."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._attempts: Counter[int | str] = Counter()
        self._idle = not faults.by_movie and not any(getattr(faults, fault) for fault in Fault)

    def next_fault(self, subject: int | str) -> Fault | None:
        """Count an attempt and return its fault, if any."""
        if self._idle or (self.faults.movies_only and isinstance(subject, str)):
            return None
        self._attempts[subject] += 1
        return self.faults.draw(subject, self._attempts[subject])


def parse_faults(text: str) -> Faults:
    """Read faults from a JSON object or from `server_error=0.1,latency_ms=20`.

    Raises:
        ValueError: a name is unknown or a value is invalid.
    """
    if text.lstrip().startswith("{"):
        return Faults.model_validate_json(text)
    values: dict[str, Any] = dict(pair.strip().split("=", 1) for pair in text.split(",") if pair.strip())
    return Faults.model_validate(values)
