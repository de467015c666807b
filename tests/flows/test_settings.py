"""Which settings can be used, and which of their values nobody may see."""

from __future__ import annotations

import pytest

from cli.setup import _read_webhook
from deployments.job_settings import job_settings
from movies.settings import Settings, SettingsError, load_settings
from movies.tmdb.redaction import redact

KEY = "0123456789abcdef"
URL_SETTINGS = ["TMDB_BASE_URL", "TMDB_EXPORTS_URL", "IMDB_RATINGS", "LAKE_ROOT", "SPARK_MASTER"]
SIGNED = ("TMDB_EXPORTS_URL", "IMDB_RATINGS")


@pytest.fixture(autouse=True)
def only_a_key(no_settings, monkeypatch):
    monkeypatch.setenv("TMDB_API_KEY", KEY)


def refusal(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        _read_webhook() if name == "NOTIFICATION_URL" else load_settings()
    assert "PASS" not in str(raised.value)
    assert "PASS" not in repr(raised.value.__cause__)
    return str(raised.value)


@pytest.mark.parametrize("name", [*URL_SETTINGS, "NOTIFICATION_URL"])
@pytest.mark.parametrize(
    "rest",
    [
        "me:PASS@host/3",
        ":PASS@host/3",
        "PASS@host/3",
        "@host/3",
        "me:PA/SS:PASS@host/3",
        "me:PASS@[host/3",
        "me:PASS\u2100@host/3",
        "host/3#PASS",
        "host/\x1b3",
        "",
        "/3",
    ],
)
def test_no_url_has_a_user_a_password_or_a_fragment(name, rest, monkeypatch):
    schemes = {"LAKE_ROOT": "s3", "SPARK_MASTER": "sc"}
    said = refusal(name, f"{schemes.get(name, 'https')}://{rest}", monkeypatch)
    assert said.startswith(f"{name}: give a URL like ")
    assert said.endswith(" or a fragment")


@pytest.mark.parametrize("name", ["TMDB_BASE_URL", "LAKE_ROOT", "SPARK_MASTER"])
def test_what_names_a_server_or_a_lake_has_no_query(name, monkeypatch):
    scheme = {"LAKE_ROOT": "s3", "SPARK_MASTER": "spark"}.get(name, "https")
    assert "a query" in refusal(name, f"{scheme}://host/3?token=PASS", monkeypatch)


@pytest.mark.parametrize("name", ["TMDB_BASE_URL", "TMDB_EXPORTS_URL", "IMDB_RATINGS", "NOTIFICATION_URL"])
def test_what_is_fetched_comes_from_the_web(name, monkeypatch):
    assert "give a URL like https://" in refusal(name, "ftp://host/3", monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TMDB_BASE_URL", "http://[::1]:8080/3"),
        ("LAKE_ROOT", "s3://bucket_1/my films/a@b"),
        ("LAKE_ROOT", "abfss://box@account.dfs.core.windows.net/lake"),
        ("LAKE_ROOT", "file:///srv/lake"),
        ("SPARK_MASTER", "spark://one:7077,two:7077"),
        ("SPARK_MASTER", "local[*]"),
        ("SPARK_MASTER", "sc://host:15002/;use_ssl=true;token=a/b=="),
        ("TMDB_EXPORTS_URL", "https://host/exports?sig=a%2Fb&se=2026"),
        ("IMDB_RATINGS", "https://host/title.ratings.tsv.gz?X-Amz-Signature=abc"),
    ],
)
def test_urls_that_can_be_used_are_taken_as_they_are(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == value


@pytest.mark.parametrize("name", ["TMDB_API_KEY", "TMDB_ACCESS_TOKEN"])
@pytest.mark.parametrize("url", [None, "https://api.themoviedb.org/3", "http://API.tmdb.org/3/"])
def test_a_part_of_a_key_is_refused_at_tmdb(name, url, monkeypatch):
    monkeypatch.delenv("TMDB_API_KEY")
    if url:
        monkeypatch.setenv("TMDB_BASE_URL", url)
    host = "api.tmdb.org" if url and "API" in url else "api.themoviedb.org"
    assert refusal(name, "1234567", monkeypatch) == (
        f"{name} has under 8 characters, which no key of {host} has. Set the whole key"
    )
    monkeypatch.setenv(name, "12345678")
    assert load_settings().secrets == ("12345678",)


def test_another_servers_short_key_is_taken_and_hides_no_part_of_a_word():
    settings = Settings(tmdb_base_url="http://127.0.0.1:1/3", tmdb_api_key="k")
    assert redact("asked for 3, with k", settings.secrets) == "asked for 3, with ***"


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        (
            {"spark_master": "sc://h:1/;use_ssl=true;user_id=me;token=s3cr3t%2Fkey;x-api-key=hunter222"},
            "true for me: s3cr3t/key, s3cr3t%2Fkey, hunter222",
            "true for me: ***, ***, ***",
        ),
        (
            {"imdb_ratings": "https://h/r.gz?v=1&sig=s3cr3t%2Bkey"},
            "1 file of https://h/r.gz?v=1&sig=s3cr3t%2Bkey, s3cr3t+key",
            "1 file of https://h/r.gz?***, ***",
        ),
        (
            {"tmdb_exports_url": "https://h/p?sv=2026-01-01&sig=s3cr3tkey"},
            "https://h/p/movie_ids.json.gz?sv=2026-01-01&sig=s3cr3tkey",
            "https://h/p/movie_ids.json.gz?***",
        ),
    ],
    ids=["master", "ratings", "exports"],
)
def test_what_a_setting_keeps_secret_is_hidden(settings, text, expected):
    loaded = load_settings(**settings)
    assert redact(text, loaded.secrets) == expected


def test_jobs_get_no_address_with_a_secret_since_their_variables_can_be_seen(monkeypatch):
    for name, value in {
        "IMDB_RATINGS": "https://h/r.gz?sig=hunter222",
        "TMDB_EXPORTS_URL": "https://h/p?sig=hunter222",
        "SPARK_MASTER": "sc://h:1/;x-api-key=hunter222",
    }.items():
        monkeypatch.setenv(name, value)
    assert "hunter222" not in str(job_settings())
    monkeypatch.setenv("IMDB_RATINGS", "https://h/r.gz")
    assert job_settings()["environment"]["IMDB_RATINGS"] == "https://h/r.gz"


@pytest.mark.parametrize("value", ["~nosuchuser/x", "~nosuchuser"])
def test_a_folder_for_jobs_that_cannot_be_is_refused(value, monkeypatch):
    monkeypatch.setenv("DATA_VOLUME", value)
    with pytest.raises(SettingsError, match=r"^DATA_VOLUME: there is no home folder for ~nosuchuser"):
        job_settings()
