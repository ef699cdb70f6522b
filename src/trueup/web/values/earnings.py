"""What the account has earned: curves and sums over its whole history, made of booked rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Final

from trueup.core.instant import DAY, HOUR, Instant, eastern_day
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.accounts import Account as LedgerAccount
from trueup.ledger.entries import Entry
from trueup.ledger.report import By, PnlLine
from trueup.run.books.account import Account
from trueup.store.book_reading import ProfitRow

POINTS_MAX: Final = 1_500
"""A longer curve is shown in longer steps; nothing is left out of its sums."""

_PAID_IN: Final = frozenset({LedgerAccount.DEPOSITS, LedgerAccount.OPENING})


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """At the end of a step: all that was paid in and earned so far, positions at their cost."""

    at: Instant
    paid_in: Money
    earned: Money

    @property
    def equity(self) -> Money:
        """Paid in and earned."""
        return self.paid_in + self.earned


@dataclass(frozen=True, slots=True)
class Drawdown:
    """How far earnings are below their highest point now, and at worst."""

    now: Money
    worst: Money
    worst_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """Everything about earnings that the overview shows."""

    by_category: Sequence[PnlLine]
    by_strategy: Sequence[PnlLine]
    by_day: Sequence[PnlLine]
    total: PnlLine
    curve: Sequence[CurvePoint]


def earnings(account: Account) -> Earnings:
    """Ask the books of an account; walks over its history."""
    by_category, total = account.pnl(by=By.CATEGORY)
    by_strategy, _ = account.pnl(by=By.STRATEGY)
    by_day, _ = account.pnl(by=By.DAY)
    return Earnings(
        by_category=by_category,
        by_strategy=by_strategy,
        by_day=by_day,
        total=total,
        curve=curve(account.books.pnl_rows(), account.books.cash_entries(), until=account.now()),
    )


def curve(
    rows: Iterable[ProfitRow], cash_entries: Iterable[Entry], *, until: Instant
) -> tuple[CurvePoint, ...]:
    """The growth of the account by the hour, or by longer steps when the history is long.

    `rows` and `cash_entries` are in time order.  The last point is at `until`.
    """
    earned = ((row.hour, 0, row.realized.units - row.fees.units) for row in rows)
    paid = ((each.at, paid_in(each).units, 0) for each in cash_entries)
    hours: dict[int, tuple[int, int]] = {}
    in_so_far = earned_so_far = 0
    for at, put_in, gain in merge(earned, paid, key=lambda each: each[0]):
        in_so_far, earned_so_far = in_so_far + put_in, earned_so_far + gain
        hours[at // HOUR] = (in_so_far, earned_so_far)
    points = [
        CurvePoint(Instant(min((hour + 1) * HOUR, until)), Money(put_in), Money(gain))
        for hour, (put_in, gain) in hours.items()
    ]
    if points and points[-1].at < until:
        points.append(CurvePoint(until, points[-1].paid_in, points[-1].earned))
    return thinned(points)


def paid_in(entry: Entry) -> Money:
    """What an entry brings into the account from outside; negative for what leaves it."""
    units = sum(each.money.units for each in entry.postings if each.account in _PAID_IN)
    return Money(-units)


def thinned(points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    """At most so many points: the last one of each step."""
    if len(points) <= POINTS_MAX:
        return tuple(points)
    span = points[-1].at - points[0].at
    step = max(HOUR, -(-span // POINTS_MAX))
    last = {each.at // step: each for each in points}
    return tuple(last.values())


def drawdown(points: Iterable[CurvePoint]) -> Drawdown:
    """How far below the highest point so far; what is paid in or out does not count."""
    highest = worst = now = 0
    worst_at = None
    for point in points:
        highest = max(highest, point.earned.units)
        now = point.earned.units - highest
        if now < worst:
            worst, worst_at = now, point.at
    return Drawdown(Money(now), Money(worst), worst_at)


def day_line(by_day: Iterable[PnlLine], day: str) -> Money:
    """What was realised on a day after fees; zero on a day on which nothing happened."""
    return next((each.net for each in by_day if each.name == day), ZERO_MONEY)


def recent_days(by_day: Iterable[PnlLine], now: Instant, *, days: int) -> list[tuple[str, Money]]:
    """The last so many Eastern days with what was realised on each, oldest first."""
    known = {each.name: each.net for each in by_day}
    names = dict.fromkeys(eastern_day(Instant(now - back * DAY)) for back in range(days))
    return [(name, known.get(name, ZERO_MONEY)) for name in reversed(names)]
