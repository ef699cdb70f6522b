"""When to try again, as arithmetic.

Only calls that change nothing are repeated.  The pause before attempt n is
drawn evenly from zero up to a ceiling that doubles (full jitter: many clients
that failed together must not come back together), never longer than the rest
of the time budget.  Nothing here sleeps, and chance is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from trueup.core.instant import SECOND


class Chance(Protocol):
    """A source of random numbers; `random.Random` is one."""

    def randrange(self, start: int, /) -> int:
        """A number from 0 up to, not including, `start`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long.  All times in microseconds.

    `attempts` counts the first one.  `total` bounds the time from the first
    attempt to the start of the last; `ceiling` one pause.
    """

    attempts: int = 5
    first: int = SECOND // 4
    ceiling: int = 8 * SECOND
    total: int = 60 * SECOND


def pause_before_retry(
    policy: RetryPolicy, attempt: int, spent: int, *, chance: Chance, at_least: int = 0
) -> int | None:
    """Microseconds to wait after the failed attempt number `attempt` (from 1), None to give up.

    `spent` is the time since the first attempt began.  `at_least` is a wait that
    the other side asks for (an empty token bucket); the jitter comes on top.
    """
    if attempt >= policy.attempts:
        return None
    ceiling = min(policy.ceiling, policy.first << (attempt - 1))
    pause = at_least + chance.randrange(ceiling + 1)
    return pause if max(0, spent) + pause <= policy.total else None
