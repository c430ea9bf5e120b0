"""Where dialects are: each at /{name}, and at the hosts that are given to it. None of them knows which."""

import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass

from server.asgi import ASGIApp, Receive, Scope, Send
from server.dialects.access import telling
from server.dialects.dialect import MOUNTED_AT, Dialect, Kit
from server.dispatch import Dispatch
from server.requests import Requests

#: What may follow a host's name. URLs that are answered begin with what the client has said: "host:80@elsewhere" would
#: be another host's.
PORT = re.compile(r":[0-9]{1,5}\Z")


@dataclass(frozen=True, slots=True)
class _Mounted:
    dialect: Dialect
    app: ASGIApp

    def answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if self.dialect.slash_is_nothing and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"][:-1]}
        return self.app(scope, receive, send)


def mounted(
    app: ASGIApp, dialects: Iterable[Dialect], kit: Kit, requests: Requests, *, hosts: Mapping[str, str]
) -> ASGIApp:
    """`app` with these dialects in front of it. `hosts` are names of hosts, in lower case, and of the dialect that is
    spoken there under the vendor's own paths; what is none of these is the app's there, too."""
    by_name = {
        each.name: _Mounted(
            each,
            telling(
                Dispatch(
                    each.routes(kit),
                    each.problem,
                    requests,
                    under=f"/{each.name}",
                    dialect=each.name,
                    id_of=each.request_id,
                ),
                each.headers,
                each.standing,
            ),
        )
        for each in dialects
    }
    scheme = kit.base_url.partition("://")[0]

    def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            path = scope["path"]
            if (found := by_name.get(path.split("/", 2)[1])) is not None:
                scope[MOUNTED_AT] = f"{kit.base_url}/{path.split('/', 2)[1]}"
                return found.answer(scope, receive, send)
            if hosts and (name := hosts.get(PORT.sub("", host := _host(scope)))) in by_name:
                found = by_name[name]
                if found.dialect.has(path):
                    there = {**scope, "path": f"/{name}{path}", MOUNTED_AT: f"{scheme}://{host}"}
                    return found.answer(there, receive, send)
        return app(scope, receive, send)

    return application


def _host(scope: Scope) -> str:
    """The host that is asked, with its port if it is said, in lower case."""
    return next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), "")
