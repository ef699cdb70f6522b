"""Find a market, look at its book, place an order, change it, take it back.

On the built-in sandbox: no key, no network, no money.

python examples/trade.py
"""

from __future__ import annotations

import trueup
from trueup.core.units import Count, Price


def main() -> None:
    """One order from its beginning to its end."""
    with trueup.open_client(venue="sandbox") as client:
        market = next(iter(client.markets.list(status="open", combos=False)))
        book = client.markets.orderbook(market.ticker)
        print(f"{market.ticker}: {market.title}")
        print(f"best bid {book.bids[:1]}, best ask {book.asks[:1]}")

        placed = client.orders.buy(market.ticker, "yes", count=2, price="0.01", post_only=True)
        print(f"resting: {placed.remaining_count} contracts as {placed.order_id}")

        reported = client.orders.get(placed.order_id).reported
        client.orders.amend(
            trueup.Amendment(
                order_id=placed.order_id,
                ticker=market.ticker,
                side=reported.side,
                price=Price.parse("0.02"),
                count=Count.of_contracts(3),
            )
        )
        canceled = client.orders.cancel(placed.order_id, ticker=market.ticker)
        print(f"cancelled: {canceled.reduced_by} contracts")


if __name__ == "__main__":
    main()
