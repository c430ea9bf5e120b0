"""The guards of a link, in requests and in answers."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema, with_config
from typing_extensions import TypedDict

from server.api.fields import Body
from server.domain.destination import Destination
from server.domain.guards import MAX_SCANS, Guards, RedirectStatus, expiry
from server.domain.moment import a_moment
from server.domain.password import Password
from server.domain.rules import (
    CLOCK,
    COUNTRY,
    LANGUAGE,
    MAX_RULES,
    MAX_SHARES,
    MAX_VALUES,
    MAX_WEIGHT,
    Day,
    Device,
    Rule,
    System,
    examine_rules,
)
from server.fields import MOMENT, TEXTS, born, line_error


def an_expiry(given: str) -> datetime:
    return expiry(a_moment(day_ends=True)(given))


def _rules(given: object) -> tuple[Rule, ...]:
    """The rules; or everything that is wrong with them, each at its place."""
    rules, wrong = examine_rules(given)
    if wrong:
        # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
        raise ValidationError.from_exception_data("rules", [line_error(each) for each in wrong])
    return rules


UrlText = Annotated[str, WithJsonSchema({"type": "string", **TEXTS[Destination]})]
Country = Annotated[str, Field(pattern=f"^{COUNTRY.pattern}$")]
Language = Annotated[str, Field(pattern=f"^{LANGUAGE.pattern}$")]
Clock = Annotated[str, Field(pattern=f"^(?:{CLOCK.pattern}|24:00)$")]
AFew = Field(min_length=1, max_length=MAX_VALUES)
STRICT = ConfigDict(extra="forbid")

# What rules look like, for those who write and read them. They are read by the domain itself, as by SQL they come
# without us. `from` is a keyword, so this one cannot be a class.
HoursBody = TypedDict(
    "HoursBody",
    {
        #: All, if you do not say.
        "days": Annotated[list[Day], AFew],
        #: `00:00`, if you do not say.
        "from": Clock,
        #: Up to then, and not at it. Where it is not behind `from`, it is on the next day.
        "to": Clock,
        #: As in IANA's list; `UTC`, if you do not say.
        "timezone": Annotated[str, Field(examples=["Europe/Paris"])],
    },
    total=False,
)
with_config(STRICT)(HoursBody)


@with_config(STRICT)
class WhenBody(TypedDict, total=False):
    """All of it has to hold, and of each list one."""

    device: Annotated[list[Device], AFew]
    os: Annotated[list[System], AFew]
    #: ISO 3166-1, two letters.
    country: Annotated[list[Country], AFew]
    #: As in RFC 5646; `pt` holds for `pt-BR`, too.
    language: Annotated[list[Language], AFew]
    time: HoursBody


@with_config(STRICT)
class ShareBody(TypedDict):
    #: Its part of all weights together is its part of the visitors.
    weight: Annotated[int, Field(ge=1, le=MAX_WEIGHT)]
    destination: UrlText


@with_config(STRICT)
class RuleBody(TypedDict):
    """Where it holds, visitors go to its destination."""

    when: NotRequired[WhenBody]
    destination: UrlText


@with_config(STRICT)
class SplitRuleBody(TypedDict):
    """Where it holds, each visitor goes to one of its destinations, always the same one."""

    when: NotRequired[WhenBody]
    split: Annotated[list[ShareBody], Field(min_length=1, max_length=MAX_SHARES)]


RuleBodies = Annotated[list[RuleBody | SplitRuleBody], Field(max_length=MAX_RULES)]
Rules = Annotated[tuple[Rule, ...], PlainValidator(_rules, json_schema_input_type=RuleBodies)]


class GuardFields(Body):
    #: A paused link (false) has ended, until it is active again.
    active: bool = True
    #: From then on the link has ended; a day ends it at its end, UTC.
    expires_at: Annotated[datetime, born(an_expiry, MOMENT)] | None = None
    #: Where scans of a link that has ended go. Without one they are shown a page, 410.
    fallback_url: Annotated[Destination, born(Destination)] | None = None
    #: Whichever it is, no browser keeps it, and every scan is counted.
    redirect_status: RedirectStatus = 302
    #: Whether the query of the scan goes on to the destination.
    forward_query: bool = False
    #: After so many scans the link has ended, exactly.
    max_scans: Annotated[int, Field(ge=1, le=MAX_SCANS)] | None = None
    #: The first that holds says where a visitor goes; where none does, it is the link's destination.
    rules: Rules = ()
    #: What visitors have to enter before they are led on.
    password: Annotated[Password, born(Password)] | None = None

    def guards(self) -> Guards:
        """All but the password, which is still to be hashed."""
        return Guards(**{name: getattr(self, name) for name in GuardFields.model_fields if name != "password"})
