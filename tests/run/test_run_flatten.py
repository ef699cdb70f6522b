"""`flatten` through a running bot: over its own channel, at a sandbox that answers by sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bot_at_sandbox import Once, an_order, client, net_of, resting

import trueup
from trueup.core.ids import ClientOrderId, Ticker
from trueup.core.order_entry import NewOrder
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import Count, Price
from trueup.net.control import Said
from trueup.run.bot.steering import flatten_through, reach_bot
from trueup.run.clock import SystemClock
from trueup.run.desk import read_desk_settings
from trueup.testing.sandbox import KalshiSandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=1, start=start) as running:
        yield running


@pytest.fixture
def ticker(sandbox: KalshiSandbox) -> Ticker:
    """A market in the middle in which a visitor buys and sells as much as anybody wants."""
    with client(sandbox) as one:
        for market in one.markets.list(status="open", combos=False):
            if Price.of_cents(30) < market.yes_bid < market.yes_ask < Price.of_cents(70):
                bid, ask = str(market.yes_bid), str(market.yes_ask)
                sandbox.control.quote(market.ticker, bid=bid, ask=ask, count="500")
                return market.ticker
    pytest.fail("no market of the world is traded in the middle")


def until(is_so: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def test_flatten_closes_what_the_bot_holds_and_touches_nothing_of_others(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    """It is said while the fill is still on its way to the bot, whose strategy would buy again as
    soon as it holds nothing.
    """
    (tmp_path / "config.toml").write_text('[books]\nevery = "off"\n', encoding="utf-8")
    environment = sandbox.environment | {"TRUEUP_HOME": str(tmp_path)}
    settings = read_desk_settings(environment)
    with client(sandbox) as hand:
        mine = hand.orders.create(
            NewOrder(
                ticker=ticker,
                side=Side.YES,
                count=Count.of_contracts(2),
                price=Price.of_cents(1),
                client_order_id=ClientOrderId("by-hand-1"),
            )
        )
        hand.orders.create(
            NewOrder(
                ticker=ticker,
                side=Side.YES,
                count=Count.of_contracts(2),
                price=Price.of_cents(99),
                client_order_id=ClientOrderId("by-hand-2"),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
        )
        heard: list[str] = []
        with trueup.Bot(Once(an_order(ticker)), capital="100", environment=environment) as bot:
            until(lambda: net_of(sandbox, ticker) == 500)

            ended = flatten_through(
                reach_bot(settings),
                Said(by="ann", strategy="once", words="CPI in an hour", slippage="0.30"),
                clock=SystemClock(),
                told=heard.append,
            )
            shown = bot.status()

        (closing,) = ended["flatten"]["positions"]
        assert (closing["state"], closing["begun_with"], closing["net"]) == (
            "closed",
            "3.00",
            "0.00",
        )
        assert ended["flatten"]["by"] == "ann"
        assert [(each["strategy"], each["net"]) for each in shown["positions"]] == [("", "2.00")]
        assert net_of(sandbox, ticker) == 200, "by the exchange's own fills"
        assert [each["order_id"] for each in resting(sandbox, ticker)] == [mine.order_id]
