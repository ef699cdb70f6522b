"""What a settlement report says that one party was paid.

The exchange reports a settlement party by party; a party is an account or a subaccount
under a name of the exchange's.  A report is a claim, not an event: the settlement is one
event of the market, to which a REST row and a report are two witnesses, and it pays once.

What a report *says* never changes; whose it is and what it counts in are settings of the
reader (`ReportTerms`), which may be corrected later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.payoff import gross_payout, yes_value
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price

_CENT: Final = Money.of_cents(1)
_CENTS_PER_DOLLAR: Final = 100

EXACT_SINCE: Final = date(2026, 2, 27)
"""Reports of an earlier clearing date give the price in whole cents and every fee as zero."""

ANYBODY: Final = "*"
"""Among the configured parties: every party that is not named otherwise."""


class PayoutUnit(StrEnum):
    """In what 1704 is written."""

    DOLLARS = "dollars"
    CENTS = "cents"


class PayoutDoubt(StrEnum):
    """Why a report's own figures do not fit together."""

    CENTS = "the payout is a hundred times what it should be: cents taken for dollars"
    DOLLARS = "the payout is a hundredth of what it should be: dollars taken for cents"
    FEE_ON_TOP = "the payout is gross: the fee was not taken off"
    OTHER_SIDE = "the payout fits the other side of the position"
    UNEXPLAINED = "payout and fee are not what position and price give"


@dataclass(frozen=True, slots=True)
class SettlementFee:
    """A fee of a settlement; `kind` is the exchange's code (4: exchange fee)."""

    kind: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementReported:
    """One party of a market's settlement.  Identity: (clearing date, ticker, party).

    `payout` is what was credited, after `fees`; gross is both together.  `value` is what
    one YES contract paid, before fees.  `long` and `short` are the net position at
    settlement (one of them is usually zero).  `None` where the report does not say: the
    exchange's page *Market settlement* requires none of these fields.
    `subaccount` is `None` for a party that is mapped to none: such money belongs to
    nobody that the books know.  `clearing_date` is an Eastern date.  `at` is when the
    exchange sent it first; told again by another session it may be another time, and
    `report_id` another page.
    """

    ticker: Ticker
    clearing_date: date
    party: str
    subaccount: Subaccount | None
    result: MarketResult
    value: Price | None
    long: Count | None
    short: Count | None
    payout: Money | None
    fees: tuple[SettlementFee, ...]
    report_id: str = field(compare=False)
    at: Instant = field(default=Instant(0), compare=False)

    @property
    def fee(self) -> Money:
        """All fees together."""
        return sum((fee.amount for fee in self.fees), ZERO_MONEY)

    @property
    def gross(self) -> Money | None:
        """The payout before fees."""
        return None if self.payout is None else self.payout + self.fee

    @property
    def net(self) -> Count | None:
        """The position that was paid: + YES, − NO; `None` when the report gives neither side.

        Where it gives one side, the other is nothing: the position is net, and the
        exchange's own reports were seen to name only the side that is held.
        """
        if self.long is None and self.short is None:
            return None
        return (self.long or ZERO_COUNT) - (self.short or ZERO_COUNT)

    @property
    def expected_gross(self) -> Money | None:
        """What position and price give; `None` when one of them is not known."""
        value = yes_value(self.result, self.value)
        if self.net is None or value is None:
            return None
        return gross_payout(self.net, value)

    def doubt(self) -> PayoutDoubt | None:
        """Whether the report contradicts itself, by the likeliest cause.

        Before `EXACT_SINCE` the fee was always stated as zero, so a payout that was
        cut by less than a cent is no contradiction.  Since then the exchange states what
        it cut off (1704 + 137 is exactly the gross payout), and it is one.
        """
        expected, gross = self.expected_gross, self.gross
        if expected is None or gross is None or self.payout is None or self.net is None:
            return None
        cut = expected - gross
        is_rounding = self.clearing_date < EXACT_SINCE and not self.fee
        if not cut or (is_rounding and ZERO_MONEY < cut < _CENT):
            return None
        value = yes_value(self.result, self.value)
        other = None if value is None else gross_payout(-self.net, value)
        causes = (
            (gross == expected * 100, PayoutDoubt.CENTS),
            (gross * 100 == expected, PayoutDoubt.DOLLARS),
            (self.payout == expected, PayoutDoubt.FEE_ON_TOP),
            (gross == other, PayoutDoubt.OTHER_SIDE),
        )
        return next((doubt for fits, doubt in causes if fits), PayoutDoubt.UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class ReportTerms:
    """How reports are read: which subaccount a party is, and in what payouts are written.

    `parties` may hold `ANYBODY`.
    """

    parties: Mapping[str, Subaccount]
    unit: PayoutUnit = PayoutUnit.DOLLARS

    def owner_of(self, party: str) -> Subaccount | None:
        """The subaccount of a party; `None` for one that is mapped to none."""
        owner = self.parties.get(party)
        return self.parties.get(ANYBODY) if owner is None else owner

    def read(self, stated: SettlementReported) -> SettlementReported:
        """The report with its owner, and with its payout in dollars.

        Cents are written to a hundredth of a micro-dollar at most; what is finer is
        cut, and then the report contradicts itself (`SettlementReported.doubt`).
        """
        payout = stated.payout
        if payout is not None and self.unit is PayoutUnit.CENTS:
            payout = Money(payout.units // _CENTS_PER_DOLLAR)
        return replace(stated, subaccount=self.owner_of(stated.party), payout=payout)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPageReported:
    """One page of a settlement report.  Identity: (session, clearing date, ticker, report id).

    `session` names the session and the key that it came to: another key gets pages of
    its own.  `announced` is how many pages there are in all, `parties` how many are on
    this one.  `is_resent`: it came only when it was asked for again.
    """

    session: str
    ticker: Ticker
    clearing_date: date
    report_id: str
    announced: int | None
    is_last: bool
    result: MarketResult
    value: Price | None
    parties: int
    at: Instant = field(compare=False)
    is_resent: bool = field(compare=False)
