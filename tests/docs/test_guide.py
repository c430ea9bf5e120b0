"""Every request in the guides gets the answer that stands below it.

A request is a block of shell commands, its answer the block behind it, if that is none of commands, too: JSON, text as
it comes, or `http`, some lines of it. Ids, times, slugs and
the like are another time others: each is a thing of its kind, the first, the second ... of the page, there and here, so
that what is made in one request is found in the next. "..." stands for members and items that are left out.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support import ServerProcess

ROOT = Path(__file__).parents[2]
GUIDES = ("docs/api.md", "README.md")

#: Where the guides say that the server is, and the key that they were written with.
URL = "http://127.0.0.1:8000"

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[\[\]{}]')

#: What a block leaves for those behind it.
FUNCTION = re.compile(r"^\w+\(\) \{.*\}$", re.MULTILINE)
EXPORT = re.compile(r"^export KEY=.*$", re.MULTILINE)

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: What is different each time, by its kind. Slugs of chance are eight characters without vowels behind the host.
VOLATILE = re.compile(
    r"(?P<count>(?<=\"scans\": )\d+|(?<=\"total_scans\": )\d+|(?<=\"unique_scans\": )\d+"
    r"|(?<=\"last_scan_at\": )(?:null|\"[^\"]*\"))"
    r"|(?P<end>(?<=\"last4\": \")\w{4})"
    r"|(?P<id>\b(?:acc|key|lnk|qr|whk|scn|req)_[0-9a-z]{8,}\b)"
    r"|(?P<evt>\bevt_[0-9a-z]+\b)"
    r"|(?P<key>\bqredge_[0-9A-Za-z]{40}\b)"
    r"|(?P<secret>\bwhsec_[0-9A-Za-z+/=]+)"
    r"|(?P<time>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    r"|(?P<slug>\b[bcdfghjkmnpqrstvwxyz2-9]{8}\b)"
    r"|(?P<cursor>(?<=\"next_cursor\": \")[^\"]+|(?<=cursor=)[\w-]+)"
)
#: Kinds of which only the kind is compared: two times that were the same may differ by a microsecond, and a scan may
#: not be counted yet.
ANY = {"time": "<time>", "count": '"<count>"', "end": "<end>"}


#: What a block has that another one of commands comes behind.
NO_ANSWER = ("", "")


class Exchange(NamedTuple):
    command: str
    kind: str
    answer: str


class Names:
    """The things of one side, numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self.things: dict[str, str] = {}

    def name(self, text: str) -> str:
        """The text with a name in place of each thing."""
        return VOLATILE.sub(self.named, text)

    def named(self, found: re.Match[str]) -> str:
        kind, thing = str(found.lastgroup), found[0]
        if kind in ANY:
            return ANY[kind]
        if thing not in self._numbers:
            number = sum(name.startswith(f"<{kind} ") for name in self.things) + 1
            self._numbers[thing] = f"<{kind} {number}>"
            self.things[self._numbers[thing]] = thing
        return self._numbers[thing]


def exchanges(page: str) -> list[Exchange]:
    blocks = [(found[1], found[2]) for found in BLOCK.finditer(page)]
    following = [*blocks[1:], ("sh", "")]
    return [
        Exchange(text, *(answer if answer[0] != "sh" else NO_ANSWER))
        for (language, text), answer in zip(blocks, following, strict=True)
        if language == "sh"
    ]


def parsed(answer: str) -> object:
    """JSON in which ... may stand for what is left out."""
    within: list[str] = []

    def told(found: re.Match[str]) -> str:
        token = found[0]
        if token in "[{":
            within.append(token)
        elif token in "]}":
            within.pop()
        elif token == "...":
            return '"..."' if within[-1] == "[" else '"...": 0'
        return token

    return json.loads(TOKEN.sub(told, answer))


def same(expected: object, actual: object, place: str) -> None:
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = expected.keys() - {"..."}
        if "..." in expected:
            assert names <= actual.keys(), place
        else:
            assert expected.keys() == actual.keys(), place
        for name in names:
            same(expected[name], actual[name], f"{place}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and "..." in expected:
        left_out = expected.index("...")
        for number, each in enumerate(expected[:left_out]):
            same(each, actual[number], f"{place}/{number}")
        for number, each in enumerate(reversed(expected[left_out + 1 :]), 1):
            same(each, actual[-number], f"{place}/{-number}")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(expected) == len(actual), place
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            same(one, other, f"{place}/{number}")
    else:
        assert expected == actual, place


@pytest.mark.parametrize("guide", GUIDES)
def test_every_request_gets_the_answer_that_is_printed(
    guide: str, server: ServerProcess, api: httpx.Client, tmp_path: Path
) -> None:
    key = api.headers["authorization"].removeprefix("Bearer ")
    said, got = Names(), Names()
    found = exchanges((ROOT / guide).read_text())
    assert len(found) > 5
    functions = ""
    for exchange in found:
        command = VOLATILE.sub(lambda each: _thing(each, said, got), EXPORT.sub("", exchange.command))
        command = functions + command.replace(URL, server.url).replace(
            ".venv/bin/qredge", f"{sys.executable} -m server"
        )
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", functions + command],
            cwd=tmp_path,
            env={**os.environ, "KEY": key, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert run.returncode == 0, f"{command}\n{run.stderr}"
        functions += "\n".join([*FUNCTION.findall(exchange.command), ""])
        told = run.stdout.replace(server.url, URL)
        if exchange.kind == "json":
            expected = said.name(json.dumps(parsed(exchange.answer), ensure_ascii=False))
            actual = got.name(json.dumps(json.loads(told), ensure_ascii=False))
            same(json.loads(expected), json.loads(actual), exchange.command)
        elif exchange.kind == "http":
            assert set(exchange.answer.splitlines()) <= {line.strip() for line in told.splitlines()}, told
        elif exchange.kind:
            assert got.name(told).strip() == said.name(exchange.answer).strip(), exchange.command


def _thing(found: re.Match[str], said: Names, got: Names) -> str:
    """What the page speaks of, as it is called here."""
    name = said.named(found)
    return got.things.get(name, found[0])
