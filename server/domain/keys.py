"""API keys: what they look like, and what they may do.

A permission is an action on a resource, as "links:write", or an action on all of them, as "write". Drawing without
storing anything is "render".
"""

import hashlib
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

from server.domain.errors import InvalidValue

Permission = NewType("Permission", str)

BASE62 = string.ascii_letters + string.digits

READ, WRITE, RENDER = Permission("read"), Permission("write"), Permission("render")
#: What a key may do that nobody has restricted.
ALL = frozenset([READ, WRITE, RENDER])

RESOURCES = ("account", "api-keys", "links", "qr-codes", "webhooks")
PERMISSIONS = (
    *sorted(ALL),
    *(Permission(f"{name}:{action}") for name in RESOURCES for action in (READ, WRITE)),
    Permission("scans:read"),  # nobody changes what was scanned
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFormat:
    """How the keys of one API look."""

    name: str
    prefix: str
    alphabet: str
    #: Characters behind the prefix. SHA-256 without salt or stretching is enough for a secret that nobody can guess.
    length: int

    def new(self) -> str:
        return self.prefix + "".join(secrets.choice(self.alphabet) for _ in range(self.length))


NATIVE = KeyFormat(name="native", prefix="qredge_", alphabet=BASE62, length=40)


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def permissions(texts: Iterable[str]) -> frozenset[Permission]:
    """The permissions with these names; raises InvalidValue for none, and for one that is not known."""
    given = frozenset(Permission(text) for text in texts)
    if not given:
        raise InvalidValue("empty", "A key without permissions opens nothing.")
    for each in sorted(given.difference(PERMISSIONS)):
        raise InvalidValue("unknown_value", f"{each!r} is none of {', '.join(PERMISSIONS)}.")
    return given


def may(held: frozenset[Permission], needed: Permission) -> bool:
    """Whether who holds these permissions may do what needs that one."""
    return needed in held or needed.rpartition(":")[2] in held


def beyond(held: frozenset[Permission], given: frozenset[Permission]) -> frozenset[Permission]:
    """Of the permissions given, those that one who holds `held` does not have."""
    return frozenset(each for each in given if not may(held, each))
