"""Why a wish was not sent: codes with a paragraph each, and the figures of the case.

The decision log stores them and the page "why no trade" shows them.  A refusal
is a value; nothing is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Code(StrEnum):
    """The name of a check that said no."""

    NONSENSE = "nonsense"
    MARKET_UNKNOWN = "market_unknown"
    MARKET_NOT_OPEN = "market_not_open"
    MARKET_HELD = "market_held"
    MARKET_UNREADABLE = "market_unreadable"
    POSITION_DIFFERS = "position_differs"
    HALTED = "halted"
    PAUSED = "paused"
    QUIET = "quiet_after_cancel_all"
    MAINTENANCE = "maintenance"
    EXCHANGE_PAUSED = "exchange_paused"
    IN_FLIGHT = "in_flight"
    REPLACING = "replacing"
    NOTHING_HELD = "nothing_held"
    PRICE_OFF_GRID = "price_off_grid"
    PRICE_BAND = "price_band"
    SLIPPAGE = "slippage"
    QUOTE_STALE = "quote_stale"
    ORDER_SIZE = "order_size"
    POSITION_LIMIT = "position_limit"
    EVENT_EXPOSURE = "event_exposure"
    EXPOSURE = "exposure"
    CAPITAL = "capital"
    FIRST_HOURS = "first_hours"
    CASH_UNKNOWN = "cash_unknown"
    CASH_FLOOR = "cash_floor"
    WRONG_POT = "wrong_pot"
    OPEN_ORDERS = "open_orders"
    ORDER_RATE = "order_rate"
    VOLUME = "volume"
    EXPIRY = "expiry"
    HOURS = "trading_hours"
    CATEGORY = "category"
    NOT_NAMED = "not_named"
    OWN_CROSS = "own_cross"
    EXCHANGE = "exchange_refused"


REFUSALS: Final[Mapping[Code, str]] = MappingProxyType(
    {
        Code.NONSENSE: "The wish makes no sense: no market, no whole number of contracts, "
        "no price between 0 and 1. A defect of the strategy; nothing was sent.",
        Code.MARKET_UNKNOWN: "The exchange lists no such market, or it is outside of what this "
        "bot watches.",
        Code.MARKET_NOT_OPEN: "The market is not active now: not open yet, paused, closed or "
        "settled. Orders would be refused.",
        Code.MARKET_HELD: "An earlier order in this market has an unknown outcome. The exchange "
        "is being asked; until it has answered nothing new is sent there, so that no order is "
        "ever doubled.",
        Code.MARKET_UNREADABLE: "An order in this market has a state that this version of trueup "
        "does not know. Nothing new is sent there until somebody looked and rearmed; other markets "
        "go on. Look for a newer version.",
        Code.POSITION_DIFFERS: "The exchange states another position in this market than the fills "
        "make, and has for a minute. Nothing new is sent there until both agree; `trueup sync` and "
        "`trueup reconcile` say more, and rearming takes the exchange's word.",
        Code.HALTED: "Trading is halted. The halt says why and what lifts it.",
        Code.PAUSED: "The operator paused this strategy, or it failed and was paused.",
        Code.QUIET: "After a cancel-all the exchange may cancel orders placed within the "
        "following minute, so nothing is placed for that long.",
        Code.MAINTENANCE: "The exchange is closed by its schedule, or will be within minutes. "
        "What rested was taken back; trading goes on after the window.",
        Code.EXCHANGE_PAUSED: "The exchange says that it, or the market's shard, takes no orders "
        "now. Trading goes on when it says so; what rested is asked about then.",
        Code.IN_FLIGHT: "The strategy's earlier order in this market is not finished: its "
        "fills are not all known yet. One decision is one order.",
        Code.REPLACING: "The resting order in this slot is being cancelled; the new one follows "
        "once that is certain, if the strategy still wants it.",
        Code.NOTHING_HELD: "The order may only reduce, and there is nothing to reduce.",
        Code.PRICE_OFF_GRID: "The price is not on the market's price grid.",
        Code.PRICE_BAND: "The price lies outside of the band that the limits allow.",
        Code.SLIPPAGE: "The limit lies further from the price of the decision than allowed.",
        Code.QUOTE_STALE: "The newest quote of the market is too old to decide on.",
        Code.ORDER_SIZE: "The order is larger than one order may be.",
        Code.POSITION_LIMIT: "If all open orders filled, the position would exceed its limit.",
        Code.EVENT_EXPOSURE: "If all open orders filled, the event's exposure would exceed its "
        "limit.",
        Code.EXPOSURE: "If all open orders filled, the total exposure would exceed its limit.",
        Code.CAPITAL: "The strategy's own capital is used up.",
        Code.FIRST_HOURS: "In the first hours with real money orders and exposure are capped; the "
        "figures say at what and until when. `[first_hours]` in the configuration sets it.",
        Code.CASH_UNKNOWN: "No balance has been read yet.",
        Code.CASH_FLOOR: "The order would take the available cash below its floor.",
        Code.WRONG_POT: "There is money, but on another shard or subaccount than the market's. "
        "Transfer it there; the exchange would refuse this order.",
        Code.OPEN_ORDERS: "There are as many open orders as allowed.",
        Code.ORDER_RATE: "As many orders as allowed were sent within the last minute.",
        Code.VOLUME: "The market trades too little for a new position.",
        Code.EXPIRY: "The market ends too soon for a new position.",
        Code.HOURS: "A new position is opened within the trading hours only.",
        Code.CATEGORY: "The market's category is not among those that may be traded.",
        Code.NOT_NAMED: "The bot was started for other markets by name. It also sees markets in "
        "which the account holds something, but opens nothing there.",
        Code.OWN_CROSS: "The order would trade against an order of our own.",
        Code.EXCHANGE: "The exchange refused the order; its words are among the figures.",
    }
)
"""What each code means and what to do, as documented in docs/reference/refusals.md."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One check that said no, with the figures that it looked at.

    `scope` is ``strategy``, ``account`` or empty where a check has none.
    """

    code: Code
    scope: str = ""
    figures: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        scope = f" ({self.scope})" if self.scope else ""
        return f"{self.code}{scope}: {figures}" if figures else f"{self.code}{scope}"
