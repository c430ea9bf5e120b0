"""What becomes of a scan: a table of links, scans and times."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.decide import Decision, Ended, GuardedLink, Locked, Redirect, decide, with_query
from server.domain.destination import MAX_BYTES, Destination
from server.domain.guards import Guards
from server.domain.model import LinkId
from server.domain.rules import Visitor

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HERE = Destination("https://example.com/here?a=1#part")
ELSEWHERE = Destination("https://example.com/elsewhere")


def nobody(*, with_country: bool) -> Visitor:
    return Visitor()


def decided(guards: Guards, *, deleted: bool = False, unlocked: bool = False) -> Decision:
    link = GuardedLink(link_id=LinkId(1), destination=HERE, guards=guards, deleted=deleted)
    return decide(link, now=NOW, query=b"b=2", unlocked=unlocked, visitor=nobody)


@pytest.mark.parametrize(
    ("guards", "decision"),
    [
        (Guards(), Redirect(HERE, 302)),
        (Guards(fallback_url=ELSEWHERE), Redirect(HERE, 302)),
        (Guards(active=False), Ended(None)),
        (Guards(active=False, fallback_url=ELSEWHERE), Ended(ELSEWHERE)),
        (Guards(expires_at=NOW + TICK), Redirect(HERE, 302)),
        (Guards(expires_at=NOW), Ended(None)),
        (Guards(expires_at=NOW - TICK, fallback_url=ELSEWHERE, redirect_status=301), Ended(ELSEWHERE)),
        (Guards(active=False, expires_at=NOW + TICK), Ended(None)),
        *[(Guards(redirect_status=status), Redirect(HERE, status)) for status in (301, 302, 307, 308)],
        (Guards(max_scans=5), Redirect(HERE, 302, 5)),
        (Guards(forward_query=True), Redirect("https://example.com/here?a=1&b=2#part", 302)),
    ],
    ids=str,
)
@pytest.mark.parametrize("unlocked", [False, True])
def test_guards_decide(guards: Guards, decision: Decision, unlocked: bool) -> None:
    assert decided(guards, unlocked=unlocked) == decision
    assert decided(guards, deleted=True, unlocked=unlocked) == Ended(guards.fallback_url)


@pytest.mark.parametrize(
    ("guards", "locked", "unlocked"),
    [
        (Guards(password_hash="x"), Locked("x"), Redirect(HERE, 302)),
        (Guards(password_hash="x", redirect_status=308), Locked("x"), Redirect(HERE, 308)),
        (Guards(password_hash="x", active=False), Ended(None), Ended(None)),
        (Guards(password_hash="x", expires_at=NOW, fallback_url=ELSEWHERE), Ended(ELSEWHERE), Ended(ELSEWHERE)),
    ],
)
def test_a_password_is_asked_for_only_where_there_is_something_behind_it(
    guards: Guards, locked: Decision, unlocked: Decision
) -> None:
    assert decided(guards, unlocked=False) == locked
    assert decided(guards, unlocked=True) == unlocked
    assert "password" not in repr(guards)


@pytest.mark.parametrize(
    ("destination", "query", "merged"),
    [
        ("https://e.com", b"", "https://e.com"),
        ("https://e.com", b"a=1", "https://e.com?a=1"),
        ("https://e.com/?", b"a=1", "https://e.com/?a=1"),
        ("https://e.com/#part?x", b"a=1", "https://e.com/?a=1#part?x"),
        ("https://e.com/#", b"a=1", "https://e.com/?a=1#"),
        ("https://e.com/?a=1", b"b=2", "https://e.com/?a=1&b=2"),
        ("https://e.com/?a=1&b=2&a=3", b"a=9", "https://e.com/?b=2&a=9"),
        ("https://e.com/?a=1", b"a", "https://e.com/?a"),
        ("https://e.com/?a", b"a=", "https://e.com/?a="),
        ("https://e.com/?A=1", b"a=2", "https://e.com/?A=1&a=2"),
        ("https://e.com/?%61=1&a%20b=2", b"a=9&a+b=8", "https://e.com/?a=9&a+b=8"),
        ("https://e.com/?a=%2F+x&&b", b"&c=%2f%20&&", "https://e.com/?a=%2F+x&b&c=%2f%20"),
        ("https://e.com/?&", b"&", "https://e.com/?&"),
        ("https://e.com/", b"a=\r\nSet-Cookie: x", "https://e.com/?a=%0D%0ASet-Cookie:%20x"),
        ("https://e.com/", b'a="<\\>\xc3\xbc#x', "https://e.com/?a=%22%3C%5C%3E%C3%BC%23x"),
    ],
)
def test_queries_are_merged(destination: str, query: bytes, merged: str) -> None:
    assert with_query(destination, query) == merged


def test_a_query_that_makes_the_url_too_long_is_left_out() -> None:
    room = MAX_BYTES - len("https://e.com/?a=")
    longest = "https://e.com/?a=" + "x" * room
    assert with_query("https://e.com/", b"a=" + b"x" * room) == longest
    assert with_query("https://e.com/", b"a=" + b"x" * (room + 1)) == "https://e.com/"


@pytest.mark.parametrize("status", [200, 300, 303, 304, 404])
def test_no_other_status_is_a_redirect(status: int) -> None:
    with pytest.raises(Exception, match="301, 302, 307 or 308"):
        Guards(redirect_status=status)  # type: ignore[arg-type]
