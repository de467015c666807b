"""Send answers in TMDB's form, and broken ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from starlette.types import Receive, Send

JSON = b"application/json;charset=utf-8"
HTML = b"text/html; charset=utf-8"

Header = tuple[bytes, bytes]


class ErrorAnswer(NamedTuple):
    """An error answer with TMDB's own status code."""

    http_status: int
    status_code: int
    status_message: str

    @property
    def body(self) -> bytes:
        """The error as TMDB's JSON."""
        return encode(
            {"success": False, "status_code": self.status_code, "status_message": self.status_message}
        )


INVALID_PARAMETERS = ErrorAnswer(422, 5, "Invalid parameters: Your request parameters are incorrect.")
INVALID_ID = ErrorAnswer(404, 6, "Invalid id: The pre-requisite id is invalid or not found.")
INVALID_KEY = ErrorAnswer(401, 7, "Invalid API key: You must be granted a valid key.")
OFFLINE = ErrorAnswer(503, 9, "Service offline: This service is temporarily offline, try again later.")
INTERNAL_ERROR = ErrorAnswer(500, 11, "Internal error: Something went wrong, contact TMDb.")
INVALID_WINDOW = ErrorAnswer(422, 20, "Invalid date range: Should be a range no longer than 14 days.")
INVALID_PAGE = ErrorAnswer(
    400, 22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."
)
OVER_LIMIT = ErrorAnswer(429, 25, "Your request count is over the allowed limit.")
TOO_MANY_APPENDICES = ErrorAnswer(
    400, 27, "Too many append to response objects: The maximum number of remote calls is 20."
)
NOT_FOUND = ErrorAnswer(404, 34, "The resource you requested could not be found.")


class Refused(Exception):
    """A route rejects a request."""

    def __init__(self, refusal: ErrorAnswer) -> None:
        super().__init__(refusal.status_message)
        self.refusal = refusal


def encode(value: Any) -> bytes:
    """Encode a value as compact JSON."""
    return msgspec.json.encode(value)


async def respond(
    send: Send, status: int, body: bytes, content_type: bytes = JSON, headers: Iterable[Header] = ()
) -> None:
    """Send a whole answer."""
    await send(_start(status, len(body), content_type, headers))
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, refusal: ErrorAnswer, headers: Iterable[Header] = ()) -> None:
    """Send an error answer."""
    await respond(send, refusal.http_status, refusal.body, headers=headers)


async def respond_torn(receive: Receive, send: Send, body: bytes) -> None:
    """Announce the whole body, send half of it, and close the connection."""
    await send(_start(200, len(body), JSON, ()))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await drop_connection(receive, send)


async def respond_dripping(receive: Receive, send: Send, body: bytes, seconds_between: float) -> None:
    """Send the body byte by byte, until the client disconnects."""
    await send(_start(200, len(body), JSON, ()))
    departure = asyncio.create_task(await_departure(receive))
    try:
        for byte in body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.wait([departure], timeout=seconds_between)
            if departure.done():
                return
        await send({"type": "http.response.body"})
    finally:
        departure.cancel()


async def redirect(send: Send, url: str) -> None:
    """Redirect the client to another URL."""
    await respond(send, 302, b"", headers=[(b"location", url.encode())])


async def drop_connection(receive: Receive, send: Send) -> None:
    """Close the connection after all sent bytes are out."""
    # ASGI cannot do this, but `send` is a method of uvicorn's object that has the connection.
    send.__self__.transport.close()  # type: ignore[attr-defined]
    await await_departure(receive)


async def await_departure(receive: Receive) -> None:
    """Wait, without an answer, until the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(status: int, length: int, content_type: bytes, headers: Iterable[Header]) -> dict[str, Any]:
    sized = (b"content-type", content_type), (b"content-length", b"%d" % length)
    return {"type": "http.response.start", "status": status, "headers": [*sized, *headers]}
