"""The wires of hosted QR services, each a module or package here, with what is plain data of it in a TOML file."""

import pkgutil
import string
import tomllib
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

from server.domain.keys import BASE62, KeyFormat
from server.domain.plan import Plan

if TYPE_CHECKING:
    from server.dialects.dialect import Dialect

ALPHABETS = {
    "base62": BASE62,
    "base64url": BASE62 + "-_",
    "hex": string.digits + "abcdef",
}


@cache
def dialects() -> "dict[str, Dialect]":
    """All there are, by name."""
    modules = (import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    found = [each.DIALECT for each in modules if hasattr(each, "DIALECT")]
    return {each.name: each for each in found}


def names() -> list[str]:
    """Those of all there are, which their files tell."""
    return [each["name"] for each in _files()]


def key_formats() -> dict[str, KeyFormat]:
    """How the keys of each service look, by the dialect's name."""
    return {each["name"]: _key_format(each["name"], **each["key"]) for each in _files()}


def plans() -> list[Plan]:
    """The plans of each service, as "qrlogo.advanced"."""
    return [Plan.read(f"{each['name']}.{name}", table) for each in _files() for name, table in each["plans"].items()]


@cache
def _files() -> list[dict[str, Any]]:
    found = sorted(each.name for each in resources.files(__name__).iterdir() if each.name.endswith(".toml"))
    return [tomllib.loads(resources.files(__name__).joinpath(name).read_text(encoding="utf-8")) for name in found]


def _key_format(name: str, *, prefix: str, alphabet: str, length: int) -> KeyFormat:
    return KeyFormat(name=name, prefix=prefix, alphabet=ALPHABETS[alphabet], length=length)
