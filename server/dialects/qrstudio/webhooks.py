"""GET POST /webhooks/; PATCH DELETE /webhooks/{id}/; POST /webhooks/{id}/rotate/; GET /webhooks/{id}/deliveries/."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrstudio.fields import Broken, Field, flag, text
from server.dialects.qrstudio.telling import EVENTS, NAME, delivery_answer, webhook_answer
from server.dialects.qrstudio.to_domain import checked, destination, json_fields
from server.domain.delivery import EventType, WebhookChanges, event_types
from server.domain.errors import NotFound
from server.domain.ids import id_number
from server.domain.model import Caller, WebhookId
from server.idempotency import ShownOnce
from server.wire import ByMethod, json_response

#: How many deliveries are shown.
PAGE = 100


def _events(given: object) -> tuple[EventType, ...]:
    if not isinstance(given, list):
        raise Broken([f'Expected a list of items but got type "{type(given).__name__}".'])
    if not given:
        raise Broken(["This list may not be empty."])
    for each in given:
        if each not in EVENTS:
            raise Broken([f'"{each}" is not a valid choice.'])
    return event_types([EVENTS[each] for each in given])


NEW = {"url": Field(text(2000), required=True), "events": Field(_events, required=True)}
CHANGES = {**NEW, "is_active": Field(flag, required=True)}


def routes(kit: Kit, access: Access) -> list[Route]:
    async def asked_for(request: Request, caller: Caller) -> WebhookId:
        number = id_number("whk", str(request.path_params["id"]))
        if number is None or (await kit.webhooks.get(caller.account.id, WebhookId(number))).format != NAME:
            raise NotFound
        return WebhookId(number)

    async def create(request: Request, caller: Caller) -> Response:
        fields = checked(NEW, await json_fields(request))
        url = destination(fields["url"], "url")
        webhook, secret = await kit.webhooks.create(caller.account, url, fields["events"], format=NAME)
        return ShownOnce(webhook_answer(webhook), {"secret": secret}, 201)

    async def show_all(_: Request, caller: Caller) -> Response:
        found = await kit.webhooks.told_in(caller.account.id, [NAME])
        return json_response({"webhooks": [webhook_answer(each) for each in found]})

    async def change(request: Request, caller: Caller) -> Response:
        webhook = await asked_for(request, caller)
        changes = _changes(checked(CHANGES, await json_fields(request), partly=True))
        return json_response(webhook_answer(await kit.webhooks.change(caller.account, webhook, changes)))

    async def delete(request: Request, caller: Caller) -> Response:
        await kit.webhooks.delete(caller.account.id, await asked_for(request, caller))
        return Response(status_code=204)

    async def rotate(request: Request, caller: Caller) -> Response:
        """For 24 hours the secret before signs, too."""
        webhook, secret = await kit.webhooks.rotate_secret(caller.account.id, await asked_for(request, caller))
        return ShownOnce(webhook_answer(webhook), {"secret": secret}, 200)

    async def deliveries(request: Request, caller: Caller) -> Response:
        """The last of them."""
        webhook = await asked_for(request, caller)
        page = await kit.webhooks.deliveries(caller.account.id, webhook, before=None, limit=PAGE)
        return json_response({"deliveries": [delivery_answer(each) for each in page.items]})

    return [
        Route(
            "/api/v1/webhooks", ByMethod(GET=access("webhooks:read", show_all), POST=access("webhooks:write", create))
        ),
        Route(
            "/api/v1/webhooks/{id}",
            ByMethod(PATCH=access("webhooks:write", change), DELETE=access("webhooks:write", delete)),
        ),
        Route("/api/v1/webhooks/{id}/rotate", ByMethod(POST=access("webhooks:write", rotate))),
        Route("/api/v1/webhooks/{id}/deliveries", ByMethod(GET=access("webhooks:read", deliveries))),
    ]


def _changes(fields: dict[str, Any]) -> WebhookChanges:
    changes: WebhookChanges = {}
    if "url" in fields:
        changes["url"] = destination(fields["url"], "url")
    if "events" in fields:
        changes["events"] = fields["events"]
    if "is_active" in fields:
        changes["active"] = fields["is_active"]
    return changes
