"""What a user agent is: its kind of device, its operating system, its browser, and whether it is a program, and which.

Two kept collections know them: uap-core (by ua-parser) and crawler-user-agents, which between them list the crawlers
and link previews there are. Both are searched in Rust, by what ua-parser has for that: some 20 us for an agent, which
is remembered.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from ua_parser import Domain, Parser
from ua_parser.lazy import UserAgentMatcher
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

from server.domain.model import Device

# What neither collection says. Amazon's televisions are the AFT models (developer.amazon.com, Identify Fire TV
# Devices); browsers on tablets with Android leave "Mobile" out (developer.chrome.com, User Agent).
TV = re.compile(r"smart-?tv|\btv\b|appletv|googletv|bravia|hbbtv|netcast|web0s|roku|crkey|\baft\w", re.IGNORECASE)
TABLET = re.compile(r"ipad|tablet|kindle|playbook|\bsilk/(?!.*mobile)", re.IGNORECASE)
MOBILE = re.compile(r"iphone|ipod|mobile|phone|opera mini|blackberry|\bbb10\b|ios-device", re.IGNORECASE)
# Programs that fetch for whoever runs them: neither crawler nor preview. People try their links by them, and load tests
# count by them; a crawler that is made with one of them and does not say so cannot be told from that.
TOOL = re.compile(
    r"(?:curl|wget|httpie|xh|python-requests|python-httpx|python-urllib|python|aiohttp|go-http-client|okhttp|axios|node"
    r"|node-fetch|undici|got|java|apache-httpclient|postmanruntime|insomnia|bruno|k6|libwww-perl|ruby|guzzlehttp)\b",
    re.IGNORECASE,
)
NO_NAME = re.compile(r"^\W+|\W+$")

DESKTOP_SYSTEMS = frozenset(["Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD"])


#: Agents that are remembered. A day of a busy server has some thousand different ones.
MAX_KNOWN = 1 << 14


#: Characters of a name or version. What is longer was made up.
MAX_NAME = 64
MAX_VERSION = 12


class Agent(NamedTuple):
    """What is known of a user agent."""

    device: Device
    os: str | None = None
    browser: str | None = None
    #: The first number of it.
    browser_version: str | None = None
    #: Which bot it is, where that is known.
    bot: str | None = None


@cache
def _parser() -> Parser:
    """Made when it is first needed: it takes a tenth of a second. Five times as long, and 30 MB, if the collection were
    made ready to be searched in Python, too."""
    return Parser(Resolver(load_lazy_builtins()))


@lru_cache(MAX_KNOWN)
def agent(text: str) -> Agent:
    if not text:
        return Agent("other")
    found = _parser().parse(text)
    os = _name(found.os.family) if found.os else None
    browser = _name(found.user_agent.family) if found.user_agent else None
    version = _version(found.user_agent.major) if found.user_agent else None
    model = found.device.family if found.device else ""
    if TOOL.match(text):
        return Agent("other", os, browser, version)
    bot = _crawler(text)
    if bot is not None or model == "Spider":
        return Agent("bot", os, browser, version, bot or browser)
    return Agent(_device(text, os, model), os, browser, version)


@cache
def _crawlers() -> Resolver:
    """As if each crawler were a browser, with what its pattern finds for its name."""
    return Resolver(([UserAgentMatcher(f"({each['pattern']})") for each in CRAWLER_USER_AGENTS_DATA], [], []))


def _crawler(text: str) -> str | None:
    """The crawler's name: what it is known by in its user agent. None for what is no crawler."""
    found = _crawlers()(text, Domain.USER_AGENT).user_agent
    return None if found is None else _name(NO_NAME.sub("", found.family))


def _name(given: str) -> str:
    return given[:MAX_NAME]


def _version(given: str | None) -> str | None:
    return given[:MAX_VERSION] if given else None


def _device(text: str, os: str | None, model: str) -> Device:
    if TV.search(text):
        return "tv"
    if TABLET.search(text) or TABLET.search(model):
        return "tablet"
    if MOBILE.search(text) or MOBILE.search(model):
        return "mobile"
    if os == "Android":
        return "tablet" if text.startswith("Mozilla/") else "mobile"
    return "desktop" if os in DESKTOP_SYSTEMS else "other"
