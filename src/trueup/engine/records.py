"""What must survive a crash.  Written to the intent log before it takes effect.

`Intent` (in `inflight`) goes before its order.  The others make halts, pauses
and duties outlive the process: a bot that was stopped starts stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trueup.core.ids import ClientOrderId, OrderId, Subaccount
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.engine.inflight import Intent, OrderState


class HaltCode(StrEnum):
    """Why nothing new is sent."""

    KILL = "kill"
    """The operator pulled the switch.  Only arming again lifts it."""
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    BREAKER = "breaker"
    """Too many calls in a row failed.  Lifts by itself once calls succeed again
    and it is proven that nothing rests."""
    BOOKS = "books"
    """The books do not agree with the exchange's by more than allowed.  Lifts when they do."""
    ABSENCE = "absence"
    """An order exists that the exchange's lists had proven absent: they cannot be trusted."""
    STORAGE = "storage"
    """Intents cannot be made durable.  Without that nothing may be sent."""
    HANG = "hang"
    """A strategy did not return; the bot ended itself."""
    KEY = "key"
    """The exchange does not accept the key any more: nothing can be seen or cancelled."""


LIFTED_BY_OPERATOR = frozenset(
    {
        HaltCode.KILL,
        HaltCode.DAILY_LOSS,
        HaltCode.DRAWDOWN,
        HaltCode.ABSENCE,
        HaltCode.STORAGE,
        HaltCode.HANG,
        HaltCode.KEY,
    }
)
"""Halts that stay until somebody looked and lifted them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """An order of ours will never fill again, and why not.

    `order_id` is the exchange's name for it, where that is known: fills of it that are
    read after a restart name nothing else.
    """

    client_order_id: ClientOrderId
    state: OrderState
    at: Instant
    order_id: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltRaised:
    """Trading stops, for one strategy or (empty) for all."""

    code: HaltCode
    words: str
    at: Instant
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltLifted:
    """Trading may go on.  `by` is who said so: the operator's name, or ``trueup``."""

    code: HaltCode
    by: str
    at: Instant
    strategy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyPaused:
    """A strategy sends nothing until it is resumed; `on` is false when it is."""

    strategy: str
    on: bool
    words: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOrdered:
    """Everything that rests on these subaccounts must be cancelled, foreign orders too.

    A duty: it is tried until it is proven that nothing rests, also after a restart.
    """

    subaccounts: tuple[Subaccount, ...]
    words: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProven:
    """The exchange was read after the cancel: nothing rests."""

    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened:
    """The profit at the beginning of an Eastern day, per strategy (empty: all of ours).

    Daily losses are measured from there; `peak` is the highest profit so far,
    for the drawdown.
    """

    day: str
    strategy: str
    profit: Money
    peak: Money
    at: Instant


Record = (
    Intent
    | OrderEnded
    | HaltRaised
    | HaltLifted
    | StrategyPaused
    | SweepOrdered
    | SweepProven
    | DayOpened
)
