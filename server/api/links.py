"""POST GET /links; GET PATCH DELETE /links/{id}; GET /links/{id}/stats."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers
from server.api.schema import LinkChange, LinkCreate, PageQuery, StatsQuery, path_id
from server.domain.links import Links
from server.domain.model import Account, LinkId
from server.wire import ByMethod, json_response


def routes(links: Links, answers: Answers, access: Access, now: Callable[[], datetime]) -> list[Route]:
    async def create(request: Request, account: Account) -> Response:
        body = await LinkCreate.of(request)
        link = await links.create(
            account.id, body.destination, slug=body.slug, title=body.title, guards=body.guards(), password=body.password
        )
        answer = answers.link(link)
        return json_response(answer, 201, {"location": f"/v1/links/{answer['id']}"})

    async def list_(request: Request, account: Account) -> Response:
        query = PageQuery.of(request)
        page = await links.list(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.link))

    async def show(request: Request, account: Account) -> Response:
        return json_response(answers.link(await links.get(account.id, _id(request))))

    async def change(request: Request, account: Account) -> Response:
        link_id = _id(request)
        body = await LinkChange.of(request)
        link = await links.change(account.id, link_id, body.changes(), password=body.password)
        return json_response(answers.link(link))

    async def delete(request: Request, account: Account) -> Response:
        await links.delete(account.id, _id(request))
        return Response(status_code=204)

    async def stats(request: Request, account: Account) -> Response:
        link_id = _id(request)
        period = StatsQuery.of(request).period(now())
        return json_response(answers.stats(await links.stats(account.id, link_id, period)))

    return [
        Route("/links", ByMethod(POST=access("links:write", create), GET=access("links:read", list_))),
        Route(
            "/links/{id}",
            ByMethod(
                GET=access("links:read", show),
                PATCH=access("links:write", change),
                DELETE=access("links:write", delete),
            ),
        ),
        Route("/links/{id}/stats", ByMethod(GET=access("links:read", stats))),
    ]


def _id(request: Request) -> LinkId:
    return LinkId(path_id(request, "lnk", "link"))
