"""Rows of CSV (RFC 4180, in UTF-8): how an answer becomes one, and how one becomes a request again.

Spreadsheets run what looks like a formula. Such a text has an apostrophe put before it, as OWASP advises, which reading
takes away: https://owasp.org/www-community/attacks/CSV_Injection (read 2026-11-21).
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO, StringIO, TextIOWrapper

import orjson
from starlette.exceptions import HTTPException

from server.api.problems import InvalidFields, WrongField

#: A text that begins with one of these is a formula; one that is defused already is so once more, so that both can be
#: told apart when they are read.
FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
DEFUSED = re.compile(rf"'{FORMULA.pattern}")

HEADER_ROW = 1

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"


# --- out ----------------------------------------------------------------------------------------------------------


def written(rows: Iterable[Sequence[object]]) -> bytes:
    out = StringIO(newline="")
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
    if isinstance(value, datetime):
        return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode().strip('"')
    text = str(value)
    return f"'{text}" if FORMULA.match(text) else text


def joined(words: Iterable[str]) -> str:
    """Words in which there is no comma, as one text."""
    return ",".join(words)


# --- in -----------------------------------------------------------------------------------------------------------

Row = dict[str, object]


def text(cell: str) -> str:
    return cell[1:] if DEFUSED.match(cell) else cell


def words(cell: str) -> list[str]:
    return text(cell).split(",")


def boolean(cell: str) -> bool | str:
    """What is neither is left for the field to refuse."""
    return {"true": True, "false": False}.get(cell.strip().lower(), cell)


def number(cell: str) -> int | str:
    return int(cell) if re.fullmatch(r"[0-9]{1,18}", cell.strip()) else cell


def json(cell: str) -> object:
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell


def read(
    body: bytes | bytearray, columns: Mapping[str, Callable[[str], object]], passed_over: Iterable[str], *, most: int
) -> Iterator[tuple[int, Row | InvalidFields]]:
    """The rows with their number, as spreadsheets count them: the header is 1. An empty cell is none. Raises
    InvalidFields for a header with other columns, and for more rows than `most`."""
    try:
        yield from _rows(body, columns, frozenset(passed_over), most)
    except (csv.Error, UnicodeDecodeError) as exc:
        raise HTTPException(400, f"The body is not CSV in UTF-8: {exc}.") from exc


def _rows(
    body: bytes | bytearray, columns: Mapping[str, Callable[[str], object]], passed_over: frozenset[str], most: int
) -> Iterator[tuple[int, Row | InvalidFields]]:
    lines = csv.reader(TextIOWrapper(BytesIO(body), "utf-8-sig", newline=""), strict=True)
    header = [name.strip() for name in next(lines, [])]
    _check(header, columns, passed_over)
    found = 0
    for place, cells in enumerate(lines, start=HEADER_ROW + 1):
        if not any(cells):
            continue
        found += 1
        if found > most:
            raise InvalidFields([_wrong("", "too_long", f"At most {most} rows are read at once.")])
        if len(cells) != len(header):
            detail = f"The header has {len(header)} cells; this row has {len(cells)}."
            yield place, InvalidFields([WrongField(pointer="", code="wrong_length", detail=detail)])
        else:
            given = zip(header, cells, strict=True)
            yield place, {name: columns[name](cell) for name, cell in given if cell and name in columns}
    if not found:
        raise InvalidFields([_wrong("", "too_short", "There is no row behind the header.")])


def _check(header: Sequence[str], columns: Mapping[str, object], passed_over: frozenset[str]) -> None:
    wrong = []
    for place, name in enumerate(header):
        pointer = f"/{HEADER_ROW}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in header[:place]:
            wrong.append(_wrong(pointer, "duplicate", "A column of this name is there already."))
        elif name not in columns and name not in passed_over:
            known = ", ".join(columns)
            wrong.append(_wrong(pointer, "unknown_field", f"There is no such column, but {known}."))
    if wrong:
        raise InvalidFields(wrong)


def _wrong(pointer: str, code: str, detail: str) -> WrongField:
    return WrongField(pointer=f"/rows{pointer}", code=code, detail=detail)
