"""A bot's own table of trades, as values: what a row says, and what should be changed.

Numbers are exact ratios, because such tables hold floats, averages and cents in
any form; what could not be read is kept as text in `unreadable` and never taken
for zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from trueup.core.facts import Filled, Settled
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio, format_decimal
from trueup.ledger.entries import MarketBook
from trueup.ledger.outcomes import final_value
from trueup.ledger.payouts import row_value

__all__ = [
    "AdoptionLine",
    "AdoptionReport",
    "Change",
    "Column",
    "ForeignTrade",
    "Outcome",
    "Reason",
    "TickerEvidence",
    "ratio_text",
]


class Column(StrEnum):
    """The columns that a patch may change, by their role (the mapping names the real ones)."""

    STATUS = "status"
    SETTLED_PRICE = "settled_price"
    PROFIT_LOSS = "profit_loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTrade:
    """One row.  A value is `None` where the table lacks the column or holds NULL.

    `settled_price` is in cents per YES contract (100, 0, or between for a scalar
    result), `profit_loss` in dollars after fees, `entry_price` and `exit_price`
    in dollars per contract of `side`, `quantity` in contracts.  `unreadable`
    holds the text of what was there but could not be read.
    """

    row_id: str
    ticker: Ticker
    status: str
    settled_price: Ratio | None = None
    profit_loss: Ratio | None = None
    side: Side | None = None
    quantity: Ratio | None = None
    entry_price: Ratio | None = None
    exit_price: Ratio | None = None
    fees: Ratio | None = None
    opened_at: Instant | None = None
    closed_at: Instant | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict[str, str])
    names_price: bool = True
    """Whether the table has a column for the settled price at all."""

    @property
    def count(self) -> Count | None:
        """The quantity as a count; `None` if missing, negative or finer than 0.01 contract."""
        if self.quantity is None:
            return None
        units = self.quantity * 100
        return Count(int(units)) if units.denominator == 1 and units > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerEvidence:
    """Everything the exchange's record says about one market in one subaccount.

    Records of several subaccounts are never put together: each has evidence of
    its own.  `subaccount` is `None` where no subaccount has any record.  `covered`
    says that the fills of this market are proven complete for the whole time in
    which it could be traded.
    """

    ticker: Ticker
    subaccount: Subaccount | None = None
    books: tuple[MarketBook, ...] = ()
    fills: tuple[Filled, ...] = ()
    row: Settled | None = None
    market: MarketStated | None = None
    covered: bool = False

    @property
    def known(self) -> bool:
        """Whether the exchange ever showed us anything of this ticker."""
        return bool(self.fills or self.books or self.row or self.market)

    @property
    def held(self) -> bool:
        """Whether the subaccount ever traded the market, as far as is known."""
        return bool(self.fills or self.books or self.row)

    @property
    def value(self) -> Price | None:
        """What one YES contract finally paid; `None` while not final or not known."""
        if self.row is not None:
            return row_value(self.row, self.market)
        return final_value(self.market)

    @property
    def fills_complete(self) -> bool:
        """Whether all fills are known: by coverage, or because the row counts just as many."""
        if self.covered:
            return True
        if self.row is None or not self.fills:
            return False
        yes = sum((f.count for f in self.fills if f.side is Side.YES), ZERO_COUNT)
        no = sum((f.count for f in self.fills if f.side is Side.NO), ZERO_COUNT)
        return (yes, no) == (self.row.yes_count, self.row.no_count)

    @property
    def payout(self) -> Money | None:
        """What was paid at settlement by the books; `None` if nothing is booked yet."""
        if not self.books or not all(book.settled for book in self.books):
            return None
        return sum((book.payout for book in self.books), ZERO_MONEY)


class Outcome(StrEnum):
    """What became of a row."""

    PATCH = "patch"
    MATCHED = "matched"
    SKIPPED = "skipped"
    NOT_VERIFIABLE = "not verifiable"


class Reason(StrEnum):
    """Why, as a code."""

    PHANTOM_OPEN = "phantom_open"
    """Open in the table, settled at the exchange."""
    WRONG_VALUES = "wrong_values"
    """Settled in the table with another price or profit than the exchange's record gives."""
    RIGHT = "right"
    STILL_OPEN = "still_open"
    NOT_FINAL = "not_final"
    SOLD_OUT = "sold_out"
    """Nothing is held any more, but the market has not ended."""
    NOT_OURS = "not_ours"
    UNKNOWN_TICKER = "unknown_ticker"
    UNKNOWN_STATUS = "unknown_status"
    DUPLICATE = "duplicate"
    OUTSIDE_COVERAGE = "outside_coverage"
    COLUMNS_MISSING = "columns_missing"
    CANNOT_MATCH = "cannot_match"
    SEVERAL_SUBACCOUNTS = "several_subaccounts"
    """Held in several subaccounts, and the rows do not tell in which of them they traded."""
    VALUE_UNKNOWN = "value_unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One column of one row: what is there, as text (`None` is NULL), and what should be."""

    column: Column
    old: str | None
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionLine:
    """What is to be done with one row, and why.

    `rests_on` says what the new figures come from.  `caveats` name what could
    not be verified although the rest could.  `checks` say what was compared.
    """

    trade: ForeignTrade
    outcome: Outcome
    reason: Reason
    why: str
    changes: tuple[Change, ...] = ()
    profit_loss: Money | None = None
    settled_price: Price | None = None
    rests_on: str = ""
    caveats: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionReport:
    """All rows of a table in their order, each with what is to be done."""

    lines: tuple[AdoptionLine, ...]

    def of(self, outcome: Outcome) -> tuple[AdoptionLine, ...]:
        """The lines with one outcome."""
        return tuple(line for line in self.lines if line.outcome is outcome)

    @property
    def patches(self) -> tuple[AdoptionLine, ...]:
        """The rows to be changed."""
        return self.of(Outcome.PATCH)

    def counts(self) -> Mapping[Outcome, int]:
        """How many rows have which outcome; every outcome is there."""
        counted = Counter(line.outcome for line in self.lines)
        return {outcome: counted[outcome] for outcome in Outcome}


_PLACES: Final = 6


def ratio_text(value: Ratio) -> str:
    """A ratio as decimal text; rounded half to even where it needs more than six places."""
    return format_decimal(round(value * 10**_PLACES), _PLACES, 2)
