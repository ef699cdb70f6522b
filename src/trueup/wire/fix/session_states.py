"""The life of a session as a table, and what the machine asks of its driver.

                connect            logon accepted
DISCONNECTED ───────────▶ LOGON_SENT ───────────▶ ESTABLISHED ──▶ LOGOUT_SENT
     ▲      ───────────▶ LOGON_AWAITED ─────────▶      │               │
     └────────────────────────────────────────────────┴───────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.wire.fix.codec import Received
from trueup.wire.fix.errors import Garbled, Unusable
from trueup.wire.fix.numbering import TOO_LOW


class State(StrEnum):
    """Where a session stands."""

    DISCONNECTED = "disconnected"
    LOGON_SENT = "logon sent"
    LOGON_AWAITED = "logon awaited"
    ESTABLISHED = "established"
    LOGOUT_SENT = "logout sent"


class Trigger(StrEnum):
    """What moves it."""

    CONNECTED = "connected"
    ACCEPTED_CONNECTION = "accepted a connection"
    LOGGED_ON = "logged on"
    LOGOUT_SENT = "logout sent"
    ENDED = "ended"


TRANSITIONS: Final[Mapping[tuple[State, Trigger], State]] = {
    (State.DISCONNECTED, Trigger.CONNECTED): State.LOGON_SENT,
    (State.DISCONNECTED, Trigger.ACCEPTED_CONNECTION): State.LOGON_AWAITED,
    (State.LOGON_SENT, Trigger.LOGGED_ON): State.ESTABLISHED,
    (State.LOGON_SENT, Trigger.ENDED): State.DISCONNECTED,
    (State.LOGON_AWAITED, Trigger.LOGGED_ON): State.ESTABLISHED,
    (State.LOGON_AWAITED, Trigger.ENDED): State.DISCONNECTED,
    (State.ESTABLISHED, Trigger.LOGOUT_SENT): State.LOGOUT_SENT,
    (State.ESTABLISHED, Trigger.ENDED): State.DISCONNECTED,
    (State.LOGOUT_SENT, Trigger.ENDED): State.DISCONNECTED,
}
"""Everything else is a defect of the machine."""


class Ending(StrEnum):
    """Why a connection ended, by what to do next."""

    LOGGED_OUT = "logged out"
    """We asked for it, or the other side did without a complaint."""

    REFUSED = "refused"
    """The logon was refused: the text says why."""

    SILENT = "silent"
    """Nothing came in time: connect again."""

    OUT_OF_SEQUENCE = "out of sequence"
    """The numbers of both sides do not fit: a reset or a person must decide."""

    BROKEN = "broken"
    """The other side does not speak FIX, or not this session's."""

    LOST = "lost"
    """The connection broke."""


def ending_of(text: str, otherwise: Ending) -> Ending:
    """What the words of a Logout mean for the next connection."""
    return Ending.OUT_OF_SEQUENCE if TOO_LOW in text else otherwise


@dataclass(frozen=True, slots=True)
class Transmit:
    """Write these bytes.  The sequences must be stored before."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message for the application, in order.  On a client also a Reject of what it sent.

    `raw` is the message as it came, where whoever reads the line added it.
    """

    received: Received
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message took up its number and could not be read.

    `error.raw` is the whole message: keep it, so that nothing is lost.
    """

    error: Unusable


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that were no message, or a message whose bytes were changed on the way."""

    error: Garbled


@dataclass(frozen=True, slots=True)
class Missed:
    """Messages `begin` to `end` will never come: ask another source (REST) what they said."""

    begin: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class GapFilled:
    """The other side declared `begin` to `end` to be of no interest (messages of the session,
    or reports that it no longer keeps).
    """

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """The session is established.  `was_reset` says that both numberings began anew."""

    peer: str
    was_reset: bool


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection, after everything before was written."""

    ending: Ending
    text: str


Output = Transmit | Deliver | Unreadable | Skipped | Missed | GapFilled | LoggedOn | Disconnect
