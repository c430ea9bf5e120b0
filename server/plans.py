"""The plans of this server: its own, those of the dialects, and those that its operator adds."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from itertools import chain

from server.domain.errors import InvalidValue
from server.domain.plan import Plan, Plans
from server.settings import PREFIX, IllegalSetting

OWN = "plans.toml"


def known_plans(dialects: Iterable[Plan], operators: str) -> Plans:
    """All of them, with the operator's as TOML. Raises IllegalSetting for what is wrong with those."""
    own = _plans(resources.files("server").joinpath(OWN).read_text(encoding="utf-8"))
    try:
        return Plans(chain(own, dialects, _plans(operators)))
    except tomllib.TOMLDecodeError as exc:
        raise IllegalSetting(f"{PREFIX}PLANS is not TOML: {exc}.") from exc
    except InvalidValue as exc:
        place = f"{exc.field}: " if exc.field else ""
        raise IllegalSetting(f"{PREFIX}PLANS: {place}{exc.detail}") from exc


def _plans(text: str) -> list[Plan]:
    """Each table is a plan, under its own name."""
    tables: Mapping[str, object] = tomllib.loads(text)
    return [Plan.read(name, table) for name, table in tables.items()]
