"""Fetches what lies behind a URL that somebody else chose, or sends something there: `Outbound`.

Such a URL may lead anywhere, also to where only this machine gets to: to its own ports, to the network behind it, to
the metadata of its cloud. So the law here is that no byte is sent to an address that was not checked. A name is
resolved once, every address it has is checked, and the connection is made to a checked address and not to the name,
which might have another one by then. Each redirect starts over.

A connection is used once and never kept, so that what was checked for one host is not used for another.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import NamedTuple, Self, TypeVar

import httpcore
import httpx

from server.domain.errors import InvalidValue

WITHIN_S = 5.0
MAX_BYTES = 5 << 20
MAX_REDIRECTS = 3
MAX_HOST = 253  # RFC 1035, 2.3.4, without the lengths and the root

#: Of the addresses that a name has, those that are tried.
MAX_ATTEMPTS = 3

#: Names that can be looked up at a time. The threads are our own: a name server that never answers holds the thread
#: that asks it, and must not hold those that draw.
MAX_LOOKUPS = 8

REDIRECTS = frozenset([301, 302, 303, 307, 308])

HEADERS = {
    "user-agent": f"qredge/{version('qredge')}",
    "accept": "*/*",
    # What is inflated could grow a thousandfold; pictures are compressed as they are.
    "accept-encoding": "identity",
    "connection": "close",
}

#: What is read of a body that nobody is interested in.
MAX_IGNORED = 1 << 16

T = TypeVar("T")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: IANA's special-purpose addresses (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-, read
#: 2026-11), written out because ipaddress.is_global has changed its mind between Python's releases.
REFUSED: list[Network] = [
    *map(
        ipaddress.IPv4Network,
        [
            *["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
            *["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
            *["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
            "168.63.129.16/32",  # the host of an Azure machine; the metadata of other clouds lies in ranges above
        ],
    ),
    # Of IPv6 only 2000::/3 is unicast to the world (RFC 4291, 2.4). Outside of it lie loopback, link-local, unique
    # local and multicast addresses, and the IPv4 ones in disguise: ::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48.
    *map(ipaddress.IPv6Network, ["::/3", "4000::/2", "8000::/1"]),
    # Within it: protocols' own (Teredo among them), documentation, and 6to4, which has an IPv4 address in it.
    *map(ipaddress.IPv6Network, ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]),
]

#: Host and port -> the host's addresses, as text; raises OSError or UnicodeError where it has none.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


def is_public(address: str) -> bool:
    """Whether the address, IPv4 or IPv6 as text, is one that anybody in the world could connect to."""
    found = ipaddress.ip_address(address)
    return not any(found in network for network in REFUSED if network.version == found.version)


class Asked(NamedTuple):
    """What a request says, beside where it goes."""

    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Answer(NamedTuple):
    """An answer, without its body."""

    status: int
    headers: httpx.Headers


Reader = Callable[[httpx.URL, httpcore.Response], Awaitable[T]]


class Outbound:
    """Fetches from URLs of strangers; one object serves a whole process, from its event loop.

    `within_s` bounds a fetch from its first look-up to its last byte, `max_bytes` its body, and `max_lookups` the names
    that are looked up at a time. What is in `networks` need not be public. `deed` is what messages say is refused.
    `resolve`, `tls` and `allowed`, pairs of address and port that need not be public, are for tests, which have a
    hostile server to reach.
    """

    def __init__(
        self,
        *,
        http: bool = False,
        within_s: float = WITHIN_S,
        max_bytes: int = MAX_BYTES,
        max_lookups: int = MAX_LOOKUPS,
        networks: Collection[Network] = (),
        deed: str = "fetch",
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        allowed: Collection[tuple[str, int]] = (),
    ) -> None:
        self._schemes = ("https", "http") if http else ("https",)
        self._within_s = within_s
        self._max_bytes = max_bytes
        self._networks = networks
        self._deed = deed
        self._lookups = ThreadPoolExecutor(max_lookups, thread_name_prefix="lookup")
        self._resolve = resolve or self._look_up
        self._tls = tls
        self._allowed = frozenset(allowed)

    def close(self) -> None:
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, url: str) -> bytes:
        """The body of the 200 that a GET of `url` is answered with, after at most three redirects.

        Raises InvalidValue, without a field, where there is none: its detail names the host and the cause.
        """
        place = self._parse(httpx.URL(), url)
        async with self._in_time(place) as deadline:
            for _ in range(1 + MAX_REDIRECTS):
                answer = await self._exchange(place, deadline, Asked(), self._body_or_location)
                if isinstance(answer, bytes):
                    return answer
                place = self._parse(place, answer)
        raise self._refused(place, "too_many_redirects", f"redirected more than {MAX_REDIRECTS} times")

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What a POST of `body` to `url` is answered with, whatever it is; a redirect is not followed.

        Raises InvalidValue, without a field, where there is no answer.
        """
        place = self._parse(httpx.URL(), url)
        async with self._in_time(place) as deadline:
            return await self._exchange(place, deadline, Asked("POST", headers, body), _status)

    async def check(self, url: str) -> None:
        """Raises InvalidValue, without a field, for a URL that nothing would be fetched from, or sent to, now."""
        place = self._parse(httpx.URL(), url)
        async with self._in_time(place):
            await self._checked_addresses(place)

    @asynccontextmanager
    async def _in_time(self, place: httpx.URL) -> AsyncIterator[float]:
        deadline = asyncio.get_running_loop().time() + self._within_s
        try:
            async with asyncio.timeout_at(deadline):
                yield deadline
        except TimeoutError as exc:
            raise self._failed(place, "too_slow", f"took longer than {self._within_s:g} s") from exc

    def _parse(self, base: httpx.URL, text: str) -> httpx.URL:
        """`text`, as seen from `base`, as a URL that may be fetched."""
        try:
            url = base.join(text)
        except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
            raise InvalidValue("invalid_url", f"refusing to {self._deed}: not a URL: {str(exc).rstrip('.')}") from exc
        if url.scheme not in self._schemes:
            raise InvalidValue(
                "invalid_scheme",
                f"refusing to {self._deed} {url.host or 'this'}: a URL here begins with "
                f"{' or '.join(f'{scheme}://' for scheme in self._schemes)}",
            )
        if not url.host.strip(".") or len(url.raw_host) > MAX_HOST:
            raise InvalidValue(
                "invalid_url", f"refusing to {self._deed}: the host of a URL has 1 to {MAX_HOST} characters"
            )
        # What is no letter of a host, httpx escapes.
        if "%" in url.host or not 0 < _port(url) < 1 << 16:
            raise InvalidValue(
                "invalid_url", f"refusing to {self._deed}: {url.netloc.decode()!r} is not a host and a port"
            )
        if url.userinfo:
            raise self._refused(url, "invalid_url", "the URL has a user name or a password in it")
        return url

    async def _exchange(self, url: httpx.URL, deadline: float, asked: Asked, read: Reader[T]) -> T:
        """What `read` makes of the answer."""
        addresses = (await self._checked_addresses(url))[:MAX_ATTEMPTS]
        for left in range(len(addresses), 0, -1):
            # A share of the time for each, so that one that swallows everything does not take that of the others.
            patience_s = (deadline - asyncio.get_running_loop().time()) / left if left > 1 else None
            try:
                return await self._ask(addresses[-left], url, patience_s, asked, read)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:  # nothing was sent yet
                cause = exc
            except (httpcore.NetworkError, httpcore.ProtocolError) as exc:
                raise self._failed(url, "broken_off", "the answer broke off or is not HTTP") from exc
        raise self._not_connected(url, cause) from cause

    async def _checked_addresses(self, url: httpx.URL) -> list[str]:
        """The addresses of the URL's host, each once, when all of them may be connected to."""
        port = _port(url)
        try:
            found = [url.host] if _is_address(url.host) else await self._resolve(url.raw_host.decode(), port)
        except (OSError, UnicodeError) as exc:
            raise self._failed(url, "unresolvable", "the name has no address") from exc
        addresses = list(dict.fromkeys(found))
        for address in addresses:
            if not self._may(address) and (address, port) not in self._allowed:
                raise self._refused(url, "private_address", f"resolves to private/internal IP {address}")
        if not addresses:
            raise self._failed(url, "unresolvable", "the name has no address")
        return addresses

    def _may(self, address: str) -> bool:
        return is_public(address) or any(ipaddress.ip_address(address) in network for network in self._networks)

    async def _look_up(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    async def _ask(self, address: str, url: httpx.URL, patience_s: float | None, asked: Asked, read: Reader[T]) -> T:
        """One request to `address`, which everything in it calls by the name in `url`."""
        request = httpcore.Request(
            asked.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[*{**HEADERS, **asked.headers, "host": url.netloc.decode()}.items()],
            content=asked.body,
            extensions={
                "timeout": {"connect": patience_s},
                # The name that is sent in the clear (SNI) and that the certificate must have. In neither does a
                # name end with the dot it may have in a URL (RFC 6066, 3).
                "sni_hostname": url.raw_host.decode().rstrip("."),
            },
        )
        async with (
            _Way(address) as way,
            # The bare pool and no client, which would add cookies, proxies and netrc.
            httpcore.AsyncConnectionPool(
                self._tls or _trusting(), max_keepalive_connections=0, network_backend=way
            ) as pool,
        ):
            response = await pool.handle_async_request(request)
            try:
                return await read(url, response)
            finally:
                await response.aclose()

    async def _body_or_location(self, url: httpx.URL, response: httpcore.Response) -> bytes | str:
        """The body, or where the answer redirects to."""
        headers = httpx.Headers(response.headers)
        if response.status in REDIRECTS and "location" in headers:
            return headers["location"]
        if response.status != 200:
            raise self._failed(url, "http_status", f"answered {response.status}")
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._refused(url, "encoded", "answered with a Content-Encoding, although asked for none")
        too_large = self._refused(url, "too_large", f"answered with more than {self._max_bytes / (1 << 20):g} MB")
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            raise too_large
        body = bytearray()
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) > self._max_bytes:
                raise too_large
        return bytes(body)

    def _not_connected(self, url: httpx.URL, exc: BaseException) -> InvalidValue:
        cause: BaseException | None = exc
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return self._refused(url, "bad_certificate", f"its certificate: {cause.verify_message.rstrip('.')}")
            if isinstance(cause, ssl.SSLError):
                return self._failed(url, "bad_certificate", "it does not speak TLS as it should")
            cause = cause.__cause__ or cause.__context__
        return self._failed(url, "unreachable", f"nothing answers at port {_port(url)}")

    def _refused(self, url: httpx.URL, reason: str, why: str) -> InvalidValue:
        return InvalidValue(reason, f"refusing to {self._deed} {url.host}: {why}")

    def _failed(self, url: httpx.URL, reason: str, why: str) -> InvalidValue:
        return InvalidValue(reason, f"could not {self._deed} {url.host}: {why}")


class _Way(httpcore.AsyncNetworkBackend):
    """The way to one address, whatever the name is; what was opened on it is closed at its end.

    httpcore itself forgets a connection that is cancelled in its TLS handshake (1.0.9).
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._network = httpcore.AnyIOBackend()
        self._streams: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._network.connect_tcp(self._address, port, timeout, local_address, socket_options)
        self._streams.append(stream)
        return stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for stream in self._streams:
            await stream.aclose()


async def _status(url: httpx.URL, response: httpcore.Response) -> Answer:
    """What was answered; some of its body is read, so that who gives it sees it taken."""
    size = 0
    async for chunk in response.aiter_stream():
        size += len(chunk)
        if size > MAX_IGNORED:
            break
    return Answer(response.status, httpx.Headers(response.headers))


@cache
def _trusting() -> ssl.SSLContext:
    """Trusts whom the world does; made when it is first needed, as to read so many certificates takes some 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _port(url: httpx.URL) -> int:
    return {"https": 443, "http": 80}[url.scheme] if url.port is None else url.port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
