"""Downloads and warm-up from a living sandbox over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.core.ids import ClientOrderId, SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, Instant, parse_instant
from trueup.core.units import Money, Price, Ratio
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.market import Top
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion
from trueup.engine.strategy import Mandate, Strategy
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.archive.history import Download, Downloaded, HistoryOptions
from trueup.run.archive.tape_of_archive import archive_tape
from trueup.run.bot.live_feeds import Scope
from trueup.run.bot.warming import warm_up
from trueup.run.clients import sleep_on_the_loop
from trueup.run.clock import SystemClock, unseeded
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind
from trueup.testing.sandbox import KalshiSandbox

pytest.importorskip("pyarrow")

SERIES = SeriesTicker("KXHIGHNY")
NOON = parse_instant("2026-10-05T12:00:00Z")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=6, start=start) as running:
        yield running


def client_of(sandbox: KalshiSandbox) -> AsyncClient:
    pem = Secret(sandbox.private_key_path.read_bytes())
    return open_async_client(
        resolve_endpoint(Venue.SANDBOX, sandbox.base_url),
        signer_for(sandbox.key_id, load_key(pem, passphrase=None, origin="test")),
        clock=SystemClock().now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
    )


async def download(sandbox: KalshiSandbox, archive: Archive, now: Instant) -> Downloaded:
    options = HistoryOptions(series=frozenset({SERIES}), since=Instant(now - DAY), until=now)
    async with client_of(sandbox) as client:
        return await Download(client, archive, options, lambda _what, _rows: None).run()


def test_a_download_has_every_trade_once_and_goes_on_where_it_was(
    sandbox: KalshiSandbox, tmp_path: Path
) -> None:
    archive, now = Archive(tmp_path), SystemClock().now()

    first = asyncio.run(download(sandbox, archive, now))
    again = asyncio.run(download(sandbox, archive, now))

    assert first.markets > 0
    assert first.trades > 0
    assert first.candles > 0
    rows = list(archive.rows(Kind.HISTORY))
    assert len({row["trade_id"] for row in rows}) == len(rows) == first.trades
    assert (again.trades, again.candles) == (0, 0)
    assert again.resumed > 0
    tape = archive_tape(archive)
    assert len(tape.trades) == first.trades
    assert {trade.ticker for trade in tape.trades} <= set(tape.markets)


def test_nothing_to_download_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="nothing was named"):
        HistoryOptions(since=NOON, until=Instant(NOON + DAY))


# -- warm-up ---------------------------------------------------------------------------------------


def machine_of(strategy: Strategy) -> Machine:
    mandate = Mandate(capital=Money.parse("100"))
    return Machine([(strategy, mandate)], Settings(), ClientOrderId)


def mean_of(machine: Machine, ticker: Ticker, now: Instant, window: int) -> Ratio | None:
    (running,) = machine.state.running.values()
    rolling = running.means.get((ticker, window))
    return None if rolling is None else rolling.mean(now)


def test_a_mean_is_there_at_the_first_minute(sandbox: KalshiSandbox) -> None:
    machine = machine_of(MeanReversion(window=4 * HOUR))
    machine.step(i.Recovered(at=SystemClock().now(), records=()))

    def give(past: i.PastPrices) -> None:
        machine.step(past)

    async def warm() -> int:
        async with client_of(sandbox) as client:
            return await warm_up(
                machine,
                client,
                Scope(series=frozenset({SERIES})),
                now=SystemClock().now(),
                archive=None,
                give=give,
            )

    warmed = asyncio.run(warm())

    assert warmed > 0
    (running,) = machine.state.running.values()
    now = SystemClock().now()
    assert len(running.means) == warmed
    assert any(each.mean(now) is not None for each in running.means.values())


def test_past_prices_and_present_ones_make_one_mean() -> None:
    """Two hours at 40 cents that were read, then two at 60 that were seen: 50, to a slice."""
    ticker, window = Ticker("KXA-1"), 4 * HOUR
    machine = machine_of(MeanReversion(window=window))
    machine.step(i.Recovered(at=NOON, records=()))
    past = (Instant(NOON - 2 * HOUR), Price.of_cents(40))
    machine.step(i.PastPrices(at=NOON, ticker=ticker, prices=(past,)))
    top = Top(ticker=ticker, at=NOON, last=Price.of_cents(60))
    machine.step(i.MarketsMoved(at=NOON, tops=(top,)))

    mean = mean_of(machine, ticker, Instant(NOON + 2 * HOUR), window)
    assert mean is not None
    assert abs(mean - Ratio(1, 2)) < Ratio(1, 1000)


def test_past_prices_that_come_after_present_ones_change_nothing() -> None:
    ticker, window = Ticker("KXA-1"), 4 * HOUR
    machine = machine_of(MeanReversion(window=window))
    machine.step(i.Recovered(at=NOON, records=()))
    top = Top(ticker=ticker, at=NOON, last=Price.of_cents(60))
    machine.step(i.MarketsMoved(at=NOON, tops=(top,)))
    past = (Instant(NOON - 2 * HOUR), Price.of_cents(40))
    machine.step(i.PastPrices(at=NOON, ticker=ticker, prices=(past,)))

    assert mean_of(machine, ticker, Instant(NOON + HOUR), window) == Ratio(60, 100)
