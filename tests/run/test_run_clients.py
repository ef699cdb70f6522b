"""The front door of the client against an exchange with a living market."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import trueup
from trueup.core.order_entry import OrderFound
from trueup.core.orders import OrderStatus, TimeInForce
from trueup.core.units import Count
from trueup.net.client import Client
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.rest.rows.full import FullMarket


@pytest.fixture
def living() -> Iterator[KalshiSandbox]:
    with KalshiSandbox.start(world="temperatures") as sandbox:
        yield sandbox


@pytest.fixture
def environment(living: KalshiSandbox, tmp_path: Path) -> dict[str, str]:
    """What a user sets to reach the sandbox as if it were the demo."""
    return {
        "TRUEUP_HOME": str(tmp_path / "home"),
        "TRUEUP_BASE_URL": living.base_url,
        "TRUEUP_ALLOW_HOST": living.origin.partition("://")[2],
        "KALSHI_API_KEY_ID": living.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(living.private_key_path),
    }


def lively(client: Client) -> FullMarket:
    """A market with both sides."""
    return next(
        market
        for market in client.markets.list(status="open", combos=False)
        if market.yes_bid_count and market.yes_ask_count
    )


def test_order_that_crosses_fills_and_is_seen_everywhere(environment: dict[str, str]) -> None:
    with trueup.open_client(venue="demo", environment=environment) as client:
        client.learn_limits()
        market = lively(client)
        placed = client.orders.buy(
            market.ticker,
            "yes",
            count=1,
            price=market.yes_ask,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        fills = [fill for fill in client.portfolio.fills() if fill.order_id == placed.order_id]
        order = client.orders.get(placed.order_id).reported
        (position,) = [
            each for each in client.portfolio.positions() if each.ticker == market.ticker
        ]
        cash = client.portfolio.balance()

    assert placed.fill_count == Count.of_contracts(1)
    assert sum((fill.count for fill in fills), Count(0)) == placed.fill_count
    assert (order.status, order.fill_count) == (OrderStatus.EXECUTED, placed.fill_count)
    assert position.net == placed.fill_count
    assert cash.low == cash.high


@pytest.mark.parametrize("fault", ["accepted-then-503", "2xx-without-order"])
def test_order_whose_answer_was_lost_is_found_and_not_sent_again(
    living: KalshiSandbox, environment: dict[str, str], fault: str
) -> None:
    with trueup.open_client(venue="demo", environment=environment) as client:
        market = lively(client)
        living.control.fault(fault, times=1)
        with pytest.raises(trueup.OrderOutcomeUnknown) as unknown:
            client.orders.buy(market.ticker, "yes", count=2, price="0.01", post_only=True)
        (fate,) = client.orders.resolve(unknown.value)

    assert isinstance(fate, OrderFound)
    (there,) = living.control.orders()
    assert there["client_order_id"] == unknown.value.questions[0].client_order_id
    assert fate.order.remaining_count == Count.of_contracts(2)


def test_async_client_does_the_same(environment: dict[str, str]) -> None:
    async def trade() -> Count:
        async with trueup.open_async_client(venue="demo", environment=environment) as client:
            listing = client.markets.list(status="open", combos=False)
            markets = [market async for market in listing]
            placed = await client.orders.sell(markets[0].ticker, "no", count="1.50", price="0.99")
            done = await client.orders.cancel(placed.order_id, ticker=markets[0].ticker)
            return done.reduced_by + placed.fill_count

    assert asyncio.run(trade()) == Count(150)


def test_program_on_production_only_reads_until_the_gates_are_open(
    environment: dict[str, str],
) -> None:
    del environment["TRUEUP_BASE_URL"]
    with (
        trueup.open_client(venue="prod", environment=environment, live=True) as client,
        pytest.raises(trueup.ConfigError, match="only reads"),
    ):
        client.orders.cancel_all()
