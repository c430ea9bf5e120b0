"""Where dialects are: each at /{name}, and at the hosts that are given to it. None of them knows which."""

import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass

from server.asgi import ASGIApp, Receive, Scope, Send
from server.dialects import dialects
from server.dialects.access import telling
from server.dialects.dialect import MOUNTED_AT, Dialect, Kit
from server.dispatch import Dispatch
from server.domain.errors import InvalidValue
from server.requests import Requests

#: What may follow a host's name. URLs that are answered begin with what the client has said: "host:80@elsewhere" would
#: be another host's.
PORT = re.compile(r":[0-9]{1,5}\Z")


def chosen(names: str) -> list[Dialect]:
    """The dialects with these names, which stand between commas; raises InvalidValue."""
    known = dialects()
    if names in ("all", "none"):
        return list(known.values()) if names == "all" else []
    for name in (given := _listed(names)):
        if name not in known:
            detail = f"a dialect is one of {', '.join(known)}, not {name!r}; or all, or none."
            raise InvalidValue("unknown_value", detail, field="DIALECTS")
    return [known[name] for name in known if name in given]


def hosts_of(text: str, spoken: Iterable[Dialect]) -> dict[str, str]:
    """By a host's name, in lower case, that of its dialect: "api.example.com=qrstudio, ..."; raises InvalidValue."""
    names = [each.name for each in spoken]
    hosts = {}
    for each in _listed(text):
        host, _, name = (part.strip() for part in each.partition("="))
        if not host or name not in names:
            detail = f"a host is said as host=dialect, of the dialects {', '.join(names)}, not {each!r}."
            raise InvalidValue("unknown_value", detail, field="DIALECT_HOSTS")
        hosts[host.lower()] = name
    return hosts


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


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
