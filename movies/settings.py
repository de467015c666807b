"""Settings, read once from the environment or `.env` at the start, and passed on as values."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from movies import embedded

TMDB_API_URL = "https://api.themoviedb.org/3"
TMDB_EXPORTS_URL = "https://files.tmdb.org/p/exports"
IMDB_RATINGS_URL = "https://datasets.imdbws.com/title.ratings.tsv.gz"
SANDBOX_SOURCE = "sandbox"
WEB = ("http", "https")
ENV_FILE = ".env"
# Some editors on Windows write a byte-order mark.
ENCODING = "utf-8-sig"
LARGEST_MOVIE_ID = 2**63 - 1
# TMDB's terms: data may be kept for six months, and must then be fetched again or deleted.
LONGEST_AGE_DAYS = 180
# How long Prefect keeps runs of the flows.
KEPT_RUNS_DAYS = 90
MOST_DIGITS = 4_000
TMDB_HOSTS = ("api.themoviedb.org", "api.tmdb.org")
SHORTEST_KEY = 8
# Parameters of a Spark Connect address that may be shown. All others may be secrets.
OPEN_PARAMETERS = {"use_ssl", "user_id", "user_agent", "session_id", "grpc_max_message_size"}

# 0 does not exist at TMDB, so a first run shows how a missing movie is handled.
DEFAULT_MOVIE_IDS = (
    0, 299534, 19995, 140607, 299536, 597, 135397, 420818, 24428, 168259,
    99861, 284054, 12445, 181808, 330457, 351286, 109445, 321612, 260513,
)  # fmt: skip


class SettingsError(Exception):
    """A setting cannot be used; the text names it and what to do (exit status 2)."""

    is_usage = True


def parse_path(text: str) -> Path:
    """Make a path absolute, and replace `~`.

    Raises:
        ValueError: the path is blank, a URL, has a NUL, or begins with the home folder of an unknown user.
    """
    if not text.strip() or "\0" in text or "://" in text:
        raise ValueError("this is not a path. Give the path of a file or a folder")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {Path(text).parts[0]}. Give the whole path") from None


def parse_folder(text: str) -> Path:
    """Make the path of a folder absolute; the folder may be missing.

    Raises:
        ValueError: the text is not a path, or the path is a file.
    """
    path = parse_path(text)
    if path.exists() and not path.is_dir():
        raise ValueError("this is a file. Give the path of a folder")
    return path


def parse_url(text: str, example: str, schemes: tuple[str, ...] = (), *, may_be_signed: bool = False) -> str:
    """Check a URL; the error never shows it, since it may have a password.

    Raises:
        ValueError: it is not such a URL, or has a user, a password, a fragment or, unless signed, a query.
    """
    is_bare = "#" not in text and (may_be_signed or "?" not in text)
    if not (text.isprintable() and is_bare and _names_host(text, schemes)):
        query = "" if may_be_signed else ", a query"
        raise ValueError(f"give a URL like {example}, without a user, a password{query} or a fragment")
    return text


def _names_host(text: str, schemes: tuple[str, ...]) -> bool:
    """Return whether a URL has an allowed scheme, and a host without a user, or is that of a file."""
    try:
        url = urlsplit(text)
        # `spark://` may name several hosts, each with a port.
        if "," not in url.netloc:
            _ = url.port  # raises if it is invalid, for example because a password has a slash
    except ValueError:
        return False
    # In addresses of Azure, the container is in the place of the user.
    user, at, _ = url.netloc.rpartition("@")
    is_container = url.scheme.startswith(("abfs", "wasb")) and ":" not in user
    is_host = bool(url.hostname) and " " not in url.netloc and (not at or is_container)
    return (is_host or url.scheme == "file") and (not schemes or url.scheme in schemes)


def parse_lake(text: str) -> str:
    """Return the root of a lake: a URL as it is, or a folder's absolute path.

    Raises:
        ValueError: the text is neither.
    """
    return parse_url(text, "s3://bucket/movies") if "://" in text else str(parse_folder(text))


def parse_movie_ids(text: str) -> tuple[int, ...]:
    """Read ids separated by commas, blanks or newlines, without repeats.

    Raises:
        ValueError: a word is not a whole number of 0 or more; the text does not show it.
    """
    words = _words(text)
    bad = next((place for place, word in enumerate(words, start=1) if not _is_whole_number(word)), None)
    if bad is not None:
        raise ValueError(f"number {bad} is not a valid movie id. Write whole numbers separated by commas")
    return tuple(dict.fromkeys(int(word) for word in words))


def _words(text: str) -> list[str]:
    # Text copied from a file may begin with a byte-order mark.
    return text.replace(",", " ").replace("\ufeff", " ").split()


def _is_whole_number(word: str) -> bool:
    # Python converts no longer numbers.
    return word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS


def read_movie_ids(path: Path) -> tuple[int, ...]:
    """Read ids from a file.

    Raises:
        SettingsError: the file cannot be read, or has other content. The text names the line and never shows
            it, because it may be the wrong file.
    """
    text = read_text(path)
    for number, line in enumerate(text.splitlines(), start=1):
        words = _words(line)
        if not all(map(_is_whole_number, words)):
            raise SettingsError(
                f"{path}, line {number}: not a valid movie id. Write whole numbers separated by commas"
            )
        if any(int(word) > LARGEST_MOVIE_ID for word in words):
            raise SettingsError(f"{path}, line {number}: movie ids lie between 0 and {LARGEST_MOVIE_ID}")
    movie_ids = parse_movie_ids(text)
    if not movie_ids:
        raise SettingsError(f"{path}: there is no movie id in it")
    return movie_ids


def read_text(path: Path, *, may_be_utf_16: bool = True) -> str:
    """Read the user's text file, in UTF-8 or, if its byte-order mark says so, in UTF-16.

    Raises:
        SettingsError: the file cannot be read; the text does not show its content.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from error
    return decode_text(data, str(path), may_be_utf_16=may_be_utf_16)


def decode_text(data: bytes, name: str, *, may_be_utf_16: bool = True) -> str:
    """Decode the user's text, without a byte-order mark.

    Raises:
        SettingsError: the data is neither UTF-8 nor UTF-16; the text names the line.
    """
    is_utf_16 = may_be_utf_16 and data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    encoding = "utf-16" if is_utf_16 else ENCODING
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    # Not raised from the error, which has the content.
    raise SettingsError(f"{name}, line {line}: this is not text in UTF-8")


def default_spark_master() -> str:
    """Return `sail` if the embedded engine is installed, otherwise `local[*]`."""
    return "sail" if embedded.is_installed() else "local[*]"


class Settings(BaseSettings):
    """All settings, with defaults (contract, section 2)."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding=ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    tmdb_access_token: SecretStr | None = None
    """v4 read token, sent in a header. TMDB's own has 8 characters or more."""
    tmdb_api_key: SecretStr | None = None
    """v3 key, if there is no token. Without either, movies come from the sandbox."""
    tmdb_base_url: str | None = None
    """`http` or `https` URL of a TMDB-compatible server; needs a key. If not set, TMDB itself."""
    tmdb_exports_url: str = TMDB_EXPORTS_URL
    """`http` or `https` URL of the daily files of ids."""

    ingestion_movie_ids: Annotated[tuple[int, ...], NoDecode] = DEFAULT_MOVIE_IDS
    """Ids that the source `ids` names, separated by commas."""
    ingestion_concurrency: int = Field(default=5, ge=1, le=1000)
    """Requests in flight at once: [what to set](ingestion.md#pace)."""
    ingestion_requests_per_second: float = Field(default=40, ge=1, le=1_000_000)
    """Most requests in any second, at any concurrency."""
    ingestion_batch_size: int | None = Field(default=None, ge=1)
    """Movies in one checkpoint. If not set, 100, and 1,000 if more than 10,000 movies are requested."""
    ingestion_max_retries: int = Field(default=5, ge=0)
    """Tries of a movie after the first."""
    ingestion_outage_minutes: float = Field(default=10, gt=0, le=1440)
    """How long a server that has an outage is probed before ingestion stops at a checkpoint."""
    ingestion_max_age_days: float | None = Field(default=None, gt=0, le=36_500)
    """Fetch movies again whose payload is older. If not set, a movie is fetched once."""

    imdb_ratings: str | None = None
    """Path or URL of IMDb's `title.ratings.tsv.gz`; silver then has its ratings: [sources](sources.md)."""

    spark_master: str = Field(default_factory=default_spark_master)
    """Engine: `sail`, `docker`, `local[*]`, `local[N]`, `spark://…` or `sc://…`: [clusters](cluster.md). \
    If the embedded engine `sail` is not installed, as on musl, the default is `local[*]`."""
    spark_driver_memory: str | None = None
    """Heap of the driver, as `2g` or `512m`; of `sail`, the limit of its memory pool."""
    spark_executor_memory: str | None = None
    """Heap of an executor on a cluster, as `2g` or `512m`."""
    spark_app_name: str = "tmdb-movies"
    """Name of the application in Spark."""
    spark_cores: int | None = Field(default=None, ge=1)
    """Cores of `local[*]` and `docker`; on `spark://…` the most that a run takes. If not set, all."""
    spark_image: str = "tmdb-movies-spark:latest"
    """Image of `SPARK_MASTER=docker`."""
    spark_network: Literal["bridge", "host"] = "bridge"
    """Network of `SPARK_MASTER=docker`; `host` if the Docker engine has no bridge."""

    lake_root: str | None = None
    """Folder or URL of the tables, with or without a key: [object stores](object-storage.md). A folder's \
    full name must not have `%` and two hexadecimal digits, `[`, `]`, `|`, `^` or a backslash."""
    real_lake: str = "data"
    """Folder or URL of the tables with a key, but no `LAKE_ROOT`; in the images `/data/lake`."""
    sandbox_lake: str = "data/sandbox"
    """Folder or URL of the tables without a key and `LAKE_ROOT`; in the images `/data/sandbox`."""
    output_dir: Path = Field(default=Path("output"), validate_default=True)
    """Folder of report, plots, dashboard and logs."""
    plot_theme: Literal["light", "dark"] = "light"
    """Sheet that plots are drawn on; a change redraws them alone."""

    data_volume: str = "tmdb-movies-data"
    """Volume or folder that jobs mount for lake, results and output; with compose a folder's full name. \
    `movies setup` lets jobs mount nothing else."""
    data_user: str | None = Field(default=None, pattern=r"^[1-9][0-9]*:[1-9][0-9]*$")
    """`UID:GID` that jobs run as, not root. If not set, the owner of the folder; with compose, 1000."""
    job_network: str | None = None
    """Docker network that jobs join. `movies setup` lets jobs join no other."""

    @field_validator("ingestion_movie_ids", mode="before")
    @classmethod
    def _split_movie_ids(cls, value: Any) -> Any:
        return parse_movie_ids(value) if isinstance(value, str) else value

    @field_validator("ingestion_movie_ids")
    @classmethod
    def _check_movie_ids(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("there is no movie id in it")
        if not all(0 <= movie_id <= LARGEST_MOVIE_ID for movie_id in value):
            raise ValueError(f"movie ids lie between 0 and {LARGEST_MOVIE_ID}")
        return value

    @field_validator("tmdb_api_key", "tmdb_access_token")
    @classmethod
    def _clean_key(cls, value: SecretStr | None) -> SecretStr | None:
        # Files and secret stores often add a line end, which is invalid in a header.
        key = value.get_secret_value().strip() if value else ""
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a key has letters, digits and punctuation only; this one has other characters")
        return SecretStr(key) if key else None

    @field_validator("tmdb_base_url")
    @classmethod
    def _check_base_url(cls, value: str | None) -> str | None:
        return value and parse_url(value, TMDB_API_URL, WEB).rstrip("/")

    @field_validator("tmdb_exports_url")
    @classmethod
    def _check_exports_url(cls, value: str) -> str:
        return parse_url(value, TMDB_EXPORTS_URL, WEB, may_be_signed=True).rstrip("/")

    @field_validator("imdb_ratings")
    @classmethod
    def _check_ratings(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        if "://" not in value:
            return str(parse_path(value))
        return parse_url(value, IMDB_RATINGS_URL, WEB, may_be_signed=True)

    @field_validator("spark_master")
    @classmethod
    def _check_master(cls, value: str) -> str:
        return parse_url(value, "sc://host:15002") if "://" in value else value

    @field_validator("lake_root", "real_lake", "sandbox_lake")
    @classmethod
    def _check_lake(cls, value: str | None) -> str | None:
        return value if value is None else parse_lake(value)

    @field_validator("output_dir", mode="before")
    @classmethod
    def _make_absolute(cls, value: Any) -> Any:
        # Caches, logs and other processes use the path outside of this working folder.
        return parse_folder(str(value))

    @model_validator(mode="after")
    def _require_key_for_base_url(self) -> Settings:
        if self.tmdb_base_url and self.uses_sandbox:
            raise ValueError("TMDB_BASE_URL is set but no key is. Set TMDB_API_KEY or TMDB_ACCESS_TOKEN")
        return self

    @model_validator(mode="after")
    def _refuse_part_of_a_key(self) -> Settings:
        # Another server's key may have any length.
        if (host := urlsplit(self.tmdb_base_url or TMDB_API_URL).hostname) in TMDB_HOSTS:
            for name in ("tmdb_api_key", "tmdb_access_token"):
                key: SecretStr | None = getattr(self, name)
                if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
                    raise ValueError(
                        f"{name.upper()} has under {SHORTEST_KEY} characters, which no key of {host} has. "
                        "Set the whole key"
                    )
        return self

    @property
    def uses_sandbox(self) -> bool:
        """Whether movies come from the sandbox because no key is set."""
        return self.tmdb_api_key is None and self.tmdb_access_token is None

    @property
    def lake(self) -> str:
        """Root folder or URL of the Delta tables."""
        return self.lake_root or parse_lake(self.sandbox_lake if self.uses_sandbox else self.real_lake)

    @property
    def engine_fallback(self) -> str | None:
        """Why the default engine is not the embedded one on this machine, or None."""
        if "spark_master" in self.model_fields_set or self.spark_master == "sail":
            return None
        reason = embedded.reason_missing(embedded.Machine.current())
        return f"{reason} Apache Spark ({self.spark_master}) is used instead, which needs Java."

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that logs, tables, artifacts and errors must not show."""
        keys = (self.tmdb_api_key, self.tmdb_access_token)
        urls = (self.tmdb_exports_url, self.imdb_ratings or "")
        return (
            *(key.get_secret_value() for key in keys if key is not None),
            *master_secrets(self.spark_master),
            *(secret for url in urls for secret in _signature(url)),
        )


def is_signed(location: str | None) -> bool:
    """Return whether an address has a query, which gives access like a key."""
    return location is not None and "://" in location and "?" in location


def master_secrets(master: str) -> tuple[str, ...]:
    """Return the secrets in a master's address: its token, and values of headers."""
    if not master.startswith("sc://"):
        return ()
    pairs = (pair.partition("=") for pair in master.split(";")[1:])
    return tuple(unquote(value) for name, _, value in pairs if value and name not in OPEN_PARAMETERS)


def _signature(location: str) -> tuple[str, ...]:
    """Return the query of an address, and its values that are long enough to be keys."""
    if not is_signed(location):
        return ()
    query = location.partition("?")[2]
    values = (unquote(pair.partition("=")[2]) for pair in query.split("&"))
    return (unquote(query), *(value for value in values if len(value) >= SHORTEST_KEY))


def load_settings(movie_ids_file: Path | None = None, **overrides: Any) -> Settings:
    """Read the environment and `.env`; arguments that are not None win over both.

    Movie ids may be in a file, because parameters of a flow have a limited length.

    Raises:
        SettingsError: one or more values cannot be used; the text names all of them.
    """
    _check_env_file(Path(ENV_FILE))
    if movie_ids_file is not None:
        overrides["ingestion_movie_ids"] = read_movie_ids(movie_ids_file)
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _check_env_file(path: Path) -> None:
    """Reject a file with lines that are not settings, which pydantic would ignore."""
    if not path.is_file():
        return
    # The same decoding as in pydantic-settings.
    text = read_text(path, may_be_utf_16=False)
    bad_lines = [binding.original.line for binding in parse_stream(StringIO(text)) if binding.error]
    if bad_lines:
        raise SettingsError(f"{path}, line {bad_lines[0]}: this is not a setting. Write NAME=value")


def _sentence(problem: dict[str, Any]) -> str:
    # The invalid value is not shown, because it may be a key set under the wrong name.
    name = "_".join(str(part) for part in problem["loc"]).upper()
    text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
