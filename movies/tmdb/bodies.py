"""Read bodies of answers: unpack them while they arrive, and limit their size."""

from __future__ import annotations

import httpx

from movies.bounded import LARGEST_ANSWER, NotWholeError, TooLargeError, Unpacker
from movies.tmdb.tmdb_errors import InvalidPayloadError, OversizedPayloadError, TmdbError


async def read_body(response: httpx.Response) -> tuple[httpx.Response, TmdbError | None]:
    """Read an answer's stream; return the answer with its body unpacked, and an error if it is invalid.

    An invalid body is cut at the error. The answer is returned with it because its status may say more.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream), "it comes from an asynchronous client"
    unpacker = Unpacker(LARGEST_ANSWER)
    pieces: list[bytes] = []
    error: TmdbError | None = None
    try:
        async for chunk in response.stream:
            pieces.extend(unpacker.feed(chunk))
        pieces.extend(unpacker.end())
    except TooLargeError as too_large:
        error = OversizedPayloadError(f"the body has {too_large}", 200)
    except NotWholeError as not_whole:
        error = InvalidPayloadError(f"the body cannot be decoded: {not_whole}", 200)
    # The header is ignored, because TMDB once sent gzip without it for days.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
    whole = httpx.Response(
        response.status_code,
        headers=headers,
        content=b"".join(pieces),
        request=response.request,
        extensions=response.extensions,
    )
    return whole, error
