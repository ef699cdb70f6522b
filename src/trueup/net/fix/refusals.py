"""What a refused logon means: try again, or tell a person.

The exchange says why in words (58).  A refusal that passes (the last connection still
counts, the service is busy) is repeated with growing pauses; one that does not (no
entitlement, a wrong key or clock) is an error at once, since every attempt is noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.instant import SECOND


class FixRefused(ExchangeRefused):
    """The exchange refused a FIX logon.  `details` are its own words."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How to take certain words.  `pause` is the shortest wait (microseconds) before the
    next attempt, `None` when there must be none.
    """

    words: str
    pause: int | None
    remedy: str


_REFUSALS: Final = (
    Refusal(
        "already exists",
        5 * SECOND,
        "Another connection of this key is open, or an earlier one has not timed out yet. "
        "A key has one FIX connection: give this one a key of its own.",
    ),
    Refusal("rate limit exceeded", 5 * SECOND, "Log on less often."),
    Refusal("busy", 2 * SECOND, "The exchange's logon service is busy."),
    Refusal(
        "api usage level",
        None,
        "FIX needs the Premier tier or above: `trueup doctor` shows the tier of the account; "
        "ask the exchange for the upgrade. Everything else works over REST and WebSocket.",
    ),
    Refusal(
        "invalid targetcompid",
        None,
        "The port belongs to another session: leave the address out to get the right one.",
    ),
    Refusal(
        "signature",
        None,
        "Check that the private key belongs to the key id, and that the key may use FIX.",
    ),
    Refusal(
        "sendingtime", None, "The clock of this machine is off by more than 30 seconds: set it."
    ),
    Refusal("clock", None, "The clock of this machine is off by more than 30 seconds: set it."),
    Refusal("msgseqnum", None, "The numbers of both sides differ: log on once with a reset."),
)


def judge_refusal(words: str) -> Refusal:
    """What the words of a refusal ask for; unknown words are not tried again."""
    lowered = words.lower()
    for refusal in _REFUSALS:
        if refusal.words in lowered:
            return refusal
    return Refusal("", None, "The exchange's words say why; nothing was sent after them.")
