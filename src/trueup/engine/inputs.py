"""What can happen to the trader's machine.  Frozen; each carries its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.statements import BalanceStated, PositionStated
from trueup.core.units import Count, Money, Price
from trueup.engine.hours import Activity, Window
from trueup.engine.market import Listing, PublicTrade, Top
from trueup.engine.records import Record
from trueup.engine.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketsListed:
    """What markets are, or how they changed (status, grid, close time)."""

    at: Instant
    listings: tuple[Listing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketsMoved:
    """A batch of market data, conflated: the newest top of each market that moved."""

    at: Instant
    tops: tuple[Top, ...]
    trades: tuple[PublicTrade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPrices:
    """What a market was worth before anybody looked, oldest first: for the strategies' windows.

    To be told before its first top: a window does not go back.
    """

    at: Instant
    ticker: Ticker
    prices: tuple[tuple[Instant, Price], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen:
    """A fill of the account, ours or not, from any feed.  Seeing it twice is fine."""

    at: Instant
    fill: Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """A report of an order of the account, ours or not."""

    at: Instant
    order: OrderReported


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnreadable:
    """An order of the account that this version cannot read, an unknown status for example.

    What it may still do to the position nobody knows, so its market is left alone.
    """

    at: Instant
    ticker: Ticker
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettled:
    """A market paid `value` per YES contract: positions and exposure in it are gone."""

    at: Instant
    ticker: Ticker
    value: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRead:
    """A balance reading.

    `as_of` is how current it is at least, where that is known better than by the
    exchange's own time of it: that is in whole seconds, and may be of the last change.
    """

    at: Instant
    balance: BalanceStated
    as_of: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsRead:
    """Every open position of one subaccount, as the exchange states it.

    `at_start` is the reading before trading begins: what no fill explains is then
    from before what can be read.
    """

    at: Instant
    subaccount: Subaccount
    positions: tuple[PositionStated, ...]
    at_start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStated:
    """Whether the exchange works now, as a whole and by shard."""

    at: Instant
    activity: Activity
    shards: Mapping[Shard, Activity] = field(default_factory=dict[Shard, Activity])
    resumes_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingsPlanned:
    """When the exchange will be closed in the days to come, by its schedule."""

    at: Instant
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The time that a `WakeAt` asked for has come."""

    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSeen:
    """The world outside said something."""

    at: Instant
    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The exchange took the order.  What has not filled rests, unless it was to take only."""

    order_id: OrderId
    fill_count: Count
    remaining_count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The exchange said no, in its own code and words.  Nothing happened."""

    code: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No usable answer came: a time-out, a 5xx, a success without an order."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEnded:
    """How sending an order ended."""

    at: Instant
    client_order_id: ClientOrderId
    outcome: Accepted | Refused | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Canceled:
    """The exchange cancelled the rest of an order."""

    reduced_by: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelEnded:
    """How cancelling one of our orders ended.

    A `Refused` says that it does not rest now (or cannot be cancelled): whether
    it was filled, cancelled or never known must be asked.
    """

    at: Instant
    client_order_id: ClientOrderId
    outcome: Canceled | Refused | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The exchange changed a resting order; `fill_count` in all, `remaining_count` rests.

    A count is `None` where the exchange does not tell it: then what was asked for
    holds.  `told_at` is the exchange's own time of the change.
    """

    fill_count: Count | None
    remaining_count: Count | None
    told_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendEnded:
    """How amending one of our orders ended."""

    at: Instant
    client_order_id: ClientOrderId
    outcome: Amended | Refused | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the exchange says about an order we asked for.

    `found` is `None` when its lists do not hold it.  `as_of` is how current those
    lists are: an absence proves something only once they reach past the sending.
    """

    at: Instant
    client_order_id: ClientOrderId
    found: OrderReported | None
    as_of: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepEnded:
    """Whether the exchange took the cancel-all."""

    at: Instant
    done: bool
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingRead:
    """Everything that rests on the swept subaccounts, as of `as_of`."""

    at: Instant
    resting: tuple[OrderReported, ...]
    as_of: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """A call of the exchange's API succeeded or failed (for the circuit breaker)."""

    at: Instant
    ok: bool
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksProven:
    """The latest proof: whether the books close, and the largest break where they do not."""

    at: Instant
    closes: bool
    worst: Money
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """The exchange does not accept our key, after it once did."""

    at: Instant
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFailed:
    """An intent or a halt could not be made durable."""

    at: Instant
    words: str


class Wanted(StrEnum):
    """What an operator may ask for."""

    PAUSE = "pause"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    KILL = "kill"
    REARM = "rearm"
    CANCEL = "cancel"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSaid:
    """An operator's word.  `strategy` empty means all; `by` is who said it.

    `PAUSE` stops a strategy and takes back what rests of it; `WITHDRAW` is the same for the
    end of a run, and does not outlive it.  `KILL` cancels everything on `subaccounts` (of
    all strategies when empty) and halts; `REARM` lifts the halts that wait for an operator.
    `CANCEL` takes back one order of ours, named by `order`.  `FLATTEN` closes what the bot
    holds, once it is proven that nothing rests: for everything it pulls the kill switch first,
    for one strategy it pauses that one; `slippage` is how much worse than the best price an
    order may be, in price units ($0.0001).
    """

    at: Instant
    wanted: Wanted
    by: str
    strategy: str = ""
    words: str = ""
    subaccounts: tuple[Subaccount, ...] = ()
    order: ClientOrderId | None = None
    slippage: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The intent log as it was found at start, oldest first.  The first input of all.

    Orders without a last word are of unknown outcome: the same rule as for a
    time-out, so starting up and recovering are one thing.
    """

    at: Instant
    records: tuple[Record, ...]


Input = (
    Recovered
    | MarketsListed
    | MarketsMoved
    | PastPrices
    | FillSeen
    | OrderSeen
    | OrderUnreadable
    | MarketSettled
    | BalanceRead
    | PositionsRead
    | ExchangeStated
    | ClosingsPlanned
    | TimerFired
    | SignalSeen
    | SendEnded
    | CancelEnded
    | AmendEnded
    | Asked
    | SweepEnded
    | RestingRead
    | CallEnded
    | BooksProven
    | StorageFailed
    | KeyRefused
    | OperatorSaid
)
