"""A bot at the sandbox over real sockets: starts, trades, doubts, is killed, comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trueup.core.errors import BooksError, ConfigError
from trueup.core.ids import PRIMARY, Ticker
from trueup.core.instant import MINUTE, SECOND
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.engine import effects as f
from trueup.engine.inflight import OrderState
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode
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
from trueup.run.bot import new_client_order_id
from trueup.run.clock import SystemClock, unseeded
from trueup.run.fix_road import open_fix_orders
from trueup.run.killing import kill
from trueup.run.live import LiveBot, LiveOptions
from trueup.run.live_feeds import Pace, Scope, ticker_in
from trueup.run.strategy_files import load_strategies, write_template
from trueup.store.intents import IntentLog
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.fix.session_kinds import SessionKind

QUICK = Pace(listings=5 * SECOND, account=SECOND, prices=SECOND)


async def _sleep(microseconds: int) -> None:
    await asyncio.sleep(microseconds / SECOND)


def _nap(microseconds: int) -> None:
    SystemClock().sleep(microseconds)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(
        world="temperatures", speed=1, density=1, start=start, fix=True
    ) as running:
        yield running


@pytest.fixture(params=["rest", "KalshiNR", "KalshiRT"])
def road(request: pytest.FixtureRequest) -> str:
    """By which road the bot's orders go out."""
    return str(request.param)


@contextmanager
def opened(
    road: str, sandbox: KalshiSandbox, rest: AsyncClient, folder: Path
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
            cancel_on_disconnect=False,
        )


@pytest.fixture
def ticker(sandbox: KalshiSandbox) -> Ticker:
    """A market far from both ends, with enough to buy; nobody else bids 1 or 2 cents there."""
    with client(sandbox) as one:
        for market in one.markets.list(status="open", combos=False):
            if Price.of_cents(20) < market.yes_bid < market.yes_ask < Price.of_cents(80):
                sandbox.control.quote(market.ticker, ask=str(market.yes_ask), count="500")
                return market.ticker
    pytest.fail("no market of the world is traded in the middle")


def reach(sandbox: KalshiSandbox) -> tuple[Endpoint, Signer]:
    from trueup.net.keys import load_key  # noqa: PLC0415
    from trueup.net.secret import Secret  # noqa: PLC0415

    pem = Secret(sandbox.private_key_path.read_bytes())
    key = load_key(pem, passphrase=None, origin="test")
    endpoint = resolve_endpoint(Venue.SANDBOX, sandbox.base_url)
    return endpoint, signer_for(sandbox.key_id, key)


def async_client(sandbox: KalshiSandbox) -> AsyncClient:
    endpoint, signer = reach(sandbox)
    return open_async_client(
        endpoint,
        signer,
        clock=SystemClock().now,
        sleep=_sleep,
        chance=unseeded(),
        options=Options(),
    )


def client(sandbox: KalshiSandbox) -> Client:
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

    def words(self) -> str:
        return "\n".join(
            each.words if isinstance(each, f.Alert) else f"{each.verdict} {each.refusals}"
            for each in self.told
        )


def run(
    sandbox: KalshiSandbox,
    folder: Path,
    strategy: Strategy,
    until: Callable[[Machine], bool],
    *,
    pace: Pace = QUICK,
    seconds: int = 30,
    leaves_orders: bool = False,
    road: str = "rest",
) -> Ran:
    """Run a bot until something is true of its machine."""
    mandate = Mandate(capital=Money.parse("100"), limits=Limits(quote_age_max=10 * MINUTE))
    machine = Machine([(strategy, mandate)], Settings(), new_client_order_id)
    ran = Ran(machine)

    async def go() -> None:
        one = async_client(sandbox)
        with (
            IntentLog(folder / "intents.log") as log,
            opened(road, sandbox, one, folder) as orders,
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


def holds(ticker: Ticker, contracts: int) -> Callable[[Machine], bool]:
    return lambda machine: machine.state.portfolio.net(ticker) == Count.of_contracts(contracts)


@pytest.mark.parametrize("streams", [True, False], ids=["streams", "polling"])
def test_bot_buys_what_it_wished_for_once(
    sandbox: KalshiSandbox,
    ticker: Ticker,
    tmp_path: Path,
    streams: bool,
    road: str,
) -> None:
    before = len(sandbox.control.fills(ticker))
    held = _net(sandbox, ticker)
    strategy = Once(an_order(ticker))
    strategy.name = "stream" if streams else "poll"

    ran = run(
        sandbox,
        tmp_path,
        strategy,
        lambda machine: machine.state.portfolio.net(ticker, strategy.name) == Count.of_contracts(3),
        pace=Pace(streams=streams, listings=SECOND, account=SECOND, prices=SECOND),
        road=road,
    )

    sent = [each for each in ran.told if isinstance(each, f.Decision)]
    assert [each.verdict for each in sent if each.verdict is f.Verdict.SENT] == [f.Verdict.SENT]
    assert len(sandbox.control.fills(ticker)) > before
    assert _net(sandbox, ticker) == held + 300


def test_resting_order_is_withdrawn_when_the_bot_stops(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))

    run(sandbox, tmp_path, strategy, _rests(ticker), road=road)

    assert _resting(sandbox, ticker) == []


def test_bot_that_comes_back_knows_its_order(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    wish = an_order(ticker, limit=1, style=Style.POST)
    first = run(sandbox, tmp_path, Once(wish), _rests(ticker), leaves_orders=True, road=road)
    assert len(_resting(sandbox, ticker)) == 1

    second = run(sandbox, tmp_path, Once(wish), _rests(ticker), road=road)

    names = [
        each.client_order_id
        for ran in (first, second)
        for each in ran.told
        if isinstance(each, f.Decision) and each.verdict is f.Verdict.SENT
    ]
    assert len(names) == 1, "the order that rested was recognised, not placed again"
    assert _resting(sandbox, ticker) == []


def test_lost_answer_is_asked_about_and_the_order_not_sent_again(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    held = _net(sandbox, ticker)
    sandbox.control.fault("accepted-then-503", times=1)

    ran = run(
        sandbox,
        tmp_path,
        Once(an_order(ticker)),
        lambda machine: machine.state.portfolio.net(ticker, "once") == Count.of_contracts(3),
    )
    sandbox.control.clear_faults()

    assert _net(sandbox, ticker) == held + 300
    states = [each.state for each in ran.machine.state.inflight.unsettled()]
    assert OrderState.UNKNOWN not in states
    assert "until the exchange has been asked" in ran.words()


def test_kill_file_stops_the_bot_and_proves_that_nothing_rests(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))
    said = False

    def until(machine: Machine) -> bool:
        nonlocal said
        if _rests(ticker)(machine) and not said:
            (tmp_path / "kill").touch()
            said = True
        halted = machine.state.halts.has(HaltCode.KILL)
        return halted and machine.state.sweeper.duty is None

    ran = run(sandbox, tmp_path, strategy, until, road=road)

    assert "nothing rests any more" in ran.words()
    assert _resting(sandbox, ticker) == []
    with IntentLog(tmp_path / "intents.log") as log:
        assert any("KILL" in repr(each) for each in log.records), "it starts killed"


def test_kill_by_hand_cancels_the_orders_of_everybody(
    sandbox: KalshiSandbox, ticker: Ticker
) -> None:
    from trueup.core.order_entry import NewOrder  # noqa: PLC0415

    with client(sandbox) as one:
        for cents in (1, 2):
            one.orders.create(
                NewOrder(
                    ticker=ticker,
                    side=Side.YES,
                    count=Count.of_contracts(1),
                    price=Price.of_cents(cents),
                    client_order_id=new_client_order_id("hand"),
                )
            )
        assert len(_resting(sandbox, ticker)) == 2

        done = kill(one, [PRIMARY], clock=SystemClock(), patience=20 * SECOND)

    assert done.proven
    assert done.left == ()
    assert _resting(sandbox, ticker) == []


def test_second_bot_on_the_same_log_is_refused(tmp_path: Path) -> None:
    with (
        IntentLog(tmp_path / "intents.log"),
        pytest.raises(BooksError, match="another bot"),
    ):
        IntentLog(tmp_path / "intents.log")


# -- strategies from files ---------------------------------------------------------------------


def test_template_is_a_strategy_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "my_bot.py"
    write_template(path)

    (strategy,) = load_strategies(str(path))

    assert strategy.name == "my-bot"
    with pytest.raises(ConfigError, match="exists already"):
        write_template(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = 1", "defines no strategy"),
        ("import nowhere_at_all", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("from trueup import Strategy\nclass A(Strategy):\n    name = 'a b'", "no good name"),
        ("from trueup import Strategy\nclass A(Strategy):\n    pass", "no good name"),
    ],
)
def test_file_that_is_no_strategy_is_said_so(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=words) as caught:
        load_strategies(str(path))
    assert caught.value.remedy


def test_unknown_strategy_is_said_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        load_strategies("martingale")
    assert "mean-reversion" in caught.value.remedy


def _rests(ticker: Ticker) -> Callable[[Machine], bool]:
    return lambda machine: any(
        each.state is OrderState.RESTING for each in machine.state.inflight.living(ticker)
    )


def _resting(sandbox: KalshiSandbox, ticker: Ticker) -> list[dict[str, Any]]:
    return [each for each in sandbox.control.orders(ticker) if each["status"] == "resting"]


def _net(sandbox: KalshiSandbox, ticker: Ticker) -> int:
    """The account's net position in hundredths of a contract, from its fills."""
    total = 0
    for each in sandbox.control.fills(ticker):
        count = Count.parse(each["count"]).units
        total += count if each["side"] == "yes" else -count
    return total


def test_unreadable_order_names_its_market() -> None:
    assert ticker_in(b'{"ticker":"KXA-1","status":"held"}') == "KXA-1"
    assert ticker_in(b'{"status":"held"}') is None
    assert ticker_in(b"<html>") is None
