"""Destinations: what is accepted, in which form it is kept, and what never reaches a Location header."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.domain.destination import Destination
from server.domain.errors import InvalidValue


def reason(text: str) -> str:
    with pytest.raises(InvalidValue) as refusal:
        Destination(text)
    return refusal.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "HTTPS://EXAMPLE.com/A",
        "http://localhost",
        "https://example.com:8443/a?b=c&d=[e]#f",
        "https://example.com:/",
        "https://example.com./",
        "https://user:pass@example.com/",
        "http://192.0.2.7/",
        "http://[2001:db8::1]/",
        "http://[::1]:8080/x",
        "https://xn--bcher-kva.example/",
        "https://example.com/%C3%A4%20%2F?q=%26#%23",
        "https://example.com/100%",
        "https://example.com/a/../b//c;d=e,f!$'()*+~@:",
        "https://example.com?",
        "https://example.com/#",
    ],
)
def test_an_ascii_url_stays_as_it_was_sent(url: str) -> None:
    assert Destination(url) == url


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://例え.jp:8443/パス", "https://xn--r8jz45g.jp:8443/%E3%83%91%E3%82%B9"),
        ("https://例え。jp/", "https://xn--r8jz45g.jp/"),
        ("https://\uff25\uff38\uff21mple.com/", "https://example.com/"),
        # U+212A is the Kelvin sign: not an ASCII letter, but k in lower case.
        ("https://\u212a.example/", "https://k.example/"),
        ("https://example.com/ä", "https://example.com/%C3%A4"),
        ("https://example.com/%C3%A4/ä?ö=ü&a=%20#ß", "https://example.com/%C3%A4/%C3%A4?%C3%B6=%C3%BC&a=%20#%C3%9F"),
        ("https://example.com/ä?", "https://example.com/%C3%A4?"),
        ("https://example.com/ä?#", "https://example.com/%C3%A4?#"),
        ("https://bücher.example?", "https://xn--bcher-kva.example?"),
        ("https://example.com/ä#b#c", "https://example.com/%C3%A4#b#c"),
        ("http://[::1]:8080/ä", "http://[::1]:8080/%C3%A4"),
        ("https://user:pä@bücher.example:8080/x", "https://user:p%C3%A4@xn--bcher-kva.example:8080/x"),
        # The user is called as the host is.
        ("https://bücher.example:x@bücher.example/", "https://b%C3%BCcher.example:x@xn--bcher-kva.example/"),
        # In lower case this user's name has one character more.
        ("https://İ@aé.example/", "https://%C4%B0@xn--a-bga.example/"),
    ],
)
def test_other_letters_are_mapped_as_browsers_do(sent: str, kept: str) -> None:
    assert Destination(sent) == kept


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "empty"),
        ("javascript:alert(1)", "invalid_scheme"),
        ("data:text/html,x", "invalid_scheme"),
        ("ftp://example.com/", "invalid_scheme"),
        ("httpx://example.com/", "invalid_scheme"),
        ("example.com", "invalid_scheme"),
        ("//example.com/", "invalid_scheme"),
        ("/path", "invalid_scheme"),
        ("http", "invalid_scheme"),
        ("ä", "invalid_scheme"),
        ("\uff48ttps://example.com/", "invalid_scheme"),
        ("http:", "no_host"),
        ("http:x", "no_host"),
        ("http:/x", "no_host"),
        ("http://", "no_host"),
        ("http:///x", "no_host"),
        ("http:////x", "no_host"),
        ("http://?x", "no_host"),
        ("http://#x", "no_host"),
        ("http://user@", "no_host"),
        ("http://user@/", "no_host"),
        ("https://:80", "no_host"),
        ("https://user:pass@:80/", "no_host"),
        ("https:example.com//ä", "no_host"),
        ("https://./", "invalid_host"),
        ("https://exa%6dple.com/", "invalid_host"),
        ("https://[fe80::1%25eth0]/", "invalid_host"),
        ("https://☃☃.例え..jp/", "invalid_host"),
        ("https://ä\uff0fb.example/", "invalid_host"),
        ("https://[ä]/", "invalid_host"),
        ("https://[v1.ä:b]/", "invalid_host"),
        ("https://example.com:99999/", "invalid_url"),
        ("https://example.com:65536/", "invalid_url"),
        ("https://example.com:-1/", "invalid_url"),
        ("https://example.com:port/", "invalid_url"),
        ("https://example.com:\uff18\uff10/", "invalid_url"),
        ("https://[::1/", "invalid_url"),
        ("https://[nonsense]/", "invalid_url"),
    ],
)
def test_what_is_no_web_address_is_refused(url: str, why: str) -> None:
    assert reason(url) == why


@pytest.mark.parametrize(
    "place", ["{}https://example.com/", "https://exam{}ple.com/", "https://example.com/{}", "h{}t"]
)
@pytest.mark.parametrize(
    "character", [*map(chr, range(0x21)), "\x7f", "\x80", "\x9f", "\xa0", "\\", "\u2028", "\ud800"]
)
def test_what_browsers_or_headers_would_read_otherwise_is_refused_anywhere(place: str, character: str) -> None:
    assert reason(place.format(character)) == "invalid_character"


def test_the_refusal_says_which_character_stands_where() -> None:
    with pytest.raises(InvalidValue, match=r"U\+000A \(position 20\)"):
        Destination("https://example.com/\nX-Evil: 1")


@pytest.mark.parametrize("letter", ["a", "ä"])
def test_8192_bytes_are_allowed_and_one_more_is_not(letter: str) -> None:
    start = "https://example.com/"
    size = len(Destination(start + letter)) - len(start)  # of the letter, escaped
    longest = start + letter * ((8192 - len(start)) // size)
    longest += "x" * (8192 - len(Destination(longest)))
    assert len(Destination(longest)) == 8192
    assert reason(longest + "x") == "too_long"


def test_a_length_is_counted_in_bytes_as_it_was_sent_too() -> None:
    assert reason("https://" + "ä" * 4100 + ".example/") == "too_long"


URLISH = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["http:", "https:", "HTTPS:", "javascript:", ""]),
        st.sampled_from(["//", "/", "", "//@", "//[", "//u:p@"]),
        st.text(max_size=20),
        st.text(alphabet="/?#[]@:%.\\ \t\näß。İ", max_size=20),
    ),
)


@given(URLISH)
@example("https://İ@aé.example/")
def test_whatever_is_accepted_is_an_ascii_url_with_a_host(text: str) -> None:
    try:
        url = Destination(text)
    except InvalidValue:
        return
    assert url.isascii()
    assert url.isprintable()
    assert not set(' \\"<>') & set(url)
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert Destination(url) == url


HOSTS = st.text(alphabet="abcäöüéИ中9", min_size=1, max_size=20).map(lambda host: f"{host}.example")
WORDS = st.text(alphabet="abcäöüİßИ中", max_size=10)


@given(user=WORDS, host=HOSTS, path=WORDS)
def test_the_host_is_the_one_that_was_sent_whatever_stands_around_it(user: str, host: str, path: str) -> None:
    try:
        alone = urlsplit(Destination(f"https://{host}/")).hostname
    except InvalidValue:
        return
    assert urlsplit(Destination(f"https://{user}@{host}/{path}")).hostname == alone
    assert urlsplit(Destination(f"https://{host}:x@{host}:1/{host}")).hostname == alone
