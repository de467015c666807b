import pytest

from tmdb.redaction import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET https://x/3/movie/1?api_key=abc&page=2", "GET https://x/3/movie/1?api_key=***&page=2"),
        ("Authorization: Bearer eyJ.a.b, next", "Authorization: Bearer ***, next"),
        ("{'authorization': 'bearer eyJ.a.b'}", "{'authorization': 'bearer ***'}"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_are_hidden_by_their_form(text, expected):
    assert redact(text) == expected
    assert redact(redact(text)) == expected


def test_known_secrets_are_hidden_wherever_they_stand():
    assert redact("the key k3y, and K3Y", ("k3y",)) == "the key ***, and K3Y"
