"""The machine's refusals in the exchange's words: which status, which code.

Recorded from the exchange: insufficient balance, off-grid prices, used client
ids, unknown orders, post-only orders that cross, fill-or-kill orders that
cannot fill.  Closed markets (409) are told by two integrators.  The others have
the exchange's own reason names and the plainest status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.market import MarketStatus
from trueup.net.acceptor import replies
from trueup.net.acceptor.replies import Reply
from trueup.sim import events as e
from trueup.sim.events import Refusal
from trueup.sim.exchange import Exchange

Refuse = Callable[[e.Refused], Reply]
"""What a member hears of a refusal."""

_STATUSES: Final = {
    Refusal.MARKET_NOT_FOUND: 404,
    Refusal.NOT_FOUND: 404,
    Refusal.ORDER_GROUP_NOT_FOUND: 404,
    Refusal.ORDER_ALREADY_EXISTS: 409,
    Refusal.ALREADY_EXISTS: 409,
    Refusal.FILL_OR_KILL: 409,
}
"""Everything else is 400."""

_MARKET_CLOSED: Final = "market_closed"
_LIVING: Final = frozenset({MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE})
_UNSIGNED: Final = frozenset({Refusal.INVALID_ORDER, Refusal.FILL_OR_KILL})
"""Recorded without the name of the service that refused."""


def refuser(exchange: Exchange, *, names_service: bool) -> Refuse:
    """How an exchange refuses.

    Until August 2026 the body named the service that refused: `names_service`.
    """

    def refuse(refused: e.Refused) -> Reply:
        reason = refused.reason
        service = "exchange" if names_service and reason not in _UNSIGNED else ""
        if reason is Refusal.MARKET_INACTIVE and is_closed(exchange, refused):
            return replies.refusal(409, _MARKET_CLOSED, service=service)
        return replies.refusal(
            _STATUSES.get(reason, 400), reason.value, details=refused.detail, service=service
        )

    return refuse


def is_closed(exchange: Exchange, refused: e.Refused) -> bool:
    """Whether the market that a refused command named has closed for good."""
    ticker: Ticker | None = getattr(refused.command, "ticker", None)
    market = None if ticker is None else exchange.books.listings.markets.get(ticker)
    return market is not None and market.stage().status not in _LIVING
