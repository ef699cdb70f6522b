"""How trading went in a period: trades, winners and losers, return, drawdown, correlation.

A *trade* is a round trip: from flat to flat, or to settlement, with its fees.  It
belongs to the period in which it was closed.  What is still open is shown in the
equity and not among the trades.

Everything is exact: amounts are money, shares are ratios.  Only the correlation
needs a root; it is taken to four places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from trueup.core.instant import Instant
from trueup.core.units import ZERO_MONEY, Money, Ratio
from trueup.ledger.entries import RoundTrip

_PLACES: Final = 10_000


# -- trades ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """What the closed trades of a period came to.  `None`: there is nothing to divide by.

    A trade that came out at exactly nothing is neither a winner nor a loser; it counts
    in the win rate's denominator.  `profit` is after `fees`.
    """

    number: int
    winners: int
    losers: int
    won: Money
    lost: Money
    """What the losers lost, as a negative amount."""
    profit: Money
    fees: Money
    cost: Money
    """What was paid to open them."""

    @property
    def win_rate(self) -> Ratio | None:
        """Winners among all trades."""
        return Ratio(self.winners, self.number) if self.number else None

    @property
    def mean_winner(self) -> Ratio | None:
        """Dollars that a winner brought on average."""
        return Ratio(self.won.units, self.winners * 1_000_000) if self.winners else None

    @property
    def mean_loser(self) -> Ratio | None:
        """Dollars that a loser cost on average, negative."""
        return Ratio(self.lost.units, self.losers * 1_000_000) if self.losers else None

    @property
    def reward_to_risk(self) -> Ratio | None:
        """The mean winner for each dollar of the mean loser."""
        winner, loser = self.mean_winner, self.mean_loser
        return None if winner is None or not loser else winner / -loser


def trades_of(trips: Iterable[RoundTrip]) -> Trades:
    """What closed round trips came to; open ones are passed over."""
    number = winners = losers = won = lost = fees = cost = 0
    for trip in trips:
        if trip.closed_at is None:
            continue
        profit = trip.profit_loss.units
        number += 1
        winners += profit > 0
        losers += profit < 0
        won += max(0, profit)
        lost += min(0, profit)
        fees += trip.fees.units
        cost += trip.bought_cost.units
    return Trades(
        number=number,
        winners=winners,
        losers=losers,
        won=Money(won),
        lost=Money(lost),
        profit=Money(won + lost),
        fees=Money(fees),
        cost=Money(cost),
    )


def closed_between(
    trips: Iterable[RoundTrip], since: Instant, until: Instant
) -> tuple[RoundTrip, ...]:
    """The trades that were closed from `since` on, and before `until`, in that order."""
    found = [
        trip for trip in trips if trip.closed_at is not None and since <= trip.closed_at < until
    ]
    found.sort(key=lambda trip: (trip.closed_at or 0, trip.ticker, trip.number))
    return tuple(found)


def by_name(
    trips: Iterable[RoundTrip], name_of: Callable[[RoundTrip], str]
) -> Mapping[str, Trades]:
    """The same by any name (a strategy, a category), sorted by it."""
    groups: defaultdict[str, list[RoundTrip]] = defaultdict(list)
    for trip in trips:
        groups[name_of(trip)].append(trip)
    return {name: trades_of(groups[name]) for name in sorted(groups)}


# -- equity and return -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """What the account was worth at one moment, deposits included."""

    at: Instant
    equity: Money


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that came from outside (+) or left (−), such as a deposit after its fee."""

    at: Instant
    amount: Money


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a high: how much, which part of the high, from when to when."""

    amount: Money
    share: Ratio
    high_at: Instant
    low_at: Instant


def gain(points: Sequence[Point], flows: Iterable[Flow]) -> Money:
    """What was earned between the first and the last point: flows do not count."""
    if not points:
        return ZERO_MONEY
    first, last = points[0], points[-1]
    came = sum(each.amount.units for each in flows if first.at < each.at <= last.at)
    return Money(last.equity.units - first.equity.units - came)


def net_return(points: Sequence[Point], flows: Iterable[Flow]) -> Ratio | None:
    """The gain for each dollar that was there at first; what came later counts as there, too.

    `None` where nothing was there.
    """
    if not points:
        return None
    known = list(flows)
    first, last = points[0], points[-1]
    came = sum(max(0, each.amount.units) for each in known if first.at < each.at <= last.at)
    base = first.equity.units + came
    return Ratio(gain(points, known).units, base) if base > 0 else None


def time_weighted_return(points: Sequence[Point], flows: Iterable[Flow]) -> Ratio | None:
    """The return as if no money had come or gone: the stretches between flows, chained.

    Each flow is taken to have come just before the first point at or after it.
    `None` where something was earned with nothing; an account that begins empty begins
    with its first deposit.
    """
    if not points:
        return None
    waiting = sorted(flows, key=lambda each: each.at)
    waiting = [each for each in waiting if each.at > points[0].at]
    chained = Ratio(1)
    begin, last = points[0].equity.units, points[0].equity.units
    for point in points[1:]:
        came = 0
        while waiting and waiting[0].at <= point.at:
            came += waiting.pop(0).amount.units
        if came:
            # The stretch ends before the money; the next begins with it.
            if begin > 0:
                chained *= Ratio(last, begin)
            elif last != begin:
                return None
            begin = last + came
        last = point.equity.units
    return chained * Ratio(last, begin) - 1 if begin > 0 else None


def drawdown(points: Sequence[Point], flows: Iterable[Flow]) -> Drawdown | None:
    """The deepest fall from a high; flows are taken out, so that a withdrawal is no loss.

    The share is of the equity at the high.  `None` when it never fell.
    """
    deepest: Drawdown | None = None
    waiting = sorted(flows, key=lambda each: each.at)
    came, high_net, high = 0, 0, Point(Instant(0), ZERO_MONEY)
    for number, point in enumerate(points):
        while waiting and waiting[0].at <= point.at:
            came += waiting.pop(0).amount.units
        earned = point.equity.units - came
        if number == 0 or earned >= high_net:
            high_net, high = earned, point
            continue
        fall = high_net - earned
        if (deepest is None or fall > deepest.amount.units) and high.equity.units > 0:
            share = Ratio(fall, high.equity.units)
            deepest = Drawdown(Money(fall), share, high.at, point.at)
    return deepest


def curve(
    start: Point, earned: Iterable[tuple[Instant, Money]], flows: Iterable[Flow]
) -> tuple[Point, ...]:
    """The equity after each thing that was earned (or lost, or came from outside), in time order.

    What happened at or before the start is in its equity already.
    """
    steps = [(at, amount.units) for at, amount in earned]
    steps += [(each.at, each.amount.units) for each in flows]
    points = [start]
    equity = start.equity.units
    for at, amount in sorted(steps):
        if at <= start.at:
            continue
        equity += amount
        if points[-1].at == at and len(points) > 1:
            points.pop()
        points.append(Point(at, Money(equity)))
    return tuple(points)


# -- strategies beside each other --------------------------------------------------------------


def correlation(one: Sequence[Money], other: Sequence[Money]) -> Ratio | None:
    """Pearson's coefficient of two series of the same days, to four places.

    `None` where one of them never moves, or there are fewer than three days.
    """
    number = len(one)
    if number != len(other) or number < 3:  # noqa: PLR2004  # two points are always on a line
        return None
    xs, ys = [each.units for each in one], [each.units for each in other]
    mean_x, mean_y = Ratio(sum(xs), number), Ratio(sum(ys), number)
    together = sum(((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), Ratio(0))
    spread = sum(((x - mean_x) ** 2 for x in xs), Ratio(0)) * sum(
        ((y - mean_y) ** 2 for y in ys), Ratio(0)
    )
    if not spread:
        return None
    squared = together**2 / spread * _PLACES**2
    root = isqrt(squared.numerator // squared.denominator)
    return Ratio(root if together > 0 else -root, _PLACES)


def daily(
    trips: Iterable[RoundTrip], days: Sequence[str], day_of: Callable[[Instant], str]
) -> Mapping[str, Sequence[Money]]:
    """What each strategy's trades earned on each of the days, by the day they were closed."""
    sums: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for trip in trips:
        if trip.closed_at is not None:
            sums[trip.strategy][day_of(trip.closed_at)] += trip.profit_loss.units
    return {
        name: [Money(earned.get(day, 0)) for day in days] for name, earned in sorted(sums.items())
    }
