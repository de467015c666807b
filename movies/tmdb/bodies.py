"""Bodies of answers, unpacked as they come and never larger than is sane."""

from __future__ import annotations

import httpx

from movies.bounded import LARGEST_ANSWER, NotWholeError, TooLargeError, Unpacker
from movies.tmdb.errors import InvalidPayloadError, OversizedPayloadError, TmdbError


async def read_body(response: httpx.Response) -> tuple[httpx.Response, TmdbError | None]:
    """Read what an answer streams: the answer with its body unpacked, and what is wrong with that.

    Where something is wrong, the body ends there: the answer's status may say more.
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
    # The bytes themselves were asked: TMDB has sent gzip for days that no header told of.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
    whole = httpx.Response(
        response.status_code,
        headers=headers,
        content=b"".join(pieces),
        request=response.request,
        extensions=response.extensions,
    )
    return whole, error
