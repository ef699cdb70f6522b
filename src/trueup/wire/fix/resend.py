"""Sending again: what was sent, for how long, and how it is marked.

A resent message keeps its number and carries PossDupFlag (43=Y) and the time of its
first sending (122).  Messages of the session itself are never sent again: a
SequenceReset with GapFillFlag stands for them.  So does it for what is no longer kept,
and for everything that a client ever sent: an order of a minute ago must not come to
life because a connection was lost.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

from trueup.core.instant import Instant
from trueup.wire.fix.frame import close_frame, open_frame
from trueup.wire.fix.kinds import write_instant
from trueup.wire.fix.messages.session import ResendRequest
from trueup.wire.fix.pairs import join_body, split_body

MESSAGES_MAX: Final = 100_000


class SentLog(Protocol):
    """Remembers application messages by their number."""

    def put(self, sequence: int, raw: bytes, at: Instant) -> None:
        """Keep a message that is about to be sent."""
        ...

    def get(self, sequence: int) -> bytes | None:
        """A message that is still kept."""
        ...

    def clear(self) -> None:
        """Forget everything: the numbers start anew."""
        ...


class NothingKept:
    """A client's log: everything it sent is filled over."""

    def put(self, sequence: int, raw: bytes, at: Instant) -> None:
        """Keep nothing."""

    def get(self, sequence: int) -> bytes | None:
        """Nothing is kept."""
        del sequence
        return None

    def clear(self) -> None:
        """There is nothing to forget."""


class MemoryLog:
    """Keeps the newest messages for a time (microseconds), at most `MESSAGES_MAX` of them."""

    def __init__(self, retention: int, *, messages_max: int = MESSAGES_MAX) -> None:
        self._retention = retention
        self._messages_max = messages_max
        self._kept: OrderedDict[int, tuple[Instant, bytes]] = OrderedDict()

    def put(self, sequence: int, raw: bytes, at: Instant) -> None:
        """Keep a message, and forget those that are too old."""
        kept = self._kept
        kept[sequence] = at, raw
        while len(kept) > self._messages_max or next(iter(kept.values()))[0] < at - self._retention:
            kept.popitem(last=False)

    def get(self, sequence: int) -> bytes | None:
        """A message that is still kept."""
        found = self._kept.get(sequence)
        return None if found is None else found[1]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


def answer_to(request: ResendRequest, log: SentLog, next_out: int) -> list[bytes | range]:
    """What to send again, in order: a message, or a range of numbers to fill over.

    `next_out` is the number of the next new message.
    """
    answer: list[bytes | range] = []
    end = min(request.end or next_out, next_out - 1)
    fill_from = max(1, request.begin)
    for sequence in range(fill_from, end + 1):
        raw = log.get(sequence)
        if raw is None:
            continue
        if fill_from < sequence:
            answer.append(range(fill_from, sequence))
        answer.append(raw)
        fill_from = sequence + 1
    if fill_from <= end:
        answer.append(range(fill_from, end + 1))
    return answer


def marked_as_resent(raw: bytes, at: Instant) -> bytes:
    """A message as it is sent again at `at`: same number, 43=Y, 122 = when it was first sent."""
    tags, values = split_body(open_frame(raw))
    place = tags.index("52")
    first_sent = values[place]
    values[place] = write_instant(at)
    tags[place + 1 : place + 1] = ["43", "122"]
    values[place + 1 : place + 1] = ["Y", first_sent]
    return close_frame(join_body(tags, values))
