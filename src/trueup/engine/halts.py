"""When trading stops, and what lets it go on.

A halt stops new orders of one strategy or of everybody; it never touches what
rests (a sweep does that, see `sweeping`).  Halts are durable: a bot that was
halted starts halted.  The circuit breaker counts failed calls in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.instant import Instant, eastern_day
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.engine.effects import Alert, AlertKind, Effect, Persist
from trueup.engine.limits import Limits
from trueup.engine.portfolio import Portfolio
from trueup.engine.records import DayOpened, HaltCode, HaltLifted, HaltRaised

_KINDS: Final = {
    HaltCode.KILL: AlertKind.KILL,
    HaltCode.DAILY_LOSS: AlertKind.LOSS,
    HaltCode.DRAWDOWN: AlertKind.LOSS,
    HaltCode.BOOKS: AlertKind.BOOKS,
}
"""What an operator is told of a halt; a halt of any other code is told as one."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Trips after `threshold` failed calls in a row; a success closes it again."""

    threshold: int = 3
    failures: int = 0

    def saw(self, *, ok: bool) -> Breaker:
        """The breaker after one more call."""
        return replace(self, failures=0 if ok else self.failures + 1)

    @property
    def tripped(self) -> bool:
        """Whether too many calls in a row have failed."""
        return self.failures >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The exchange states another position than we count, in every reading since `since`.

    `halts` says that its market takes no orders of ours.
    """

    ours: Count
    theirs: Count
    since: Instant
    reads: int
    halts: bool

    def __str__(self) -> str:
        return f"the exchange states a position of {self.theirs}, trueup counts {self.ours}"


class Halts:
    """The halts in force, by code and strategy (empty: everybody)."""

    def __init__(self) -> None:
        self._halts: dict[tuple[HaltCode, str], HaltRaised] = {}

    def restore(self, record: HaltRaised | HaltLifted) -> None:
        """Take over a record that was found at start."""
        if isinstance(record, HaltRaised):
            self._halts[record.code, record.strategy] = record
        else:
            self._halts.pop((record.code, record.strategy), None)

    def raise_(self, halt: HaltRaised, out: list[Effect]) -> bool:
        """Halt, unless halted so already.  Returns whether that was new."""
        if (halt.code, halt.strategy) in self._halts:
            return False
        self._halts[halt.code, halt.strategy] = halt
        out.append(Persist(record=halt))
        whom = halt.strategy or "all trading"
        out.append(
            Alert(
                at=halt.at,
                kind=_KINDS.get(halt.code, AlertKind.HALT),
                words=f"{whom} halted ({halt.code}): {halt.words}",
                strategy=halt.strategy,
                key=_trouble(halt),
            )
        )
        return True

    def lift(self, lifted: HaltLifted, out: list[Effect]) -> bool:
        """Lift a halt that is in force.  Returns whether there was one."""
        if self._halts.pop((lifted.code, lifted.strategy), None) is None:
            return False
        out.append(Persist(record=lifted))
        words = f"halt {lifted.code} lifted by {lifted.by}"
        out.append(
            Alert(
                at=lifted.at,
                kind=AlertKind.LIFTED,
                words=words,
                strategy=lifted.strategy,
                key=f"{_trouble(lifted)} {lifted.at}",
                ends=_trouble(lifted),
            )
        )
        return True

    def holding(self, strategy: str) -> HaltRaised | None:
        """The halt that stops a strategy, if any; a general one first."""
        for (_, whom), halt in self._halts.items():
            if not whom:
                return halt
        for (_, whom), halt in self._halts.items():
            if whom == strategy:
                return halt
        return None

    def has(self, code: HaltCode, strategy: str = "") -> bool:
        """Whether such a halt is in force."""
        return (code, strategy) in self._halts

    def __iter__(self) -> Iterator[HaltRaised]:
        return iter(tuple(self._halts.values()))


class Losses:
    """Watches the day's loss and the drawdown, for every strategy and for all together."""

    def __init__(self) -> None:
        self._days: dict[str, DayOpened] = {}

    def restore(self, record: DayOpened) -> None:
        """Take over a record that was found at start."""
        self._days[record.strategy] = record

    def day(self, strategy: str) -> DayOpened | None:
        """Where the present day of a strategy began."""
        return self._days.get(strategy)

    def look(
        self,
        at: Instant,
        portfolio: Portfolio,
        marks: Mapping[Ticker, Price | None],
        *,
        limits: Mapping[str, Limits],
        halts: Halts,
        out: list[Effect],
    ) -> None:
        """Compare profits with the limits (empty strategy: the account) and halt where needed."""
        for strategy, each in limits.items():
            profit = portfolio.profit(marks, strategy or None)
            opened = self._open_day(at, strategy, profit, out)
            lost_today = opened.profit - profit
            if each.daily_loss_max is not None and lost_today >= each.daily_loss_max:
                words = (
                    f"lost {lost_today.dollars()} today, allowed {each.daily_loss_max.dollars()}"
                )
                halts.raise_(
                    HaltRaised(code=HaltCode.DAILY_LOSS, words=words, at=at, strategy=strategy), out
                )
            fallen = opened.peak - profit
            if each.drawdown_max is not None and fallen >= each.drawdown_max:
                words = (
                    f"{fallen.dollars()} below the peak of {opened.peak.dollars()}, "
                    f"allowed {each.drawdown_max.dollars()}"
                )
                halts.raise_(
                    HaltRaised(code=HaltCode.DRAWDOWN, words=words, at=at, strategy=strategy), out
                )

    def forgive(self, at: Instant, strategy: str, profit: Money, out: list[Effect]) -> None:
        """Measure from here on: an operator looked at the loss and lifted its halt."""
        day = DayOpened(day=eastern_day(at), strategy=strategy, profit=profit, peak=profit, at=at)
        self._days[strategy] = day
        out.append(Persist(record=day))

    def _open_day(self, at: Instant, strategy: str, profit: Money, out: list[Effect]) -> DayOpened:
        known = self._days.get(strategy)
        day = eastern_day(at)
        if known is None or known.day != day:
            peak = max(profit, ZERO_MONEY) if known is None else max(profit, known.peak)
            opened = DayOpened(day=day, strategy=strategy, profit=profit, peak=peak, at=at)
            out.append(Persist(record=opened))
        elif profit > known.peak:
            # Kept in memory; the next day's record carries it.  After a crash the
            # drawdown is measured from a peak that may be a day old, never from a lower loss.
            opened = replace(known, peak=profit)
        else:
            return known
        self._days[strategy] = opened
        return opened


def _trouble(halt: HaltRaised | HaltLifted) -> str:
    """What a halt and its lifting have in common, as the key of their alerts."""
    return f"halt {halt.code} {halt.strategy}".rstrip()
