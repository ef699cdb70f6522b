"""A bot at the sandbox over real sockets: starts, trades, doubts, is killed, comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bot_at_sandbox import (
    Once,
    an_order,
    client,
    net_of,
    resting,
    rests,
    run,
)

from trueup.core.errors import BooksError, ConfigError
from trueup.core.ids import PRIMARY, Ticker
from trueup.core.instant import SECOND
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.engine import effects as f
from trueup.engine.inflight import OrderState
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode
from trueup.engine.wishes import Style
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.killing import kill
from trueup.run.bot.live_feeds import Pace, ticker_in
from trueup.run.bot.strategy_files import load_strategies, write_template
from trueup.run.clock import SystemClock
from trueup.store.intents import IntentLog
from trueup.testing.sandbox import KalshiSandbox


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


@pytest.fixture
def ticker(sandbox: KalshiSandbox) -> Ticker:
    """A market far from both ends, with enough to buy; nobody else bids 1 or 2 cents there."""
    with client(sandbox) as one:
        for market in one.markets.list(status="open", combos=False):
            if Price.of_cents(20) < market.yes_bid < market.yes_ask < Price.of_cents(80):
                sandbox.control.quote(market.ticker, ask=str(market.yes_ask), count="500")
                return market.ticker
    pytest.fail("no market of the world is traded in the middle")


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
    held = net_of(sandbox, ticker)
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
    assert net_of(sandbox, ticker) == held + 300


def test_resting_order_is_withdrawn_when_the_bot_stops(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))

    run(sandbox, tmp_path, strategy, rests(ticker), road=road)

    assert resting(sandbox, ticker) == []


def test_bot_that_comes_back_knows_its_order(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    wish = an_order(ticker, limit=1, style=Style.POST)
    first = run(sandbox, tmp_path, Once(wish), rests(ticker), leaves_orders=True, road=road)
    assert len(resting(sandbox, ticker)) == 1

    second = run(sandbox, tmp_path, Once(wish), rests(ticker), road=road)

    names = [
        each.client_order_id
        for ran in (first, second)
        for each in ran.told
        if isinstance(each, f.Decision) and each.verdict is f.Verdict.SENT
    ]
    assert len(names) == 1, "the order that rested was recognised, not placed again"
    assert resting(sandbox, ticker) == []


def test_lost_answer_is_asked_about_and_the_order_not_sent_again(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    held = net_of(sandbox, ticker)
    sandbox.control.fault("accepted-then-503", times=1)

    ran = run(
        sandbox,
        tmp_path,
        Once(an_order(ticker)),
        lambda machine: machine.state.portfolio.net(ticker, "once") == Count.of_contracts(3),
    )
    sandbox.control.clear_faults()

    assert net_of(sandbox, ticker) == held + 300
    states = [each.state for each in ran.machine.state.inflight.unsettled()]
    assert OrderState.UNKNOWN not in states
    assert "until the exchange has been asked" in ran.words()


def test_kill_file_stops_the_bot_and_proves_that_nothingrests(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))
    said = False

    def until(machine: Machine) -> bool:
        nonlocal said
        if rests(ticker)(machine) and not said:
            (tmp_path / "kill").touch()
            said = True
        halted = machine.state.halts.has(HaltCode.KILL)
        return halted and machine.state.sweeper.duty is None

    ran = run(sandbox, tmp_path, strategy, until, road=road)

    assert "nothing rests any more" in ran.words()
    assert resting(sandbox, ticker) == []
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
        assert len(resting(sandbox, ticker)) == 2

        done = kill(one, [PRIMARY], clock=SystemClock(), patience=20 * SECOND)

    assert done.proven
    assert done.left == ()
    assert resting(sandbox, ticker) == []


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


def test_unreadable_order_names_its_market() -> None:
    assert ticker_in(b'{"ticker":"KXA-1","status":"held"}') == "KXA-1"
    assert ticker_in(b'{"status":"held"}') is None
    assert ticker_in(b"<html>") is None
