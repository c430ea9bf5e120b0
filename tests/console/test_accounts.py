"""`qredge account` and `qredge key`, beside a server that runs, and without one."""

import json
import re
from pathlib import Path

import httpx
import pytest

from server.dialects import key_formats
from tests.console.conftest import Shell
from tests.support import ServerProcess, until

FORMS = {
    "native": r"qredge_[A-Za-z0-9]{40}",
    "mask": r"mk_live_[A-Za-z0-9]{24}",
    "qrlogo": r"qr_[0-9a-f]{48}",
    "qrcode-app": r"sk_live_[A-Za-z0-9]{24}",
    "qrstudio": r"smk_[A-Za-z0-9_-]{36}",
    "qrcodestack": r"qrs_[0-9a-f]{64}",
}


def test_every_dialect_has_its_form() -> None:
    assert FORMS.keys() == {"native", *key_formats()}


def test_accounts_are_made_listed_and_shown(shell: Shell) -> None:
    made = shell.process("account", "create", "--name", "Bakery", "--email", "ada@example.com").decode().splitlines()
    account = made[-1]
    assert re.fullmatch(r"acc_[0-9a-z]{13}", account)
    assert f"id          {account}" in made
    rows = json.loads("\n".join(shell("account", "list", "--json")))
    assert [(row["id"], row["name"], row["email"]) for row in rows] == [(account, "Bakery", "ada@example.com")]
    header, line = shell("account", "list")
    assert header.split() == ["id", "name", "email", "plan", "created_at"]
    assert line.startswith(f"{account}  Bakery")
    assert json.loads(shell("account", "show", account, "--json")[0]) == rows[0]


@pytest.mark.parametrize("form", FORMS)
def test_keys_have_the_form_that_is_asked_for(shell: Shell, form: str) -> None:
    account = shell("account", "create", "--name", "Bakery")[-1]
    key = shell("key", "create", "--account", account, "--name", "Till", "--format", form)[-1]
    assert re.fullmatch(FORMS[form], key)
    (row,) = json.loads(shell("key", "list", "--account", account, "--json")[0])
    assert (row["format"], row["last4"], row["permissions"]) == (form, key[-4:], ["read", "render", "write"])
    assert "key" not in row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["account", "create", "--name", " "], "--name: This may not be empty."),
        (["account", "create", "--name", "B", "--email", "nobody"], "--email: An address is name@host"),
        (["account", "show", "acc_1"], "'acc_1' is no account's id"),
        (["account", "show", "acc_0000000000000"], "There is no account 'acc_0000000000000'"),
        (["key", "create", "--account", "acc_0000000000000", "--name", "Till"], "There is no account"),
        (["key", "create", "--account", "{}", "--name", "Till", "--format", "x"], "--format: 'x' is none of native, "),
        (
            ["key", "create", "--account", "{}", "--name", "Till", "--permissions", "all"],
            "--permissions: 'all' is none",
        ),
        (["key", "create", "--account", "{}", "--name", "Till", "--expires-at", "2020-01-01"], "--expires-at: A key"),
        (["key", "list", "--account", "acc_0000000000000"], "There is no account"),
        (["key", "revoke", "key_0000000000000"], "There is no API key"),
        (["key", "revoke", "qredge_x"], "is no key's id"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shell: Shell, arguments: list[str], said: str) -> None:
    account = shell("account", "create", "--name", "Bakery")[-1]
    answer = shell.refused(*(each.format(account) for each in arguments))
    assert answer.startswith("qredge: ")
    assert said in answer
    assert answer.count("\n") == 1
    assert shell("key", "list", "--account", account) == []


def test_beside_a_server_that_runs(tmp_path: Path) -> None:
    """On its embedded database, which is the server's to start and to stop."""
    server = ServerProcess(tmp_path / "data")
    shell = Shell(server.data_dir, "")
    server.start()
    try:
        account = shell("account", "create", "--name", "Bakery")[-1]
        key = shell("key", "create", "--account", account, "--name", "Till", "--permissions", "links:read")[-1]
        with httpx.Client(base_url=f"{server.url}/v1", headers={"x-api-key": key}) as api:
            assert api.get("/links").status_code == 200
            assert api.get("/account").status_code == 403
            (row,) = json.loads(shell("key", "list", "--account", account, "--json")[0])
            shell("key", "revoke", row["id"])
            until(lambda: api.get("/links").status_code == 401, what="the worker told", within_s=5)
        assert server.stop() == 0
        assert shell("key", "list", "--account", account) == []
        assert shell("account", "list")[1].startswith(account)
    finally:
        server.kill()


def test_an_account_has_the_plan_that_it_was_given_last(shell: Shell) -> None:
    account = shell("account", "create", "--name", "Bakery", "--plan", "qrlogo.advanced")[-1]
    assert json.loads(shell("account", "show", account, "--json")[0])["plan"] == "qrlogo.advanced"
    changed = json.loads(shell("account", "set-plan", account, "qrstudio.free", "--json")[0])
    assert (changed["id"], changed["plan"]) == (account, "qrstudio.free")
    assert json.loads(shell("account", "list", "--json")[0])[0]["plan"] == "qrstudio.free"
    assert "PLAN: 'gold' is none of unlimited, " in shell.refused("account", "set-plan", account, "gold")
    assert "--plan: 'gold' is none of unlimited, " in shell.refused(
        "account", "create", "--name", "B", "--plan", "gold"
    )


def test_plans_are_listed_and_shown(shell: Shell) -> None:
    plans = {plan["name"]: plan for plan in json.loads(shell("plan", "list", "--json")[0])}
    assert plans["unlimited"]["requests_per_month"] is None
    assert json.loads(shell("plan", "show", "qrlogo.advanced", "--json")[0]) == plans["qrlogo.advanced"]
    assert "dynamic_codes        200" in shell("plan", "show", "qrlogo.advanced")
    assert "PLAN: 'gold' is none of " in shell.refused("plan", "show", "gold")
