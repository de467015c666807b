import json
from urllib.parse import quote, quote_plus

import pytest

from movies.tmdb.redaction import escape_controls, redact

LONG = "s3cr3t+k/y=1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET https://x/3/movie/1?api_key=abc&page=2", "GET https://x/3/movie/1?api_key=***&page=2"),
        ("Authorization: Bearer eyJ.a.b, next", "Authorization: Bearer ***, next"),
        ("{'authorization': 'bearer eyJ.a.b'}", "{'authorization': 'bearer ***'}"),
        ("no proxy at http://me:pass@proxy:3128", "no proxy at http://***@proxy:3128"),
        ("no proxy at http://:pass@proxy:3128/", "no proxy at http://***@proxy:3128/"),
        ("abfss://box@account.example/lake", "abfss://box@account.example/lake"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_are_hidden_by_their_form(text, expected):
    assert redact(text) == expected
    assert redact(redact(text)) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (LONG, "***"),
        (quote(LONG), "***"),
        (quote(LONG, safe=""), "***"),
        (quote(LONG, safe="").lower(), "***"),
        (quote_plus(LONG), "***"),
        (f"before{LONG}after", "before***after"),
    ],
)
def test_known_secrets_are_hidden_wherever_they_stand_and_however_a_url_writes_them(form, expected):
    assert redact(f"the key {form}!", (LONG,)) == f"the key {expected}!"


@pytest.mark.parametrize("secret", ["quo\"ted'key", "back\\slash\\key"])
def test_known_secrets_are_hidden_as_a_program_quotes_them(secret):
    assert redact(repr({"key": secret}), (secret,)) in ("{'key': '***'}", '{"key": "***"}')
    assert redact(json.dumps([secret]), (secret,)) == '["***"]'


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("k", "asked for k, (k) and ?key=k&page=1", "asked for ***, (***) and ?key=***&page=1"),
        ("in", "written in the built-in engine", "written *** the built-in engine"),
        ("k3y", "the key k3y, and K3Y", "the key ***, and K3Y"),
        ("a+b", "a%2Bb, xa+b", "***, xa+b"),
    ],
)
def test_a_short_secret_is_hidden_as_a_whole_and_never_within_a_word(secret, text, expected):
    assert redact(text, (secret,)) == expected


def test_of_two_secrets_one_in_the_other_nothing_is_left():
    assert redact("12345678-and-more", ("12345678", "12345678-and-more", "")) == "***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("503 \x1b[2JGone\x07", r"503 \x1b[2JGone\x07"),
        ("DEL \x7f and C1 \x9b31m", r"DEL \x7f and C1 \x9b31m"),
        ("one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
        ("turned \u202eright\u2028down", r"turned \u202eright\u2028down"),
        ("half \ud83d of a pair, \udcff no text", r"half \ud83d of a pair, \udcff no text"),
        ("M*A*S*H – 東京 \U0001f480 é", "M*A*S*H – 東京 \U0001f480 é"),  # noqa: RUF001
    ],
)
def test_characters_that_command_a_terminal_are_escaped(text, expected):
    assert escape_controls(text) == expected
    assert escape_controls(expected) == expected


def test_a_text_of_several_lines_keeps_them():
    assert escape_controls("one\n\ttwo\r\x1b", keep="\n\t") == "one\n\ttwo" + r"\r\x1b"
