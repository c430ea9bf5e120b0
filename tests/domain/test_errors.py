"""The closed set of errors: each says something, under a code of its own."""

import pytest

from server.domain import errors

#: They are told what is wrong, so that their docstrings are for developers only.
TOLD = (errors.InvalidValue, errors.PlanLimit, errors.Unscannable)

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)]


def test_codes_are_different() -> None:
    own = [kind for kind in ALL if kind is not errors.BadPicture]  # an InvalidValue that has another status
    assert len({kind.code for kind in own}) == len(own) > 1


@pytest.mark.parametrize("kind", [kind for kind in ALL if not issubclass(kind, TOLD)])
def test_the_docstring_is_the_message(kind: type[errors.DomainError]) -> None:
    error = kind()
    assert error.detail == str(error)
    assert error.detail.endswith(".")
    assert "\n" not in error.detail
    assert error.detail in " ".join((kind.__doc__ or "").split())


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in (errors.PlanLimit, errors.Unscannable)])
def test_an_error_tells_what_it_is_told(kind: type[errors.DomainError]) -> None:
    error = kind("why", "This is so.") if issubclass(kind, errors.InvalidValue) else kind("This is so.")
    assert error.detail == str(error) == "This is so."


def test_an_unscannable_picture_says_why_and_what_else_was_found() -> None:
    small = errors.Finding("small_modules", "size", "Modules are small.", fatal=False)
    pale = errors.Finding("low_contrast", "modules/color", "It is pale.", fatal=True)
    error = errors.Unscannable([small, pale])
    assert error.detail == str(error) == "It is pale."
    assert error.findings == [pale, small]
