"""mask: GET POST /links; GET PATCH DELETE /links/{id}."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.mask.fields import body_of
from server.dialects.mask.from_domain import domain_of, link_answer, page_answer
from server.dialects.mask.to_domain import link_changes, links_asked, new_link, path_link
from server.dialects.mask.wire import LinkAnswer
from server.domain.model import Caller, Link, Page
from server.wire import ByMethod, json_response


def routes(kit: Kit, access: Access) -> list[Route]:
    def answer(link: Link) -> LinkAnswer:
        return link_answer(link, kit.base_url)

    async def create(request: Request, caller: Caller) -> Response:
        new = new_link(await body_of(request), domain_of(kit.base_url))
        return json_response(answer(await kit.links.create(caller.account, **new._asdict())), 201)

    async def show_all(request: Request, caller: Caller) -> Response:
        selection, asked = links_asked(request, domain_of(kit.base_url))
        if asked.elsewhere:
            return json_response(page_answer(Page([], None), selection, answer))
        page = await kit.links.list(caller.account.id, selection, after=asked.after, limit=asked.limit)
        return json_response(page_answer(page, selection, answer))

    async def show(request: Request, caller: Caller) -> Response:
        return json_response(answer(await kit.links.get(caller.account.id, path_link(request))))

    async def change(request: Request, caller: Caller) -> Response:
        link = await kit.links.get(caller.account.id, path_link(request))
        changes, password = link_changes(await body_of(request), link, domain_of(kit.base_url))
        if changes or password is not None:
            # A destination and rules are made of what they were: of this state of the link, or of none.
            only_if = [link.version] if changes.keys() & {"destination", "rules"} else None
            link = await kit.links.change(caller.account, link.id, changes, password=password, only_if=only_if)
        return json_response(answer(link))

    async def delete(request: Request, caller: Caller) -> Response:
        await kit.links.delete(caller.account.id, path_link(request))
        return Response(status_code=204)

    return [
        Route("/api/v1/links", ByMethod(GET=access("links:read", show_all), POST=access("links:write", create))),
        Route(
            "/api/v1/links/{id}",
            ByMethod(
                GET=access("links:read", show),
                PATCH=access("links:write", change),
                DELETE=access("links:write", delete),
            ),
        ),
    ]
