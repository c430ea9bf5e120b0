"""POST GET /links; GET PATCH DELETE /links/{id}; POST /links/{id}/restore; GET /links/{id}/stats; GET /stats."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers, LinkAnswer, PageAnswer, StatsAnswer
from server.api.etags import only_if, unless_held, with_etag
from server.api.lists import LinkListQuery
from server.api.schema import LinkChange, LinkCreate, StatsQuery, path_id
from server.cursors import cursors
from server.domain.errors import ChangedMeanwhile, SlugTaken
from server.domain.ids import id_text
from server.domain.links import Links
from server.domain.model import Account, LinkId
from server.domain.ports import Versions
from server.openapi import operation
from server.wire import ByMethod, json_response


def routes(links: Links, answers: Answers, access: Access, now: Callable[[], datetime]) -> list[Route]:
    @operation(body=LinkCreate, answers={201: LinkAnswer}, sends=["Location", "ETag"], refusals=[SlugTaken])
    async def create_link(request: Request, account: Account) -> Response:
        """Create a link."""
        body = await LinkCreate.of(request)
        link = await links.create(
            account,
            body.destination,
            slug=body.slug,
            title=body.title,
            tags=body.tags,
            guards=body.guards(),
            password=body.password,
        )
        answer = answers.link(link)
        return with_etag(answer, link.version, 201, location=f"/v1/links/{answer['id']}")

    @operation(query=LinkListQuery, answers={200: PageAnswer[LinkAnswer]})
    async def list_links(request: Request, account: Account) -> Response:
        """List links, the newest first, if no other order is asked for.

        `cursor` goes with the filters and the order of the page that gave it.
        """
        query = LinkListQuery.of(request)
        selection = query.selection()
        page = await links.list(account.id, selection, after=query.place(selection), limit=query.limit)
        return json_response(answers.page(page, answers.link, cursors(selection)))

    @operation(takes=["If-None-Match"], answers={200: LinkAnswer, 304: None}, sends=["ETag"])
    async def get_link(request: Request, account: Account) -> Response:
        """Get a link."""
        link = await links.get(account.id, _id(request))
        return unless_held(request, answers.link(link), link.version)

    @operation(
        body=LinkChange, takes=["If-Match"], answers={200: LinkAnswer}, sends=["ETag"], refusals=[ChangedMeanwhile]
    )
    async def update_link(request: Request, account: Account) -> Response:
        """Change a link.

        What is absent stays as it is; null removes what may be null. The very next scan goes to the new destination.
        """
        link_id = _id(request)
        body = await LinkChange.of(request)
        link = await links.change(
            account, link_id, body.changes(), password=body.password, only_if=_only_if(request, link_id)
        )
        return with_etag(answers.link(link), link.version)

    @operation(takes=["If-Match"], answers={204: None}, refusals=[ChangedMeanwhile])
    async def delete_link(request: Request, account: Account) -> Response:
        """Delete a link.

        From then on its short URL is answered by 410. Its slug is never given to another link, as it may be on paper.
        """
        link_id = _id(request)
        await links.delete(account.id, link_id, only_if=_only_if(request, link_id))
        return Response(status_code=204)

    @operation(answers={200: LinkAnswer}, sends=["ETag"])
    async def restore_link(request: Request, account: Account) -> Response:
        """Restore a deleted link.

        Its short URL redirects again. A link that is not deleted stays as it is.
        """
        link = await links.restore(account, _id(request))
        return with_etag(answers.link(link), link.version)

    @operation(query=StatsQuery, answers={200: StatsAnswer})
    async def get_link_stats(request: Request, account: Account) -> Response:
        """Count the scans of a link."""
        link_id = _id(request)
        asked = StatsQuery.of(request).asked(now())
        return json_response(answers.stats(await links.stats(account, link_id, asked)))

    @operation(query=StatsQuery, answers={200: StatsAnswer})
    async def get_stats(request: Request, account: Account) -> Response:
        """Count the scans of all links, also of those that were deleted."""
        asked = StatsQuery.of(request).asked(now())
        return json_response(answers.stats(await links.all_counted(account, asked)))

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
        Route("/links/{id}/restore", ByMethod(POST=access("links:write", restore_link))),
        Route("/links/{id}/stats", ByMethod(GET=access("links:read", get_link_stats))),
        Route("/stats", ByMethod(GET=access("links:read", get_stats))),
    ]


def _id(request: Request) -> LinkId:
    return LinkId(path_id(request, "lnk", "link"))


def _only_if(request: Request, link_id: LinkId) -> Versions:
    return only_if(request, id_text("lnk", link_id))
