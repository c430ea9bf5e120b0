"""The wires of hosted QR services, each a file or folder here, with what it says of itself as data in a TOML file."""

import string
import tomllib
from functools import cache
from importlib import resources

from server.domain.keys import BASE62, KeyFormat

ALPHABETS = {
    "base62": BASE62,
    "base64url": BASE62 + "-_",
    "hex": string.digits + "abcdef",
}


@cache
def key_formats() -> dict[str, KeyFormat]:
    """How the keys of each service look, by the dialect's name."""
    files = [each for each in resources.files(__name__).iterdir() if each.name.endswith(".toml")]
    found = [tomllib.loads(each.read_text(encoding="utf-8")) for each in files]
    return {each["name"]: _key_format(each["name"], **each["key"]) for each in found}


def _key_format(name: str, *, prefix: str, alphabet: str, length: int) -> KeyFormat:
    return KeyFormat(name=name, prefix=prefix, alphabet=ALPHABETS[alphabet], length=length)
