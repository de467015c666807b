"""Rejected payloads are counted, listed, shown and validated again."""

import json
import subprocess
from typing import Any

import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner, Result

from cli.app import app
from cli.refused import Fate, Refusal, indent
from cli.replay import fetch_again, say_fates
from cli.terminal import Terminal
from flows.request import RunRequest
from movies.lake.arrow import arrow_rows
from movies.lake.delta import create
from movies.lake.tables import FILTERED, QUARANTINE, SILVER, SILVER_MOVIES
from movies.sandbox.movie_catalogue import load_catalogue
from stages.names import StageName
from tests.flows.test_pipeline import NO_ENGINE, counts
from tests.places import Place
from tests.spark.lakes import FETCHED_AT, append_payloads

pytestmark = pytest.mark.slow

runner = CliRunner()


def payload(movie_id: int, **changed: Any) -> str:
    """A payload of the sandbox, with some of its fields changed."""
    return json.dumps(json.loads(load_catalogue()[movie_id]) | changed, ensure_ascii=False)


BROKEN = '{"id": 24, "title": "Kill Bíll'
# Reading it and writing it again would lose a digit and a key.
ODD = '{"id": 63, "title": "12 Monkeys", "budget": "much", "popularity": 1.50, "adult": false, "adult": true}'
PAYLOADS = [
    (18, payload(18, genres="Drama", release_date="1997")),
    (24, BROKEN),
    (63, ODD),
    (95, payload(95, id=96)),
    (393, payload(393)),
    (680, payload(680, status="Post Production")),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory, new_place) -> Place:
    """A place whose lake has one movie in silver, one filtered and four in quarantine."""
    place: Place = new_place(tmp_path_factory.mktemp("judged"))
    append_payloads(place.lake, [(24, payload(24))])
    later = {"fetched_at": FETCHED_AT.replace(month=2), "batch_id": "b2"}
    append_payloads(place.lake, [{"movie_id": one, "payload": text, **later} for one, text in PAYLOADS])
    place.succeed("--stage", "transform")
    return place


def ask(place: Place, *arguments: str) -> Result:
    return runner.invoke(app, ["quarantine", *arguments, "--lake-root", place.lake])


def replay(place: Place, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `movies quarantine replay` in a process of its own, as a user does."""
    return place.python("-m", "cli", "quarantine", "replay", *arguments, **environment)


def fates(said: str) -> str:
    """What a replay says after the run's own summary."""
    return said[said.index("Of ") :]


def keep_refused(place: Place, *refused: Refusal, source: str = "sandbox") -> None:
    """Put payloads into the lake, and into quarantine for the reasons and fields that other rules gave."""
    texts = dict(PAYLOADS)
    raw = [{"movie_id": one.movie_id, "payload": texts[one.movie_id], "source": source} for one in refused]
    append_payloads(place.lake, raw)
    for table in SILVER:
        create(table, place.lake)
    rows = arrow_rows(QUARANTINE, refused, payload="{}")
    write_deltalake(QUARANTINE.path(place.lake), rows, mode="append")


def refusal(movie_id: int, reason: str, detail: str) -> Refusal:
    return Refusal(movie_id, reason, detail, FETCHED_AT, "b1")


def test_the_list_counts_reasons_and_names_payloads_with_field_time_and_batch(judged):
    assert ask(judged, "list").output == (
        f"Lake at {judged.lake}\n"
        "4 payloads in quarantine\n"
        "  bad_value ........         2\n"
        "  id_mismatch ......         1\n"
        "  malformed ........         1\n"
        "1 movie filtered\n"
        "  not_released .....         1\n"
        "movie  reason       field                 fetched (UTC)     batch\n"
        "─────────────────────────────────────────────────────────────────\n"
        "   18  bad_value    release_date, genres  2026-02-01 00:00  b2\n"
        "   63  bad_value    budget                2026-02-01 00:00  b2\n"
        "   95  id_mismatch  id 96                 2026-02-01 00:00  b2\n"
        "   24  malformed    payload               2026-02-01 00:00  b2\n"
    )


def test_a_long_list_says_how_many_more_there_are(judged):
    assert ask(judged, "list", "--limit", "1").output.splitlines()[-2:] == [
        "   18  bad_value  release_date, genres  2026-02-01 00:00  b2",
        "  … and 3 more. List all with --limit 4",
    ]
    assert ask(judged, "list", "--limit", "1", "--reason", "bad_value").output.splitlines()[-2:] == [
        "   18  bad_value  release_date, genres  2026-02-01 00:00  b2",
        "  … and 1 more. List all with --limit 2",
    ]


def test_the_list_of_one_reason_has_no_others(judged):
    said = ask(judged, "list", "--reason", "malformed").output.splitlines()
    assert said[-3:] == [
        "movie  reason     field    fetched (UTC)     batch",
        "──────────────────────────────────────────────────",
        "   24  malformed  payload  2026-02-01 00:00  b2",
    ]

    done = ask(judged, "list", "--reason", "it's none")
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == "No payload is in quarantine for the reason it's none"


def test_a_payload_that_is_json_is_laid_out_with_every_value_as_it_came(judged):
    done = ask(judged, "show", "63")

    assert done.exit_code == 0
    assert done.stdout == (
        '{\n  "id": 63,\n  "title": "12 Monkeys",\n  "budget": "much",\n  "popularity": 1.50,\n'
        '  "adult": false,\n  "adult": true\n}\n'
    )
    assert done.stderr == (
        "Movie 63 is in quarantine: bad_value (budget)\nFetched at 2026-02-01 00:00 (UTC) in batch b2\n"
    )


def test_a_payload_that_is_no_json_is_printed_as_it_came(judged):
    done = ask(judged, "show", "24")

    assert (done.exit_code, done.stdout) == (0, f"{BROKEN}\n")
    assert done.stderr == (
        "Movie 24 is in quarantine: malformed (payload)\n"
        "Fetched at 2026-02-01 00:00 (UTC) in batch b2\n"
        "Silver keeps the last valid payload of this movie\n"
        "The payload is not valid JSON, or is nested too deep; it is printed unchanged\n"
    )


def test_only_a_payload_of_few_levels_is_laid_out():
    nested = "[" * 900 + ",".join("1" * 100_000) + "]" * 900

    assert indent(nested) is None
    assert indent("[" * 100_000) is None
    assert indent("1" * 5_000) is not None
    assert indent('{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'


def test_a_payload_goes_to_a_pipe_whole_and_alone(judged):
    done = ask(judged, "show", "95")

    assert json.loads(done.stdout) == json.loads(dict(PAYLOADS)[95])


@pytest.mark.parametrize(
    ("movie_id", "place"),
    [
        (393, "which is in silver"),
        (680, "which is filtered (not_released)"),
        (96, "whose payload has not been validated"),
    ],
    ids=["silver", "filtered", "unknown"],
)
@pytest.mark.parametrize("command", ["show", "replay"])
def test_a_movie_that_is_not_in_quarantine_is_said_to_be_elsewhere(command, movie_id, place, judged):
    done = ask(judged, command, str(movie_id))

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: Not in quarantine: movie {movie_id}, {place}\n"


@pytest.mark.parametrize("command", [["list"], ["show", "18"], ["replay"]], ids=lambda command: command[0])
def test_a_lake_without_silver_has_nothing_to_say(command, tmp_path):
    done = runner.invoke(app, ["quarantine", *command, "--lake-root", str(tmp_path)])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: There is no silver/quarantine in {tmp_path}. Run `movies run` first, "
        "or the stage 'transform'\n"
    )


def test_where_nothing_is_in_quarantine_the_commands_say_so(tmp_path):
    for table in SILVER:
        create(table, str(tmp_path))

    said = runner.invoke(app, ["quarantine", "list", "--lake-root", str(tmp_path)])
    assert said.output == f"Lake at {tmp_path}\n0 payloads in quarantine\n0 movies filtered\n"

    said = runner.invoke(app, ["quarantine", "replay", "--lake-root", str(tmp_path)])
    assert (said.exit_code, said.output) == (0, "No payload is in quarantine. Nothing to replay\n")


def test_a_reason_that_nothing_was_refused_for_is_nothing_to_replay(judged):
    done = ask(judged, "replay", "--reason", "missing_id")

    assert done.exit_code == 0
    assert done.output == ("No payload is in quarantine for the reason missing_id. Nothing to replay\n")


def test_movie_ids_and_a_reason_at_once_are_wrong_usage(judged):
    assert ask(judged, "replay", "18", "--reason", "malformed").exit_code == 2


def test_what_other_rules_refused_is_judged_by_those_of_today(place):
    keep_refused(
        place,
        refusal(24, "malformed", "payload"),
        refusal(393, "bad_value", "runtime"),
        refusal(680, "bad_value", "status"),
    )

    done = replay(place)

    assert (done.returncode, done.stderr) == (0, "")
    assert fates(done.stdout) == (
        "Of 3 payloads that had been rejected:\n"
        "  in silver now ....         1\n"
        "  filtered now .....         1  (1 not_released)\n"
        "  still rejected ...         1  (1 malformed)\n"
        "       movie  was                  is\n"
        "         393  bad_value (runtime)  in silver\n"
        "         680  bad_value (status)   filtered: not_released\n"
        "          24  malformed (payload)  still rejected: malformed (payload)\n"
    )
    assert place.rows(SILVER_MOVIES, "id") == [393]
    assert place.rows(FILTERED, "movie_id", "reason") == [(680, "not_released")]
    assert (place.folder / "output" / "kpi_analysis.txt").exists()

    done = replay(place, **NO_ENGINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Unchanged" in done.stdout
    assert fates(done.stdout) == (
        "Of 1 payload that had been rejected:\n"
        "  in silver now ....         0\n"
        "  filtered now .....         0\n"
        "  still rejected ...         1  (1 malformed)\n"
        "       movie  was                  is\n"
        "          24  malformed (payload)  still rejected: malformed (payload)\n"
    )


def test_what_tmdb_has_mended_is_fetched_again_and_gets_into_silver(place):
    append_payloads(place.lake, [(18, dict(PAYLOADS)[18]), (24, BROKEN), (95, dict(PAYLOADS)[95])])
    place.succeed("--stage", "transform")

    done = replay(place, "--fetch", "18", "95")

    assert (done.returncode, done.stderr) == (0, "")
    assert counts(done.stdout[: done.stdout.index("Tables")])["fetched"] == 2
    assert place.movie_ids() == [18, 18, 24, 95, 95], "only those that were given"
    assert fates(done.stdout) == (
        "Of 2 payloads that had been rejected:\n"
        "  in silver now ....         2\n"
        "  filtered now .....         0\n"
        "  still rejected ...         0\n"
        "       movie  was                               is\n"
        "          18  bad_value (release_date, genres)  in silver\n"
        "          95  id_mismatch (id 96)               in silver\n"
    )
    assert place.rows(SILVER_MOVIES, "id") == [18, 95]
    assert place.rows(QUARANTINE, "movie_id") == [24]


def test_a_movie_that_cannot_be_fetched_fails_the_run_once_the_others_are_judged(served):
    place, sandbox = served(faults={"by_movie": {24: "server_error"}})
    keep_refused(
        place,
        refusal(18, "bad_value", "genres"),
        refusal(24, "malformed", "payload"),
        source=sandbox.base_url,
    )

    done = replay(place, "--fetch", INGESTION_MAX_RETRIES="0")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: 1 of 2 movies could not be fetched (1 exhausted_retries)")
    assert fates(done.stdout).splitlines()[-2:] == [
        "          18  bad_value (genres)   in silver",
        "          24  malformed (payload)  still rejected: malformed (payload)",
    ]


def test_what_stops_the_fetching_stops_the_replay(place):
    keep_refused(place, refusal(393, "bad_value", "runtime"))

    # The lake is the sandbox's, and this run would add movies from elsewhere.
    elsewhere = {"TMDB_BASE_URL": "http://127.0.0.1:1/3", "TMDB_API_KEY": "a-key", "LAKE_ROOT": place.lake}
    done = replay(place, "--fetch", **elsewhere)

    assert (done.returncode, done.stdout) == (1, "")
    assert "Choose another LAKE_ROOT" in done.stderr
    assert place.rows(QUARANTINE, "movie_id") == [393]


def test_many_movies_to_fetch_again_are_handed_over_as_a_file(monkeypatch):
    asked = []

    def execute(request: RunRequest) -> int:
        ids = request.build_source(request.load_settings()).movie_ids
        asked.append((request.movie_ids is None, ids, request.stages, request.refresh))
        return 0

    monkeypatch.setattr("cli.replay.execute", execute)
    request = RunRequest(stages=[StageName.REPORT])
    for number in (2, 5_000):
        assert fetch_again(request, range(number)) == 0

    assert asked == [
        (False, tuple(range(2)), [StageName.INGEST], True),
        (True, tuple(range(5_000)), [StageName.INGEST], True),
    ]


def test_many_payloads_are_counted_and_not_listed(capsys):
    refused = {movie_id: refusal(movie_id, "bad_value", "budget") for movie_id in range(30)}
    gone = dict.fromkeys(range(10), Fate())
    still = dict.fromkeys(range(10, 30), Fate("refused", "bad_value", "budget"))

    say_fates(Terminal(), refused, gone | still)

    assert capsys.readouterr().out == (
        "Of 30 payloads that had been rejected:\n"
        "  in silver now ....         0\n"
        "  filtered now .....         0\n"
        "  still rejected ...        20  (20 bad_value)\n"
        "  gone .............        10\n"
    )
