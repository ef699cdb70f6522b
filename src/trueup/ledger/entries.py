"""Entries whose postings sum to zero, in dollars and in contracts, or do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Stream
from trueup.core.ids import EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.position import Position
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.breaks import Break


class EntryKind(StrEnum):
    """What an entry books."""

    FILL = "fill"
    SETTLEMENT = "settlement"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    OPENING = "opening"
    REVERSAL = "reversal"
    """Takes back an earlier version of a fact that the exchange has revised."""
    RESTING = "resting"
    """No entry at all: what a resting order ties up or sets free, in the cash proof."""


class Evidence(StrEnum):
    """What a settlement's payout rests on, best first."""

    ROW = "settlement row"
    MARKET_RESULT = "market result"
    """The row has rolled off or never came: a finalized market's result serves."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: `money` and `contracts` (+ YES, − NO) added to `account`."""

    account: Account
    money: Money
    contracts: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One booked fact (or the reversal of one).

    `at` is when the money moved.  `key` and `version` name the journalled fact.
    """

    stream: Stream
    key: str
    version: int
    kind: EntryKind
    at: Instant
    subaccount: Subaccount
    shard: Shard
    ticker: Ticker | None
    strategy: str
    postings: tuple[Posting, ...]
    evidence: str = ""

    def __post_init__(self) -> None:
        money = contracts = 0
        for posting in self.postings:
            money += posting.money.units
            contracts += posting.contracts.units
        if money or contracts:
            message = (
                f"entry {self.kind} {self.stream}/{self.key} does not balance: "
                f"{Money(money)} dollars and {Count(contracts)} contracts left over"
            )
            raise InvariantBroken(message)

    def cash(self) -> Money:
        """The change of cash."""
        return Money(sum(p.money.units for p in self.postings if p.account is Account.CASH))


class TradeStatus(StrEnum):
    """The state of a round trip."""

    OPEN = "open"
    CLOSED = "closed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """One trade in the trader's sense: from flat to flat, or to settlement.

    `quantity` is the largest position held in it (contracts of `side`);
    `bought_cost` what was paid to open, `sold_proceeds` what closing brought,
    `payout` what settlement brought, `profit_loss` all of it minus `fees`.  Of
    an open trade `profit_loss` is what is realised so far, minus `fees`: the
    cost of what is still held does not count as lost.

    Where several strategies traded one market, each has trades of its own, as
    if it had traded alone; their sum is what the exchange paid.
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    number: int
    side: str
    status: TradeStatus
    quantity: Count
    bought: Count
    bought_cost: Money
    sold: Count
    sold_proceeds: Money
    payout: Money
    fees: Money
    profit_loss: Money
    opened_at: Instant
    closed_at: Instant | None
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketBook:
    """Everything the ledger knows about one market in one subaccount.

    `realized` is before trading fees and includes what settlement brought
    (`settlement_gain`); `fees` are trading fees only.  Counts and costs of the
    two sides are *gross*: a sale of YES at p is a purchase of NO at 1 − p, as
    the exchange's own settlement rows count.  `breaks` are what booking itself
    noticed; a break never stops the booking.
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    event_ticker: EventTicker | None
    entries: Sequence[Entry]
    position: Position
    realized: Money
    fees: Money
    payout: Money
    total_traded: Money
    """Money paid in by all fills (the exchange's ``total_traded_dollars``)."""
    yes_bought: Count
    no_bought: Count
    yes_cost: Money
    no_cost: Money
    round_trips: tuple[RoundTrip, ...]
    settled: bool
    last_at: Instant
    settlement_gain: Money = ZERO_MONEY
    """Payout minus the cost of what was held; part of `realized`."""
    settlement_fees: Money = ZERO_MONEY
    """What the exchange cut off a scalar payout; already out of `realized`."""
    net_at_settlement: Count = ZERO_COUNT
    settled_at: Instant | None = None
    evidence: Evidence | None = None
    """What the payout rests on; `None` while nothing was paid."""
    breaks: tuple[Break, ...] = ()
