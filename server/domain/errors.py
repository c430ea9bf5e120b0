"""Everything that can go wrong, as one closed set.

A class's docstring is its default message, so documentation and answer cannot drift. `code` is stable and meant
for machines; `detail` is for people. What an error looks like on the wire is a table in each room that has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


class DomainError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        super().__init__(self.detail)


class InvalidValue(DomainError):
    """The value is not allowed."""

    code = "invalid_fields"

    def __init__(self, reason: str, detail: str, *, field: str | None = None) -> None:
        #: What is wrong with the value, for machines: `too_long`, `reserved_slug` ...
        self.reason = reason
        #: The input field, where the value itself cannot know it: "content/text".
        self.field = field
        super().__init__(detail)


class Unauthenticated(DomainError):
    """No valid API key was sent. Send one as "Authorization: Bearer KEY" or "X-Api-Key: KEY"."""

    code = "unauthenticated"


class Forbidden(DomainError):
    """The API key may not do this."""

    code = "forbidden"

    def __init__(self, detail: str | None = None, *, permission: str | None = None) -> None:
        #: The one that is missing.
        self.permission = permission
        super().__init__(detail)

    @classmethod
    def needs(cls, permission: str) -> Self:
        return cls(f"This needs a key with the permission {permission}.", permission=permission)


class PlanLimit(DomainError):
    """The account's plan does not allow this."""

    code = "plan_limit"

    def __init__(self, detail: str, *, plan: str, limit: str, allowed: object, field: str | None = None) -> None:
        self.plan = plan
        #: The limit's name in `Plan`, and its value.
        self.limit = limit
        self.allowed = allowed
        #: The input field that asks for too much; None where it is the request as a whole.
        self.field = field
        super().__init__(detail)

    def within(self, place: str) -> Self:
        """The same, where what asks for it is one of several: "items/3"."""
        field = f"{place}/{self.field or ''}".rstrip("/")
        return type(self)(self.detail, plan=self.plan, limit=self.limit, allowed=self.allowed, field=field)


class RateLimited(DomainError):
    """There were more requests, or pictures, than the account's plan allows. Retry-After says when to go on."""

    code = "rate_limited"

    def __init__(
        self,
        detail: str | None = None,
        *,
        plan: str = "",
        limit: str = "",
        allowed: int | None = None,
        retry_after_s: int = 1,
    ) -> None:
        self.plan = plan
        #: The limit's name in `Plan`, and its value.
        self.limit = limit
        self.allowed = allowed
        self.retry_after_s = retry_after_s
        super().__init__(detail)


class NotFound(DomainError):
    """There is no such thing in this account."""

    code = "not_found"

    @classmethod
    def of(cls, what: str, text: str) -> Self:
        return cls(f"There is no {what} {text!r} in this account.")


class SlugTaken(DomainError):
    """The slug is taken."""

    code = "slug_taken"

    @classmethod
    def of(cls, slug: str) -> Self:
        return cls(f"The slug {slug!r} is taken, or was: a printed code may still carry it. Choose another.")


class NotCounted(DomainError):
    """A static code says its content itself, so its scans never reach this server and cannot be counted."""

    code = "not_counted"


class NotStatic(DomainError):
    """A dynamic code says its link's short URL, which never changes. Change the destination of the link."""

    code = "not_static"


class WebhookInactive(DomainError):
    """The webhook is not active, so nothing is sent to it. Set its "active" to true first."""

    code = "webhook_inactive"


class ChangedMeanwhile(DomainError):
    """It was changed since it was read: its ETag is not the one in If-Match. Read it again before you change it."""

    code = "changed_meanwhile"


class StorageUnavailable(DomainError):
    """The database cannot be reached. Redirects go on and scans are kept; try this again shortly."""

    code = "storage_unavailable"
    retry_after_s: ClassVar[int] = 5


class Busy(DomainError):
    """Too many pictures are being drawn. Try this again shortly."""

    code = "busy"
    retry_after_s: ClassVar[int] = 1


class TooManyStreams(DomainError):
    """The account has as many streams as it may have at a time."""

    code = "too_many_streams"
    retry_after_s: ClassVar[int] = 5


class InvalidIdempotencyKey(DomainError):
    """An Idempotency-Key is sent once, and has 1 to 255 visible ASCII characters, as a UUID has."""

    code = "invalid_idempotency_key"


class IdempotencyKeyReused(DomainError):
    """This Idempotency-Key was used for another request. Give each request a key of its own, as a new UUID."""

    code = "idempotency_key_reused"


class RequestInProgress(DomainError):
    """The request with this Idempotency-Key is being done. Send this one again shortly to get its answer."""

    code = "request_in_progress"
    retry_after_s: ClassVar[int] = 1


class BadPicture(InvalidValue):
    """The picture cannot be had, or is none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a picture that keeps it from being scanned, or may."""

    code: str
    #: The field that would mend it.
    field: str
    detail: str
    #: Whether the picture is unscannable for it, rather than at risk.
    fatal: bool


class Unscannable(DomainError):
    """The picture would not scan."""

    code = "unscannable"

    def __init__(self, findings: Sequence[Finding], *, within: str = "") -> None:
        #: All that was found, what is fatal first.
        self.findings = sorted(findings, key=lambda finding: not finding.fatal)
        #: Where in the input the order stands, where it is one of several: "items/3/".
        self.within = within
        super().__init__(" ".join(finding.detail for finding in findings if finding.fatal))
