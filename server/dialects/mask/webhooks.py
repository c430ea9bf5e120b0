"""mask: GET POST /webhooks; DELETE /webhooks/{id}."""

import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.mask.fields import Field, Fields, body_of, read, text, texts
from server.dialects.mask.telling import CLICKED, EVENTS, FORMATS, SCANNED, webhook_answer
from server.domain.delivery import SCAN_RECORDED, event_types
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotFound
from server.domain.ids import id_text
from server.domain.model import Caller
from server.idempotency import ShownOnce
from server.wire import ByMethod, json_response

MIN_SECRET, MAX_SECRET = 8, 255
#: Of a secret of ours.
SECRET_BYTES = 32


def _events(given: object) -> list[str]:
    names = texts(given)
    if not names:
        raise InvalidValue("empty", "This list may not be empty.")
    known = (*EVENTS, CLICKED, SCANNED)
    for each in names:
        if each not in known:
            raise InvalidValue("unknown_value", f"{each!r} does not happen here. The events are {', '.join(known)}.")
    return names


def _secret(given: object) -> str:
    if not MIN_SECRET <= len(text(given)) <= MAX_SECRET:
        raise InvalidValue("out_of_range", f"A secret has {MIN_SECRET} to {MAX_SECRET} characters.")
    return text(given)


WEBHOOK: Fields = {
    "url": Field(lambda given: Destination(text(given)), required=True),
    "events": Field(_events, required=True),
    "secret": Field(_secret),
}


def routes(kit: Kit, access: Access) -> list[Route]:
    async def create(request: Request, caller: Caller) -> Response:
        """A secret that nobody gives is made, and shown once."""
        fields = read(WEBHOOK, await body_of(request))
        names = fields["events"]
        scans = CLICKED if CLICKED in names else SCANNED
        events = event_types([each if each in EVENTS else SCAN_RECORDED for each in names])
        secret = fields["secret"] or secrets.token_hex(SECRET_BYTES)
        webhook, _ = await kit.webhooks.create(
            caller.account, fields["url"], events, format=FORMATS[scans], secret=secret.encode()
        )
        answer = webhook_answer(webhook)
        return json_response(answer, 201) if fields["secret"] else ShownOnce({**answer}, {"secret": secret}, 201)

    async def show_all(_: Request, caller: Caller) -> Response:
        found = await kit.webhooks.told_in(caller.account.id, FORMATS.values())
        return json_response({"data": [webhook_answer(each) for each in found]})

    async def delete(request: Request, caller: Caller) -> Response:
        given = str(request.path_params["id"])
        there = await kit.webhooks.told_in(caller.account.id, FORMATS.values())
        webhook = next((each for each in there if id_text("wh", each.id) == given), None)
        if webhook is None:
            raise NotFound.of("webhook", given)
        await kit.webhooks.delete(caller.account.id, webhook.id)
        return Response(status_code=204)

    return [
        Route(
            "/api/v1/webhooks", ByMethod(GET=access("webhooks:read", show_all), POST=access("webhooks:write", create))
        ),
        Route("/api/v1/webhooks/{id}", ByMethod(DELETE=access("webhooks:write", delete))),
    ]
