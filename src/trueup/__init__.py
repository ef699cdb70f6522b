"""trueup: trade Kalshi and keep books that provably equal the exchange's.

The front door in a few lines:

    import trueup

    with trueup.open_account() as account:      # the built-in sandbox, no key
        account.backfill()
        print(account.reconcile().verdict.words())

A bot is as short, see `trueup.Bot` and `trueup.run_bot`:

    trueup.run_bot(MyBot(), minutes=1)          # on the sandbox, too

Everything else is in `trueup.Account`.  To ask the exchange or to trade, without
books, there are `trueup.open_client` and `trueup.open_async_client`.
"""

# pyright: reportUnsupportedDunderAll=false
# The names that are imported later are declared beside this file, in __init__.pyi.

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from trueup.core.errors import (
    BooksError,
    CallerError,
    ConfigError,
    ExchangeRefused,
    ForeignDatabaseError,
    InvariantBroken,
    NotAuthorized,
    NotSent,
    OutcomeUnknown,
    ProtocolBroken,
    RateLimited,
    TrueupError,
    Unreachable,
)
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    Decrease,
    NewOrder,
    OrderOutcomeUnknown,
)
from trueup.core.units import Count, Money, Price, Ratio
from trueup.core.version import VERSION

__version__ = VERSION

__all__ = [
    "Account",
    "Amendment",
    "AnchorSignal",
    "AsyncClient",
    "BooksError",
    "Bot",
    "CallerError",
    "Cancellation",
    "Client",
    "ConfigError",
    "Count",
    "Decrease",
    "Desk",
    "ExchangeRefused",
    "FairValue",
    "ForeignDatabaseError",
    "InvariantBroken",
    "Money",
    "NewOrder",
    "NewsSignal",
    "NotAuthorized",
    "NotSent",
    "Order",
    "OrderOutcomeUnknown",
    "OutcomeUnknown",
    "Price",
    "ProtocolBroken",
    "RateLimited",
    "Ratio",
    "Strategy",
    "Style",
    "TrueupError",
    "Universe",
    "Unreachable",
    "VenueQuote",
    "Withdraw",
    "backfill_settlements",
    "buy_no",
    "buy_yes",
    "open_account",
    "open_async_client",
    "open_client",
    "run_bot",
    "sell_no",
    "sell_yes",
]

_LATER: Final = {
    "Account": "trueup.run.books.account",
    "AnchorSignal": "trueup.engine.signals",
    "AsyncClient": "trueup.net.client",
    "Bot": "trueup.run.bot.front",
    "Client": "trueup.net.client",
    "Desk": "trueup.engine.strategy",
    "FairValue": "trueup.engine.strategy",
    "NewsSignal": "trueup.engine.signals",
    "Order": "trueup.engine.wishes",
    "Strategy": "trueup.engine.strategy",
    "Style": "trueup.engine.wishes",
    "Universe": "trueup.engine.strategy",
    "VenueQuote": "trueup.engine.signals",
    "Withdraw": "trueup.engine.wishes",
    "backfill_settlements": "trueup.run.books.patching",
    "buy_no": "trueup.engine.wishes",
    "buy_yes": "trueup.engine.wishes",
    "open_account": "trueup.run.books.account",
    "open_async_client": "trueup.run.clients",
    "open_client": "trueup.run.clients",
    "run_bot": "trueup.run.bot.front",
    "sell_no": "trueup.engine.wishes",
    "sell_yes": "trueup.engine.wishes",
}
"""What is imported when it is first asked for: a command that needs one of them loads no other."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever bears the name
    place = _LATER.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(place), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
