"""What the booking of one market noticed, gathered into at most one break per kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.ledger.bare import SIDE_OF, BareFill
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity

_LISTED_MAX = 5
"""How many facts a break names; it says how many more there are."""


class BookingNotes:
    """Counts what is odd about the fills of one market and keeps the first few."""

    __slots__ = ("_noted", "_where")

    def __init__(self, where: tuple[Subaccount, Shard, Ticker]) -> None:
        self._where = where
        self._noted: dict[BreakKind, _Noted] = {}

    def fee_unknown(self, fill: BareFill) -> None:
        """A fill was booked without a fee, because nobody reported one."""
        noted = self._note(BreakKind.FEE_UNKNOWN, fill)
        if noted.names_more:
            noted.listed.append(f"{_named(fill)}: no fee given")

    def finer_than_precision(self, fill: BareFill, cash: int) -> None:
        """Cash minus fee is no whole number of balance steps."""
        noted = self._note(BreakKind.PRECISION, fill)
        if noted.names_more:
            words = f"{_named(fill)}: cash {Money(cash)}, fee {Money(fill.fee or 0)}"
            noted.listed.append(words)

    def fill_after_settlement(self, fill: BareFill) -> None:
        """A fill carries a time after the market paid out."""
        noted = self._note(BreakKind.FILL_AFTER_SETTLEMENT, fill)
        if noted.names_more:
            noted.listed.append(_named(fill))

    def breaks(self) -> tuple[Break, ...]:
        """One break for each kind that occurred."""
        if not self._noted:
            return ()
        return tuple(self._break(kind, self._noted[kind]) for kind in sorted(self._noted))

    def _note(self, kind: BreakKind, fill: BareFill) -> _Noted:
        noted = self._noted.get(kind)
        if noted is None:
            noted = self._noted[kind] = _Noted(fill.at)
        noted.count += 1
        return noted

    def _break(self, kind: BreakKind, noted: _Noted) -> Break:
        subaccount, shard, ticker = self._where
        count = noted.count
        severity, summary = _WORDS[kind]
        listed = list(noted.listed)
        if count > len(listed):
            listed.append(f"and {count - len(listed)} more")
        return Break(
            identity=break_identity(kind, subaccount, ticker),
            kind=kind,
            severity=severity,
            subaccount=subaccount,
            shard=shard,
            ticker=ticker,
            amount=ZERO_MONEY,
            occurred_at=noted.first_at,
            summary=summary.format(fills="1 fill" if count == 1 else f"{count} fills"),
            evidence=tuple(listed),
        )


@dataclass(slots=True)
class _Noted:
    """How often something was noticed, and the first of it."""

    first_at: Instant
    count: int = 0
    listed: list[str] = field(default_factory=list[str])

    @property
    def names_more(self) -> bool:
        return len(self.listed) < _LISTED_MAX


_WORDS: dict[BreakKind, tuple[Severity, str]] = {
    BreakKind.FEE_UNKNOWN: (Severity.AMBER, "the fee of {fills} is unknown and booked as nothing"),
    BreakKind.PRECISION: (
        Severity.AMBER,
        "cash minus fee of {fills} is finer than this member's balance can be",
    ),
    BreakKind.FILL_AFTER_SETTLEMENT: (
        Severity.RED,
        "{fills} carry a time after the market had paid out",
    ),
}


def _named(fill: BareFill) -> str:
    return (
        f"fill {fill.key} at {format_instant(fill.at)}: "
        f"{SIDE_OF[fill.sign]} {Count(fill.contracts)} at YES price {Price(fill.price)}"
    )
