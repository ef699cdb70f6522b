"""The duty to cancel everything, kept until it is proven that nothing rests.

    ordered ──▶ cancel-all ──▶ read what rests ──nothing──▶ proven
                    ▲                 │ something
                    ╰──── wait ◀──────╯ (each is cancelled by name, too)

"Cancelled" is never believed: the exchange's lists must be read, and must be as
current as the cancel.  What cannot be cancelled (its market is paused or
closed) is a reported state, and the duty goes on.  The duty is durable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from trueup.core.ids import Subaccount
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.engine.effects import (
    Alert,
    AlertKind,
    Cancel,
    Effect,
    Persist,
    ReadResting,
    Sweep,
    WakeAt,
)
from trueup.engine.inputs import RestingRead, SweepEnded
from trueup.engine.records import SweepOrdered, SweepProven

QUIET: Final = MINUTE
"""Orders placed within this time after a cancel-all may be cancelled by it (the exchange's
page *Cancel all orders*)."""

_RETRY: Final = (SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND)


@dataclass(frozen=True, slots=True)
class Duty:
    """The sweep that is under way.  `canceled_at` is when the last cancel-all was taken."""

    order: SweepOrdered
    tries: int = 0
    canceled_at: Instant | None = None
    due_at: Instant | None = None
    reading: bool = False
    """Whether what is due is another look, not another cancel-all."""


class Sweeper:
    """Carries the duty out.  `duty` is `None` when there is none."""

    def __init__(self) -> None:
        self.duty: Duty | None = None
        self.quiet_until = Instant(0)

    def restore(self, record: SweepOrdered | SweepProven) -> None:
        """Take over a record that was found at start; the duty is then due at once."""
        if isinstance(record, SweepOrdered):
            self.duty = Duty(record)
            self.quiet_until = Instant(record.at + QUIET)
        else:
            self.duty = None

    def order(self, record: SweepOrdered, out: list[Effect]) -> None:
        """Take the duty on.  One that is under way takes the new subaccounts in."""
        if self.duty is not None:
            both = {*self.duty.order.subaccounts, *record.subaccounts}
            record = replace(record, subaccounts=tuple(sorted(both)))
        self.duty = Duty(record)
        out.append(Persist(record=record))
        self.start(record.at, out)

    def start(self, at: Instant, out: list[Effect]) -> None:
        """Cancel everything now; nothing when there is no duty."""
        if self.duty is None:
            return
        self.duty = replace(self.duty, tries=self.duty.tries + 1, due_at=None)
        self.quiet_until = Instant(at + QUIET)
        out.append(Sweep(subaccounts=self.duty.order.subaccounts))

    def ended(self, said: SweepEnded, out: list[Effect]) -> None:
        """The exchange took the cancel-all, or did not."""
        if self.duty is None:
            return
        if said.done:
            self.quiet_until = Instant(said.at + QUIET)
            self.duty = replace(self.duty, canceled_at=said.at)
            out.append(ReadResting(subaccounts=self.duty.order.subaccounts))
            return
        if self.duty.tries == 1:
            words = f"cancel-all failed and is tried again: {said.words}"
            out.append(Alert(at=said.at, kind=AlertKind.SWEPT, words=words))
        self._later(said.at, out)

    def read(self, said: RestingRead, out: list[Effect], *, under_way: bool = False) -> bool:
        """What rests was read.  Returns whether the duty is done and proven.

        `under_way` says that an order of ours may still live: it was asked about, and may
        have come to rest after what was read.
        """
        duty = self.duty
        if duty is None:
            return False
        if duty.canceled_at is None or said.as_of < duty.canceled_at:
            self._later(said.at, out, reading=duty.canceled_at is not None)
            return False
        if not said.resting and under_way:
            self._later(said.at, out, reading=True)
            return False
        if not said.resting:
            self.duty = None
            out.append(Persist(record=SweepProven(at=said.at)))
            places = ", ".join(str(each) for each in duty.order.subaccounts)
            words = f"nothing rests any more on subaccount {places}"
            out.append(Alert(at=said.at, kind=AlertKind.SWEPT, words=words))
            return True
        if duty.tries in {2, 5, 20}:
            names = ", ".join(sorted({each.ticker for each in said.resting}))
            words = f"{len(said.resting)} orders still rest, in {names}; cancelling goes on"
            out.append(Alert(at=said.at, kind=AlertKind.SWEPT, words=words))
        out.extend(
            Cancel(
                order_id=each.order_id,
                client_order_id=None,
                ticker=each.ticker,
                subaccount=each.subaccount,
                shard=each.shard,
            )
            for each in said.resting
        )
        self._later(said.at, out)
        return False

    def wake(self, at: Instant, out: list[Effect]) -> None:
        """Try again when it is time."""
        duty = self.duty
        if duty is None or duty.due_at is None or at < duty.due_at:
            return
        if duty.reading:
            self.duty = replace(duty, due_at=None, reading=False)
            out.append(ReadResting(subaccounts=duty.order.subaccounts))
        else:
            self.start(at, out)

    def places(self) -> tuple[Subaccount, ...]:
        """The subaccounts that the duty concerns."""
        return () if self.duty is None else self.duty.order.subaccounts

    def _later(self, at: Instant, out: list[Effect], *, reading: bool = False) -> None:
        if self.duty is None:
            return
        wait = _RETRY[0] if reading else _RETRY[min(self.duty.tries, len(_RETRY)) - 1]
        due = Instant(at + wait)
        self.duty = replace(self.duty, due_at=due, reading=reading)
        out.append(WakeAt(at=due))
