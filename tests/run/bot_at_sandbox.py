"""A bot at a sandbox over real sockets, by one road or another, and what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.engine import effects as f
from trueup.engine.inflight import OrderState
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.state import Settings
from trueup.engine.strategy import Desk, Mandate, Strategy, Universe
from trueup.engine.wishes import Order, Style, Wish
from trueup.net.client import AsyncClient, Client, open_async_client, open_client
from trueup.net.fix.endpoints import FixEndpoint
from trueup.net.fix.store import SessionStore
from trueup.net.order_roads import OrderRoad, RestRoad
from trueup.net.session import Options
from trueup.net.signer import Ed25519Signer, Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.connections import Happening
from trueup.run.bot.live import LiveBot, LiveOptions
from trueup.run.bot.live_feeds import Pace, Scope
from trueup.run.clock import SystemClock, unseeded
from trueup.run.fix.road import open_fix_orders
from trueup.store.intents import IntentLog
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.fix.session_kinds import SessionKind

QUICK = Pace(listings=5 * SECOND, account=SECOND, prices=SECOND)


class Reachable(Protocol):
    """What a client must know of a sandbox, which may run in another process."""

    @property
    def base_url(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def private_key_path(self) -> Path: ...
    @property
    def fix_ports(self) -> Mapping[str, int]: ...
    @property
    def fix_certificate_path(self) -> Path | None: ...


async def _sleep(microseconds: int) -> None:
    await asyncio.sleep(microseconds / SECOND)


def _nap(microseconds: int) -> None:
    SystemClock().sleep(microseconds)


@contextmanager
def opened(
    road: str,
    sandbox: Reachable,
    rest: AsyncClient,
    folder: Path,
    *,
    cancel_on_disconnect: bool = False,
) -> Generator[OrderRoad]:
    """The road; a FIX session keeps its numbers in the folder."""
    if road == "rest":
        yield RestRoad(rest)
        return
    kind = SessionKind(road)
    _, signer = reach(sandbox)
    assert isinstance(signer, Ed25519Signer)
    endpoint = FixEndpoint(Venue.SANDBOX, kind, "127.0.0.1", sandbox.fix_ports[kind])
    with SessionStore.open(folder / "fix", endpoint, signer.key_id) as store:
        yield open_fix_orders(
            endpoint,
            signer,
            rest,
            store=store,
            clock=SystemClock().now,
            certificate=sandbox.fix_certificate_path,
            cancel_on_disconnect=cancel_on_disconnect,
        )


def reach(sandbox: Reachable) -> tuple[Endpoint, Signer]:
    from trueup.net.keys import load_key  # noqa: PLC0415
    from trueup.net.secret import Secret  # noqa: PLC0415

    pem = Secret(sandbox.private_key_path.read_bytes())
    key = load_key(pem, passphrase=None, origin="test")
    endpoint = resolve_endpoint(Venue.SANDBOX, sandbox.base_url)
    return endpoint, signer_for(sandbox.key_id, key)


def async_client(sandbox: Reachable) -> AsyncClient:
    endpoint, signer = reach(sandbox)
    return open_async_client(
        endpoint,
        signer,
        clock=SystemClock().now,
        sleep=_sleep,
        chance=unseeded(),
        options=Options(),
    )


def client(sandbox: Reachable) -> Client:
    endpoint, signer = reach(sandbox)
    return open_client(
        endpoint,
        signer,
        clock=SystemClock().now,
        sleep=_nap,
        chance=unseeded(),
        options=Options(),
    )


class Once(Strategy):
    """Wishes for one thing until it was sent."""

    def __init__(self, wish: Order) -> None:
        self.name = "once"
        self.universe = Universe(tickers=frozenset({wish.ticker}))
        self.wish = wish

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        del moved
        if not desk.net(self.wish.ticker) and not desk.orders(self.wish.ticker):
            yield self.wish


def an_order(
    ticker: Ticker, *, count: int = 3, limit: int = 99, style: Style = Style.TAKE
) -> Order:
    return Order(
        ticker=ticker,
        side=Side.YES,
        count=Count.of_contracts(count),
        limit=Price.of_cents(limit),
        reason="the test says so",
        style=style,
        slot="" if style is Style.TAKE else "yes",
    )


@dataclass
class Ran:
    """What a bot did while a test looked."""

    machine: Machine
    told: list[f.Decision | f.Alert] = field(default_factory=list[f.Decision | f.Alert])
    happened: list[Happening] = field(default_factory=list[Happening])
    """What became of its connections."""

    def words(self) -> str:
        return "\n".join(
            each.words if isinstance(each, f.Alert) else f"{each.verdict} {each.refusals}"
            for each in self.told
        )


def run(
    sandbox: Reachable,
    folder: Path,
    strategy: Strategy,
    until: Callable[[Machine], bool],
    *,
    pace: Pace = QUICK,
    seconds: int = 120,
    leaves_orders: bool = False,
    road: str = "rest",
    cancel_on_disconnect: bool = False,
) -> Ran:
    """Run a bot until something is true of its machine."""
    mandate = Mandate(capital=Money.parse("100"), limits=Limits(quote_age_max=10 * MINUTE))
    machine = Machine([(strategy, mandate)], Settings(), new_client_order_id)
    ran = Ran(machine)

    async def go() -> None:
        one = async_client(sandbox)
        with (
            IntentLog(folder / "intents.log") as log,
            opened(road, sandbox, one, folder, cancel_on_disconnect=cancel_on_disconnect) as orders,
        ):
            bot = LiveBot(
                machine,
                one,
                log,
                clock=SystemClock(),
                options=LiveOptions(
                    scope=Scope(tickers=strategy.universe.tickers),
                    pace=pace,
                    kill_file=folder / "kill",
                    withdraws=not leaves_orders,
                ),
                told=ran.told.append,
                road=orders,
            )
            bot.connections.listeners.append(ran.happened.append)
            running = asyncio.create_task(bot.run())
            try:
                async with asyncio.timeout(seconds):
                    while not until(machine) and not running.done():  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            except TimeoutError:
                pytest.fail(f"it never came true; the bot said:\n{ran.words()}")
            finally:
                bot.stop()
                await running
                await one.close()

    asyncio.run(go())
    return ran


def rests(ticker: Ticker) -> Callable[[Machine], bool]:
    return lambda machine: any(
        each.state is OrderState.RESTING for each in machine.state.inflight.living(ticker)
    )


def resting(sandbox: KalshiSandbox, ticker: Ticker) -> list[dict[str, Any]]:
    return [each for each in sandbox.control.orders(ticker) if each["status"] == "resting"]


def net_of(sandbox: KalshiSandbox, ticker: Ticker) -> int:
    """The account's net position in hundredths of a contract, from its fills."""
    total = 0
    for each in sandbox.control.fills(ticker):
        count = Count.parse(each["count"]).units
        total += count if each["side"] == "yes" else -count
    return total
