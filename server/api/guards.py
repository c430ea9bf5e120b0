"""The guards of a link, in requests and in answers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from server.api.fields import Body, a_moment, born
from server.domain.destination import Destination
from server.domain.guards import MAX_SCANS, Guards, RedirectStatus, expiry
from server.domain.password import Password


def an_expiry(given: str) -> datetime:
    return expiry(a_moment(day_ends=True)(given))


class GuardFields(Body):
    active: bool = True
    expires_at: Annotated[datetime, born(an_expiry)] | None = None
    fallback_url: Annotated[Destination, born(Destination)] | None = None
    redirect_status: RedirectStatus = 302
    forward_query: bool = False
    max_scans: Annotated[int, Field(ge=1, le=MAX_SCANS)] | None = None
    password: Annotated[Password, born(Password)] | None = None

    def guards(self) -> Guards:
        """All but the password, which is still to be hashed."""
        return Guards(**{name: getattr(self, name) for name in GuardFields.model_fields if name != "password"})
