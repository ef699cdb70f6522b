"""trueup: trade Kalshi and keep books that provably equal the exchange's.

The front door in a few lines:

    import trueup

    with trueup.open_account() as account:      # the built-in sandbox, no key
        account.backfill()
        print(account.reconcile().verdict.words())

Everything else is in `trueup.Account`.
"""

from __future__ import annotations

from trueup.core.errors import (
    BooksError,
    CallerError,
    ConfigError,
    ExchangeRefused,
    ForeignDatabaseError,
    InvariantBroken,
    NotAuthorized,
    OutcomeUnknown,
    ProtocolBroken,
    RateLimited,
    TrueupError,
    Unreachable,
)
from trueup.core.units import Count, Money, Price, Ratio
from trueup.core.version import VERSION
from trueup.run.account import Account, open_account
from trueup.run.patching import backfill_settlements

__version__ = VERSION

__all__ = [
    "Account",
    "BooksError",
    "CallerError",
    "ConfigError",
    "Count",
    "ExchangeRefused",
    "ForeignDatabaseError",
    "InvariantBroken",
    "Money",
    "NotAuthorized",
    "OutcomeUnknown",
    "Price",
    "ProtocolBroken",
    "RateLimited",
    "Ratio",
    "TrueupError",
    "Unreachable",
    "backfill_settlements",
    "open_account",
]
