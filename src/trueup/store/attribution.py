"""Whose gain was it?  The P&L of a market, shared out over its fills.  Pure.

A fill that closes earned what it realised, minus its fee.  What settlement
brought belongs to the fills that had opened the contracts it paid: it is shared
by the contracts each of them opened since the position was last flat, and what
does not divide stays with the last of them.  So the fills of a market always
sum to its P&L.  This serves the view `kalshi_orders` only; positions and round
trips have their own exact figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trueup.core.facts import Stream
from trueup.ledger.entries import EntryKind
from trueup.ledger.lines import Line

# Looking a member up on its enum costs as much as the rest of a loop.
_FILL: Final = EntryKind.FILL
_SETTLEMENT: Final = EntryKind.SETTLEMENT
_FILLS: Final = Stream.FILLS


class Attribution:
    """Walks the entries of one market in order; `profits` holds one figure per entry."""

    __slots__ = ("_held", "_opened", "_paid", "profits")

    def __init__(self) -> None:
        self.profits: list[int] = []
        self._held = 0
        self._opened: dict[int, int] = {}
        """Contracts opened since flat, by the place of the entry that opened them."""
        self._paid: dict[int, int] = {}
        """The same at the last settlement, in case that is taken back."""

    def add(self, line: Line) -> None:
        """Take in the next entry."""
        gain = line.realized - line.fees
        before, after = self._held, self._held + line.held
        self._held = after
        if line.kind is _FILL:
            self._add_fill(gain, before, after)
        elif line.kind is _SETTLEMENT:
            self._share(gain, self._opened)
            self._paid, self._opened = self._opened, {}
        elif line.stream is not _FILLS:
            self._share(gain, self._paid)
            self._opened = self._paid
        else:
            self.profits.append(gain)

    def _add_fill(self, gain: int, before: int, after: int) -> None:
        self.profits.append(gain)
        kept = abs(before) if before * after > 0 else 0
        if not kept:
            self._opened.clear()
        if abs(after) > kept:
            self._opened[len(self.profits) - 1] = abs(after) - kept

    def _share(self, gain: int, opened: dict[int, int]) -> None:
        """Share a gain by contracts; without any, it stays with the entry itself."""
        self.profits.append(0)
        rest, contracts = gain, sum(opened.values())
        for place, count in opened.items():
            part = gain * count // contracts
            self.profits[place] += part
            rest -= part
        self.profits[next(reversed(opened), -1)] += rest


def attribute(lines: Iterable[Line]) -> list[int]:
    """The profit attributed to each entry, in their order."""
    attribution = Attribution()
    for line in lines:
        attribution.add(line)
    return attribution.profits
