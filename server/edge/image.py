"""The picture of a stored code that was answered before, answered again.

That takes its key, which is in memory, a dict for the path and one for the query, a look into the images in memory, and
two sends; it waits for nothing. All else goes on to the application, whose answer is kept as it is: so nothing is said
here that is not said there. What is kept is right as long as the database tells of every change of a code, and given
only to the account that was answered, as it was then, with a plan under which nothing can be refused. Measured by
bench/http.py.
"""

from collections.abc import Awaitable, Callable, Collection
from itertools import islice
from time import perf_counter
from typing import NamedTuple

from server.asgi import ASGIApp, Headers, Message, Receive, Scope, Send, header, headers_of, holds, key_in
from server.domain.accounts import Accounts
from server.domain.ids import id_text
from server.domain.keys import Permission, may
from server.domain.limits import Limits
from server.domain.model import Account, Image, QrCodeId
from server.requests import Requests

PREFIX, SUFFIX = "/v1/qr-codes/", "/image"
READ = Permission("qr-codes:read")

#: Codes, whose answers are about 1 KB each, and the answers of one code. The images are in memory of their own.
MAX_CODES = 10_000
MAX_ANSWERS = 16

#: Headers of a request that has something behind them.
BEHIND = frozenset([b"content-length", b"transfer-encoding", b"expect"])

#: Said anew each time.
HIT: Headers = [(b"x-cache", b"HIT"), (b"x-render-ms", b"0.00")]
ANEW = frozenset(name for name, _ in HIT)
#: What goes with the picture, and not with 304 (RFC 9110, 15.4.5).
OF_PICTURE = frozenset(
    [b"content-type", b"content-length", b"content-disposition", b"content-security-policy", b"x-content-type-options"]
)


class Answer(NamedTuple):
    """What was answered, but for the picture itself."""

    account: Account
    etag: str
    headers: Headers
    #: Of a 304 to whoever has it.
    held: Headers


class ImageAnswers:
    """Path of a code's picture -> query -> answer. Kept right from outside, as `domain.callers` is."""

    def __init__(self, *, most: int = MAX_CODES) -> None:
        self._most = most
        self._told = False
        self._codes: dict[str, dict[bytes, Answer]] = {}
        #: Grows with every change: what was asked for before one may be older than it.
        self.changes = 0

    def __len__(self) -> int:
        return len(self._codes)

    def get(self, path: str, query: bytes) -> Answer | None:
        answers = self._codes.get(path)
        return None if answers is None else answers.get(query)

    def put(self, path: str, query: bytes, answer: Answer, changes: int) -> None:
        """`changes` is as many as there were when it was asked for."""
        if not self._told or changes != self.changes:
            return
        answers = self._codes.setdefault(path, {})
        if len(answers) >= MAX_ANSWERS:
            answers.clear()
        answers[query] = answer
        if len(self._codes) > self._most:
            for oldest in list(islice(self._codes, self._most // 16 + 1)):
                del self._codes[oldest]

    def changed(self, codes: Collection[QrCodeId] | None) -> None:
        """These codes have changed; with None, any may have, and from now on all is told."""
        self.changes += 1
        if codes is None:
            self._told, self._codes = True, {}
            return
        for code in codes:
            self._codes.pop(f"{PREFIX}{id_text('qr', code)}{SUFFIX}", None)

    def lost(self) -> None:
        """From now on nothing is told."""
        self.changes += 1
        self._told, self._codes = False, {}


def images(
    app: ASGIApp,
    answers: ImageAnswers,
    image: Callable[[str], Image | None],
    accounts: Accounts,
    limits: Limits,
    requests: Requests,
) -> ASGIApp:
    """`app` with the answers in front of it; `image` has what is in memory, by its ETag."""
    series = requests.of(f"{PREFIX}{{id}}{SUFFIX}", "GET")

    def edge(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if path.startswith(PREFIX) and path.endswith(SUFFIX):
            return of_code(path, scope, receive, send)
        return app(scope, receive, send)

    async def of_code(path: str, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        key = key_in(scope)
        caller = accounts.known(key) if key and BEHIND.isdisjoint(headers_of(scope)) else None
        if caller is None or not may(caller.key.permissions, READ) or not limits.is_free(caller.account):
            await app(scope, receive, send)
            return
        query = scope["query_string"]
        answer = answers.get(path, query)
        if answer is not None and answer.account == caller.account:
            held = header(scope, b"if-none-match")
            if held and holds(held, answer.etag):
                limits.count(caller.account, requests=1)
                series.count(304, perf_counter() - began)
                await send({"type": "http.response.start", "status": 304, "headers": answer.held})
                await send({"type": "http.response.body", "body": b""})
                return
            found = image(answer.etag)
            if found is not None:
                limits.count(caller.account, requests=1, renders=1)
                series.count(200, perf_counter() - began)
                await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
                await send({"type": "http.response.body", "body": found.body})
                return
        changes, account = answers.changes, caller.account

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                answers.put(path, query, _answer(account, message["headers"]), changes)
            await send(message)

        await app(scope, receive, keep)

    return edge


def _answer(account: Account, headers: Headers) -> Answer:
    """The API writes names of headers in lower case."""
    etag = dict(headers)[b"etag"].decode().strip('"')
    whole = [header for header in headers if header[0] not in ANEW]
    rest = [header for header in whole if header[0] not in OF_PICTURE and not header[0].startswith(b"x-qr-")]
    return Answer(account, etag, whole + HIT, rest)
