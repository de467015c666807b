"""Made-up movies for load tests: any number, the same at every call, and cheap to produce.

A payload is one of a few templates, rendered once, with the movie's own values inserted into its bytes.
"""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

from movies.sandbox.answer_bodies import encode
from movies.sandbox.movie_catalogue import build_cast, build_crew, build_payload

DEFAULT_PAYLOAD_BYTES = 17_000
TEMPLATES = 48
FIRST_PERSON_ID = 95_000_000
CAST_SHARE = 0.25  # of all credits, as in TMDB's payloads

ADJECTIVES = ("Amber", "Broken", "Crimson", "Distant", "Electric", "Fading", "Golden", "Hidden", "Last")
NOUNS = ("Anchor", "Bridge", "Comet", "Desert", "Echo", "Forest", "Garden", "Harbour", "Island", "Journey")
FIRST_NAMES = ("Ada", "Carla", "Dario", "Edda", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Kira", "Leon")
LAST_NAMES = ("Albers", "Brandt", "Castel", "Dorn", "Ekberg", "Farkas", "Grau", "Holm", "Jansen", "Novak")

# In the format of `movies.json`, so that one function builds both.
NAMES: dict[str, Any] = {
    "genres": {
        "Action": 28,
        "Adventure": 12,
        "Comedy": 35,
        "Drama": 18,
        "Science Fiction": 878,
        "Thriller": 53,
    },
    "countries": {"DE": "Germany", "FR": "France", "US": "United States of America"},
    "languages": {
        "de": ["German", "Deutsch"],
        "en": ["English", "English"],
        "fr": ["French", "Français"],
    },
    "departments": {
        "Director": "Directing",
        "Screenplay": "Writing",
        "Producer": "Production",
        "Director of Photography": "Camera",
        "Original Music Composer": "Sound",
        "Visual Effects": "Visual Effects",
    },
}
GENRES: tuple[str, ...] = tuple(NAMES["genres"])
COUNTRIES: tuple[str, ...] = tuple(NAMES["countries"])
LANGUAGES: tuple[str, ...] = tuple(NAMES["languages"])
JOBS: tuple[str, ...] = tuple(NAMES["departments"])

# Values to insert: the placeholder in the rendered JSON, and its format.
TEXT_SLOTS = ("title", "release_date")
NUMBER_SLOTS = {
    "budget": b"d",
    "id": b"d",
    "popularity": b".3f",
    "revenue": b"d",
    "runtime": b"d",
    "vote_average": b".3f",
    "vote_count": b"d",
}


class SyntheticFacts(NamedTuple):
    """The values that differ from one made-up movie to the next."""

    id: int
    title: str
    release_date: str
    runtime: int
    budget: int
    revenue: int
    vote_average: float
    vote_count: int
    popularity: float


class SyntheticMovies:
    """The movies 1 to `number`, with payloads of about the given size."""

    def __init__(self, number: int, payload_bytes: int = DEFAULT_PAYLOAD_BYTES) -> None:
        self.ids = range(1, number + 1)
        self._payload_bytes = payload_bytes
        self._templates: dict[int, bytes] = {}

    def facts(self, movie_id: int) -> SyntheticFacts:
        """Return the facts of one movie; every 17th has no known budget."""
        scattered = movie_id * 2_654_435_761 % 2**32  # Knuth's multiplicative hash: near ids differ much
        budget = 0 if movie_id % 17 == 0 else 1_000_000 + scattered % 250_000_000
        word, place = divmod(scattered, len(ADJECTIVES))
        return SyntheticFacts(
            id=movie_id,
            title=f"{ADJECTIVES[place]} {NOUNS[word % len(NOUNS)]} {movie_id}",
            release_date=f"{1950 + scattered % 75}-{1 + scattered % 12:02}-{1 + scattered % 28:02}",
            runtime=75 + scattered % 90,
            budget=budget,
            revenue=budget * (scattered % 97) // 20,
            vote_average=3 + scattered % 6_000 / 1_000,
            vote_count=scattered % 20_000,
            popularity=scattered % 50_000 / 1_000,
        )

    def genre_ids(self, movie_id: int) -> tuple[int, ...]:
        """Return the genres of one movie."""
        return tuple(NAMES["genres"][name] for name in _genres(movie_id % TEMPLATES))

    def language(self, movie_id: int) -> str:
        """Return the original language of one movie."""
        return LANGUAGES[movie_id % TEMPLATES % len(LANGUAGES)]

    def payload(self, movie_id: int) -> bytes:
        """Return the payload of one movie, with credits."""
        variant = movie_id % TEMPLATES
        template = self._templates.get(variant)
        if template is None:
            template = self._templates[variant] = render_template(variant, self._payload_bytes)
        values = self.facts(movie_id)._asdict()
        values["title"] = values["title"].encode()
        values["release_date"] = values["release_date"].encode()
        return template % {name.encode(): value for name, value in values.items()}


def render_template(variant: int, payload_bytes: int) -> bytes:
    """Render a payload as a format string of bytes, with credits up to about the given size."""
    movie: dict[str, Any] = {name: f"@{name}@" for name in (*TEXT_SLOTS, *NUMBER_SLOTS)}
    movie |= {
        "original_title": "@title@",
        "imdb_id": None,
        "original_language": LANGUAGES[variant % len(LANGUAGES)],
        "status": "Released",
        "genres": _genres(variant),
        "collection": [96_000_000 + variant, f"{NOUNS[variant % len(NOUNS)]} Collection"]
        if variant % 4 == 0
        else None,
        "companies": [[97_000_000 + variant % 20, f"{LAST_NAMES[variant % len(LAST_NAMES)]} Pictures", "US"]],
        "origin_country": [COUNTRIES[variant % len(COUNTRIES)]],
        "countries": [COUNTRIES[variant % len(COUNTRIES)]],
        "languages": [LANGUAGES[variant % len(LANGUAGES)]],
        "cast": [],
        "crew": [],
    }
    payload = build_payload(movie, NAMES)
    _fill_credits(payload, variant, payload_bytes)
    template = encode(payload).replace(b"%", b"%%")
    for name, kind in NUMBER_SLOTS.items():
        template = template.replace(b'"@%b@"' % name.encode(), b"%%(%b)%b" % (name.encode(), kind))
    for name in TEXT_SLOTS:
        template = template.replace(b"@%b@" % name.encode(), b"%%(%b)b" % name.encode())
    return template


def _fill_credits(payload: dict[str, Any], variant: int, payload_bytes: int) -> None:
    cast, crew = payload["credits"]["cast"], payload["credits"]["crew"]
    size = len(encode(payload))
    for place in count():
        person = variant * 7 + place
        last, first = divmod(person, len(FIRST_NAMES))
        name = f"{FIRST_NAMES[first]} {LAST_NAMES[last % len(LAST_NAMES)]}"
        person_id = FIRST_PERSON_ID + person % (len(FIRST_NAMES) * len(LAST_NAMES))
        entry: dict[str, Any]
        if len(cast) <= CAST_SHARE * place and crew:
            entries, entry = cast, build_cast(variant, len(cast), person_id, name, f"Part {len(cast) + 1}", 0)
        else:
            job = JOBS[min(len(crew), len(JOBS) - 1)]
            entries = crew
            entry = build_crew(variant, len(crew), person_id, name, job, NAMES["departments"][job])
        size += len(encode(entry)) + 1
        if crew and size > payload_bytes:
            return
        entries.append(entry)


def _genres(variant: int) -> list[str]:
    return [GENRES[variant % len(GENRES)], GENRES[(variant + 1 + variant // len(GENRES) % 4) % len(GENRES)]]
