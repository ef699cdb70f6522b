"""What the bot's own table of trades says, with all that is wrong in it.

The rows follow from the account's truth: one per entry the bot made, settled as
a careful bot would have written it down.  Then the usual faults are planted:
trades that settled while the bot was down stayed open, fees were forgotten, a
NO trade was booked as a YES trade, a sale by hand was not noticed, a ticker was
mistyped.  Every planted fault is listed with the truth, so a repair can be
checked row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.facts import OrderReported
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import MINUTE, Instant, to_datetime
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.sim.account import Account, Holding
from trueup.sim.chance import Chance, pick
from trueup.sim.scenario import World
from trueup.sim.worlds import crypto, economics, weather

SCHEMA: Final = """
CREATE TABLE trades (
    id INTEGER PRIMARY KEY,
    market_ticker TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'open',
    settled_price REAL,
    profit_loss REAL,
    updated_at TEXT DEFAULT CURRENT_TIMESTAMP,
    side TEXT,
    quantity REAL,
    entry_price REAL
)
"""
"""A typical bot's table: money in dollars, settled_price 100 or 0 as on old rows."""

BOT_PREFIXES: Final = (weather.PREFIX, economics.PREFIX, crypto.PREFIX)
"""The client-id prefixes of orders that the bot knows to be its own."""


class Fault(StrEnum):
    """What is wrong with a row."""

    STUCK_OPEN = "stuck open"
    FEES_FORGOTTEN = "fees forgotten"
    NO_SIDE_INVERTED = "NO side inverted"
    SALE_IGNORED = "sale ignored"
    UNKNOWN_TICKER = "unknown ticker"


_PLANTED: Final = {
    Fault.SALE_IGNORED: 2,
    Fault.NO_SIDE_INVERTED: 2,
    Fault.FEES_FORGOTTEN: 4,
}
"""How many rows are booked wrongly, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotTrade:
    """One row.  `profit_loss` and `settled_price` are `None` while open.

    `settled_price` is what one YES contract paid; `entry_price` is in dollars
    per contract of the held side.
    """

    trade_id: int
    ticker: Ticker
    status: str
    settled_price: Price | None
    profit_loss: Money | None
    updated_at: Instant
    side: Side
    quantity: Count
    entry_price: Ratio

    def sql_values(self) -> tuple[int | str | None, ...]:
        """The row in the order of `SCHEMA`; numbers as text that the columns turn into REAL."""
        cents = None if self.settled_price is None else Ratio(self.settled_price.units, 100)
        return (
            self.trade_id,
            self.ticker,
            self.status,
            None if cents is None else _decimal(cents),
            None if self.profit_loss is None else str(self.profit_loss),
            to_datetime(self.updated_at).strftime("%Y-%m-%d %H:%M:%S"),
            self.side.value,
            str(self.quantity),
            _decimal(self.entry_price),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """A wrong row, and what would be right (`None`: nothing can be right)."""

    trade_id: int
    ticker: Ticker
    fault: Fault
    settled_price: Price | None
    profit_loss: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BotDatabase:
    """The bot's table, the faults in it, and the trades that are rightly open."""

    trades: tuple[BotTrade, ...]
    faults: tuple[PlantedFault, ...]
    truly_open: tuple[int, ...]


def bot_database(world: World, chance: Chance) -> BotDatabase:
    """The bot's table at the end of a world."""
    right = _right_trades(world)
    wrong = _stuck(world, right)
    for fault, number in _PLANTED.items():
        able = {
            key: row
            for key, row in _booked_wrongly(right, fault).items()
            if key not in wrong and row != right[key].trade
        }
        for _ in range(min(number, len(able))):
            key = pick(chance, tuple(able))
            wrong[key] = able.pop(key), fault
    mistyped = _mistyped(right)
    rows = {key: wrong[key][0] if key in wrong else one.trade for key, one in right.items()}
    rows[mistyped.trade_id] = mistyped
    faults = [_planted(right[key].trade, fault) for key, (_, fault) in sorted(wrong.items())]
    return BotDatabase(
        trades=tuple(rows[key] for key in sorted(rows)),
        faults=(*faults, _planted(mistyped, Fault.UNKNOWN_TICKER)),
        truly_open=tuple(key for key, one in right.items() if one.trade.status == "open"),
    )


def _planted(truth: BotTrade, fault: Fault) -> PlantedFault:
    return PlantedFault(
        trade_id=truth.trade_id,
        ticker=truth.ticker,
        fault=fault,
        settled_price=truth.settled_price,
        profit_loss=truth.profit_loss,
    )


def _stuck(world: World, right: dict[int, _Right]) -> dict[int, tuple[BotTrade, Fault]]:
    """The trades that settled while the bot was down."""
    return {
        key: (_reopened(one), Fault.STUCK_OPEN)
        for key, one in right.items()
        if one.trade.status == "settled" and any(one.settled_at in down for down in world.down)
    }


def _booked_wrongly(right: dict[int, _Right], fault: Fault) -> dict[int, BotTrade]:
    return {
        key: replace(one.trade, profit_loss=_WRONG_PROFIT[fault](one))
        for key, one in right.items()
        if one.trade.status == "settled"
    }


def _reopened(one: _Right) -> BotTrade:
    return replace(
        one.trade,
        status="open",
        settled_price=None,
        profit_loss=None,
        updated_at=one.entered_at,
    )


# -- what would be right -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Right:
    """A row as it should be, and what the wrong ways of booking need to know."""

    trade: BotTrade
    entered_at: Instant
    settled_at: Instant
    fees: Money
    entry_fees: Money
    entry_cost: Money


def _right_trades(world: World) -> dict[int, _Right]:
    account = world.exchange.account(world.member)
    drafts: list[_Right] = []
    for subaccount, ticker in account.holdings:
        drafts.extend(_of_market(world, account, subaccount, ticker=ticker))
    drafts.sort(key=lambda one: (one.entered_at, one.trade.ticker))
    return {
        number: replace(one, trade=replace(one.trade, trade_id=number))
        for number, one in enumerate(drafts, start=1)
    }


def _of_market(
    world: World, account: Account, subaccount: Subaccount, *, ticker: Ticker
) -> list[_Right]:
    """One row per entry; entries that were partly sold again share one row."""
    held = account.holdings[subaccount, ticker].at(world.end)
    orders = [
        order
        for order in (history.at(world.end) for history in account.orders.values())
        if order is not None
        and (order.subaccount, order.ticker) == (subaccount, ticker)
        and order.fill_count > ZERO_COUNT
    ]
    own = [one for one in orders if one.client_order_id.split("-")[0] in BOT_PREFIXES]
    if held is None or not own:
        return []
    entries = [one for one in own if one.side is own[0].side]
    groups = [entries] if len(orders) > len(entries) else [[one] for one in entries]
    return [_row(world, held, group, alone=len(groups) == 1) for group in groups]


def _row(world: World, held: Holding, entries: list[OrderReported], *, alone: bool) -> _Right:
    state = world.exchange.books.listings.markets[held.ticker].stated(world.end)
    value = None if state is None or held.settled_at is None else state.settlement_value
    side = entries[0].side
    quantity = sum((one.fill_count for one in entries), ZERO_COUNT)
    cost = sum((one.taker_fill_cost + one.maker_fill_cost for one in entries), ZERO_MONEY)
    entry_fees = sum((one.taker_fees + one.maker_fees for one in entries), ZERO_MONEY)
    profit, fees = None, entry_fees
    if value is not None and alone:
        profit, fees = held.realized - held.fees, held.fees
    elif value is not None:
        profit = _own_value(side, value) * quantity - cost - entry_fees
    entered_at = entries[0].created_at
    settled_at = held.settled_at or entered_at
    return _Right(
        trade=BotTrade(
            trade_id=0,
            ticker=held.ticker,
            status="open" if value is None else "settled",
            settled_price=value,
            profit_loss=profit,
            updated_at=Instant(settled_at + MINUTE) if value is not None else entered_at,
            side=side,
            quantity=quantity,
            entry_price=Ratio(cost.units, quantity.units * 10_000),
        ),
        entered_at=entered_at,
        settled_at=settled_at,
        fees=fees,
        entry_fees=entry_fees,
        entry_cost=cost,
    )


def _own_value(side: Side, value: Price) -> Price:
    return value if side is Side.YES else value.complement()


# -- the wrong ways of booking -----------------------------------------------------------------


def _without_fees(one: _Right) -> Money | None:
    return None if one.trade.profit_loss is None else one.trade.profit_loss + one.fees


def _inverted(one: _Right) -> Money | None:
    """A NO trade booked as if YES had been bought."""
    trade = one.trade
    if trade.side is Side.YES or trade.settled_price is None:
        return trade.profit_loss
    return trade.settled_price * trade.quantity - one.entry_cost - one.entry_fees


def _as_if_held(one: _Right) -> Money | None:
    """As if nothing had been sold before the end."""
    trade = one.trade
    if trade.settled_price is None or one.fees == one.entry_fees:
        return trade.profit_loss
    payout = _own_value(trade.side, trade.settled_price) * trade.quantity
    return payout - one.entry_cost - one.entry_fees


_WRONG_PROFIT: Final = {
    Fault.FEES_FORGOTTEN: _without_fees,
    Fault.NO_SIDE_INVERTED: _inverted,
    Fault.SALE_IGNORED: _as_if_held,
}


def _mistyped(right: dict[int, _Right]) -> BotTrade:
    """A trade on a ticker that the exchange never heard of: a city's other abbreviation."""
    first = next(one for one in right.values() if one.trade.ticker.startswith("KXHIGHNY-"))
    return replace(
        _reopened(first),
        trade_id=max(right) + 1,
        ticker=Ticker(first.trade.ticker.replace("KXHIGHNY-", "KXHIGHNYC-")),
    )


def _decimal(value: Ratio) -> str:
    """A ratio as decimal text with six places, cut."""
    units = value.numerator * 1_000_000 // value.denominator
    return f"{units // 1_000_000}.{units % 1_000_000:06}"
