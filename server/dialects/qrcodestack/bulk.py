"""qrcodestack: POST /qr-codes/bulk, hundreds of codes by few statements: all of them, or none."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrcodestack import from_domain
from server.dialects.qrcodestack.errors import WrongFields, wrong_of
from server.dialects.qrcodestack.to_domain import body_of, new_code, read
from server.dialects.qrcodestack.wire import ROOT, Bulk, BulkCreate, DataAnswer, QrCodeCreate
from server.domain.design import Design
from server.domain.errors import DomainError, InvalidValue, PlanLimit
from server.domain.limits import allow_bulk, allow_design
from server.domain.many import NewCode
from server.domain.model import Account, Caller, QrCode
from server.domain.turns import in_turns
from server.openapi import operation
from server.pipeline import in_order
from server.wire import ByMethod, json_response

#: Each may take seconds to be fetched.
MAX_LOGOS = 50
#: Of those, at a time.
AT_ONCE = 4

TOO_MANY_LOGOS = f"A bulk has logos from at most {MAX_LOGOS} addresses."


def routes(kit: Kit, access: Access) -> list[Route]:
    @operation(body=BulkCreate, answers={201: DataAnswer[Bulk]}, refusals=[PlanLimit])
    async def create_qr_codes(request: Request, caller: Caller) -> Response:
        """Create up to 500 QR codes.

        All of them, or none: then `fields` has what is wrong, by the item's index, which begins at 0.
        """
        account = caller.account
        allow_bulk(account.plan, 1)
        items = (await body_of(request, BulkCreate)).items
        allow_bulk(account.plan, len(items))
        wanted = await with_logos(account, await _wanted(items))
        outcomes = await kit.many.add_codes(account, wanted, await drafted(account, wanted), whole=True)
        made = [_made(outcomes[place]) for place in sorted(outcomes)]
        told = [from_domain.qr_code(code, kit.base_url) async for code in in_turns(made)]
        return json_response({"success": True, "data": {"count": len(told), "items": told}}, 201)

    async def with_logos(account: Account, wanted: Mapping[int, NewCode]) -> Mapping[int, NewCode]:
        """With the bytes of each logo, which is fetched once."""
        named = {place: each.design.logo for place, each in wanted.items() if each.design.logo}
        designs = {logo: Design(logo=logo) for logo in named.values()}
        if not designs:
            return wanted
        allow_design(account.plan, next(iter(designs.values())))
        if len(designs) > MAX_LOGOS:
            raise WrongFields({"items": TOO_MANY_LOGOS})

        async def complete(design: Design) -> Design | InvalidValue:
            try:
                return await kit.studio.complete(design, account.id)
            except InvalidValue as exc:
                return exc

        found = in_order((partial(complete, design) for design in designs.values()), at_once=AT_ONCE)
        completed = dict(zip(designs, [each async for each in found], strict=True))
        if wrong := {
            str(place): {"render_customizations.logo_url": why.detail}
            for place, logo in named.items()
            if isinstance(why := completed[logo], InvalidValue)
        }:
            raise WrongFields(wrong)
        return {**wanted, **{place: _with_logo(wanted[place], completed[logo]) for place, logo in named.items()}}

    async def drafted(account: Account, wanted: Mapping[int, NewCode]) -> dict[int, QrCode]:
        drafts: dict[int, QrCode] = {}
        wrong: dict[str, Mapping[str, str]] = {}
        async for place, each in in_turns(wanted.items()):
            try:
                drafts[place] = await kit.many.draft_code(account, each, {})
            except InvalidValue as exc:
                wrong[str(place)] = wrong_of(exc)
        if wrong:
            raise WrongFields(wrong)
        return drafts

    return [Route(f"{ROOT}/qr-codes/bulk", ByMethod(POST=access("qr-codes:write", create_qr_codes)))]


async def _wanted(items: list[object]) -> dict[int, NewCode]:
    """What each item asks for; raises WrongFields with all that is wrong in any."""
    found: dict[int, NewCode] = {}
    wrong: dict[str, str | Mapping[str, str]] = {}
    async for place, item in in_turns(enumerate(items)):
        try:
            found[place] = new_code(read(QrCodeCreate, item))
        except WrongFields as exc:
            wrong[str(place)] = {name: str(detail) for name, detail in exc.wrong.items()}
    if wrong:
        raise WrongFields(wrong)
    return found


def _with_logo(wanted: NewCode, completed: Design | InvalidValue) -> NewCode:
    assert isinstance(completed, Design), "what is wrong was told"
    return replace(wanted, design=replace(wanted.design, logo=completed.logo))


def _made(outcome: QrCode | DomainError) -> QrCode:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome
