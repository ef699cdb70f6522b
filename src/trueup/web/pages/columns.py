"""The columns that several pages share."""

from __future__ import annotations

from typing import Final

from trueup.web.tables import Column

POSITION_COLUMNS: Final = (
    Column(name="market", label="Market"),
    Column(name="side", label="Side"),
    Column(name="quantity", label="Quantity", figure=True),
    Column(name="average", label="Average", figure=True, phone=False),
    Column(name="mark", label="Mark", figure=True),
    Column(name="value", label="Value", figure=True, phone=False),
    Column(name="unrealized", label="Unrealised", figure=True),
    Column(name="realized", label="Realised", figure=True, phone=False),
    Column(name="closes", label="Closes in", figure=True, phone=False, calm=True),
)
FILL_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)", sorts=True),
    Column(name="ticker", label="Market", sorts=True),
    Column(name="side", label="Bought"),
    Column(name="count", label="Quantity", figure=True, sorts=True),
    Column(name="price", label="Price", figure=True, sorts=True),
    Column(name="cost", label="Amount", figure=True, phone=False),
    Column(name="fee", label="Fee", figure=True, sorts=True, phone=False),
    Column(name="liquidity", label="Liquidity", phone=False),
    Column(name="order", label="Order", phone=False),
)
ORDER_COLUMNS: Final = (
    Column(name="at", label="Updated (UTC)", sorts=True),
    Column(name="ticker", label="Market", sorts=True),
    Column(name="side", label="Buys"),
    Column(name="price", label="Limit", figure=True, sorts=True),
    Column(name="count", label="Quantity", figure=True, sorts=True),
    Column(name="filled", label="Filled", figure=True, sorts=True),
    Column(name="left", label="Left", figure=True, phone=False),
    Column(name="status", label="Status", sorts=True),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="name", label="Client order id", phone=False),
)
ORDERS_HERE_COLUMNS: Final = tuple(each for each in ORDER_COLUMNS if each.name != "ticker")
"""On the page of one market, where every row would name it again."""
SETTLEMENT_COLUMNS: Final = (
    Column(name="at", label="Settled (UTC)", sorts=True, phone=False),
    Column(name="ticker", label="Market", sorts=True),
    Column(name="result", label="Result"),
    Column(name="held", label="Net held", figure=True),
    Column(name="payout", label="Payout", figure=True, sorts=True),
    Column(name="fees", label="Fees", figure=True, sorts=True, phone=False),
    Column(name="profit", label="P&L after fees", figure=True, sorts=True),
    Column(name="evidence", label="Rests on", phone=False),
)
CONNECTION_COLUMNS: Final = (
    Column(name="name", label="Connection"),
    Column(name="state", label="State"),
    Column(name="heard", label="Heard", figure=True, calm=True),
    Column(name="words", label="", phone=False, wide=True),
)
MARKET_COLUMNS: Final = (
    Column(name="market", label="Market", sorts=True),
    Column(name="title", label="What it asks", sorts=True, phone=False, wide=True),
    Column(name="category", label="Category", sorts=True, phone=False),
    Column(name="bid", label="Bid", figure=True, sorts=True),
    Column(name="ask", label="Ask", figure=True, sorts=True),
    Column(name="spread", label="Spread", figure=True, sorts=True, phone=False),
    Column(name="last", label="Last", figure=True, sorts=True, phone=False),
    Column(name="volume", label="Volume", figure=True, sorts=True, phone=False),
    Column(name="volume_24h", label="Volume, 24 h", figure=True, sorts=True),
    Column(name="closes", label="Closes in", figure=True, sorts=True, phone=False, calm=True),
    Column(name="quoted", label="Quoted (UTC)", figure=True, sorts=True, phone=False, calm=True),
)
