"""The host of a page that somebody came from."""

import pytest

from server.domain.referrer import MAX_HOST, host_of


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://news.example.com/a?b#c", "news.example.com"),
        ("HTTPS://WWW.Example.COM", "www.example.com"),
        ("http://user:secret@example.com:8080/", "example.com"),
        ("http://[2001:DB8::1]:8080/", "[2001:db8::1]"),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
        ("https://exämple.com/", "exämple.com"),
        ("https:///path", None),
        ("about:blank", None),
        ("example.com/page", None),
        ("", None),
        (f"https://{'a' * MAX_HOST}/", "a" * MAX_HOST),
        (f"https://{'a' * (MAX_HOST + 1)}/", None),
    ],
)
def test_a_referrers_host_has_neither_user_nor_port(referrer: str, host: str | None) -> None:
    assert host_of(referrer) == host
