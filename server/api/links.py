"""POST GET /links; GET PATCH DELETE /links/{id}; GET /links/{id}/stats."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers, LinkAnswer, PageAnswer, StatsAnswer
from server.api.schema import LinkChange, LinkCreate, PageQuery, StatsQuery, path_id
from server.domain.errors import SlugTaken
from server.domain.links import Links
from server.domain.model import Account, LinkId
from server.openapi import operation
from server.wire import ByMethod, json_response


def routes(links: Links, answers: Answers, access: Access, now: Callable[[], datetime]) -> list[Route]:
    @operation(body=LinkCreate, answers={201: LinkAnswer}, sends=["Location"], refusals=[SlugTaken])
    async def create_link(request: Request, account: Account) -> Response:
        """Create a link."""
        body = await LinkCreate.of(request)
        link = await links.create(
            account, body.destination, slug=body.slug, title=body.title, guards=body.guards(), password=body.password
        )
        answer = answers.link(link)
        return json_response(answer, 201, {"location": f"/v1/links/{answer['id']}"})

    @operation(query=PageQuery, answers={200: PageAnswer[LinkAnswer]})
    async def list_links(request: Request, account: Account) -> Response:
        """List links, the newest first."""
        query = PageQuery.of(request)
        page = await links.list(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.link))

    @operation(answers={200: LinkAnswer})
    async def get_link(request: Request, account: Account) -> Response:
        """Get a link."""
        return json_response(answers.link(await links.get(account.id, _id(request))))

    @operation(body=LinkChange, answers={200: LinkAnswer})
    async def update_link(request: Request, account: Account) -> Response:
        """Change a link.

        What is absent stays as it is; null removes what may be null. The very next scan goes to the new destination.
        """
        link_id = _id(request)
        body = await LinkChange.of(request)
        link = await links.change(account, link_id, body.changes(), password=body.password)
        return json_response(answers.link(link))

    @operation(answers={204: None})
    async def delete_link(request: Request, account: Account) -> Response:
        """Delete a link.

        From then on its short URL is answered by 410. Its slug is never given to another link, as it may be on paper.
        """
        await links.delete(account.id, _id(request))
        return Response(status_code=204)

    @operation(query=StatsQuery, answers={200: StatsAnswer})
    async def get_link_stats(request: Request, account: Account) -> Response:
        """Count the scans of a link."""
        link_id = _id(request)
        period = StatsQuery.of(request).period(now())
        return json_response(answers.stats(await links.stats(account.id, link_id, period)))

    return [
        Route("/links", ByMethod(POST=access("links:write", create_link), GET=access("links:read", list_links))),
        Route(
            "/links/{id}",
            ByMethod(
                GET=access("links:read", get_link),
                PATCH=access("links:write", update_link),
                DELETE=access("links:write", delete_link),
            ),
        ),
        Route("/links/{id}/stats", ByMethod(GET=access("links:read", get_link_stats))),
    ]


def _id(request: Request) -> LinkId:
    return LinkId(path_id(request, "lnk", "link"))
