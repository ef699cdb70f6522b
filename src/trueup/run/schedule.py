"""Pauses between repeated work, as people write them."""

from __future__ import annotations

import re
from typing import Final

from trueup.core.errors import CallerError

_INTERVAL: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d)?\Z")
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
