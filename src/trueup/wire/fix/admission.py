"""Who may log on: the rules that the exchange applies to a logon before anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trueup.core.instant import Instant
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.logon import HEARTBEAT_SECONDS_MIN, SENDING_TIME_WINDOW
from trueup.wire.fix.messages.session import Header, Logon
from trueup.wire.fix.resend import SentLog
from trueup.wire.fix.session_kinds import SessionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A client may come in: where the numbering of its session stands, and what it was sent."""

    log: SentLog
    unit: PriceUnit
    next_out: int = 1
    next_in: int = 1


Admit = Callable[[Header, Logon, bytes], Admission | str]
"""Judges a logon by its header, itself and the text that its signature must cover.

A text refuses it; the words are sent to the client (``already exists``,
``API usage level is not allowed for FIX``, …).
"""


def logon_complaint(kind: SessionKind, header: Header, logon: Logon, now: Instant) -> str:
    """What is wrong with a logon on its face; empty when nothing is."""
    terms = kind.terms
    problems = (
        (header.target != kind.value, f"Invalid TargetCompID for {kind.value}"),
        (logon.encryption != "0", "EncryptMethod must be 0"),
        (logon.heartbeat_seconds < HEARTBEAT_SECONDS_MIN, "HeartBtInt must be greater than 3"),
        (logon.default_application_version != "9", "DefaultApplVerID must be 9"),
        (not logon.signature, "RawData is required"),
        (
            abs(now - header.sending_time) > SENDING_TIME_WINDOW,
            "SendingTime is more than 30 seconds from the time of the server",
        ),
        (
            terms.must_reset and not logon.reset_sequences,
            f"ResetSeqNumFlag is required on {kind.value}",
        ),
        (bool(logon.reset_sequences) and header.sequence != 1, "MsgSeqNum must be 1 after a reset"),
        (
            bool(logon.is_listener) and not terms.may_listen,
            f"ListenerSession is not available on {kind.value}",
        ),
        (
            bool(logon.is_listener) and bool(logon.cancel_orders_on_disconnect),
            "CancelOrdersOnDisconnect must be N on a listener session",
        ),
        (
            bool(logon.is_listener) and not logon.skip_pending_reports,
            "SkipPendingExecReports must be Y on a listener session",
        ),
    )
    return next((says for is_wrong, says in problems if is_wrong), "")


def names_complaint(header: Header, *, mine: str, theirs: set[str]) -> str:
    """What is wrong with the names of a message; empty when it belongs to this session."""
    if header.target != mine:
        return f"TargetCompID is {header.target!r}, this is {mine!r}"
    if header.sender not in theirs:
        return f"SenderCompID is {header.sender!r}, expected {' or '.join(sorted(theirs))}"
    return ""
