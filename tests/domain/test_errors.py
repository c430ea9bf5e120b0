"""The closed set of errors: each says something, under a code of its own."""

import pytest

from server.domain import errors

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)]


def test_codes_are_different() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL) > 1


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind is not errors.InvalidValue])
def test_the_docstring_is_the_message(kind: type[errors.DomainError]) -> None:
    error = kind()
    assert error.detail == str(error)
    assert error.detail.endswith(".")
    assert "\n" not in error.detail
    assert error.detail in " ".join((kind.__doc__ or "").split())


@pytest.mark.parametrize("kind", ALL)
def test_an_error_tells_what_it_is_told(kind: type[errors.DomainError]) -> None:
    error = kind("why", "This is so.") if kind is errors.InvalidValue else kind("This is so.")
    assert error.detail == str(error) == "This is so."
