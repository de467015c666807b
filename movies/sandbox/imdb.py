"""A file of ratings in the shape of IMDb's, for the movies of a sandbox.

Its figures are TMDB's, from the payloads, because IMDb's may not be redistributed.
"""

from __future__ import annotations

import gzip
import json
import re

from movies.sandbox.bundled_movies import Movies

HEADER = "tconst\taverageRating\tnumVotes\n"
LEAST_VOTES = 5
IMDB_ID = re.compile(r"tt[0-9]{7,10}")


def render_ratings(movies: Movies) -> bytes:
    """Return the file, sorted by IMDb's ids, without movies that have too few votes or no id."""
    rows: dict[str, str] = {}
    for payload in movies.given.values():
        movie = json.loads(payload)
        imdb_id, rating, votes = (movie.get(name) for name in ("imdb_id", "vote_average", "vote_count"))
        # Accept an id in any spelling.
        named = IMDB_ID.search(str(imdb_id).lower())
        if named and isinstance(rating, int | float) and isinstance(votes, int) and votes >= LEAST_VOTES:
            rows[named[0]] = f"{named[0]}\t{max(1.0, rating):.1f}\t{votes}\n"
    text = HEADER + "".join(rows[imdb_id] for imdb_id in sorted(rows))
    return gzip.compress(text.encode(), mtime=0)
