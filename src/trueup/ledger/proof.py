"""The cash proof: does every movement of the balance have its facts?

Between two balance readings the exchange *claims* a change of cash and the
booked facts *explain* one.  Both are followed here in one pass, in time order.

The theory.  Let D(r) = reading r + collateral of resting orders − cash explained
by all facts up to r.  If every fact is known, D is the same for all readings:
it is the part of the cash that was there before the first fact (nothing, when
the facts begin with the account: then D = 0 proves the *level* too).  A change
of D between two readings is money without a fact.  A truncated reading makes D
an interval; readings agree while their intervals have a common part, and each
one that agrees narrows it, so that an opening balance known only to the cent
becomes exact in time.

A reading that does not agree gets two chances before it is *unproven*:

- *Tie*: a fact in the very second of the reading may be before or after it, and so
  may one of which only bounds are known (`CashMovement.latest`).
- *Timing*: the exchange's figures lag each other.  Facts within `window` of the
  reading may have to be moved across it.  That alone proves nothing, since a
  wrong fact might fit by chance; so the next reading must agree again without
  any such help.  D has then returned to what it was, so nothing is missing.

After an unproven interval the proof begins again from the reading at its end:
later intervals are judged on their own, and no amount is ever carried along.

An operator's opening balance moves no cash, so D does not change across it: it
only says how high D should be from its time on (`Level`).  It never hides what
happened between two readings on both sides of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.breaks import BreakKind
from trueup.ledger.entries import EntryKind
from trueup.ledger.movements import CashMovement

LISTED_MAX: Final = 200
"""How many movements an interval lists; it always counts all of them."""

SHIFTED_MAX: Final = 1_000
"""How many movements on each side of a reading are looked at for ties and timing."""


class Proven(StrEnum):
    """How an interval between two readings ended."""

    PROVEN = "proven"
    TIMING = "timing"
    """A movement crossed a reading within the window; the next reading agreed again."""
    OPEN = "open"
    """As `TIMING`, but there is no next reading yet that could agree."""
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What happened from one balance reading to the next.

    `before` is `None` where the proof is of the level from the account's
    beginning or from an opening balance.  The claimed change lies in
    [`claimed_low`, `claimed_high`]; it includes the change of collateral.
    `difference` is what the exchange has more than the facts explain, zero
    unless unproven.  `shifted` are the movements that crossed the reading
    `after`.  `movements` lists up to `LISTED_MAX` of the `count` movements.
    """

    before: BalanceStated | None
    after: BalanceStated
    claimed_low: Money
    claimed_high: Money
    explained: Money
    difference: Money
    verdict: Proven
    movements: tuple[CashMovement, ...]
    count: int
    shifted: tuple[CashMovement, ...] = ()
    explanations: tuple[str, ...] = ()
    """What could explain an unproven interval, most telling first (`ledger.explain`)."""
    suspected: BreakKind | None = None
    """The kind of fact that would explain it exactly; `None` if none is known."""
    ticker: Ticker | None = None
    """The market of that fact."""

    @property
    def since(self) -> Instant | None:
        """When the interval begins; `None` for one that begins with the account."""
        return None if self.before is None else self.before.at

    @property
    def until(self) -> Instant:
        """When it ends."""
        return self.after.at

    @property
    def moved(self) -> bool:
        """Whether anything happened in it: a movement, or a change of the balance."""
        return bool(self.count) or self.claimed_high < ZERO_MONEY or self.claimed_low > ZERO_MONEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From `at` on it is stated that `cash` was there which no movement explains."""

    at: Instant
    cash: Money


StepAt = Callable[[Instant], Money]
"""What a balance was a multiple of at a time: it was whole cents for everybody once."""

_FINEST: Final = Money(1)

Collateral = Callable[[BalanceStated], Money]
"""What resting orders (and settlement advances) tied up at a reading."""


def nothing_resting(_: BalanceStated) -> Money:
    """No order rested at any reading."""
    return ZERO_MONEY


def prove(
    readings: Iterable[BalanceStated],
    movements: Iterable[CashMovement],
    *,
    holds: Iterable[CashMovement] = (),
    collateral: Collateral = nothing_resting,
    window: int = MINUTE,
    precision: Money | StepAt | None = None,
    absolute: bool = False,
    level: Level | None = None,
) -> Iterator[Interval]:
    """Judge every interval between consecutive readings, in one pass.

    `readings` and `movements` come in time order and concern the same cash: one
    subaccount and shard, or all of them.  What resting orders tie up is given
    as `holds`, also in time order (`ledger.holds`): a reading and an order that
    cross each other are then a tie or timing, as with facts.  `collateral`, the
    sum at each reading, is for those who know only that; give one of the two.

    `window` is in microseconds.  With `precision` (the step of this member's
    balance, or what it was at a time) a truncated reading becomes as exact as it can be.  `absolute` says
    that the movements begin with the account, so that the first reading is judged
    too; `level` does the same from its time on.  Where readings on both sides of
    it are compared, it is judged in an interval of its own (`before` is `None`).
    Openings among the movements are left out: they move no cash.

    Raises `CallerError` when readings or movements are out of order.  Memory
    does not grow with the history.
    """
    moving = (each for each in movements if each.kind is not EntryKind.OPENING)
    step_at = precision if callable(precision) else _always(precision or _FINEST)
    tape = _Tape(merge(moving, holds, key=_by_time), window)
    judge = _Judge(window, level=Level(at=Instant(0), cash=ZERO_MONEY) if absolute else level)
    previous: BalanceStated | None = None
    for reading in readings:
        if previous is not None and reading.at < previous.at:
            message = "balance readings must come in time order"
            raise CallerError(message)
        step = step_at(reading.at).units
        low, high = _cash(reading, collateral(reading), step)
        mark = tape.mark(reading, low, high, step)
        yield from judge.hear(mark if judge.agrees(mark) else tape.with_neighbours(mark))
        previous = reading
    yield from judge.finish()


def _always(step: Money) -> StepAt:
    def step_at(_: Instant) -> Money:
        return step

    return step_at


def _by_time(movement: CashMovement) -> Instant:
    return movement.at


def _cash(reading: BalanceStated, held: Money, step: int) -> tuple[int, int]:
    """The cash that a reading states, as units, with what is tied up added back."""
    low, high = reading.low.units, reading.high.units
    finest_low, finest_high = -(-low // step) * step, high // step * step
    if finest_low <= finest_high:
        low, high = finest_low, finest_high
    # How the exchange rounds a collateral finer than a step is not known.
    return low + held.units // step * step, high + -(-held.units // step) * step


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A reading set against the facts: D as [`low`, `high`], and what might be shifted.

    `earlier` are the movements up to `window` before the reading, newest first;
    `later` those up to `window` after it, oldest first.
    """

    reading: BalanceStated
    low: int
    high: int
    cash_low: int
    cash_high: int
    total: int
    """All cash that is explained by facts so far."""
    explained: int
    movements: tuple[CashMovement, ...]
    count: int
    earlier: tuple[CashMovement, ...] = ()
    later: tuple[CashMovement, ...] = ()


class _Tape:
    """Reads the movements once and sets each reading against them."""

    __slots__ = (
        "_ahead",
        "_held",
        "_last_at",
        "_near",
        "_source",
        "_total",
        "_window",
    )

    def __init__(self, movements: Iterable[CashMovement], window: int) -> None:
        self._source = iter(movements)
        self._window = window
        self._held = 0
        self._ahead: deque[CashMovement] = deque()
        self._near: deque[CashMovement] = deque(maxlen=SHIFTED_MAX)
        self._total = 0
        self._last_at: int | None = None

    def mark(self, reading: BalanceStated, low: int, high: int, step: int) -> _Mark:
        """Take in everything up to the reading, whose cash lies in [`low`, `high`]."""
        listed: list[CashMovement] = []
        count = explained = 0
        while (movement := self._next(reading.at)) is not None:
            self._near.append(movement)
            self._total += movement.amount.units
            if movement.kind is EntryKind.RESTING:
                self._held += movement.amount.units
            explained += movement.amount.units
            count += 1
            if len(listed) < LISTED_MAX:
                listed.append(movement)
        # How the exchange rounds an available balance that is finer than a step is not known.
        finer = step - 1 if self._held % step else 0
        return _Mark(
            reading=reading,
            low=low - self._total - finer,
            high=high - self._total + finer,
            cash_low=low,
            cash_high=high,
            total=self._total,
            explained=explained,
            movements=tuple(listed),
            count=count,
        )

    def with_neighbours(self, mark: _Mark) -> _Mark:
        """The last mark with the movements near its reading; looks ahead by the window."""
        since, until = mark.reading.at - self._window, mark.reading.at + self._window
        while len(self._ahead) < SHIFTED_MAX and (movement := self._pull()) is not None:
            self._ahead.append(movement)
            if movement.at > until:
                break
        return replace(
            mark,
            earlier=tuple(
                each
                for each in reversed(self._near)
                if each.at > since or each.may_follow(mark.reading.at)
            ),
            later=tuple(each for each in self._ahead if each.at <= until),
        )

    def _next(self, until: Instant) -> CashMovement | None:
        """The next movement up to `until`, or `None`; one beyond it waits in `_ahead`."""
        if not self._ahead:
            pulled = self._pull()
            if pulled is None:
                return None
            self._ahead.append(pulled)
        return self._ahead.popleft() if self._ahead[0].at <= until else None

    def _pull(self) -> CashMovement | None:
        movement = next(self._source, None)
        if movement is None:
            return None
        if self._last_at is not None and movement.at < self._last_at:
            message = f"movements must come in time order: {movement.stream} {movement.key}"
            raise CallerError(message)
        self._last_at = movement.at
        return movement


class _Judge:
    """Follows D from reading to reading.  `_pending` are readings that may be timing."""

    __slots__ = ("_before", "_level", "_offset", "_pending", "_stated", "_window")

    def __init__(self, window: int, *, level: Level | None) -> None:
        self._window = window
        self._level = level
        """What D is stated to be; `None` once it was judged."""
        self._stated = 0 if level is None else level.cash.units
        self._offset: tuple[int, int] | None = None
        self._before: _Mark | None = None
        self._pending: list[_Mark] = []

    def agrees(self, mark: _Mark) -> bool:
        """Whether the mark needs no second look."""
        if self._pending:
            return False
        offset = self._offset
        if offset is None and self._is_level(mark):
            offset = (self._stated, self._stated)
        return offset is None or _common(offset, mark) is not None

    def hear(self, mark: _Mark) -> Iterator[Interval]:
        """Take the next reading; gives the intervals that it decides."""
        if self._offset is None and self._is_level(mark):
            self._offset, self._level = (self._stated, self._stated), None
        elif self._offset is None:
            self._offset, self._before = (mark.low, mark.high), mark
            return
        self._pending.append(mark)
        while self._pending and (decided := self._decide(self._offset)):
            yield from decided
            yield from self._judge_level(decided[-1])

    def _is_level(self, mark: _Mark) -> bool:
        """Whether the mark lies where D is stated, and that was not judged yet."""
        return self._level is not None and mark.reading.at >= self._level.at

    def _judge_level(self, last: Interval) -> Iterator[Interval]:
        """Set D as followed from before an opening balance against what that one says."""
        offset, mark = self._offset, self._before
        if self._level is None or last.until < self._level.at or offset is None or mark is None:
            return
        self._level = None
        agrees = offset[0] <= self._stated <= offset[1]
        difference = 0
        if agrees:
            self._offset = (self._stated, self._stated)
        else:
            nearest = offset[0] if offset[0] > self._stated else offset[1]
            difference = nearest - self._stated
        yield replace(
            last,
            before=None,
            claimed_low=Money(mark.cash_low),
            claimed_high=Money(mark.cash_high),
            explained=Money(mark.total + self._stated),
            difference=Money(difference),
            verdict=Proven.PROVEN if agrees else Proven.UNPROVEN,
            shifted=(),
        )

    def finish(self) -> Iterator[Interval]:
        """There are no more readings: what waits for one stays open."""
        for mark in self._pending:
            shifted = () if self._offset is None else _shifted(mark, self._offset) or ()
            yield self._interval(mark, Proven.OPEN, shifted=shifted)
        self._pending = []

    def _decide(self, offset: tuple[int, int]) -> list[Interval]:
        """The intervals that can be decided now, oldest first; none while timing is open."""
        first = self._pending[0]
        shifts: list[tuple[CashMovement, ...]] = []
        for index, mark in enumerate(self._pending):
            common = _common(offset, mark)
            if common is not None:
                self._offset = common
                return self._closed(shifts, index)
            shifted = _shifted(mark, offset)
            in_time = mark.reading.at <= first.reading.at + self._window
            if shifted is None or not (in_time or _all_may_follow(shifted, mark.reading)):
                # What seemed to be timing never came right: the first of it is a gap.
                self._pending.pop(0)
                self._offset = (first.low, first.high)
                return [self._interval(first, Proven.UNPROVEN, difference=_distance(offset, first))]
            shifts.append(shifted)
        return []

    def _closed(self, shifts: list[tuple[CashMovement, ...]], index: int) -> list[Interval]:
        """The pending readings up to `index`, the last of which agrees unaided."""
        marks, self._pending = self._pending[: index + 1], self._pending[index + 1 :]
        timing = [
            not _is_tie(mark.reading, shifted)
            for mark, shifted in zip(marks[:-1], shifts, strict=True)
        ]
        timing.append(any(timing))
        return [
            self._interval(mark, Proven.TIMING if crossed else Proven.PROVEN, shifted=shifted)
            for mark, crossed, shifted in zip(marks, timing, [*shifts, ()], strict=True)
        ]

    def _interval(
        self,
        mark: _Mark,
        verdict: Proven,
        *,
        difference: int = 0,
        shifted: tuple[CashMovement, ...] = (),
    ) -> Interval:
        before, self._before = self._before, mark
        level = before is None
        low = mark.cash_low - (0 if before is None else before.cash_high)
        high = mark.cash_high - (0 if before is None else before.cash_low)
        return Interval(
            before=None if before is None else before.reading,
            after=mark.reading,
            claimed_low=Money(low),
            claimed_high=Money(high),
            explained=Money(mark.total + self._stated if level else mark.explained),
            difference=Money(difference),
            verdict=verdict,
            movements=mark.movements,
            count=mark.count,
            shifted=shifted,
        )


def _common(offset: tuple[int, int], mark: _Mark) -> tuple[int, int] | None:
    """What D can be after both; `None` if they exclude each other."""
    low, high = max(offset[0], mark.low), min(offset[1], mark.high)
    return (low, high) if low <= high else None


def _distance(offset: tuple[int, int], mark: _Mark) -> int:
    """How far D has moved at least."""
    return mark.low - offset[1] if mark.low > offset[1] else mark.high - offset[0]


def _shifted(mark: _Mark, offset: tuple[int, int]) -> tuple[CashMovement, ...] | None:
    """The nearest movements that, moved across the reading, make it agree."""
    options: list[tuple[int, int, tuple[CashMovement, ...]]] = []
    unbound = tuple(each for each in mark.earlier if each.may_follow(mark.reading.at))
    for sign, movements in ((1, unbound), (1, mark.earlier), (-1, mark.later)):
        moved = 0
        for number, movement in enumerate(movements, start=1):
            moved += sign * movement.amount.units
            if mark.low + moved <= offset[1] and mark.high + moved >= offset[0]:
                distance = 0 if movements is unbound else abs(movement.at - mark.reading.at)
                options.append((distance, number, movements[:number]))
                break
    return min(options, key=lambda option: option[:2])[2] if options else None


def _all_may_follow(shifted: Iterable[CashMovement], reading: BalanceStated) -> bool:
    return all(each.may_follow(reading.at) for each in shifted)


def _is_tie(reading: BalanceStated, shifted: Sequence[CashMovement]) -> bool:
    """Whether nothing tells which came first: they share a second that the reading's time
    cannot divide, or only bounds of the movements' times are known.
    """
    if _all_may_follow(shifted, reading):
        return True
    return reading.at % SECOND == 0 and all(
        movement.at // SECOND == reading.at // SECOND for movement in shifted
    )
