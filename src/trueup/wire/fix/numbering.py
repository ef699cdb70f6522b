"""The numbers of both directions, and a gap while it is being closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.instant import SECOND, Instant

RESEND_PATIENCE: Final = 30 * SECOND
"""How long a gap may stand still before it is asked for again."""

RESEND_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Sequences:
    """The number of the next message of each direction."""

    next_out: int = 1
    next_in: int = 1


FROM_ONE: Final = Sequences()


class Place(StrEnum):
    """Where a number stands against the expected one."""

    BEHIND = "behind"
    IN_TURN = "in turn"
    AHEAD = "ahead"


@dataclass(slots=True)
class Gap:
    """Numbers that were asked for: everything from the expected one up to `until`."""

    until: int
    asked_at: Instant
    attempts: int = 1


class Numbering:
    """Counts both directions."""

    def __init__(self, sequences: Sequences) -> None:
        self.sequences = sequences
        self.gap: Gap | None = None

    @property
    def next_in(self) -> int:
        """The number that should come next."""
        return self.sequences.next_in

    def place(self, sequence: int) -> Place:
        """Whether this number is expected."""
        if sequence == self.next_in:
            return Place.IN_TURN
        return Place.BEHIND if sequence < self.next_in else Place.AHEAD

    def advance(self, next_in: int) -> None:
        """Everything below `next_in` is dealt with; a gap below it is closed."""
        self.sequences = replace(self.sequences, next_in=next_in)
        if self.gap is not None and next_in > self.gap.until:
            self.gap = None

    def take(self) -> int:
        """The number of a message that is about to be sent."""
        taken = self.sequences.next_out
        self.sequences = replace(self.sequences, next_out=taken + 1)
        return taken

    def progress(self, now: Instant) -> None:
        """Something came in turn: a gap is being closed."""
        if self.gap is not None:
            self.gap.asked_at = now

    def too_low(self, sequence: int) -> str:
        """The words for a number that was used before."""
        return f"{TOO_LOW}, expecting {self.next_in} but received {sequence}"


TOO_LOW: Final = "MsgSeqNum too low"
