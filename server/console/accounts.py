"""`qredge account`, `qredge key` and `qredge plan`: who may use this server, and how far.

People read a table; programs take the last line, which is the account's id or the key itself, or --json.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeVar

import typer

from server.console.telling import Json, Row, fail, table, tell
from server.domain import keys
from server.domain.accounts import Accounts
from server.domain.errors import DomainError, InvalidValue
from server.domain.ids import id_number, id_text
from server.domain.keys import NATIVE, KeyFormat
from server.domain.label import Label
from server.domain.model import Account, AccountId, ApiKey, ApiKeyId, Page
from server.domain.plan import UNLIMITED, Plan, Plans

T = TypeVar("T")


class WithAccounts(Protocol):
    """Has the accounts of this server used, and answers what comes of it."""

    def __call__(self, use: Callable[[Accounts], Awaitable[T]]) -> T: ...


PAGE = 1000

PlanOption = Annotated[str, typer.Option("--plan", metavar="PLAN", help="As `qredge plan list` has it.")]
AccountOption = Annotated[str, typer.Option("--account", metavar="ID", help="The account's id, as acc_...")]


def commands(
    accounts: WithAccounts, formats: Mapping[str, KeyFormat], plans: Callable[[], Plans]
) -> dict[str, typer.Typer]:
    """`account`, `key` and `plan`, each with commands of its own."""
    return {
        "account": _account(accounts, plans),
        "key": _key(accounts, {NATIVE.name: NATIVE, **formats}),
        "plan": _plan(plans),
    }


def _account(accounts: WithAccounts, plans: Callable[[], Plans]) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="Make and list accounts, and say what they may do.")

    @group.command()
    def create(
        name: Annotated[str, typer.Option("--name", metavar="NAME", help="What people call it.")],
        email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Whom to write to.")] = None,
        plan: PlanOption = UNLIMITED.name,
        json: Json = False,
    ) -> None:
        """Make an account; its id is the last line."""
        with _about("--plan"):
            chosen = plans().named(plan)

        async def run(desk: Accounts) -> Account:
            with _about("--name"):
                label = Label(name)
            with _about("--email"):
                return await desk.create(label, email=email, plan=chosen)

        account = _run(accounts, run)
        tell(_account_row(account), json, last=id_text("acc", account.id))

    @group.command("list")
    def list_(json: Json = False) -> None:
        """List all accounts, the newest first."""
        table(_run(accounts, lambda desk: _all(desk.list, _account_row)), json)

    @group.command()
    def show(account: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
        """Show one account."""
        tell(_account_row(_run(accounts, lambda desk: desk.get(_account_id(account)))), json)

    @group.command("set-plan")
    def set_plan(
        account: Annotated[str, typer.Argument(metavar="ID")],
        plan: Annotated[str, typer.Argument(metavar="PLAN", help="As `qredge plan list` has it.")],
        json: Json = False,
    ) -> None:
        """Give an account another plan, from this moment on, on every process."""
        with _about("PLAN"):
            chosen = plans().named(plan)
        tell(_account_row(_run(accounts, lambda desk: desk.set_plan(_account_id(account), chosen))), json)

    return group


def _key(accounts: WithAccounts, formats: Mapping[str, KeyFormat]) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

    @group.command()
    def create(
        account: AccountOption,
        name: Annotated[str, typer.Option("--name", metavar="NAME", help="What people call it.")],
        form: Annotated[str, typer.Option("--format", metavar="|".join(formats), help="How it looks.")] = NATIVE.name,
        permissions: Annotated[
            str, typer.Option(metavar="LIST", help=f"Some of {', '.join(keys.PERMISSIONS)}.")
        ] = ",".join(sorted(keys.ALL)),
        expires_at: Annotated[
            datetime | None, typer.Option(metavar="TIME", help="Until when it opens anything, as 2027-12-31 (UTC).")
        ] = None,
        json: Json = False,
    ) -> None:
        """Make a key; it is the last line, and is shown nowhere else."""
        if form not in formats:
            fail(f"--format: {form!r} is none of {', '.join(formats)}.")

        async def run(desk: Accounts) -> tuple[ApiKey, str]:
            with _about("--permissions"):
                held = keys.permissions(each.strip() for each in permissions.split(",") if each.strip())
            with _about("--name"):
                label = Label(name)
            until = expires_at and expires_at.replace(tzinfo=expires_at.tzinfo or UTC)
            with _about("--expires-at"):
                return await desk.create_key(
                    await desk.get(_account_id(account)), label, permissions=held, expires_at=until, form=formats[form]
                )

        record, key = _run(accounts, run)
        tell(_key_row(record) | ({"key": key} if json else {}), json, last=key)

    @group.command("list")
    def list_(account: AccountOption, json: Json = False) -> None:
        """List an account's keys, the newest first."""

        async def run(desk: Accounts) -> list[Row]:
            owner = (await desk.get(_account_id(account))).id
            return await _all(lambda before, limit: desk.keys(owner, before=before, limit=limit), _key_row)

        table(_run(accounts, run), json)

    @group.command()
    def revoke(key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as key_...")]) -> None:
        """Revoke a key: from this moment on it opens nothing, on every process."""
        _run(accounts, lambda desk: desk.revoke_key(_key_id(key)))

    return group


def _plan(plans: Callable[[], Plans]) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="Show what accounts may do.")

    @group.command("list")
    def list_(json: Json = False) -> None:
        """List all plans that an account may have."""
        table([_plan_row(plan) for plan in plans()] if json else [_short_plan_row(plan) for plan in plans()], json)

    @group.command()
    def show(plan: Annotated[str, typer.Argument(metavar="PLAN")], json: Json = False) -> None:
        """Show the limits of a plan; - is none."""
        with _about("PLAN"):
            chosen = plans().named(plan)
        tell(_plan_row(chosen), json)

    return group


def _run(accounts: WithAccounts, use: Callable[[Accounts], Awaitable[T]]) -> T:
    try:
        return accounts(use)
    except DomainError as exc:
        fail(exc.detail)


@contextmanager
def _about(option: str) -> Iterator[None]:
    """What is wrong in here is wrong with this option."""
    try:
        yield
    except InvalidValue as exc:
        fail(f"{option}: {exc.detail}")


async def _all(pages: Callable[..., Awaitable[Page[T, int]]], row: Callable[[T], Row]) -> list[Row]:
    rows: list[Row] = []
    before: int | None = None
    while True:
        page = await pages(before=before, limit=PAGE)
        rows += map(row, page.items)
        before = page.next
        if before is None:
            return rows


def _account_id(text: str) -> AccountId:
    number = id_number("acc", text)
    if number is None:
        fail(f"{text!r} is no account's id, which are as acc_0hp3v3zt6d8rm.")
    return AccountId(number)


def _key_id(text: str) -> ApiKeyId:
    number = id_number("key", text)
    if number is None:
        fail(f"{text!r} is no key's id, which are as key_0hp3v3zt6d8rm. `qredge key list` has them.")
    return ApiKeyId(number)


def _account_row(account: Account) -> Row:
    return {
        "id": id_text("acc", account.id),
        "name": account.name,
        "email": account.email,
        "plan": account.plan.name,
        "created_at": account.created_at,
    }


def _key_row(key: ApiKey) -> Row:
    return {
        "id": id_text("key", key.id),
        "account_id": id_text("acc", key.account_id),
        "name": key.name,
        "format": key.format,
        "permissions": sorted(key.permissions),
        "last4": key.last4,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
    }


def _plan_row(plan: Plan) -> Row:
    return {"name": plan.name, **plan.limits}


#: What a plan is mostly about; the rest is in `show`.
SHORT = (
    "api_access",
    "requests_per_minute",
    "requests_per_month",
    "renders_per_month",
    "links",
    "dynamic_codes",
    "keys",
)


def _short_plan_row(plan: Plan) -> Row:
    return {"name": plan.name, **{limit: plan.limits[limit] for limit in SHORT}}
