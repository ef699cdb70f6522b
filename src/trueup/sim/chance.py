"""Chance as an argument: what the simulation needs of a random generator.

`random.Random(seed)` fits.  Only whole numbers are drawn, so a world is the
same on every machine and nothing near money ever touches a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Chance(Protocol):
    """A seeded source of whole numbers."""

    def randrange(self, start: int, stop: int, /) -> int:
        """A number from `start` up to, but not including, `stop`."""
        ...

    def getrandbits(self, k: int, /) -> int:
        """A number of `k` random bits."""
        ...


def between(chance: Chance, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return chance.randrange(low, high + 1)


def happens(chance: Chance, percent: int) -> bool:
    """True in `percent` of 100 cases."""
    return chance.randrange(0, 100) < percent


def pick(chance: Chance, choices: Sequence[T]) -> T:
    """One of `choices`, all equally likely."""
    return choices[chance.randrange(0, len(choices))]


def identifier(chance: Chance) -> str:
    """A random identifier in the form of a version 4 UUID."""
    bits = chance.getrandbits(128)
    bits = bits & ~(0xF << 76) | (0x4 << 76)
    bits = bits & ~(0x3 << 62) | (0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
