"""What a bot reads before it trades: an account older than the live tier, pauses, closings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import trueup
from trueup.core.ids import PRIMARY, SHARD_ZERO, Subaccount, Ticker
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.core.order_entry import NewOrder
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import Count, Money, Price
from trueup.engine import inputs as i
from trueup.engine.effects import Alert, Effect
from trueup.engine.hours import Window
from trueup.engine.machine import Machine
from trueup.engine.portfolio import FOREIGN
from trueup.engine.state import Settings
from trueup.engine.strategy import Mandate, Strategy
from trueup.net.acceptor.house import AROUND_THE_CLOCK, THURSDAY_MAINTENANCE, UNLIMITED
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as ServerSettings
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.session import Options
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.exchange_hours import closings
from trueup.run.bot.live_account import AccountReader
from trueup.run.bot.live_feeds import Feeds, Pace, Scope
from trueup.run.clients import sleep_on_the_loop
from trueup.run.clock import Clock, ShiftedClock, SystemClock, unseeded
from trueup.sim.scenario import World
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.rest.exchange import Maintenance, Schedule, TradingSession, Week


class Idle(Strategy):
    """Wishes for nothing."""

    name = "idle"


@dataclass
class Reading:
    """A machine that is told what a reader reads."""

    client: AsyncClient
    clock: Clock
    subaccounts: tuple[Subaccount, ...] = (PRIMARY,)
    said: list[Effect] = field(default_factory=list[Effect])

    def __post_init__(self) -> None:
        strategies: list[tuple[Strategy, Mandate]] = []
        for subaccount in self.subaccounts:
            idle = Idle()
            idle.name = f"idle-{subaccount}"
            mandate = Mandate(capital=Money.parse("100"), subaccount=subaccount)
            strategies.append((idle, mandate))
        self.machine = Machine(strategies, Settings(), new_client_order_id)
        portfolio = self.machine.state.portfolio
        self.reader = AccountReader(
            client=self.client,
            clock=self.clock,
            give=self.give,
            subaccounts=self.subaccounts,
            portfolio=portfolio,
            held=lambda: [ticker for _, ticker, _ in portfolio.held()],
        )
        self.feeds = Feeds(
            client=self.client,
            clock=self.clock,
            scope=Scope(),
            pace=Pace(),
            give=self.give,
            held=self.reader.held,
        )

    def give(self, given: i.Input) -> None:
        self.said += self.machine.step(given)

    async def begin(self, look_back: int) -> None:
        """What a bot reads at its start."""
        await self.feeds.begin(Instant(self.clock.now() - look_back))
        await self.reader.read_settled()
        await self.reader.begin(self.feeds.read_recent)

    async def stated(self, subaccount: Subaccount) -> dict[Ticker, Count]:
        rows = self.client.portfolio.positions(subaccount=subaccount)
        return {each.ticker: each.net async for each in rows if each.net}

    def counted(self, subaccount: Subaccount) -> dict[Ticker, Count]:
        portfolio = self.machine.state.portfolio
        return {
            ticker: portfolio.net(ticker, subaccount=subaccount)
            for ticker in portfolio.open_on(subaccount)
            if portfolio.net(ticker, subaccount=subaccount)
        }

    def alerts(self) -> str:
        return "\n".join(each.words for each in self.said if isinstance(each, Alert))


def reading(
    server: SandboxServer,
    clock: Clock,
    work: Callable[[Reading], Awaitable[None]],
    subaccounts: tuple[Subaccount, ...] = (PRIMARY,),
) -> None:
    async def go() -> None:
        endpoint = resolve_endpoint(Venue.SANDBOX, server.base_url)
        client = open_async_client(
            endpoint,
            signer_for(server.key_id, server.pair.private),
            clock=clock.now,
            sleep=sleep_on_the_loop,
            chance=unseeded(),
            options=Options(),
        )
        try:
            await work(Reading(client, clock, subaccounts))
        finally:
            await client.close()

    asyncio.run(go())


# -- the past ----------------------------------------------------------------------------------


def test_positions_of_an_account_with_a_long_past_are_the_exchanges(
    server: SandboxServer, clock: ShiftedClock
) -> None:
    """Two years of trading on several subaccounts; most of it is in the historical tier."""
    places = (PRIMARY, Subaccount(1))

    async def work(at: Reading) -> None:
        await at.begin(look_back=90 * DAY)
        for subaccount in places:
            assert at.counted(subaccount) == await at.stated(subaccount)
        assert any(at.counted(each) for each in places)
        assert "count as somebody else's" not in at.alerts(), "the fills of the archive explain all"

    reading(server, clock, work, places)


def test_archive_is_needed_for_that(server: SandboxServer, clock: ShiftedClock) -> None:
    async def work(at: Reading) -> None:
        await at.feeds.begin(Instant(at.clock.now() - 90 * DAY))
        assert at.counted(PRIMARY) != await at.stated(PRIMARY)

    reading(server, clock, work)


# -- a living exchange -------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=1, start=start) as running:
        yield running


@pytest.fixture
def environment(sandbox: KalshiSandbox, tmp_path: Path) -> dict[str, str]:
    return {
        "TRUEUP_HOME": str(tmp_path / "home"),
        "TRUEUP_BASE_URL": sandbox.base_url,
        "TRUEUP_ALLOW_HOST": sandbox.origin.partition("://")[2],
        "KALSHI_API_KEY_ID": sandbox.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(sandbox.private_key_path),
    }


def test_position_that_no_fill_explains_is_taken_over_and_said(
    sandbox: KalshiSandbox, environment: dict[str, str]
) -> None:
    with trueup.open_client(venue="demo", environment=environment) as hand:
        market = next(
            each for each in hand.markets.list(status="open", combos=False) if each.yes_ask_count
        )
        sandbox.control.quote(market.ticker, ask=str(market.yes_ask), count="50")
        hand.orders.create(
            NewOrder(
                ticker=market.ticker,
                side=Side.YES,
                count=Count.of_contracts(7),
                price=Price.of_cents(99),
                client_order_id=new_client_order_id("hand"),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
        )

    async def go() -> None:
        async with trueup.open_async_client(venue="demo", environment=environment) as client:
            at = Reading(client, SystemClock())
            rows = await at.stated(PRIMARY)
            at.give(
                i.PositionsRead(at=at.clock.now(), subaccount=PRIMARY, positions=(), at_start=True)
            )
            assert at.counted(PRIMARY) == {}
            await at.reader.begin(_nothing)
            assert at.counted(PRIMARY) == rows == {market.ticker: Count.of_contracts(7)}
            assert at.machine.state.portfolio.net(market.ticker, FOREIGN) == rows[market.ticker]
            assert "count as somebody else's" in at.alerts()

    asyncio.run(go())


async def _nothing(since: Instant) -> None:
    del since


def test_pause_of_the_exchange_is_heard_and_its_end_too(
    sandbox: KalshiSandbox, environment: dict[str, str]
) -> None:
    async def go() -> None:
        async with trueup.open_async_client(venue="demo", environment=environment) as client:
            at = Reading(client, SystemClock())
            hours = at.machine.state.hours
            await at.reader.read_status()
            assert hours.of(SHARD_ZERO).takes_orders

            await asyncio.to_thread(sandbox.control.exchange, trading=False)
            await at.reader.read_status()
            assert str(hours.of(SHARD_ZERO)) == "trading is paused"

            await asyncio.to_thread(sandbox.control.exchange, trading=True)
            await at.reader.read_status()
            assert hours.of(SHARD_ZERO).takes_orders

    asyncio.run(go())


@pytest.mark.parametrize(
    ("schedule", "closes"), [(AROUND_THE_CLOCK, False), (THURSDAY_MAINTENANCE, True)]
)
def test_schedule_of_the_exchange_is_read(
    world: World, clock: ShiftedClock, *, schedule: dict[str, object], closes: bool
) -> None:
    """A sandbox announces what it keeps: a bot on it trades on a Thursday morning, too."""

    async def work(at: Reading) -> None:
        await at.reader.read_schedule()
        assert bool(at.machine.state.hours.windows) is closes, "Thursdays from three to five"

    settings = ServerSettings(limits=UNLIMITED, schedule=schedule)
    with SandboxServer(world, clock=clock.now, settings=settings) as server:
        reading(server, clock, work)


# -- the schedule as closings ------------------------------------------------------------------

ALWAYS = (TradingSession(opens="00:00", closes="00:00"),)
BUT_THREE_TO_FIVE = (
    TradingSession(opens="00:00", closes="03:00"),
    TradingSession(opens="05:00", closes="00:00"),
)


def a_week(thursday: tuple[TradingSession, ...] = BUT_THREE_TO_FIVE) -> Week:
    return Week(
        start_at=parse_instant("2024-12-01T00:00:00Z"),
        end_at=parse_instant("2200-12-01T00:00:00Z"),
        monday=ALWAYS,
        tuesday=ALWAYS,
        wednesday=ALWAYS,
        thursday=thursday,
        friday=ALWAYS,
        saturday=ALWAYS,
        sunday=ALWAYS,
    )


def window(begin: str, end: str) -> Window:
    return Window(parse_instant(begin), parse_instant(end))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-10-06T16:00:00Z", window("2026-10-08T07:00:00Z", "2026-10-08T09:00:00Z")),
        # In winter Eastern time is an hour later in UTC.
        ("2026-11-03T16:00:00Z", window("2026-11-05T08:00:00Z", "2026-11-05T10:00:00Z")),
        # In the middle of one.
        ("2026-10-08T08:00:00Z", window("2026-10-08T08:00:00Z", "2026-10-08T09:00:00Z")),
    ],
)
def test_hours_on_thursdays_are_a_closing(now: str, expected: Window) -> None:
    found = closings(Schedule(weeks=(a_week(),), maintenance=()), parse_instant(now))

    assert found[0] == expected


def test_planned_maintenance_is_a_closing_too() -> None:
    planned = Maintenance(
        start_at=parse_instant("2026-10-07T02:00:00Z"), end_at=parse_instant("2026-10-07T04:00:00Z")
    )
    over = Maintenance(
        start_at=parse_instant("2026-10-01T02:00:00Z"), end_at=parse_instant("2026-10-01T04:00:00Z")
    )
    schedule = Schedule(weeks=(a_week(),), maintenance=(planned, over))

    found = closings(schedule, parse_instant("2026-10-06T16:00:00Z"))

    assert found[0] == Window(planned.start_at, planned.end_at)
    assert over.start_at not in {each.begin for each in found}


def test_day_without_a_session_is_closed() -> None:
    found = closings(
        Schedule(weeks=(a_week(thursday=()),), maintenance=()),
        parse_instant("2026-10-06T16:00:00Z"),
    )

    assert found[0] == window("2026-10-08T04:00:00Z", "2026-10-09T04:00:00Z")


def test_schedule_that_names_no_session_says_nothing() -> None:
    assert closings(Schedule(weeks=(), maintenance=()), parse_instant("2026-10-06T16:00:00Z")) == ()
