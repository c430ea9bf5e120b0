"""What is appended can be read, whatever became of the process."""

import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from time import time
from typing import Any
from zlib import crc32

import pytest

from server.asgi import Headers, Scope
from server.domain.model import LinkId, Position
from server.scans import journal as journals
from server.scans import record
from server.scans.journal import AHEAD, MAGIC, MIN_SEGMENT_BYTES, Journal
from server.scans.reader import START, JournalReader
from server.scans.record import FRAME, TAGS, Record, tags
from tests.support import DEADLINE_S, until


def request(headers: Headers, *, client: tuple[str, int] | None = ("192.0.2.7", 50_000), path: str = "/menu") -> Scope:
    return {"path": path, "headers": headers, "client": client}


HEADERS: Headers = [
    (b"host", b"qr.example.com"),
    (b"user-agent", b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"),
    (b"accept-language", b"de-CH,de;q=0.9"),
]
PHONE = request(HEADERS)


def make(root: Path, *, max_bytes: int = 1 << 20) -> Journal:
    return Journal(root, max_bytes=max_bytes, sync_s=1, segment_bytes=MIN_SEGMENT_BYTES)


def link(number: int) -> bytes:
    return number.to_bytes(8, "little")


def read_all(reader: JournalReader, *, owned: bool = True, most: int = 1000) -> list[Record]:
    scans: list[Record] = []
    position = START
    while (batch := reader.read(position, most=most, owned=owned)).end != position:
        scans += batch.scans
        position = batch.end
    return scans


def test_a_scan_is_read_back_with_what_its_headers_said(tmp_path: Path) -> None:
    journal = make(tmp_path)
    journal.append(link(7), request([*HEADERS, (b"referer", b"https://news.example/")]))
    (scan,) = read_all(JournalReader(journal.folder))
    assert scan.link_id == 7
    assert scan.agent == b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
    assert scan.language == b"de-CH,de;q=0.9"
    assert scan.referrer == b"https://news.example/"
    assert scan.peer == "192.0.2.7"
    assert abs(scan.time_us / 1e6 - time()) < 60
    journal.close()


def test_headers_that_are_too_long_are_cut_where_a_client_may_have_made_them_up(tmp_path: Path) -> None:
    journal = make(tmp_path)
    hostile: Headers = [
        (b"x-forwarded-for", b"1.1.1.1, " * 2000),
        (b"user-agent", b"\xff\x00" + b"a" * 10_000),
        (b"referer", b"r" * 10_000),
        (b"accept-language", b"l" * 10_000),
        (b"forwarded", b"for=1.1.1.1," * 2000),
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"forwarded", b"for=203.0.113.9"),
    ]
    for _ in range(2):
        journal.append(link(1), request(hostile, client=("2001:db8::" + "1" * 100, 1)))
    journal.append(link(2), PHONE)
    scans = read_all(JournalReader(journal.folder))
    assert [scan.link_id for scan in scans] == [1, 1, 2]
    assert scans[0].agent == b"\xff\x00" + b"a" * 510
    assert scans[0].referrer == b"r" * 2048
    assert scans[0].language == b"l" * 128
    assert scans[0].forwarded_for.endswith(b"1.1.1.1, ,203.0.113.9")
    assert scans[0].forwarded.endswith(b"for=1.1.1.1,,for=203.0.113.9")
    assert len(scans[0].forwarded_for) == len(scans[0].forwarded) == 512
    assert len(scans[0].peer) == 64
    journal.close()


@pytest.mark.parametrize("client", [None, ("192.0.2.7", 50_000), ("", 0), ("2001:db8::1", 1)])
@pytest.mark.parametrize("path", ["/menu", "/MENU-2"])
def test_a_record_is_the_same_whichever_way_it_is_made(
    client: tuple[str, int] | None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "time_ns", lambda: 1_790_000_000_123_456_789)
    scope = request([*HEADERS, (b"x-forwarded-for", b"10.0.0.1"), (b"x-forwarded-for", b"")], client=client, path=path)
    packed = record.pack(link(7), scope, record.PLAIN)
    buffer = bytearray(record.MAX_RECORD)
    assert record.put(buffer, 0, len(buffer), link(7), scope, record.PLAIN) == len(packed)
    assert buffer[: len(packed)] == packed


def test_one_long_header_is_cut_as_well(tmp_path: Path) -> None:
    """It fits into a record, so nothing was cut when it was appended."""
    journal = make(tmp_path)
    journal.append(link(1), request([(b"user-agent", b"a" * 2000), (b"x-forwarded-for", b"b" * 1000)]))
    (scan,) = read_all(JournalReader(journal.folder))
    assert (len(scan.agent), len(scan.forwarded_for)) == (512, 512)
    journal.close()


def test_what_a_cdn_says_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    said: Headers = [(b"cf-ipcountry", b"CH"), (b"cf-region", b"Zurich"), (b"cf-ipcity", "Zürich".encode())]
    asking = Journal(
        tmp_path,
        max_bytes=1 << 20,
        sync_s=1,
        tags=tags(country="CF-IPCountry", region="", city="CF-IPCity"),
        segment_bytes=MIN_SEGMENT_BYTES,
    )
    silent = make(tmp_path)
    long: Headers = [(b"cf-ipcity", b"c" * 10_000), (b"referer", b"r" * 10_000), (b"cf-ipcountry", b"CH" * 10_000)]
    for journal in (asking, silent):
        journal.append(link(1), request([*HEADERS, *said]))
        journal.append(link(1), request(long))
        journal.close()
    first, second = read_all(JournalReader(asking.folder), owned=False)
    assert (first.country, first.region, first.city) == (b"CH", b"", "Zürich".encode())
    assert (second.country, second.city, second.referrer) == (b"CH" * 8, b"c" * 256, b"r" * 2048)
    for scan in read_all(JournalReader(silent.folder), owned=False):
        assert (scan.country, scan.region, scan.city) == (b"", b"", b"")


def test_a_header_that_is_kept_anyway_stays_what_it_is() -> None:
    assert tags(country="Referer", region="X-Region", city="x-region")[b"referer"] == TAGS[b"referer"]


def test_a_scan_without_any_header_or_peer_is_one(tmp_path: Path) -> None:
    journal = make(tmp_path)
    journal.append(link(1), request([], client=None))
    (scan,) = read_all(JournalReader(journal.folder))
    assert (scan.link_id, scan.peer, scan.agent) == (1, "", b"")
    journal.close()


@pytest.mark.parametrize(
    ("path", "from_code"), [("/MENU-2", True), ("/menu-2", False), ("/Menu-2", False), ("/2026", False)]
)
def test_what_a_symbol_says_is_told_by_its_case(tmp_path: Path, path: str, from_code: bool) -> None:
    journal = make(tmp_path)
    journal.append(link(1), request(HEADERS, path=path))
    journal.append(link(1), request([(b"referer", b"r" * 10_000)], path=path))
    assert [scan.from_code for scan in read_all(JournalReader(journal.folder))] == [from_code] * 2
    journal.close()


def test_what_a_proxy_has_said_in_several_headers_is_one_list(tmp_path: Path) -> None:
    journal = make(tmp_path)
    lines: Headers = [(b"x-forwarded-for", b"10.0.0.1, 10.0.0.2"), (b"x-forwarded-for", b"10.0.0.3")]
    journal.append(link(1), request(lines))
    (scan,) = read_all(JournalReader(journal.folder))
    assert scan.forwarded_for == b"10.0.0.1, 10.0.0.2,10.0.0.3"
    journal.close()


# A segment as version 0.1 wrote it on 2026-11-21: two scans and the end, then zeros.
OLD_SEGMENT = (
    b"qredge journal 1"
    + (lambda body: FRAME.pack(len(body), crc32(body)) + body)(
        struct.pack("<Q8sHHH", 1_790_000_000_123_456_789, link(7), 5, 21, 2)
        + b"phone"
        + b"https://news.example/"
        + b"de"
    )
    + (lambda body: FRAME.pack(len(body), crc32(body)) + body)(
        struct.pack("<Q8sHHH", 1_790_000_001_000_000_000, link(8), 0, 0, 0)
    )
    + b"\xff\xff\xff\xff"
)


def test_the_journal_of_the_version_before_is_read(tmp_path: Path) -> None:
    (tmp_path / "00000001.seg").write_bytes(OLD_SEGMENT.ljust(MIN_SEGMENT_BYTES, b"\0"))
    first, second = read_all(JournalReader(tmp_path), owned=False)
    assert first == Record(
        LinkId(7), 1_790_000_000_123_456, "", b"phone", b"https://news.example/", b"de", b"", b"", False
    )
    assert second == Record(LinkId(8), 1_790_000_001_000_000, "", b"", b"", b"", b"", b"", False)


def test_the_journal_of_a_later_version_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "00000001.seg").write_bytes(b"qredge journal 9".ljust(MIN_SEGMENT_BYTES, b"\0"))
    assert read_all(JournalReader(tmp_path), owned=False) == []
    assert "segment 1 is damaged" in caplog.text


def test_a_record_that_is_none_though_its_checksum_is_right_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    segment = MAGIC + FRAME.pack(3, crc32(b"abc")) + b"abc"
    (tmp_path / "00000001.seg").write_bytes(segment.ljust(MIN_SEGMENT_BYTES, b"\0"))
    assert read_all(JournalReader(tmp_path), owned=False) == []
    assert "segment 1 is damaged or missing at byte 16" in caplog.text


def test_scans_go_on_from_segment_to_segment_in_order(tmp_path: Path) -> None:
    journal = make(tmp_path)
    for number in range(500):
        journal.append(link(number), PHONE)
    assert len(list(journal.folder.glob("*.seg"))) > 2
    assert [scan.link_id for scan in read_all(JournalReader(journal.folder), most=7)] == list(range(500))
    journal.close()


def test_a_reader_follows_a_writer_that_goes_on(tmp_path: Path) -> None:
    journal = make(tmp_path)
    reader, position, seen = JournalReader(journal.folder), START, []
    for number in range(300):
        journal.append(link(number), PHONE)
        batch = reader.read(position, most=100, owned=True)
        seen += [scan.link_id for scan in batch.scans]
        position = batch.end
    assert seen == list(range(300))
    assert reader.read(position, most=100, owned=True).end == position
    journal.close()


def test_written_segments_are_used_again(tmp_path: Path) -> None:
    journal = make(tmp_path, max_bytes=4 * MIN_SEGMENT_BYTES)
    reader, position, seen = JournalReader(journal.folder), START, 0
    for number in range(3000):
        journal.append(link(number), PHONE)
        if number % 100 == 99:
            batch = reader.read(position, most=1000, owned=True)
            assert [scan.link_id for scan in batch.scans] == list(range(seen, number + 1))
            seen, position = number + 1, batch.end
            reader.recycle(position)
    assert journal.dropped == 0
    assert sum(entry.stat().st_size for entry in journal.folder.iterdir()) <= 5 * MIN_SEGMENT_BYTES
    journal.close()


def test_a_full_journal_drops_and_counts_and_goes_on_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "RETRY_S", 0.0)
    journal = make(tmp_path, max_bytes=3 * MIN_SEGMENT_BYTES)
    for number in range(1000):
        journal.append(link(number), PHONE)
    kept = read_all(JournalReader(journal.folder))
    assert journal.dropped > 0
    assert len(kept) + journal.dropped == 1000
    assert [scan.link_id for scan in kept] == list(range(len(kept)))

    JournalReader(journal.folder).recycle(Position(3, 16))
    dropped = journal.dropped
    journal.append(link(5000), PHONE)
    assert journal.dropped == dropped
    journal.close()


def test_a_disk_that_takes_no_more_costs_scans_but_no_redirect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    for number in range(1000):
        journal.append(link(number), PHONE)
    assert journal.dropped > 0
    assert len(read_all(JournalReader(journal.folder))) + journal.dropped == 1000
    journal.close()


def test_while_a_disk_is_slow_scans_go_into_segments_made_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = make(tmp_path)
    until(lambda: len(journal._ready) == AHEAD, what="segments ready ahead")  # whose files are there before they are
    quick, waiting = threading.Event(), threading.Event()
    write = os.pwritev

    def slow(*arguments: Any) -> int:  # noqa: ANN401 -- as os.pwritev
        waiting.set()
        assert quick.wait(DEADLINE_S)
        return write(*arguments)

    monkeypatch.setattr(os, "pwritev", slow)
    while not (journal.folder / f"{1 + AHEAD:08d}.seg").exists():
        journal.append(link(1), PHONE)
    assert waiting.wait(DEADLINE_S)  # the thread that makes more of them has begun, and nobody else waits
    assert not quick.is_set()
    quick.set()
    assert journal.dropped == 0
    journal.close()


CHILD = """
import os, sys
from pathlib import Path
from server.scans.journal import Journal
journal = Journal(Path(sys.argv[1]), max_bytes=1 << 24, sync_s=1)
for number in range(1000):
    journal.append(number.to_bytes(8, "little"), {"path": "/", "client": None, "headers": [(b"user-agent", b"child")]})
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_has_appended_is_there(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], check=False).returncode == -9
    (folder,) = tmp_path.iterdir()
    reader = JournalReader(folder)
    assert not reader.owned()
    assert [scan.link_id for scan in read_all(reader, owned=False)] == list(range(1000))


def test_a_journal_is_owned_for_as_long_as_its_process_keeps_it(tmp_path: Path) -> None:
    journal = make(tmp_path)
    assert JournalReader(journal.folder).owned()
    journal.close()
    assert not JournalReader(journal.folder).owned()


def _damage(folder: Path, segment: int, offset: int) -> None:
    with (folder / f"{segment:08d}.seg").open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def test_a_torn_last_record_is_waited_for_while_its_owner_lives_and_reported_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = make(tmp_path)
    journal.append(link(1), PHONE)
    first = JournalReader(journal.folder).read(START, most=10, owned=True).end
    journal.append(link(2), PHONE)
    _damage(journal.folder, 1, first.offset + FRAME.size)
    reader = JournalReader(journal.folder)

    assert [scan.link_id for scan in reader.read(START, most=10, owned=True).scans] == [1]
    assert reader.read(first, most=10, owned=True) == ([], first)
    assert not caplog.records

    journal.close()
    assert [scan.link_id for scan in read_all(reader, owned=False)] == [1]
    assert f"damaged or missing at byte {first.offset}" in caplog.text


def test_damage_inside_costs_the_rest_of_its_segment_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = make(tmp_path)
    for number in range(400):
        journal.append(link(number), PHONE)
    until(lambda: (journal.folder / "00000003.seg").exists(), what="a third segment")
    whole = {scan.link_id for scan in read_all(JournalReader(journal.folder))}
    _damage(journal.folder, 2, 16)
    kept = {scan.link_id for scan in read_all(JournalReader(journal.folder))}
    lost = sorted(whole - kept)
    assert lost == list(range(lost[0], lost[-1] + 1))
    assert 0 in kept
    assert 399 in kept
    assert "segment 2 is damaged or missing at byte 16" in caplog.text
    journal.close()


def test_after_the_database_was_set_back_what_is_still_there_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = make(tmp_path)
    for number in range(500):
        journal.append(link(number), PHONE)
    reader = JournalReader(journal.folder)
    reader.recycle(Position(4, 16))
    kept = [scan.link_id for scan in read_all(reader)]
    assert kept == list(range(kept[0], 500))
    assert kept[0] > 0
    assert "segment 1 is damaged or missing" in caplog.text
    journal.close()


def test_a_segment_that_was_cut_short_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = make(tmp_path)
    for number in range(50):
        journal.append(link(number), PHONE)
    journal.close()
    os.truncate(journal.folder / "00000001.seg", 1000)
    assert len(read_all(JournalReader(journal.folder), owned=False)) < 50
    assert "segment 1 is damaged" in caplog.text


def test_the_disk_gets_back_what_an_outage_took(tmp_path: Path) -> None:
    journal = make(tmp_path, max_bytes=100 * MIN_SEGMENT_BYTES)
    for number in range(3000):
        journal.append(link(number), PHONE)
    reader = JournalReader(journal.folder)
    piled_up = len(list(journal.folder.iterdir()))
    reader.recycle(reader.read(START, most=5000, owned=True).end)
    assert len(list(journal.folder.iterdir())) <= 8 < piled_up
    journal.close()
