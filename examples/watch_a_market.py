"""Watch a market's book and your own orders, live, while you trade.

On the built-in sandbox: no key, no network, no money.  `watch_fills` and
`watch_trades` work in the same way.

python examples/watch_a_market.py
"""

from __future__ import annotations

import asyncio

import trueup


async def main() -> None:
    """Place an order and take it back, and hear of both from the exchange."""
    async with trueup.open_async_client(venue="sandbox") as client:
        market = await anext(aiter(client.markets.list(status="open", combos=False)))
        orders = client.watch_orders([market.ticker])
        book = await client.watch_book(market.ticker)
        print(f"{market.ticker}: bid {book.best_bid}, ask {book.best_ask}")

        placed = await client.orders.buy(
            market.ticker, "yes", count=2, price="0.01", post_only=True
        )
        async for order in orders:
            print(f"order {order.order_id}: {order.status}")
            if order.order_id == placed.order_id:
                break
        while not book.bids():
            await book.changed()
        print(f"the book shows it: {book.bids(1)[0].count} contracts at {book.best_bid}")

        await client.orders.cancel(placed.order_id, ticker=market.ticker)
        async for order in orders:
            if order.order_id == placed.order_id:
                print(f"order {order.order_id}: {order.status}")
                break


if __name__ == "__main__":
    asyncio.run(main())
