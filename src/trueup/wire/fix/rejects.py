"""How a message is refused: by the session for its content, by the application for its wish."""

from __future__ import annotations

from enum import StrEnum

from trueup.wire.fix.errors import Unusable
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.session import BusinessMessageReject, Header, Reject


class RejectReason(StrEnum):
    """The codes of SessionRejectReason (373) that the session itself uses."""

    WRONG_VALUE = "5"
    WRONG_NAME = "9"
    WRONG_TIME = "10"


_NOT_AUTHORIZED = "6"


def one_line(text: str) -> str:
    """Words that may stand in Text (58)."""
    return text.replace(SOH, "|")


def reject(header: Header, reason: RejectReason, text: str, *, tag: int | None = None) -> Reject:
    """The message was read, and the session cannot take it."""
    return Reject(
        refused_sequence=header.sequence, refused_tag=tag, reason=reason.value, text=one_line(text)
    )


def reject_unusable(header: Header, error: Unusable) -> Reject:
    """The message could not be read."""
    return Reject(
        refused_sequence=header.sequence,
        refused_tag=error.tag or None,
        refused_type=error.message_type or None,
        reason=str(error.reject_reason),
        text=one_line(str(error)),
    )


def refuse(header: Header, message: Message, text: str) -> BusinessMessageReject:
    """The message is sound and not allowed here."""
    return BusinessMessageReject(
        refused_sequence=header.sequence,
        refused_type=message.TYPE,
        reason=_NOT_AUTHORIZED,
        text=one_line(text),
    )
