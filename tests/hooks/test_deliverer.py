"""The deliverer, between a real database and real receivers, with a clock of the tests' own."""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import trustme

from server.api.answers import Answers
from server.domain.delivery import EVENT_TYPES, NATIVE, SCHEDULE, Delivery, EventType, Voice, Webhook
from server.domain.destination import Destination
from server.domain.label import Label
from server.domain.model import Account, AccountId
from server.domain.plan import UNLIMITED, Plans
from server.domain.webhooks import Webhooks
from server.hooks import deliverer, signature
from server.hooks.deliverer import AT_ONCE, Deliverer, Means, retry_after
from server.outbound import Outbound
from server.parts import now
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database
from server.storage.postgres.usage import PostgresUsage
from server.storage.postgres.webhooks import AT_A_TIME, PostgresOutbox, PostgresWebhooks
from server.wire import json_bytes
from tests.receiver import Received, Receiver, Reply
from tests.support import Databases, Outage, eventually, new_id

pytestmark = pytest.mark.anyio

ACCOUNT = AccountId(1)
LINK = """
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    VALUES ($1, 1, 's' || $1::bigint, 'https://example.com/', now(), now())
"""


class Scene:
    """An account, its webhooks, and a deliverer whose clock stands until it is moved."""

    def __init__(self, database: Database, connection: asyncpg.Connection, account: Account) -> None:
        self.connection = connection
        self.account = account
        self.now = now() + timedelta(seconds=2)
        self.store = PostgresWebhooks(database)
        self.webhooks = Webhooks(self.store, self._anywhere, now=lambda: self.now, new_id=new_id)
        self.database = database

    async def _anywhere(self, url: str) -> None:
        """Where webhooks may lead is not what these tests are about."""

    async def webhook(self, url: str, events: tuple[EventType, ...] = EVENT_TYPES) -> tuple[Webhook, str]:
        return await self.webhooks.create(self.account, Destination(url), events)

    def deliverer(self, *receivers: Receiver, **changes: object) -> Deliverer:
        allowed = [("127.0.0.1", receiver.port) for receiver in receivers]
        outbound = Outbound(http=True, allowed=allowed, deed="send to", **changes)  # type: ignore[arg-type]
        answers = Answers("https://qr.example.com", lambda slug: f"https://qr.example.com/{slug}")
        return Deliverer(
            PostgresOutbox(self.database),
            lambda: Means(
                outbound.post,
                {NATIVE: Voice(body=lambda event: json_bytes(answers.event(event)), headers=signature.headers)},
            ),
            now=lambda: self.now,
        )

    async def link(self, number: int = 1) -> None:
        await self.connection.execute(LINK, number)

    async def log(self, webhook: Webhook) -> list[Delivery]:
        return (await self.store.deliveries(webhook.id, before=None, limit=100)).items

    async def sent(self, deliverer: Deliverer, at_least: int = 1) -> int:
        """Sends what is due, and waits until it is put down how that went."""
        began = await deliverer.send()
        assert began >= at_least
        await eventually(lambda: not deliverer.under_way, what="sent")
        return began

    async def state(self, webhook: Webhook) -> Webhook:
        return await self.webhooks.get(ACCOUNT, webhook.id)


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    database = Database(database_url)
    await database.open()
    account = Account(id=ACCOUNT, name=Label("Test"), plan=UNLIMITED, created_at=now())
    await PostgresAccounts(database, Plans([UNLIMITED])).add_account(account)
    connection = await asyncpg.connect(database_url)
    yield Scene(database, connection, account)
    await connection.close()
    await database.close()


def always(status: int, **headers: str) -> Reply:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}


# --- what is sent -------------------------------------------------------------------------------------------------


async def test_a_delivery_is_a_signed_post_of_what_has_happened(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, secret = await scene.webhook(receiver.url)
        await scene.link()
        await scene.sent(scene.deliverer(receiver))
    (received,) = receiver.received
    said = received.verified(secret)
    assert said.keys() == {"type", "timestamp", "data"}
    assert said["type"] == "link.created"
    assert abs(datetime.fromisoformat(said["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert (said["data"]["slug"], said["data"]["short_url"]) == ("s1", "https://qr.example.com/s1")
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("qredge/")
    (delivery,) = await scene.log(webhook)
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("delivered", 1, 204)
    assert (delivery.next_attempt_at, delivery.error, delivery.last_attempt_at) == (None, None, scene.now)
    assert delivery.duration_ms is not None


async def test_it_goes_by_https_to_whom_the_certificate_names(scene: Scene) -> None:
    authority = trustme.CA()
    served, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("told.example").configure_cert(served)
    authority.configure_trust(trusted)

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with Receiver(tls=served) as receiver:
        good, secret = await scene.webhook(f"https://told.example:{receiver.port}/")
        bad, _ = await scene.webhook(f"https://else.example:{receiver.port}/")
        await scene.link()
        await scene.sent(scene.deliverer(receiver, tls=trusted, resolve=resolve), 2)
    (received,) = receiver.received
    received.verified(secret)
    assert [each.status for each in await scene.log(good)] == ["delivered"]
    (refused,) = await scene.log(bad)
    assert refused.error is not None
    assert refused.error.startswith("refusing to send to else.example: its certificate: ")


async def test_no_private_address_is_connected_to(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        await scene.sent(scene.deliverer())
    assert receiver.received == []
    (delivery,) = await scene.log(webhook)
    assert delivery.error == "refusing to send to 127.0.0.1: resolves to private/internal IP 127.0.0.1"
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("pending", 1, None)


async def test_a_redirect_is_a_failure_and_not_followed(scene: Scene) -> None:
    with Receiver() as other, Receiver(lambda _: always(307, location=other.url)) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        await scene.sent(scene.deliverer(receiver, other))
    assert (len(receiver.received), len(other.received)) == (1, 0)
    assert [(each.status, each.response_status) for each in await scene.log(webhook)] == [("pending", 307)]


async def test_after_a_rotation_both_secrets_sign_for_a_day(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, old = await scene.webhook(receiver.url)
        rotated, new = await scene.webhooks.rotate_secret(ACCOUNT, webhook.id)
        assert old != new
        assert rotated.old_secret_until == scene.now + timedelta(hours=24)
        sender = scene.deliverer(receiver)
        await scene.link()
        await scene.sent(sender)
        (received,) = receiver.received
        assert received.verified(old) == received.verified(new)
        scene.now += timedelta(hours=24, seconds=1)
        await scene.link(2)
        await scene.sent(sender)
        assert len(receiver.received[-1].headers["webhook-signature"].split(" ")) == 1


async def test_a_quota_is_told_of_when_it_is_reached(scene: Scene) -> None:
    """Three quarters of it, and all of it; and by one request that takes both, both."""
    usage, month = PostgresUsage(scene.database), date(2026, 11, 1)
    with Receiver() as receiver:
        _, secret = await scene.webhook(receiver.url, ("quota.threshold_75", "quota.threshold_100"))
        for _ in range(9):
            await usage.take_renders(ACCOUNT, 1, at_most=7, month=month, allowed=7)
        await usage.take_renders(ACCOUNT, 10, at_most=None, month=date(2026, 12, 1), allowed=8)
        await usage.take_renders(ACCOUNT, -10, at_most=None, month=date(2026, 12, 1))
        await scene.sent(scene.deliverer(receiver), at_least=4)
    told = [each.verified(secret) for each in receiver.received]
    limit = "renders_per_month"
    assert sorted(((each["type"], each["data"]) for each in told), key=str) == [
        ("quota.threshold_100", {"limit": limit, "used": 10, "allowed": 8, "month": "2026-12-01"}),
        ("quota.threshold_100", {"limit": limit, "used": 7, "allowed": 7, "month": "2026-11-01"}),
        ("quota.threshold_75", {"limit": limit, "used": 10, "allowed": 8, "month": "2026-12-01"}),
        ("quota.threshold_75", {"limit": limit, "used": 6, "allowed": 7, "month": "2026-11-01"}),
    ]


async def test_what_fails_is_sent_again_with_the_same_id_until_it_is_given_up(scene: Scene) -> None:
    with Receiver(lambda _: always(500)) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        sender = scene.deliverer(receiver)
        await scene.sent(sender)
        for wait in SCHEDULE:
            assert await sender.send() == 0
            scene.now += wait * 1.2
            await scene.sent(sender)
        scene.now += timedelta(days=2)
        assert await sender.send() == 0
    assert len(receiver.received) == len(SCHEDULE) + 1
    assert len({each.event_id for each in receiver.received}) == 1
    times = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert times == sorted(set(times)), "each attempt is signed anew"
    (delivery,) = await scene.log(webhook)
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == ("failed", len(times), None)
    assert (await scene.state(webhook)).active


async def test_a_receiver_that_comes_back_gets_what_waited(scene: Scene) -> None:
    with Receiver(lambda _: always(503, retry_after="600")) as receiver:
        webhook, secret = await scene.webhook(receiver.url)
        await scene.link()
        sender = scene.deliverer(receiver)
        await scene.sent(sender)
        state = await scene.state(webhook)
        assert (state.active, state.failing_since) == (True, scene.now)
        receiver.reply = lambda _: always(200)
        scene.now += timedelta(seconds=599)
        assert await sender.send() == 0
        scene.now += timedelta(seconds=2)
        await scene.sent(sender)
    assert [(each.status, each.attempts) for each in await scene.log(webhook)] == [("delivered", 2)]
    assert (await scene.state(webhook)).failing_since is None
    assert len(secret) > len("whsec_") + 32


async def test_who_answers_410_is_disabled_at_once_and_can_be_enabled_again(scene: Scene) -> None:
    with Receiver(lambda _: always(410)) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        sender = scene.deliverer(receiver)
        await scene.sent(sender)
        disabled = await scene.state(webhook)
        assert (disabled.active, disabled.disabled_reason) == (False, "gone")
        await scene.link(2)
        scene.now += timedelta(days=1)
        assert await sender.send() == 0
        enabled = await scene.webhooks.change(scene.account, webhook.id, {"active": True})
        assert (enabled.active, enabled.disabled_reason, enabled.failing_since) == (True, None, None)
        receiver.reply = lambda _: always(200)
        await scene.link(3)
        await scene.sent(sender)
    assert [each.data["slug"] for each in receiver.received] == ["s1", "s3"], "what happened meanwhile is not told"


async def test_who_fails_for_days_is_disabled_and_what_waits_is_sent_once_it_is_enabled(scene: Scene) -> None:
    with Receiver(lambda _: always(500)) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        sender = scene.deliverer(receiver)
        number = 0
        while (state := await scene.state(webhook)).active:
            number += 1
            await scene.link(number)
            await scene.sent(sender)
            scene.now += timedelta(hours=8)
            assert number < 50
        assert state.disabled_reason == "failing"
        assert state.failing_since is not None
        assert timedelta(days=3) <= state.updated_at - state.failing_since < timedelta(days=3, hours=8)
        assert await sender.send() == 0
        waiting = [each for each in await scene.log(webhook) if each.status == "pending"]
        assert waiting
        receiver.reply = lambda _: always(200)
        await scene.webhooks.change(scene.account, webhook.id, {"active": True})
        scene.now += timedelta(days=1)
        while sender.under_way or await sender.send():  # in this order: one that is busy is given nothing more
            await asyncio.sleep(0.01)
        assert not [each for each in await scene.log(webhook) if each.status == "pending"]


async def test_a_delivery_is_sent_again_when_somebody_asks(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        sender = scene.deliverer(receiver)
        await scene.sent(sender)
        (before,) = await scene.log(webhook)
        asked = await scene.webhooks.redeliver(ACCOUNT, webhook.id, before.event_id)
        assert (asked.status, asked.attempts, asked.next_attempt_at) == ("pending", 0, scene.now)
        await scene.sent(sender)
        (after,) = await scene.log(webhook)
        assert (after.event_id, after.status, after.attempts) == (before.event_id, "delivered", 1)
    assert len({each.event_id for each in receiver.received}) == 1
    assert len(receiver.received) == 2


# --- several webhooks, several senders ----------------------------------------------------------------------------


async def test_a_slow_receiver_holds_up_nobody(scene: Scene) -> None:
    release = threading.Event()

    def hang(_: Received) -> Reply:
        release.wait()
        return always(200)

    with Receiver(hang) as slow, Receiver() as quick:
        await scene.webhook(slow.url, ("link.created",))
        await scene.webhook(quick.url, ("link.created",))
        links = AT_ONCE + 10
        await scene.connection.executemany(LINK, [(number,) for number in range(1, links + 1)])
        sender = scene.deliverer(slow, quick)
        deadline = time.monotonic() + 20
        while len(quick.received) < links:
            await sender.send()
            await asyncio.sleep(0.01)
            assert time.monotonic() < deadline
        await eventually(lambda: len(slow.received) == AT_A_TIME, what="its share")
        release.set()
        await eventually(lambda: not sender.under_way, what="sent")


async def test_who_fails_gets_one_at_a_time(scene: Scene) -> None:
    with Receiver(lambda _: always(500)) as receiver:
        await scene.webhook(receiver.url)
        sender = scene.deliverer(receiver)
        await scene.link(1)
        await scene.sent(sender)
        for number in range(2, 8):
            await scene.link(number)
        assert await scene.sent(sender) == 1


async def test_two_senders_send_everything_once(scene: Scene) -> None:
    with Receiver() as receiver:
        await scene.webhook(receiver.url, ("link.created",))
        await scene.connection.executemany(LINK, [(number,) for number in range(1, 41)])
        senders = [scene.deliverer(receiver), scene.deliverer(receiver)]
        while sum(await asyncio.gather(*(each.send() for each in senders))):
            await eventually(lambda: not any(each.under_way for each in senders), what="sent")
    slugs = [each.data["slug"] for each in receiver.received]
    assert sorted(slugs) == sorted(f"s{number}" for number in range(1, 41))


async def test_what_a_sender_had_claimed_that_died_is_sent_by_another_one(scene: Scene) -> None:
    release = threading.Event()

    def hang(_: Received) -> Reply:
        release.wait()
        return always(200)

    with Receiver(hang) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        dying, heir = scene.deliverer(receiver), scene.deliverer(receiver)
        await dying.send()
        await eventually(lambda: receiver.received, what="under way")
        for task in [*dying.under_way]:
            task.cancel()
        await eventually(lambda: not dying.under_way, what="dead")
        release.set()
        assert await heir.send() == 0, "it may still be under way"
        scene.now += timedelta(seconds=deliverer.LEASE_S)
        await scene.sent(heir)
        assert [each.status for each in await scene.log(webhook)] == ["delivered"]
    assert len({each.event_id for each in receiver.received}) == 1


async def test_how_it_went_is_put_down_only_by_who_has_it(scene: Scene) -> None:
    """One that was thought dead comes back with a failure, after another one has delivered."""
    slow = threading.Event()

    def first_hangs(received: Received) -> Reply:
        if len(receiver.received) == 1:
            slow.wait()
            return always(500)
        return always(200)

    with Receiver(first_hangs) as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.link()
        late, heir = scene.deliverer(receiver), scene.deliverer(receiver)
        await late.send()
        await eventually(lambda: receiver.received, what="under way")
        scene.now += timedelta(seconds=deliverer.LEASE_S)
        await scene.sent(heir)
        slow.set()
        await eventually(lambda: not late.under_way, what="late")
        assert [(each.status, each.response_status) for each in await scene.log(webhook)] == [("delivered", 200)]
        assert (await scene.state(webhook)).failing_since is None


# --- the database -------------------------------------------------------------------------------------------------


async def test_an_outage_of_the_database_is_survived(
    scene: Scene, databases: Databases, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "RETRY_S", 0.01)
    monkeypatch.setattr(deliverer, "POLL_S", 0.01)
    stop = asyncio.Event()
    with Receiver() as receiver:
        await scene.webhook(receiver.url)
        running = asyncio.create_task(scene.deliverer(receiver).run(stop))
        await scene.link(1)
        await eventually(lambda: len(receiver.received) == 1, what="the first")
        outage = Outage(databases, database_url)
        await asyncio.to_thread(outage.begin)
        await asyncio.to_thread(outage.end)
        scene.connection = await asyncpg.connect(database_url)
        await scene.link(2)
        await eventually(lambda: "s2" in [each.data["slug"] for each in receiver.received], what="the second")
        await scene.connection.close()
        stop.set()
        await asyncio.wait_for(running, 10)


async def test_what_is_too_old_to_be_seen_is_forgotten(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        outbox = PostgresOutbox(scene.database)
        await scene.link()
        assert await outbox.forget(now() - timedelta(minutes=1)) == 0
        assert len(await scene.log(webhook)) == 1
        assert await outbox.forget(now() + timedelta(minutes=1)) == 1
        assert await scene.log(webhook) == []


async def test_a_thing_that_somebody_has_put_in_wrong_holds_up_no_other(scene: Scene) -> None:
    with Receiver() as receiver:
        webhook, _ = await scene.webhook(receiver.url)
        await scene.connection.execute(
            "INSERT INTO qr_codes (id, account_id, content, design, created_at, updated_at) "
            "VALUES (1, 1, '{}', '{}', now(), now())"
        )
        await scene.link()
        await scene.sent(scene.deliverer(receiver))
    assert receiver.types == ["link.created"]
    link, code = await scene.log(webhook)
    assert (link.status, code.status) == ("delivered", "failed")
    assert code.error == "what it tells of cannot be read"


# --- Retry-After --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Fri, 20 Nov 2026 08:31:00 GMT", 60),
        ("Fri, 20 Nov 2026 08:29:00 GMT", -60),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0662", None),
    ],
)
async def test_retry_after_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    found = retry_after(text, datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    assert found == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_retry_after_beyond_all_measure_is_one_all_the_same() -> None:
    found = retry_after("9" * 5000, datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    assert found is not None
    assert found > timedelta(days=365)
