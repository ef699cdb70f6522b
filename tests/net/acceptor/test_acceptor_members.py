"""Several members on one exchange, each with its own keys, books and budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from asker import Asker

from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.net.acceptor.billing import Bill, Meter, bill
from trueup.net.acceptor.gate import scope_of
from trueup.net.acceptor.house import BASIC, TIERS, UNLIMITED
from trueup.net.acceptor.keys import KeyPair, new_ed25519_pair
from trueup.net.acceptor.routes import Routes
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import signer_for
from trueup.run.clock import seeded
from trueup.sim import commands as c
from trueup.sim.scenario import DEFAULT_SEED, account_world
from trueup.wire.rest import api_keys, portfolio
from trueup.wire.rest.account import BucketSize
from trueup.wire.rest.table import OPERATIONS, Operation

BOB = c.Member("b0b00000-0000-4000-8000-000000000b0b")
NOW = Instant(1_000_000_000)


@pytest.fixture(scope="module")
def bobs_key() -> KeyPair:
    return new_ed25519_pair("bob-1", member=BOB)


@pytest.fixture(scope="module")
def shared(
    clock: Callable[[], Instant], bobs_key: KeyPair
) -> Iterator[tuple[Asker, Asker, SandboxServer]]:
    world = account_world(seeded(DEFAULT_SEED))
    settings = Settings(limits=UNLIMITED)
    keys = [bobs_key.registered]
    with SandboxServer(world, clock=clock, settings=settings, keys=keys) as server:
        server.step(c.OpenAccount(at=clock(), member=BOB, precision=Precision.DIRECT))
        server.step(
            c.Credit(
                at=clock(),
                member=BOB,
                subaccount=PRIMARY,
                shard=SHARD_ZERO,
                amount=Money.parse("250"),
                reason="welcome",
            )
        )
        ours = Asker(server, clock)
        bob = Asker(server, clock, signer_for("bob-1", bobs_key.private))
        yield ours, bob, server
        ours.close()
        bob.close()


def test_a_key_opens_its_own_members_account(
    shared: tuple[Asker, Asker, SandboxServer],
) -> None:
    ours, bob, _ = shared

    assert bob.send(portfolio.balance()).low == Money.parse("250")
    assert ours.send(portfolio.balance()).low != Money.parse("250")
    assert bob.get("/portfolio/fills").rows("fills") == []
    assert ours.get("/portfolio/fills").rows("fills") != []


def test_a_member_sees_its_own_keys_only(shared: tuple[Asker, Asker, SandboxServer]) -> None:
    ours, bob, server = shared

    assert [key.key_id for key in bob.send(api_keys.list_keys())] == ["bob-1"]
    assert [key.key_id for key in ours.send(api_keys.list_keys())] == [server.key_id]


def test_a_key_of_nobody_reads_nothing(clock: Callable[[], Instant], bobs_key: KeyPair) -> None:
    """Its member was never admitted, so there is no account to show."""
    world = account_world(seeded(DEFAULT_SEED))
    with SandboxServer(world, clock=clock, keys=[bobs_key.registered]) as server:
        bob = Asker(server, clock, signer_for("bob-1", bobs_key.private))
        answer = bob.get("/portfolio/balance")
        bob.close()

    assert answer.status == 404


def test_one_members_storm_does_not_empty_the_others_bucket(
    clock: Callable[[], Instant], bobs_key: KeyPair
) -> None:
    world = account_world(seeded(DEFAULT_SEED))
    small = replace(BASIC, read=BucketSize(capacity=30, refill_per_second=1))
    settings, keys = Settings(limits=small), [bobs_key.registered]
    with SandboxServer(world, clock=clock, settings=settings, keys=keys) as server:
        server.step(c.OpenAccount(at=clock(), member=BOB, precision=Precision.DIRECT))
        ours = Asker(server, clock)
        bob = Asker(server, clock, signer_for("bob-1", bobs_key.private))
        statuses = [ours.get("/portfolio/balance").status for _ in range(4)]
        bobs = bob.get("/portfolio/balance").status
        ours.close()
        bob.close()

    assert statuses == [200, 200, 200, 429]
    assert bobs == 200


# -- what a request costs ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "body", "buckets"),
    [
        ({}, {}, ("write", "write 1", "write 2", "write 3")),
        ({}, {"exchange_index": -1}, ("write", "write 1", "write 2", "write 3")),
        ({}, {"exchange_index": 0}, ("write",)),
        ({}, {"exchange_index": 2}, ("write 2",)),
        ({"exchange_index": "3"}, {}, ("write 3",)),
    ],
)
def test_an_order_write_is_charged_by_shard(
    given: dict[str, str], body: dict[str, object], buckets: tuple[str, ...]
) -> None:
    assert bill(OPERATIONS["CreateOrderV2"], given, body) == Bill(10, buckets)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (b'{"orders":[{},{},{}]}', 6),
        (b'{"orders":[]}', 2),
        (b"{}", 2),
        (b'["nonsense"]', 2),
        (b"null", 2),
    ],
)
def test_items_of_a_batch_are_billed_one_by_one(body: bytes, tokens: int) -> None:
    batch = OPERATIONS["BatchCancelOrdersV2"]

    assert bill(batch, {}, msgspec.json.decode(body)) == Bill(tokens, ("write",))


def test_a_routed_write_needs_tokens_on_every_shard() -> None:
    meter = Meter(BASIC, NOW)

    assert meter.passes(Bill(100, ("write 2",)), NOW)
    assert not meter.passes(Bill(10, ("write", "write 1", "write 2", "write 3")), NOW)
    # Nothing was taken from the others.
    assert meter.passes(Bill(100, ("write",)), NOW)


def test_a_batch_larger_than_the_bucket_never_passes() -> None:
    assert not Meter(BASIC, NOW).passes(Bill(101, ("write",)), NOW)


def test_a_higher_tier_keeps_what_was_used() -> None:
    meter = Meter(BASIC, NOW)
    meter.passes(Bill(100, ("write",)), NOW)

    meter.resize(TIERS["advanced"], NOW)

    assert meter.passes(Bill(800, ("write",)), NOW)
    assert not meter.passes(Bill(10, ("write",)), NOW)


# -- scopes and routes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "template", "scope"),
    [
        ("GET", "/portfolio/fills", "read"),
        ("POST", "/portfolio/events/orders", "write::trade"),
        ("PUT", "/portfolio/order_groups/{order_group_id}/reset", "write::trade"),
        ("POST", "/communications/rfqs", "write::trade"),
        ("POST", "/api_keys", "write"),
    ],
)
def test_scope_of_an_operation(method: str, template: str, scope: str) -> None:
    assert scope_of(Operation(name="Any", method=method, template=template)) == scope


def test_every_operation_of_the_table_finds_its_route() -> None:
    routes = Routes(OPERATIONS.values())

    for operation in OPERATIONS.values():
        path = operation.template.replace("{", "some-").replace("}", "")
        found = routes.find(operation.method, path)
        assert found is not None
        assert found[0] is operation


@pytest.mark.parametrize(
    "path",
    ["", "/", "/portfolio", "/portfolio/orders/", "/series//", "//", "/portfolio/orders/a/b"],
)
def test_what_is_no_route_leads_nowhere(path: str) -> None:
    assert Routes(OPERATIONS.values()).find("GET", path) is None
