"""What the trader's machine wants done.  Frozen; to be carried out in their order.

One rule binds whoever carries them out: a `Place` must not leave before every
`Persist` that came earlier is durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trueup.core.alerts import Alert, AlertKind  # noqa: F401  # pyright: ignore[reportUnusedImport]  # told under the names of effects, too
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.engine.inflight import Intent
from trueup.engine.records import Record
from trueup.engine.refusals import Refusal
from trueup.engine.wishes import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Make a record durable."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Send an order, once.  Its outcome comes back as `SendEnded`."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Cancel a resting order; comes back as `CancelEnded` when it is ours."""

    order_id: OrderId
    client_order_id: ClientOrderId | None
    ticker: Ticker
    subaccount: Subaccount
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend:
    """Change price, size or expiry of a resting order; comes back as `AmendEnded`.

    `total` is what the exchange wants to hear: filled plus wanted resting.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    ticker: Ticker
    side: Side
    price: Price
    total: Count
    expires_at: Instant | None
    subaccount: Subaccount
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Find out what became of an order; comes back as `Asked`.

    `order_id` is known only if the exchange ever told it.
    """

    client_order_id: ClientOrderId
    order_id: OrderId | None
    ticker: Ticker
    since: Instant
    subaccount: Subaccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Cancel everything that rests on the subaccounts; comes back as `SweepEnded`."""

    subaccounts: tuple[Subaccount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResting:
    """Read everything that rests on the subaccounts; comes back as `RestingRead`."""

    subaccounts: tuple[Subaccount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Give a `TimerFired` at this time (or as soon as possible after it)."""

    at: Instant


class Verdict(StrEnum):
    """What became of a wish."""

    SENT = "sent"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    AMENDED = "amended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A line of the decision log.

    `parameters` are the strategy's settings at the time, where something was sent.
    """

    at: Instant
    strategy: str
    wish: Wish | str
    verdict: Verdict
    refusals: tuple[Refusal, ...] = ()
    client_order_id: ClientOrderId | None = None
    figures: Mapping[str, str] = field(default_factory=dict[str, str])
    parameters: str = ""


Effect = Persist | Place | Cancel | Amend | Ask | Sweep | ReadResting | WakeAt | Decision | Alert
