"""POST GET /webhooks; GET PATCH DELETE /webhooks/{id}; POST /webhooks/{id}/rotate-secret; POST /webhooks/{id}/test;
GET /webhooks/{id}/deliveries; POST /webhooks/{id}/deliveries/{event_id}/redeliver."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers, DeliveryAnswer, NewSecretAnswer, PageAnswer, WebhookAnswer
from server.api.schema import PageQuery, WebhookChange, WebhookCreate, path_id
from server.domain.errors import WebhookInactive
from server.domain.model import Account, EventId, WebhookId
from server.domain.webhooks import Webhooks
from server.idempotency import ShownOnce
from server.openapi import operation
from server.wire import ByMethod, cursor_of, json_response


def routes(webhooks: Webhooks, answers: Answers, access: Access) -> list[Route]:
    @operation(body=WebhookCreate, answers={201: NewSecretAnswer}, sends=["Location"])
    async def create_webhook(request: Request, account: Account) -> Response:
        """Create a webhook.

        From then on it is told of what happens in the account. Its secret is in this answer, and in no other.
        """
        body = await WebhookCreate.of(request)
        webhook, secret = await webhooks.create(account, body.url, body.events, name=body.name, active=body.active)
        answer = answers.webhook(webhook)
        response = ShownOnce(answer, {"secret": secret}, 201)
        response.headers["location"] = f"/v1/webhooks/{answer['id']}"
        return response

    @operation(query=PageQuery, answers={200: PageAnswer[WebhookAnswer]})
    async def list_webhooks(request: Request, account: Account) -> Response:
        """List the webhooks, the newest first."""
        query = PageQuery.of(request)
        page = await webhooks.list(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.webhook, cursor_of))

    @operation(answers={200: WebhookAnswer})
    async def get_webhook(request: Request, account: Account) -> Response:
        """Get a webhook."""
        return json_response(answers.webhook(await webhooks.get(account.id, _id(request))))

    @operation(body=WebhookChange, answers={200: WebhookAnswer})
    async def update_webhook(request: Request, account: Account) -> Response:
        """Change a webhook.

        What is absent stays as it is. While it is not active, nothing is put down for it, and what waits stays.
        """
        webhook_id = _id(request)
        body = await WebhookChange.of(request)
        return json_response(answers.webhook(await webhooks.change(account, webhook_id, body.changes())))

    @operation(answers={204: None})
    async def delete_webhook(request: Request, account: Account) -> Response:
        """Delete a webhook, with its log and all that waits for it."""
        await webhooks.delete(account.id, _id(request))
        return Response(status_code=204)

    @operation(answers={200: NewSecretAnswer})
    async def rotate_webhook_secret(request: Request, account: Account) -> Response:
        """Give a webhook another secret.

        For 24 hours the one before signs, too.
        """
        webhook, secret = await webhooks.rotate_secret(account.id, _id(request))
        return ShownOnce(answers.webhook(webhook), {"secret": secret}, 200)

    @operation(answers={202: DeliveryAnswer}, refusals=[WebhookInactive])
    async def test_webhook(request: Request, account: Account) -> Response:
        """Have a test event sent to a webhook.

        Its log tells how that went.
        """
        return json_response(answers.delivery(await webhooks.test(account.id, _id(request))), 202)

    @operation(query=PageQuery, answers={200: PageAnswer[DeliveryAnswer]})
    async def list_webhook_deliveries(request: Request, account: Account) -> Response:
        """List what was sent to a webhook, and what waits for it, the newest first.

        It is kept for 14 days.
        """
        webhook_id = _id(request)
        query = PageQuery.of(request)
        page = await webhooks.deliveries(account.id, webhook_id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.delivery, cursor_of))

    @operation(answers={202: DeliveryAnswer}, refusals=[WebhookInactive])
    async def redeliver_webhook_event(request: Request, account: Account) -> Response:
        """Have an event sent to a webhook again.

        It is sent at once, with the id that it had, and tried as often as a new one.
        """
        webhook_id = _id(request)
        event_id = EventId(path_id(request, "evt", "delivery", "event_id"))
        return json_response(answers.delivery(await webhooks.redeliver(account.id, webhook_id, event_id)), 202)

    return [
        Route(
            "/webhooks",
            ByMethod(POST=access("webhooks:write", create_webhook), GET=access("webhooks:read", list_webhooks)),
        ),
        Route(
            "/webhooks/{id}",
            ByMethod(
                GET=access("webhooks:read", get_webhook),
                PATCH=access("webhooks:write", update_webhook),
                DELETE=access("webhooks:write", delete_webhook),
            ),
        ),
        Route("/webhooks/{id}/rotate-secret", ByMethod(POST=access("webhooks:write", rotate_webhook_secret))),
        Route("/webhooks/{id}/test", ByMethod(POST=access("webhooks:write", test_webhook))),
        Route("/webhooks/{id}/deliveries", ByMethod(GET=access("webhooks:read", list_webhook_deliveries))),
        Route(
            "/webhooks/{id}/deliveries/{event_id}/redeliver",
            ByMethod(POST=access("webhooks:write", redeliver_webhook_event)),
        ),
    ]


def _id(request: Request) -> WebhookId:
    return WebhookId(path_id(request, "whk", "webhook"))
