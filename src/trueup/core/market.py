"""The life of a market, and what its result pays.

    initialized → active ⇄ inactive → closed → determined → finalized
                                        ↑          ↓  ↑
                                     (reopened)  disputed → amended

Only `finalized` moves money: a determination may still be disputed and
changed (the exchange's page *Market lifecycle*).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class MarketStatus(StrEnum):
    """The status words of the market object (the list filter uses other words)."""

    INITIALIZED = "initialized"
    INACTIVE = "inactive"
    ACTIVE = "active"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"


class MarketResult(StrEnum):
    """How a market ended.  `SCALAR` covers fractions, ties and fair prices of
    cancelled events; there is no void and no refund.
    """

    YES = "yes"
    NO = "no"
    SCALAR = "scalar"


_S = MarketStatus
MARKET_TRANSITIONS: Final[dict[MarketStatus, frozenset[MarketStatus]]] = {
    _S.INITIALIZED: frozenset({_S.ACTIVE, _S.INACTIVE, _S.CLOSED}),
    _S.ACTIVE: frozenset({_S.INACTIVE, _S.CLOSED}),
    _S.INACTIVE: frozenset({_S.ACTIVE, _S.CLOSED}),
    _S.CLOSED: frozenset({_S.ACTIVE, _S.DETERMINED}),
    _S.DETERMINED: frozenset({_S.DISPUTED, _S.AMENDED, _S.FINALIZED}),
    _S.DISPUTED: frozenset({_S.DETERMINED, _S.AMENDED, _S.FINALIZED}),
    _S.AMENDED: frozenset({_S.DISPUTED, _S.DETERMINED, _S.FINALIZED}),
    _S.FINALIZED: frozenset(),
}
"""Single steps of the lifecycle.  A reader that was away may see several at once."""


def can_follow(earlier: MarketStatus, later: MarketStatus) -> bool:
    """Whether `later` can be reached from `earlier` in any number of steps."""
    reached, frontier = {earlier}, [earlier]
    while frontier:
        for status in MARKET_TRANSITIONS[frontier.pop()] - reached:
            reached.add(status)
            frontier.append(status)
    return later in reached


def is_settled(status: MarketStatus) -> bool:
    """Whether the market has paid out."""
    return status is MarketStatus.FINALIZED
