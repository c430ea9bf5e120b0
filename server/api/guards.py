"""The guards of a link, in requests and in answers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainValidator, ValidationError

from server.api.fields import Body, a_moment, born, line_error
from server.domain.destination import Destination
from server.domain.guards import MAX_SCANS, Guards, RedirectStatus, expiry
from server.domain.password import Password
from server.domain.rules import Rule, examine_rules


def an_expiry(given: str) -> datetime:
    return expiry(a_moment(day_ends=True)(given))


def _rules(given: object) -> tuple[Rule, ...]:
    """The rules; or everything that is wrong with them, each at its place."""
    rules, wrong = examine_rules(given)
    if wrong:
        # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
        raise ValidationError.from_exception_data("rules", [line_error(each) for each in wrong])
    return rules


Rules = Annotated[tuple[Rule, ...], PlainValidator(_rules, json_schema_input_type=list[dict[str, object]])]


class GuardFields(Body):
    active: bool = True
    expires_at: Annotated[datetime, born(an_expiry)] | None = None
    fallback_url: Annotated[Destination, born(Destination)] | None = None
    redirect_status: RedirectStatus = 302
    forward_query: bool = False
    max_scans: Annotated[int, Field(ge=1, le=MAX_SCANS)] | None = None
    rules: Rules = ()
    password: Annotated[Password, born(Password)] | None = None

    def guards(self) -> Guards:
        """All but the password, which is still to be hashed."""
        return Guards(**{name: getattr(self, name) for name in GuardFields.model_fields if name != "password"})
