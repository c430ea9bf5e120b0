"""Golden conversations: requests and answers as text, replayed against a live server.

    ### A title
    POST /api/v1/qr
    Authorization: Bearer {key}

    {"label": "Menu"}

    201
    content-type: application/json

    {"id": "<int>", "short_code": "{code}", "...": "..."}

What stands in braces is a variable: filled in where it is known, and in an answer taken from it where it is not.
"<int>", "<number>", "<text>", "<time>" and "<any>" are any of that kind, and {"...": "..."} lets more members be there.
A body of an answer may also be a picture: "<png 512x512: {short_url}>" is what a decoder reads from it. Headers of an
answer are those that are looked at; one with "-" must not be there.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import zxingcpp
from PIL import Image

from tests.fastcore.viewers import Pixels, in_pdfium, in_resvg, on_white
from tests.support import ServerProcess

VARIABLE = re.compile(r"\{([a-z_0-9]+)\}")
PICTURE = re.compile(r"<(?P<format>png|svg|pdf)(?: (?P<width>\d+)x(?P<height>\d+))?(?:: (?P<text>.*))?>")
MORE = "..."
#: In which a PDF is looked at.
PDF_WIDTH = 1024


@dataclass(frozen=True)
class Exchange:
    title: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    expected_headers: dict[str, str]
    expected: str


def read(path: Path) -> Iterator[Exchange]:
    """The exchanges in a file."""
    for part in path.read_text(encoding="utf-8").split("### ")[1:]:
        title, _, rest = part.partition("\n")
        found = re.fullmatch(r"(?P<request>.*?)\n\n(?P<status>\d{3})\n(?P<answer>.*)", rest, re.DOTALL)
        assert found, f"{path.name}: {title}: there is no answer"
        head, _, body = found["request"].partition("\n\n")
        request, *headers = head.strip().split("\n")
        method, _, target = request.partition(" ")
        expected_headers, _, expected = f"\n{found['answer']}".partition("\n\n")
        yield Exchange(
            title=title.strip(),
            method=method,
            path=target,
            headers=_headers(headers),
            body=body.strip(),
            status=int(found["status"]),
            expected_headers=_headers(expected_headers.strip().split("\n")),
            expected=expected.strip(),
        )


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class Replay:
    """One telling of a conversation, with what is known by now."""

    def __init__(self, server: ServerProcess, dialect: str, *, by_host: bool, **known: str) -> None:
        self._dialect = dialect
        self._by_host = by_host
        self._server = server
        #: What the answers' URLs of the dialect begin with.
        at = f"http://{dialect}.test" if by_host else f"{server.url}/{dialect}"
        self.known = {"base": server.url, "at": at, **known}

    def ask(self, exchange: Exchange) -> httpx.Response:
        """Sends the request, and compares the answer."""
        path = self._filled(exchange.path)
        headers = {name: self._filled(value) for name, value in exchange.headers.items()}
        if self._by_host:
            headers["host"] = f"{self._dialect}.test"
            url = f"{self._server.url}{path}"
        else:
            url = f"{self._server.url}/{self._dialect}{path}"
        text = self._filled(exchange.body, quoted=False)
        if headers.get("content-type", "").startswith("multipart/"):
            text = text.replace("\n", "\r\n")  # RFC 2046, 5.1.1
        body = text.encode()
        with httpx.Client(verify=False) as client:
            answer = client.request(exchange.method, url, headers=headers, content=body)
        shown = f"{answer.status_code} {answer.headers}\n{answer.text[:2000]}"
        where = f"{exchange.title}: {exchange.method} {path}\n{shown}"
        assert answer.status_code == exchange.status, where
        for name, value in exchange.expected_headers.items():
            if value == "-":
                assert name not in answer.headers, where
            else:
                self._text(value, answer.headers.get(name, ""), f"{where}\n{name}")
        self._body(exchange.expected, answer, where)
        return answer

    def _body(self, expected: str, answer: httpx.Response, where: str) -> None:
        if not expected:
            assert answer.content == b"", where
        elif found := PICTURE.fullmatch(expected):
            self._picture(found, answer, where)
        elif expected[0] in "[{":
            self._same(json.loads(expected), answer.json(), where)
        else:
            self._text(expected, answer.text, where)

    def _picture(self, found: re.Match[str], answer: httpx.Response, where: str) -> None:
        seen = pixels(answer.content, found["format"])
        if found["width"]:
            assert seen.shape[1::-1] == (int(found["width"]), int(found["height"])), where
        if found["text"]:
            read = zxingcpp.read_barcodes(seen)
            assert len(read) == 1, where
            self._text(found["text"], read[0].text, where)

    def _same(self, expected: object, found: object, where: str) -> None:
        if isinstance(expected, dict):
            assert isinstance(found, dict), f"{where}\nis no object: {found!r}"
            names = expected.keys() - {MORE}
            assert names <= found.keys() if MORE in expected else names == found.keys(), (
                f"{where}\nmembers: {sorted(found.keys() ^ names)}"
            )
            for name in expected:
                if name != MORE:
                    self._same(expected[name], found[name], f"{where}\n{name}")
        elif isinstance(expected, list):
            assert isinstance(found, list), f"{where}\nis no list: {found!r}"
            assert len(found) == len(expected), f"{where}\nhas another length: {found!r}"
            for index, each in enumerate(expected):
                self._same(each, found[index], f"{where}\n{index}")
        elif isinstance(expected, str) and expected in KINDS:
            assert KINDS[expected](found), f"{where}\nis no {expected}: {found!r}"
        elif isinstance(expected, str):
            assert isinstance(found, str), f"{where}\nis no text: {found!r}"
            self._text(expected, found, where)
        else:
            assert (type(found), found) == (type(expected), expected), f"{where}\n{found!r}, not {expected!r}"

    def _text(self, expected: str, found: str, where: str) -> None:
        """Compares a text with variables in it, and learns those that are new."""
        pattern, new = "", []
        for index, part in enumerate(VARIABLE.split(expected)):
            if index % 2 == 0:
                pattern += re.escape(part)
            elif part in self.known:
                pattern += re.escape(self.known[part])
            elif part in new:
                pattern += f"(?P={part})"
            else:
                new.append(part)
                pattern += f"(?P<{part}>.+?)"
        match = re.fullmatch(pattern, found, re.DOTALL)
        assert match, f"{where}\n{found!r}\nis not\n{expected!r}\nof {self.known}"
        self.known |= match.groupdict()

    def _filled(self, text: str, *, quoted: bool = True) -> str:
        def value(found: re.Match[str]) -> str:
            assert not quoted or found[1] in self.known, f"{found[1]} is not known"
            return self.known.get(found[1], found[0])  # a body has braces of its own

        return VARIABLE.sub(value, text)


def pixels(file: bytes, format: str) -> Pixels:
    """The picture as it is seen on white."""
    if format == "svg":
        return on_white(in_resvg(file))
    if format == "pdf":
        return in_pdfium(file, PDF_WIDTH)
    image = Image.open(BytesIO(file))
    assert image.format == format.upper()
    return on_white(np.asarray(image.convert("RGBA")))


def _is_time(found: object) -> bool:
    try:
        return isinstance(found, str) and datetime.fromisoformat(found) is not None
    except ValueError:
        return False


KINDS: dict[str, Callable[[object], bool]] = {
    "<int>": lambda found: isinstance(found, int) and not isinstance(found, bool),
    "<number>": lambda found: isinstance(found, int | float) and not isinstance(found, bool),
    "<text>": lambda found: isinstance(found, str) and found != "",
    "<time>": _is_time,
    "<any>": lambda found: True,
}
