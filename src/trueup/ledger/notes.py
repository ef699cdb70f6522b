"""What the booking of one market noticed, gathered into at most one break per kind."""

from __future__ import annotations

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.ledger.bare import SIDE_OF, BareFill
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity

_LISTED_MAX = 5
"""How many facts a break names; it says how many more there are."""


class BookingNotes:
    """Counts what is odd about the fills of one market and keeps the first few."""

    __slots__ = ("_counts", "_first_at", "_listed", "_where")

    def __init__(self, where: tuple[Subaccount, Shard, Ticker]) -> None:
        self._where = where
        self._counts: dict[BreakKind, int] = {}
        self._first_at: dict[BreakKind, Instant] = {}
        self._listed: dict[BreakKind, list[str]] = {}

    def fee_unknown(self, fill: BareFill) -> None:
        """A fill was booked without a fee, because nobody reported one."""
        if self._note(BreakKind.FEE_UNKNOWN, fill.at):
            self._list(BreakKind.FEE_UNKNOWN, f"{_named(fill)}: no fee given")

    def finer_than_precision(self, fill: BareFill, cash: int) -> None:
        """Cash minus fee is no whole number of balance steps."""
        if self._note(BreakKind.PRECISION, fill.at):
            words = f"{_named(fill)}: cash {Money(cash)}, fee {Money(fill.fee or 0)}"
            self._list(BreakKind.PRECISION, words)

    def fill_after_settlement(self, fill: BareFill) -> None:
        """A fill carries a time after the market paid out."""
        if self._note(BreakKind.FILL_AFTER_SETTLEMENT, fill.at):
            self._list(BreakKind.FILL_AFTER_SETTLEMENT, _named(fill))

    def breaks(self) -> tuple[Break, ...]:
        """One break for each kind that occurred."""
        if not self._counts:
            return ()
        return tuple(self._break(kind) for kind in sorted(self._counts))

    def _note(self, kind: BreakKind, at: Instant) -> bool:
        """Count one; whether it is among the first, which are named."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        self._first_at.setdefault(kind, at)
        return count <= _LISTED_MAX

    def _list(self, kind: BreakKind, words: str) -> None:
        self._listed.setdefault(kind, []).append(words)

    def _break(self, kind: BreakKind) -> Break:
        subaccount, shard, ticker = self._where
        count = self._counts[kind]
        severity, summary = _WORDS[kind]
        listed = list(self._listed[kind])
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
            occurred_at=self._first_at[kind],
            summary=summary.format(fills="1 fill" if count == 1 else f"{count} fills"),
            evidence=tuple(listed),
        )


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
