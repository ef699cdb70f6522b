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
from trueup.engine.signals import AnchorSignal, NewsSignal, VenueQuote
from trueup.engine.strategy import Desk, FairValue, Strategy, Universe
from trueup.engine.wishes import Order, Style, Withdraw, buy_no, buy_yes, sell_no, sell_yes
from trueup.net.client import AsyncClient, Client
from trueup.run.books.account import Account, open_account
from trueup.run.books.patching import backfill_settlements
from trueup.run.bot.front import Bot, run_bot
from trueup.run.clients import open_async_client, open_client

__version__: str

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
