"""What operators say of dialects, by their names."""

from collections.abc import Collection

from server.dialects import names
from server.domain.errors import InvalidValue


def chosen(said: str) -> list[str]:
    """The names of dialects, which stand between commas; raises InvalidValue."""
    known = names()
    if said in ("all", "none"):
        return known if said == "all" else []
    for name in (given := _listed(said)):
        if name not in known:
            detail = f"a dialect is one of {', '.join(known)}, not {name!r}; or all, or none."
            raise InvalidValue("unknown_value", detail, field="DIALECTS")
    return [name for name in known if name in given]


def hosts_of(said: str, spoken: Collection[str]) -> dict[str, str]:
    """By a host's name, in lower case, that of its dialect: "api.example.com=qrstudio, ..."; raises InvalidValue."""
    hosts = {}
    for each in _listed(said):
        host, _, name = (part.strip() for part in each.partition("="))
        if not host or name not in spoken:
            detail = f"a host is said as host=dialect, of the dialects {', '.join(spoken)}, not {each!r}."
            raise InvalidValue("unknown_value", detail, field="DIALECT_HOSTS")
        hosts[host.lower()] = name
    return hosts


def _listed(said: str) -> list[str]:
    return [each.strip() for each in said.split(",") if each.strip()]
