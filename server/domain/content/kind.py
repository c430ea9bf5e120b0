"""What all kinds of content have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, ClassVar, Self, cast, get_type_hints

from server.domain.content.fields import Check
from server.domain.design import Level
from server.domain.errors import InvalidValue

# The most any symbol holds: 7,089 digits in version 40-L (ISO/IEC 18004:2015, table 7). What a given text needs is
# for the encoder to say; this bound only keeps it from being asked about megabytes.
MAX_CHARACTERS = 7089


class Content(ABC):
    """What a static code says: fields, and the text that a reader makes of them what they mean.

    A kind is a frozen dataclass whose fields are annotated with their checks (`fields.py`). It holds JSON values in
    their one spelling, and is legal because it exists: InvalidValue names the field and the limit.
    """

    __slots__ = ()

    #: Its name in JSON.
    type: ClassVar[str]
    #: The only level at which the kind's standard lets it be drawn; None where it has no opinion.
    level: ClassVar[Level | None] = None

    @property
    @abstractmethod
    def says(self) -> str:
        """The text in the symbol."""

    def between(self) -> Iterable[InvalidValue]:
        """What is wrong between fields, each of which is right by itself."""
        return ()

    def __post_init__(self) -> None:
        for wrong in self._settle({each.name: getattr(self, each.name) for each in fields(cast("Any", self))}):
            raise wrong

    @classmethod
    def examine(cls, given: Mapping[str, object]) -> list[InvalidValue]:
        """All that is wrong with these fields; without error where the kind can be made of them. Others are let be."""
        return cls.__new__(cls)._settle(given)

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Self:
        """The content of these fields; raises the first InvalidValue. Others are let be."""
        content = cls.__new__(cls)
        for wrong in content._settle(given):
            raise wrong
        return content

    @classmethod
    def stored(cls, given: Mapping[str, object]) -> Self:
        """Fields that were checked when they were stored. A rule that has grown stricter since does not undo them."""
        content = cls.__new__(cls)
        for each in fields(cast("Any", cls)):
            value = given[each.name] if each.default is MISSING else given.get(each.name, each.default)
            object.__setattr__(content, each.name, tuple(value) if isinstance(value, list) else value)
        return content

    def _settle(self, given: Mapping[str, object]) -> list[InvalidValue]:
        """Takes over the fields in their one spelling; returns all that is wrong, in which case this is no content."""
        wrong = []
        for name, check, default in _checked_fields(type(self)):
            value = given.get(name, default)
            if value is MISSING:
                wrong.append(InvalidValue("required", "This is required.", field=name))
                continue
            try:
                object.__setattr__(self, name, check(value))
            except InvalidValue as exc:
                field = f"{name}/{exc.field}" if exc.field else name
                wrong.append(InvalidValue(exc.reason, exc.detail, field=field))
        wrong = wrong or [*self.between()]
        if not wrong and (length := len(self.says)) > MAX_CHARACTERS:
            detail = f"No code says more than {MAX_CHARACTERS} characters, and so many only of digits; this content "
            wrong.append(InvalidValue("too_long", f"{detail}takes {length}."))
        return wrong


@cache
def checks(kind: type[Content]) -> dict[str, Check[object]]:
    """Field -> its check, which stands in its annotation."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: hints[each.name].__metadata__[0] for each in fields(cast("Any", kind))}


@cache
def _checked_fields(kind: type[Content]) -> list[tuple[str, Check[object], object]]:
    """Each field's name, its check, and its default, which is MISSING where there is none."""
    return [(each.name, checks(kind)[each.name], each.default) for each in fields(cast("Any", kind))]
