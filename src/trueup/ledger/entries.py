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
from trueup.core.units import Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.bare import BareBook, BareTrip
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
    COLLATERAL_RETURN = "collateral return"
    """No entry either: what a mutually exclusive event releases early or takes back."""


class Evidence(StrEnum):
    """What a settlement's payout rests on, best first."""

    ROW = "settlement row"
    REPORT = "settlement report"
    """FIX reported it, and no row is known."""
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


def round_trip(bare: BareTrip) -> RoundTrip:
    """The round trip that these numbers mean."""
    return RoundTrip(
        subaccount=bare.subaccount,
        shard=bare.shard,
        ticker=bare.ticker,
        number=bare.number,
        side=bare.side,
        status=TradeStatus(bare.status),
        quantity=Count(bare.quantity),
        bought=Count(bare.bought),
        bought_cost=Money(bare.bought_cost),
        sold=Count(bare.sold),
        sold_proceeds=Money(bare.sold_proceeds),
        payout=Money(bare.payout),
        fees=Money(bare.fees),
        profit_loss=Money(bare.profit_loss),
        opened_at=bare.opened_at,
        closed_at=bare.closed_at,
        strategy=bare.strategy,
    )


@dataclass(frozen=True, slots=True)
class MarketBook:
    """Everything the ledger knows about one market in one subaccount.

    The figures and round trips are kept in bare units and made into values when
    they are looked at.  `breaks` are what booking itself noticed; a break never
    stops the booking.
    """

    bare: BareBook
    entries: Sequence[Entry] = ()
    trips: Sequence[BareTrip] = ()
    breaks: tuple[Break, ...] = ()

    @property
    def round_trips(self) -> tuple[RoundTrip, ...]:
        """The round trips in the order in which they began."""
        return tuple(map(round_trip, self.trips))

    @property
    def subaccount(self) -> Subaccount:
        """Whose book it is."""
        return self.bare.subaccount

    @property
    def shard(self) -> Shard:
        """Where the market lives."""
        return self.bare.shard

    @property
    def ticker(self) -> Ticker:
        """The market."""
        return self.bare.ticker

    @property
    def event_ticker(self) -> EventTicker | None:
        """Its event; `None` while nobody has said."""
        return self.bare.event_ticker

    @property
    def position(self) -> Position:
        """What is held, and what it cost."""
        return Position(Count(self.bare.net), Money(self.bare.cost))

    @property
    def realized(self) -> Money:
        """The gain before trading fees, with what settlement brought (`settlement_gain`)."""
        return Money(self.bare.realized)

    @property
    def fees(self) -> Money:
        """Trading fees only."""
        return Money(self.bare.fees)

    @property
    def payout(self) -> Money:
        """What settlement paid."""
        return Money(self.bare.payout)

    @property
    def total_traded(self) -> Money:
        """Money paid in by all fills (the exchange's ``total_traded_dollars``)."""
        return Money(self.bare.total_traded)

    @property
    def yes_bought(self) -> Count:
        """Gross YES contracts bought.

        As the exchange's own settlement rows count: a sale of YES at p is a
        purchase of NO at 1 − p.
        """
        return Count(self.bare.yes_bought)

    @property
    def no_bought(self) -> Count:
        """Gross NO contracts bought."""
        return Count(self.bare.no_bought)

    @property
    def yes_cost(self) -> Money:
        """What the gross YES contracts cost."""
        return Money(self.bare.yes_cost)

    @property
    def no_cost(self) -> Money:
        """What the gross NO contracts cost."""
        return Money(self.bare.no_cost)

    @property
    def settled(self) -> bool:
        """Whether the market has paid."""
        return self.bare.settled == 1

    @property
    def last_at(self) -> Instant:
        """When the last fact happened."""
        return self.bare.last_at

    @property
    def settlement_gain(self) -> Money:
        """Payout minus the cost of what was held; part of `realized`."""
        return Money(self.bare.settlement_gain)

    @property
    def settlement_fees(self) -> Money:
        """What the exchange cut off a scalar payout; already out of `realized`."""
        return Money(self.bare.settlement_fees)

    @property
    def net_at_settlement(self) -> Count:
        """The contracts that were paid."""
        return Count(self.bare.net_at_settlement)

    @property
    def settled_at(self) -> Instant | None:
        """When the market paid."""
        return self.bare.settled_at

    @property
    def evidence(self) -> Evidence | None:
        """What the payout rests on; `None` while nothing was paid."""
        return None if self.bare.evidence is None else Evidence(self.bare.evidence)
