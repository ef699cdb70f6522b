"""Work that is repeated: pauses as people write them, and the loop that keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from trueup.core.errors import (
    BooksError,
    CallerError,
    OutcomeUnknown,
    ProtocolBroken,
    RateLimited,
    TrueupError,
)
from trueup.core.instant import SECOND
from trueup.run.clock import Clock

_INTERVAL: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d)?\Z", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
PAUSE_MIN_SECONDS: Final = 5


def parse_interval(text: str) -> int:
    """Whole seconds from ``90s``, ``15m``, ``1h``, ``1d`` or plain seconds.

    Raises `CallerError` for anything else and for pauses under five seconds.
    """
    match = _INTERVAL.match(text.strip().lower())
    seconds = int(match[1]) * _SECONDS[match[2] or "s"] if match else 0
    if seconds < PAUSE_MIN_SECONDS:
        raise CallerError(
            f"{text!r} is no pause of at least {PAUSE_MIN_SECONDS} seconds.",
            remedy="Write it like 90s, 15m or 1h.",
        )
    return seconds


_MAY_PASS: Final = (OutcomeUnknown, RateLimited, ProtocolBroken, BooksError)
"""Failures that another round may not meet: no answer, too much traffic, somebody else writes."""


def repeat(
    work: Callable[[], None],
    *,
    pause_seconds: int,
    clock: Clock,
    failed: Callable[[TrueupError], None],
    rounds: int | None = None,
) -> None:
    """Do the work again and again, `rounds` times (`None`: until interrupted).

    Once a round has succeeded, failures that may pass are told to `failed` and
    the next round comes as if nothing had been.  Before that only silence of the
    exchange is borne: books that cannot be opened will not open by waiting.
    Raises everything else, such as a refused key.
    """
    done = 0
    has_succeeded = False
    while True:
        try:
            work()
            has_succeeded = True
        except _MAY_PASS as error:
            if isinstance(error, BooksError) and not has_succeeded:
                raise
            failed(error)
        done += 1
        if done == rounds:
            return
        clock.sleep(pause_seconds * SECOND)
