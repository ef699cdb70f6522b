"""The trader's machine: from a market message to a signed order, market data, the seeded world.

    python -m benchmarks engine [latency | messages | world ...]

*Latency*: a ticker message is decoded by our session, the machine decides, the intent is
durable in the intent log, the order is written and signed.  The *bare* cost is a decode of
the same message, one signature of the same text and one durable write of the same line,
on the same disk.  The two alternate, message by message.

*Messages*: ticker messages through session, machine and three strategies: conflated as a
running bot does it (50 ms of messages a step), and one step for every message.

*World*: the seeded world of the tests with all its checks, at several densities.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from trueup.core import catalog
from trueup.core.announcements import TickerAnnounced
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Ticker,
)
from trueup.core.instant import DAY, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.statements import BalanceStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Money
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.market import Listing, Top
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Desk, Mandate, Strategy
from trueup.engine.wishes import Wish, buy_yes
from trueup.net.request import build_request
from trueup.net.signer import Ed25519Signer, RsaSigner, signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.bot.live_calls import new_order
from trueup.store.intents import IntentLog, encode_line
from trueup.wire.rest import orders
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_events import Announced, Event
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions

NOW: Final = Instant(1_790_000_000_000_000)
MARKETS: Final = [Ticker(f"KXBTC15M-26OCT1601{number:02}-{number:02}") for number in range(22)]
"""As many as the case study watched."""

DECISIONS: Final = 1_500
MESSAGES: Final = 200_000
BATCH: Final = 2_500
"""50 ms of messages at 50,000 a second."""


def frames(count: int) -> list[bytes]:
    """Ticker messages as they are on the wire; every market's price wanders."""
    chance = random.Random(7)  # noqa: S311
    bids = dict.fromkeys(MARKETS, 48)
    made: list[bytes] = []
    for number in range(count):
        market = MARKETS[number % len(MARKETS)]
        bids[market] = min(60, max(35, bids[market] + chance.randint(-1, 1)))
        bid = bids[market]
        at = NOW // 1_000_000 + number // 1_000
        made.append(
            (
                f'{{"type":"ticker","sid":1,"msg":{{"market_ticker":"{market}",'
                f'"market_id":"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1",'
                f'"price_dollars":"0.{bid}00","yes_bid_dollars":"0.{bid}00",'
                f'"yes_ask_dollars":"0.{bid + 2}00","volume_fp":"33896.00",'
                f'"open_interest_fp":"20422.00","dollar_volume":16948,"dollar_open_interest":10211,'
                f'"yes_bid_size_fp":"300.00","yes_ask_size_fp":"560.00",'
                f'"last_trade_size_fp":"20.00","ts":{at},"ts_ms":{at * 1000},'
                f'"time":"2026-09-21T14:13:20.000000Z"}}}}'
            ).encode()
        )
    return made


def a_session() -> ClientSession:
    session = ClientSession()
    session.connected(NOW)
    session.subscribe(Channel.TICKER, MARKETS, now=NOW, options=ChannelOptions())
    session.receive('{"type":"subscribed","id":1,"msg":{"channel":"ticker","sid":1}}', NOW)
    return session


def top_of(told: TickerAnnounced, at: Instant) -> Top:
    return Top(
        ticker=told.ticker,
        at=at,
        bid=told.yes_bid if told.yes_bid.units else None,
        ask=told.yes_ask if told.yes_ask != ONE_DOLLAR else None,
        bid_size=told.bid_count,
        ask_size=told.ask_count,
        last=told.last,
        volume_24h=told.volume,
    )


def a_machine(strategies: Sequence[tuple[Strategy, Mandate]]) -> Machine:
    """A machine that knows its markets and has money."""
    numbers = iter(range(10**9))
    limits = Limits(position_max=None, orders_per_minute_max=10**9, quote_age_max=DAY)
    machine = Machine(
        strategies,
        Settings(limits=limits),
        lambda strategy: ClientOrderId(f"{strategy}-{next(numbers)}"),
    )
    machine.step(i.Recovered(at=NOW, records=()))
    machine.step(i.MarketsListed(at=NOW, listings=tuple(map(_listing, MARKETS))))
    stated = BalanceStated(
        low=Money.parse("1000000"),
        high=Money.parse("1000000"),
        portfolio_value=None,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        at=NOW,
        observed_at=NOW,
    )
    machine.step(i.BalanceRead(at=NOW, balance=stated))
    return machine


def _listing(ticker: Ticker) -> Listing:
    event = EventTicker(ticker.rpartition("-")[0])
    market = catalog.Market(
        ticker=ticker,
        event_ticker=event,
        title="",
        open_at=None,
        close_at=Instant(NOW + 30 * DAY),
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
    return Listing(
        market=market,
        event=catalog.Event(
            ticker=event,
            series_ticker=SeriesTicker("KXBTC15M"),
            title="",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        category="Crypto",
        grid=LINEAR_CENT,
        status=MarketStatus.ACTIVE,
    )


# -- latency -----------------------------------------------------------------------------------


class Every(Strategy):
    """Buys one contract at every message: each is a decision that ends in an order."""

    name = "every"

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        for ticker in moved:
            ask = desk.top(ticker).ask
            if ask is not None:
                yield buy_yes(ticker, Count(100), ask, reason="measured")


class _Bare(msgspec.Struct, gc=False):
    market_ticker: str
    yes_bid_dollars: str
    yes_ask_dollars: str


class _BareFrame(msgspec.Struct, gc=False):
    msg: _Bare


@dataclass(frozen=True)
class Latency:
    """Seconds of every decision, and of every bare one, in the order in which they came."""

    ours: list[float]
    bare: list[float]
    ours_cpu: float
    bare_cpu: float


def latency(signer: RsaSigner | Ed25519Signer, folder: Path, count: int = DECISIONS) -> Latency:
    """Decisions of ours and bare ones in turn; only what is asked for is timed."""
    mandate = Mandate(
        capital=Money.parse("1000000"),
        limits=Limits(position_max=None, orders_per_minute_max=10**9, quote_age_max=DAY),
    )
    machine, session = a_machine([(Every(), mandate)]), a_session()
    endpoint = resolve_endpoint(Venue.DEMO)
    decode = msgspec.json.Decoder(_BareFrame).decode
    plain = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ours: list[float] = []
    bare: list[float] = []
    cpus = [0.0, 0.0]
    with IntentLog(folder / f"intents-{signer.kind}") as log:
        for number, frame in enumerate(frames(count + 50)):
            now = Instant(NOW + number * SECOND)
            gc.disable()
            began, cpu = time.perf_counter(), time.process_time()
            (event,) = session.receive(frame, now)
            moved = i.MarketsMoved(at=now, tops=(top_of(_ticker(event), now),))
            effects = machine.step(moved)
            record = next(each.record for each in effects if isinstance(each, f.Persist))
            place = next(each for each in effects if isinstance(each, f.Place))
            log.submit([record]).result()
            request = build_request(
                orders.create(new_order(place.intent)), endpoint, signer=signer, at=now
            )
            took, used = time.perf_counter() - began, time.process_time() - cpu
            line, text = (
                encode_line(record),
                b"1790000000000POST/trade-api/v2/portfolio/events/orders",
            )
            began, cpu = time.perf_counter(), time.process_time()
            decode(frame)
            os.write(plain, line)
            os.fdatasync(plain)
            signer.sign(text)
            bare_took, bare_used = time.perf_counter() - began, time.process_time() - cpu
            gc.enable()
            assert request.body
            _finish(machine, place, now)
            if number >= 50:
                ours.append(took)
                bare.append(bare_took)
                cpus[0] += used
                cpus[1] += bare_used
    os.close(plain)
    return Latency(ours, bare, cpus[0] / count, cpus[1] / count)


def _finish(machine: Machine, place: f.Place, now: Instant) -> None:
    """The order is taken and finds nothing to trade with: the next decision is free."""
    accepted = i.Accepted(
        order_id=OrderId(place.intent.client_order_id),
        fill_count=ZERO_COUNT,
        remaining_count=ZERO_COUNT,
    )
    name = place.intent.client_order_id
    machine.step(i.SendEnded(at=now, client_order_id=name, outcome=accepted))


def show_latency() -> None:
    print("\n## From a market message to a signed order, the intent durable\n")
    print(
        f"{'key':<9} {'':<5} {'median µs':>10} {'p99 µs':>9} {'CPU µs':>8}   "
        f"{'× bare: median':>14} {'p99':>6} {'CPU':>6}"
    )
    keys = {
        "RSA 2048": generate_private_key(public_exponent=65537, key_size=2048),
        "Ed25519": Ed25519PrivateKey.generate(),
    }
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        for name, key in keys.items():
            found = latency(signer_for("5a2d0b3e-7c41-4a8e-9d02-6b1f00c0ffee", key), Path(folder))
            rows = (("ours", found.ours, found.ours_cpu), ("bare", found.bare, found.bare_cpu))
            middle = statistics.median(found.ours) / statistics.median(found.bare)
            ratios = (
                f"{middle:>14.2f} {_p99(found.ours) / _p99(found.bare):>6.2f} "
                f"{found.ours_cpu / found.bare_cpu:>6.2f}"
            )
            for who, seconds, cpu in rows:
                print(
                    f"{name:<9} {who:<5} {statistics.median(seconds) * 1e6:>10,.0f} "
                    f"{_p99(seconds) * 1e6:>9,.0f} {cpu * 1e6:>8,.0f}   "
                    f"{ratios if who == 'ours' else ''}"
                )


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


# -- market messages ---------------------------------------------------------------------------


def three() -> list[tuple[Strategy, Mandate]]:
    mandate = Mandate(capital=Money.parse("250"))
    return [
        (Threshold(), mandate),
        (MeanReversion(), Mandate(capital=Money.parse("250"), limits=case_study_limits())),
        (Momentum(), mandate),
    ]


def _ticker(event: Event) -> TickerAnnounced:
    assert isinstance(event, Announced)
    assert isinstance(event.value, TickerAnnounced)
    return event.value


def conflated(given: Sequence[bytes]) -> Machine:
    """As a running bot: the newest top of every market that moved, once per 50 ms."""
    machine, session = a_machine(three()), a_session()
    waiting: dict[Ticker, Top] = {}
    for number, frame in enumerate(given, start=1):
        now = Instant(NOW + number * 20)
        (event,) = session.receive(frame, now)
        told = _ticker(event)
        waiting[told.ticker] = top_of(told, now)
        if number % BATCH == 0:
            machine.step(i.MarketsMoved(at=now, tops=tuple(waiting.values())))
            waiting.clear()
    return machine


def one_by_one(given: Sequence[bytes]) -> Machine:
    """One step of the machine for every message; nothing is conflated."""
    machine, session = a_machine(three()), a_session()
    for number, frame in enumerate(given, start=1):
        now = Instant(NOW + number * 20)
        (event,) = session.receive(frame, now)
        told = _ticker(event)
        machine.step(i.MarketsMoved(at=now, tops=(top_of(told, now),)))
    return machine


def decoded_only(given: Sequence[bytes]) -> int:
    """The session alone: what reading the messages costs."""
    session = a_session()
    for number, frame in enumerate(given, start=1):
        session.receive(frame, Instant(NOW + number * 20))
    return session.frames


def bare_decoded(given: Sequence[bytes]) -> dict[str, object]:
    """The floor: three fields decoded into a dictionary of the newest."""
    decode = msgspec.json.Decoder(_BareFrame).decode
    newest: dict[str, object] = {}
    for frame in given:
        body = decode(frame).msg
        newest[body.market_ticker] = body
    return newest


def show_messages(count: int = MESSAGES) -> None:
    print("\n## Market messages through session, machine and three strategies\n")
    print(f"{len(MARKETS)} markets, {count:,} messages; processor time of one core\n")
    given = frames(count)
    cases: dict[str, Callable[[Sequence[bytes]], object]] = {
        "bare decode": bare_decoded,
        "session alone": decoded_only,
        "conflated per 50 ms": conflated,
        "a step for each": one_by_one,
    }
    print(f"{'case':<22} {'CPU µs/message':>15} {'messages/s':>12} {'× bare decode':>14}")
    floor = 0.0
    for name, work in cases.items():
        each = min(_cpu(work, given) for _ in range(3)) / count
        floor = floor or each
        print(f"{name:<22} {each * 1e6:>15.2f} {1 / each:>12,.0f} {each / floor:>14.1f}")


def _cpu(work: Callable[[Sequence[bytes]], object], given: Sequence[bytes]) -> float:
    gc.collect()
    began = time.process_time()
    work(given)
    return time.process_time() - began


# -- the seeded world --------------------------------------------------------------------------


def show_world() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "simulation"))
    world_of: Any = import_module("world")

    print("\n## The seeded world, all checks on\n")
    print(
        f"{'markets':>7} {'mean pause':>10} {'commands':>9} {'our orders':>10} {'events':>8} "
        f"{'CPU s':>6} {'events/s':>9} {'CPU µs/event':>13}"
    )
    for markets, pace in ((3, 2_500_000), (3, 625_000), (12, 625_000), (48, 250_000)):
        began = time.process_time()
        plan = world_of.Plan(seed=5, hours=1, markets=markets, pace=pace)
        world = world_of.run(plan)
        took = time.process_time() - began
        assert not world.auditor.complaints
        events = world.auditor.events
        print(
            f"{markets:>7} {pace / 1e6 + 0.25:>9.2f}s {world.commands:>9,} "
            f"{len(world.venue.heard.placed):>10,} {events:>8,} {took:>6.2f} "
            f"{events / took:>9,.0f} {took / events * 1e6:>13.1f}"
        )


PARTS: Final[dict[str, Callable[[], None]]] = {
    "latency": show_latency,
    "messages": show_messages,
    "world": show_world,
}


def main(*parts: str) -> None:
    for name in parts or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
