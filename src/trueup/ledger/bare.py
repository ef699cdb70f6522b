"""Facts, trips and books in bare units, for whoever books very many of them.

Each says what its namesake says, without a value object for every amount:
integers in the units of `trueup.core.units`, words as plain text.  A *step* is
what the booking of one market takes: steps sort by time, at one instant fills
before the settlement that pays them, then by key and version.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Filled, Settled
from trueup.core.ids import EventTicker, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.observations import Recorded
from trueup.core.orders import Side

FILL: Final = 0
SETTLEMENT: Final = 1
"""The second field of a step: what it is, and which goes first at one instant."""

SIDE_OF: Final[dict[int, str]] = {side.sign: side.value for side in Side}


class BareFill(NamedTuple):
    """A `Filled` as it was recorded.  `sign` is + for YES; `contracts`
    are its `count`; `shard` `None`: not named.
    """

    at: Instant
    kind: int
    key: str
    version: int
    subaccount: Subaccount
    ticker: Ticker
    order_id: OrderId
    sign: int
    contracts: int
    price: int
    fee: int | None
    shard: Shard | None


class BareSettlement(NamedTuple):
    """What a `Settled` says about money.  `value` and `shard` are `None` where not given."""

    at: Instant
    kind: int
    key: str
    version: int
    subaccount: Subaccount
    ticker: Ticker
    event_ticker: EventTicker
    result: str
    revenue: int
    value: int | None
    shard: Shard | None


BareStep = BareFill | BareSettlement


class BareReport(NamedTuple):
    """What FIX reported of one market of a subaccount: all its parties together.

    `net` is the position that was paid (+ YES, − NO), `paid` the payout after `fee`, in
    dollars; `None` where one of the parties does not say it.  `doubt` says why its own
    figures do not fit together; empty: they do.  `is_whole` says that all its pages came
    (`report_pages.whole_tellings`): otherwise there may be more parties, and `net`, `paid`
    and `fee` are what is known of them.  `version` is above 1 where it was told in other
    ways too.
    """

    at: Instant
    key: str
    version: int
    subaccount: Subaccount
    ticker: Ticker
    result: str
    value: int | None
    net: int | None
    paid: int | None
    fee: int
    doubt: str
    is_whole: bool

    @property
    def clearing_date(self) -> date:
        """The Eastern date under which it was told last."""
        return date.fromisoformat(self.key.partition("/")[0])

    @property
    def subject(self) -> tuple[Subaccount, Ticker]:
        """Whose settlement of which market it is."""
        return self.subaccount, self.ticker


class BareTrip(NamedTuple):
    """A `trueup.ledger.entries.RoundTrip`."""

    number: int
    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    side: str
    status: str
    quantity: int
    bought: int
    bought_cost: int
    sold: int
    sold_proceeds: int
    payout: int
    fees: int
    profit_loss: int
    opened_at: Instant
    closed_at: Instant | None
    strategy: str


class BareBook(NamedTuple):
    """The figures of a `trueup.ledger.entries.MarketBook`."""

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    event_ticker: EventTicker | None
    net: int
    cost: int
    realized: int
    fees: int
    payout: int
    total_traded: int
    yes_bought: int
    no_bought: int
    yes_cost: int
    no_cost: int
    settled: int
    """1 once the market has paid, else 0."""
    last_at: Instant
    settlement_gain: int = 0
    settlement_fees: int = 0
    net_at_settlement: int = 0
    settled_at: Instant | None = None
    evidence: str | None = None


def bare_fill(key: str, version: int, filled: Filled) -> BareFill:
    """A fill as a step."""
    fee = filled.fee
    return BareFill(
        filled.at,
        FILL,
        key,
        version,
        filled.subaccount,
        filled.ticker,
        filled.order_id,
        filled.side.sign,
        filled.count.units,
        filled.price.units,
        None if fee is None else fee.units,
        filled.shard if filled.shard_named else None,
    )


def bare_settlement(key: str, version: int, row: Settled) -> BareSettlement:
    """A settlement row as a step."""
    value = row.value
    return BareSettlement(
        row.at,
        SETTLEMENT,
        key,
        version,
        row.subaccount,
        row.ticker,
        row.event_ticker,
        row.result.value,
        row.revenue.units,
        None if value is None else value.units,
        row.shard if row.shard_named else None,
    )


def bare_step(recorded: Recorded) -> BareStep:
    """A recorded fact of a market as a step; raises `InvariantBroken` for any other."""
    match recorded.value:
        case Filled() as filled:
            return bare_fill(recorded.key, recorded.version, filled)
        case Settled() as settled:
            return bare_settlement(recorded.key, recorded.version, settled)
        case other:
            message = f"a market's book cannot hold a {type(other).__name__} ({recorded.key})"
            raise InvariantBroken(message)
