"""What each personality shows of the same account."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from asker import Asker

from trueup.core.instant import Instant
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.old_operations import operations_of
from trueup.net.acceptor.routes import Routes
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, seeded
from trueup.sim.scenario import DEFAULT_SEED, JUNE_END, MARCH_END, OLD_END, account_world

ENDS = {
    Personality.JUNE_2026: JUNE_END,
    Personality.MARCH_2026: MARCH_END,
    Personality.OLD: OLD_END,
}


@pytest.fixture(scope="module", params=[Personality.JUNE_2026, Personality.MARCH_2026])
def form(request: pytest.FixtureRequest) -> Personality:
    return request.param


@pytest.fixture(scope="module")
def asker(form: Personality) -> Iterator[Asker]:
    world = account_world(seeded(DEFAULT_SEED), ENDS[form])
    clock: Callable[[], Instant] = ShiftedClock.starting_at(world.end).now
    with SandboxServer(world, clock=clock, settings=Settings(personality=form)) as server:
        asker = Asker(server, clock)
        yield asker
        asker.close()


def test_before_august_there_were_no_shards(asker: Asker) -> None:
    for path, key in (
        ("/portfolio/fills", "fills"),
        ("/portfolio/orders", "orders"),
        ("/portfolio/settlements", "settlements"),
        ("/portfolio/positions", "market_positions"),
        ("/markets", "markets"),
    ):
        (row, *_) = asker.get(path + "?limit=1").rows(key)
        assert "exchange_index" not in row, path
    assert set(asker.raw("/exchange/status").tree) == {"exchange_active", "trading_active"}


def test_directions_have_their_own_words_since_may(form: Personality, asker: Asker) -> None:
    rows = asker.get("/portfolio/fills?limit=200").rows("fills")

    for row in rows:
        assert row["side"] in {"yes", "no"}
        assert ("book_side" in row) == (form is Personality.JUNE_2026)
        assert ("outcome_side" in row) == (form is Personality.JUNE_2026)


def test_limits_were_told_per_second_before_april(form: Personality, asker: Asker) -> None:
    limits = asker.get("/account/limits").tree

    if form is Personality.JUNE_2026:
        assert limits == {
            "usage_tier": "basic",
            "read": {"refill_rate": 200, "bucket_capacity": 200},
            "write": {"refill_rate": 100, "bucket_capacity": 100},
            "grants": [],
        }
    else:
        assert limits == {"usage_tier": "basic", "read_limit": 20, "write_limit": 10}


def test_a_fractional_balance_was_told_since_may_only(form: Personality, asker: Asker) -> None:
    assert ("balance_dollars" in asker.get("/portfolio/balance").tree) == (
        form is Personality.JUNE_2026
    )


def test_twenty_reads_a_second_are_not_twenty_one(form: Personality) -> None:
    world = account_world(seeded(DEFAULT_SEED), ENDS[form])
    still = Instant(world.end)
    with SandboxServer(world, clock=lambda: still, settings=Settings(personality=form)) as server:
        one = Asker(server, lambda: still)
        statuses = [one.get("/portfolio/balance").status for _ in range(21)]
        one.close()

    assert statuses == [200] * 20 + [429]


@pytest.mark.parametrize(
    ("personality", "first_api", "second_api"),
    [
        (Personality.PRESENT, False, True),
        (Personality.JUNE_2026, True, True),
        (Personality.MARCH_2026, True, False),
        (Personality.OLD, True, False),
    ],
)
def test_order_apis_of_each_time(
    personality: Personality, *, first_api: bool, second_api: bool
) -> None:
    routes = Routes(operations_of(personality))

    assert (routes.find("POST", "/portfolio/orders") is not None) == first_api
    assert (routes.find("POST", "/portfolio/events/orders") is not None) == second_api
    assert routes.find("GET", "/portfolio/orders") is not None


def test_cancellations_in_a_batch_count_a_fifth() -> None:
    by_name = {each.name: each for each in operations_of(Personality.MARCH_2026)}

    assert by_name["BatchCancelOrders"].cost * 5 == by_name["CancelOrder"].cost == 10
    assert by_name["CreateOrder"].cost == 10
