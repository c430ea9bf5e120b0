"""mask: what requests say, in the domain's terms."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from starlette.requests import Request

from server.cursors import a_list_cursor, place_in
from server.dialects.mask.fields import Field, Fields, choice, integer, query_of, read, text, texts, within, wrong
from server.dialects.mask.targets import TARGETS, Target, split_utm, with_targets, with_utm
from server.dialects.mask.wire import DEFAULT_LIMIT, DEFAULT_SIZE, MAX_LIMIT, MAX_SIZE, MIN_SIZE, UTM
from server.domain.colour import BLACK, WHITE, Colour
from server.domain.design import LEVELS, Background, Design, Level, Logo, Modules, Picture
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotFound
from server.domain.guards import Guards, expiry
from server.domain.ids import id_number
from server.domain.label import Label
from server.domain.model import Link, LinkChanges, LinkId, QrCodeId
from server.domain.moment import a_moment
from server.domain.order import ImageFormat
from server.domain.password import Password
from server.domain.selection import LinkSelection, LinkSort, PageEnd, QrCodeSelection
from server.domain.slug import Slug
from server.domain.tag import MAX_TAGS, Tag, each_once

HEX = re.compile(r"#[0-9A-Fa-f]{6}")
MAX_SEARCH = 200

SORTS: Mapping[str, LinkSort] = {"created_at": "created_at", "clicks": "scans", "updated_at": "updated_at"}

#: Codes that lead to a link: the vendor has no others.
DYNAMIC = QrCodeSelection(kind="dynamic")

S = LinkSelection | QrCodeSelection


# --- QR codes -----------------------------------------------------------------------------------------------------


def _colour(given: object) -> Colour:
    if not HEX.fullmatch(text(given)):
        raise InvalidValue("invalid_color", "This must be a colour such as #1a1a1a.")
    return Colour.of(text(given))


QR_CODE: Fields = {
    "link_id": Field(text, required=True),
    "foreground_color": Field(_colour, default=BLACK),
    "background_color": Field(_colour, default=WHITE),
    "size": Field(integer(MIN_SIZE, MAX_SIZE), default=DEFAULT_SIZE),
    "error_correction": Field(choice(*LEVELS), default="M"),
    "logo_url": Field(lambda given: Destination(text(given))),
}


class NewQrCode(NamedTuple):
    link: LinkId
    design: Design
    size_px: int


def new_qr_code(given: Mapping[str, Any]) -> NewQrCode:
    fields = read(QR_CODE, given)
    logo = fields["logo_url"]
    design = Design(
        level=cast("Level", fields["error_correction"]),
        modules=Modules(color=fields["foreground_color"]),
        background=Background(color=fields["background_color"]),
        logo=None if logo is None else Logo(image=Picture(url=str(logo))),
    )
    return NewQrCode(link_id(fields["link_id"]), design, fields["size"])


IMAGE: Fields = {
    "format": Field(choice("png", "svg"), default="png"),
    "size": Field(integer(MIN_SIZE, MAX_SIZE)),
}


def image_asked(request: Request) -> tuple[ImageFormat, int | None]:
    """The size is for PNG alone."""
    fields = read(IMAGE, query_of(request))
    return fields["format"], fields["size"] if fields["format"] == "png" else None


# --- links --------------------------------------------------------------------------------------------------------


def _tags(given: object) -> tuple[Tag, ...]:
    tags = each_once(Tag(each) for each in texts(given))
    if len(tags) > MAX_TAGS:
        raise InvalidValue("too_long", f"There are at most {MAX_TAGS} tags.")
    return tags


def _url(given: object) -> Destination:
    return Destination(text(given))


LINK: Fields = {
    "url": Field(_url, required=True),
    "slug": Field(lambda given: Slug(text(given))),
    "domain": Field(text),
    "title": Field(lambda given: Label(text(given))),
    "tags": Field(_tags, default=()),
    **dict.fromkeys(UTM, Field(text)),
    "expires_at": Field(lambda given: expiry(a_moment(day_ends=True)(text(given)))),
    "password": Field(lambda given: Password(text(given))),
    "ios_target": Field(_url),
    "android_target": Field(_url),
}


class NewLink(NamedTuple):
    destination: Destination
    slug: Slug | None
    title: Label | None
    tags: tuple[Tag, ...]
    guards: Guards
    password: Password | None


def new_link(given: Mapping[str, Any], domain: str) -> NewLink:
    fields = read(LINK, given)
    if fields["domain"] not in (None, domain):
        raise wrong("domain", f"The links of this server are at {domain}.")
    return NewLink(
        destination=_with_utm(fields["url"], {name: fields[name] for name in UTM if fields[name] is not None}),
        slug=fields["slug"],
        title=fields["title"],
        tags=fields["tags"],
        guards=Guards(expires_at=fields["expires_at"], rules=with_targets((), _targets(fields))),
        password=fields["password"],
    )


def link_changes(given: Mapping[str, Any], link: Link, domain: str) -> tuple[LinkChanges, Password | None]:
    """What changes of the link, and its new password."""
    fields = read(LINK, given, partly=True)
    for name, own in (("slug", link.slug), ("domain", domain)):
        if fields.get(name) not in (None, own):
            raise wrong(name, f"This is {own} for good: it may be on paper.")
    changes: LinkChanges = {}
    if "title" in fields:
        changes["title"] = fields["title"]
    if "tags" in fields:
        changes["tags"] = fields["tags"]
    if "expires_at" in fields:
        changes["expires_at"] = fields["expires_at"]
    if fields.get("password", "") is None:
        changes["password_hash"] = None
    if fields.keys() & {"url", *UTM}:
        url, utm = split_utm(link.destination)
        given_url = fields.get("url", url)
        said = {name: fields[name] for name in UTM if name in fields}
        changes["destination"] = _with_utm(given_url, {**utm, **split_utm(given_url)[1], **said})
    if targets := _targets(fields):
        changes["rules"] = with_targets(link.guards.rules, targets)
    return changes, fields.get("password")


def _with_utm(url: str, utm: Mapping[str, str | None]) -> Destination:
    with within("url"):
        return with_utm(url, utm)


def _targets(fields: Mapping[str, Any]) -> dict[Target, Destination | None]:
    return {system: fields[f"{system}_target"] for system in TARGETS if f"{system}_target" in fields}


# --- lists --------------------------------------------------------------------------------------------------------


LIST: Fields = {
    "limit": Field(integer(1, MAX_LIMIT), default=DEFAULT_LIMIT),
    "cursor": Field(lambda given: a_list_cursor(text(given))),
}
LINK_LIST: Fields = {
    **LIST,
    "search": Field(text),
    "tag": Field(lambda given: Tag(text(given))),
    "domain": Field(text),
    "sort": Field(choice(*SORTS), default="created_at"),
    "order": Field(choice("desc", "asc"), default="desc"),
    "created_after": Field(lambda given: a_moment(day_ends=False)(text(given))),
    "created_before": Field(lambda given: a_moment(day_ends=False)(text(given))),
}


class ListAsked(NamedTuple):
    """A page of what; of another domain there is nothing."""

    after: PageEnd | None
    limit: int
    elsewhere: bool = False


def qr_codes_asked(request: Request) -> ListAsked:
    return _page(DYNAMIC, read(LIST, query_of(request)))


def links_asked(request: Request, domain: str) -> tuple[LinkSelection, ListAsked]:
    fields = read(LINK_LIST, query_of(request))
    search = fields["search"]
    if search is not None and (len(search) > MAX_SEARCH or "\0" in search):
        raise wrong("search", f"This has at most {MAX_SEARCH} characters, none of them U+0000.")
    selection = LinkSelection(
        search=search,
        tags=() if fields["tag"] is None else (fields["tag"],),
        created_after=fields["created_after"],
        created_before=fields["created_before"],
        sort=SORTS[fields["sort"]],
        descending=fields["order"] == "desc",
    )
    return selection, _page(selection, fields)._replace(elsewhere=fields["domain"] not in (None, domain))


def _page(selection: S, fields: Mapping[str, Any]) -> ListAsked:
    cursor = fields["cursor"]
    with within("cursor"):
        return ListAsked(None if cursor is None else place_in(selection, cursor), fields["limit"])


# --- which ones ---------------------------------------------------------------------------------------------------


def link_id(given: str) -> LinkId:
    return LinkId(_number("lnk", given, "link"))


def path_link(request: Request) -> LinkId:
    return link_id(str(request.path_params["id"]))


def path_qr_code(request: Request) -> QrCodeId:
    return QrCodeId(_number("qr", str(request.path_params["id"]), "QR code"))


def _number(prefix: str, given: str, what: str) -> int:
    number = id_number(prefix, given)
    if number is None:
        raise NotFound.of(what, given)
    return number
