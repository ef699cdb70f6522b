"""What to do when nobody knows whether an order was taken.

The client never sends an order twice.  When no answer comes, or one that says
nothing, it raises `OrderOutcomeUnknown`, and `resolve` asks what became of it.

python examples/lost_answer.py
"""

from __future__ import annotations

import asyncio

import trueup
from trueup.core.order_entry import OrderFound, OrderOutcomeUnknown


async def main() -> None:
    """Place an order carefully."""
    async with trueup.open_async_client(venue="sandbox") as client:
        listing = client.markets.list(status="open", combos=False)
        markets = [market async for market in listing]
        try:
            placed = await client.orders.buy(markets[0].ticker, "no", count="1.50", price="0.02")
        except OrderOutcomeUnknown as unknown:
            for fate in await client.orders.resolve(unknown):
                print("it was taken" if isinstance(fate, OrderFound) else "it was not taken")
        else:
            print(f"it was taken: {placed.order_id}")
        await client.orders.cancel_all()
        print(f"requests: {client.counts.requests}, repeated: {client.counts.retries}")


if __name__ == "__main__":
    asyncio.run(main())
