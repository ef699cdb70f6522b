"""The exchange that `benchmarks.sandbox` serves: one market, one rich member."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trueup.core import catalog
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.units import Money, Ratio
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import RegisteredKey
from trueup.net.acceptor.rest import Stations
from trueup.net.acceptor.server import Settings, stations
from trueup.run.clock import SystemClock
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.scenario import World

MEMBER = c.Member("f50604b8-d25a-4b0c-b3c9-ce5b48ffcad0")
TICKER = Ticker("KXBENCH-26OCT14-A")


def floor() -> World:
    at = Instant(SystemClock().now() - HOUR)
    exchange = Exchange()
    series = catalog.Series(
        ticker=SeriesTicker("KXBENCH"),
        title="A market to measure on",
        category="Benchmarks",
        tags=(),
        fee_type="quadratic",
        fee_multiplier=Ratio(1),
    )
    event = catalog.Event(
        ticker=EventTicker("KXBENCH-26OCT14"),
        series_ticker=series.ticker,
        title="A market to measure on",
        mutually_exclusive=False,
        fee_type_override=None,
        fee_multiplier_override=None,
    )
    market = catalog.Market(
        ticker=TICKER,
        event_ticker=event.ticker,
        title="A market to measure on",
        open_at=at,
        close_at=Instant(at + 30 * DAY),
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
    for command in (
        c.ListSeries(at=at, series=series),
        c.ListEvent(at=at, event=event),
        c.ListMarket(at=at, market=market),
        c.OpenAccount(at=at, member=MEMBER, precision=Precision.DIRECT),
        c.Credit(
            at=at,
            member=MEMBER,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            amount=Money.parse("10000000"),
            reason="deposit",
        ),
    ):
        exchange.step(command)
    return World(exchange=exchange, member=MEMBER, end=at, down=(), commands=(), events=())


def stations_of(world: World, key_id: str, key_file: Path) -> Stations:
    private = load_pem_private_key(key_file.read_bytes(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    key = RegisteredKey(key_id=key_id, public=private.public_key())
    return stations(world, (key,), Settings(limits=UNLIMITED), clock=SystemClock().now)
