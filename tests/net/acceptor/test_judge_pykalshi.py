"""pykalshi 2: lists, pages, signs, places, cancels, streams a book, reads settlements."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from judged_floor import KEY_ID, Judged, OpenJudged
from served_floor import MAKER, OTHER, TICKER

from trueup.core.ids import PRIMARY, ClientOrderId, OrderId
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.net.acceptor.forms import Personality
from trueup.sim import commands as c

pykalshi: Any = pytest.importorskip(
    "pykalshi", reason="pykalshi is not installed: pip install --group dev"
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def judged(open_judged: OpenJudged) -> Judged:
    return open_judged(Personality.PRESENT)


@pytest.fixture
def client(judged: Judged) -> Iterator[Any]:
    client = pykalshi.KalshiClient(
        api_key_id=KEY_ID, private_key_path=str(judged.key_file), api_base=judged.host
    )
    yield client
    client.close()


def buy(client: Any, price: str, count: str, **more: Any) -> Any:
    return client.portfolio.place_order(
        TICKER,
        pykalshi.Action.BUY,
        pykalshi.Side.YES,
        count,
        yes_price_dollars=price,
        **more,
    )


def test_it_lists_and_pages(client: Any) -> None:
    markets = client.get_markets(limit=1, fetch_all=True)

    assert {one.ticker for one in markets} == {TICKER, OTHER}
    assert client.get_market(TICKER).yes_bid_dollars == "0.4700"
    book = client.get_market(TICKER).get_orderbook()
    assert book.orderbook.yes_dollars[-1] == ("0.4700", "30.00")
    assert client.exchange.get_status().trading_active


def test_it_places_reads_and_cancels(client: Any) -> None:
    placed = buy(client, "0.45", "2.00")

    (resting,) = client.portfolio.get_orders(status=pykalshi.OrderStatus.RESTING)
    canceled = client.portfolio.cancel_order(placed.order_id)

    assert placed.status is pykalshi.OrderStatus.RESTING
    assert resting.order_id == placed.order_id
    assert canceled.status is pykalshi.OrderStatus.CANCELED
    assert client.portfolio.get_orders(status=pykalshi.OrderStatus.RESTING) == []


def test_it_trades_and_reads_what_it_holds(client: Any) -> None:
    placed = buy(client, "0.52", "3.00")

    (fill,) = [one for one in client.portfolio.get_fills() if one.order_id == placed.order_id]
    (position,) = client.portfolio.get_positions()

    assert placed.status is pykalshi.OrderStatus.EXECUTED
    assert (fill.yes_price_dollars, fill.count_fp) == ("0.5200", "3.00")
    assert fill.is_taker
    assert position.position_fp.endswith(".00")
    assert client.portfolio.get_balance().balance < 100_000


def test_selling_no_is_a_bid_and_buying_no_an_ask(client: Any) -> None:
    bought = client.portfolio.place_order(
        TICKER, pykalshi.Action.BUY, pykalshi.Side.NO, "1.00", no_price_dollars="0.30"
    )

    read = client.portfolio.get_order(bought.order_id)
    client.portfolio.cancel_order(bought.order_id)

    assert read.book_side is pykalshi.BookSide.ASK
    assert read.yes_price_dollars == "0.7000"


def test_its_errors_say_what_is_wrong(client: Any) -> None:
    with pytest.raises(pykalshi.InsufficientFundsError):
        buy(client, "0.45", "100000.00")
    with pytest.raises(pykalshi.OrderRejectedError, match="invalid_price"):
        buy(client, "0.455", "1.00")
    with pytest.raises(pykalshi.ResourceNotFoundError):
        client.portfolio.cancel_order("00000000-0000-0000-0000-000000000000")
    first = buy(client, "0.01", "1.00", client_order_id="only-once")
    with pytest.raises(pykalshi.KalshiAPIError, match="order_already_exists"):
        buy(client, "0.01", "1.00", client_order_id="only-once")
    client.portfolio.cancel_order(first.order_id)


def test_it_uses_order_groups_and_the_queue(client: Any) -> None:
    group = client.portfolio.create_order_group(contracts_limit_fp="5.00")
    placed = buy(client, "0.44", "1.00", order_group_id=group.id)

    ahead = client.portfolio.get_queue_position(placed.order_id)

    assert ahead.queue_position_fp == "30.00"
    client.portfolio.trigger_order_group(group.id)
    assert client.portfolio.get_order(placed.order_id).status is pykalshi.OrderStatus.CANCELED


def test_it_streams_a_book(client: Any, judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"ws://127.0.0.1:{judged.server.port}/trade-api/ws/v2"
    monkeypatch.setattr("pykalshi.feed.DEFAULT_WS_BASE", url)
    seen = threading.Event()
    heard: list[Any] = []

    def hear(message: Any) -> None:
        heard.append(message)
        if len(heard) > 1:
            seen.set()

    feed = client.feed()
    feed.on("orderbook_delta", hear)
    feed.subscribe("orderbook_delta", market_ticker=TICKER)
    with feed:
        for number in range(200):
            judged.server.step(
                c.PlaceOrder(
                    at=judged.clock(),
                    member=MAKER,
                    subaccount=PRIMARY,
                    order_id=OrderId(f"streamed-{number}"),
                    client_order_id=ClientOrderId(f"streamed-{number}"),
                    ticker=TICKER,
                    side=Side.YES,
                    price=Price.parse("0.20"),
                    count=Count.parse("1"),
                )
            )
            if seen.wait(0.1):
                break

    assert seen.is_set()
    assert {one.market_ticker for one in heard} == {TICKER}


def test_it_reads_settlements(client: Any, judged: Judged) -> None:
    held = buy(client, "0.52", "1.00")
    assert held.status is pykalshi.OrderStatus.EXECUTED

    judged.settle()

    (row,) = client.portfolio.get_settlements()
    assert (row.ticker, row.market_result) == (TICKER, "yes")
    assert row.revenue >= 100
    assert client.get_market(TICKER).status is pykalshi.MarketStatus.FINALIZED
