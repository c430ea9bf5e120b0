"""POST /generate/bulk/: many pictures as a ZIP with a manifest, all of them or none."""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from functools import partial
from tempfile import SpooledTemporaryFile
from time import perf_counter
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server.archive import Archive
from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrstudio.errors import Refusal, said_of
from server.dialects.qrstudio.fields import REQUIRED, WrongFields
from server.dialects.qrstudio.from_domain import cache, duration_ms, plan_name, public_url, quota_headers
from server.dialects.qrstudio.pictures import Drawn, Pictures, Ready, may_make
from server.dialects.qrstudio.to_domain import Wanted, json_fields, sentences, wanted_of
from server.dialects.qrstudio.wire import MAX_BODY_BYTES, Manifest, Packed
from server.domain.errors import InvalidValue, PlanLimit
from server.domain.limits import allow_bulk
from server.domain.model import Caller
from server.domain.plan import Plan
from server.domain.turns import in_turns
from server.pipeline import in_order
from server.wire import ByMethod

#: Of all pictures together: a good minute's work, as 5,000 of them 4 inches wide are.
MAX_PIXELS = 10_000_000_000
#: Each may take seconds to be fetched.
MAX_URLS = 50
#: Pictures that are drawn at a time.
AT_ONCE = 3
#: Of the ZIP, in memory; a larger one is on the disk until it is sent.
MAX_HELD_BYTES = 16 << 20
PIECE_BYTES = 1 << 16


def routes(kit: Kit, access: Access) -> list[Route]:
    pictures = Pictures(kit)

    async def bulk(request: Request, caller: Caller) -> Response:
        items = _items(await json_fields(request, max_bytes=MAX_BODY_BYTES), caller.account.plan)
        wanted = await _wanted(items, caller)
        file = SpooledTemporaryFile(max_size=MAX_HELD_BYTES)  # noqa: SIM115 -- closed when it has been sent
        try:
            async with kit.limits.renders(caller.account, len(wanted)) as left, kit.kept.together():
                ready = [await pictures.ready(caller.account, each) for each in wanted]
                await _pack(file, wanted, ready, plan_name(caller.account.plan))
        except BaseException:
            file.close()
            raise
        headers = {
            "content-disposition": f'attachment; filename="qrstudio-bulk-{len(wanted)}.zip"',
            "content-length": str(file.tell()),
            **quota_headers(caller.account.plan, left),
        }
        return StreamingResponse(_sent(file), 200, headers, "application/zip")

    async def _wanted(items: list[Any], caller: Caller) -> list[Wanted]:
        found: list[Wanted] = []
        wrong: dict[str, str] = {}
        async for index, item in in_turns(enumerate(items)):
            try:
                if not isinstance(item, dict):
                    raise WrongFields({"non_field_errors": ["Invalid data. Expected a dictionary."]})
                each = await wanted_of(kit, caller.account, item)
                may_make(caller, each)
                found.append(each)
            except WrongFields as exc:
                wrong[str(index)] = " ".join(sentences(exc))
            except PlanLimit as exc:
                wrong[str(index)] = said_of(exc)[1]
        if wrong:
            raise _failed(wrong, 0)
        if sum(each.order.size_px**2 for each in found) > MAX_PIXELS:
            raise WrongFields({"items": f"A bulk has at most {MAX_PIXELS:,} pixels in all its pictures."})
        return found

    async def _pack(file: "SpooledTemporaryFile[bytes]", wanted: list[Wanted], ready: list[Ready], plan: str) -> None:
        archive = Archive()
        items: list[Packed] = []
        drawing = in_order((partial(_drawn, each) for each in ready), at_once=AT_ONCE)
        async with aclosing(drawing):
            try:
                async for drawn, seconds in drawing:
                    item = _packed(len(items), wanted[len(items)], drawn, seconds)
                    file.write(archive.add(item["filename"], drawn.image.body))
                    items.append(item)
            except InvalidValue as exc:
                raise _failed({str(len(items)): exc.detail}, len(items)) from exc
        manifest: Manifest = {"count": len(items), "plan": plan, "items": items}
        file.write(archive.add("manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2)) + archive.end())

    async def _drawn(ready: Ready) -> tuple[Drawn, float]:
        began = perf_counter()
        return await pictures.draw(ready), perf_counter() - began

    def _packed(index: int, wanted: Wanted, drawn: Drawn, seconds: float) -> Packed:
        fields = wanted.fields
        item: Packed = {
            "index": index,
            "filename": f"qr-{index + 1:04}.{fields['format']}",
            "data_type": fields["data_type"],
            "format": fields["format"],
            "size_inches": fields["size_inches"],
            "dpi": fields["dpi"],
            "bytes": len(drawn.image.body),
            "cache": cache(drawn.hit),
            "duration_ms": duration_ms(drawn.hit, seconds),
            "has_logo": wanted.order.design.logo is not None,
        }
        if drawn.link is not None:
            item["dynamic_short_id"] = drawn.link.slug
            item["dynamic_public_url"] = public_url(kit.base_url, drawn.link)
        return item

    return [Route("/api/v1/generate/bulk", ByMethod(POST=access("render", bulk)))]


def _items(given: Mapping[str, Any], plan: Plan) -> list[Any]:
    if plan.bulk_items == 0:
        raise plan.refusal("bulk_items")
    items = given.get("items")
    if items is None:
        raise WrongFields({"items": [REQUIRED]})
    if not isinstance(items, list):
        raise WrongFields({"items": [f'Expected a list of items but got type "{type(items).__name__}".']})
    if not items:
        raise WrongFields({"items": ["This list may not be empty."]})
    try:
        allow_bulk(plan, len(items))
    except PlanLimit as exc:
        raise WrongFields({"items": said_of(exc)[1]}) from exc
    urls = {item.get(name) for item in items if isinstance(item, dict) for name in ("logo_url", "bg_image_url")}
    if len(urls) > MAX_URLS:
        raise WrongFields({"items": f"A bulk has pictures from at most {MAX_URLS} addresses."})
    return items


def _failed(wrong: Mapping[str, str], rendered: int) -> Refusal:
    return Refusal(422, {"errors": wrong, "rendered_before_failure": rendered})


def _sent(file: "SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece
