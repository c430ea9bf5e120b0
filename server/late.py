"""What is imported only where it is called, by its name.

Most commands, and the process that starts all others, need a small part of the program; to read the rest of it takes
longer than all that they do.
"""

from pkgutil import resolve_name
from typing import Any


def late(name: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401 -- whatever is called
    """What comes of calling this with these, as "server.app:create_app"."""
    return resolve_name(name)(*arguments, **named)
