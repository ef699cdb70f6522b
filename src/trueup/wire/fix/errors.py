"""What can be wrong with a FIX message, by what is left of it.

    ProtocolBroken
    └── FixBroken                 any message that cannot be taken as it stands
        ├── Garbled                   nothing in it can be trusted, not even its number
        │   ├── WrongChecksum             10 is not the sum of the bytes
        │   ├── WrongBodyLength           9 is not the length of the body
        │   ├── Truncated                 it ends before its own length
        │   ├── OverLong                  longer than we are willing to hold
        │   └── MalformedField            a field without ``=``, without a tag, out of place
        └── Unusable                  its number is known, its content is not usable
            ├── UnknownMessageType        no such 35 in the dictionary
            ├── RepeatedTag               a tag twice where it may stand once
            ├── MissingTag                a required tag is not there
            ├── EmptyValue                a tag without a value
            ├── WrongValue                a value that its field cannot hold
            └── GroupBroken               a repeating group whose count or order lies

A garbled message is skipped, as the standard demands, and the gap in the numbers
tells of it; an unusable one takes up its number, is answered with a Reject and is
handed on raw, so that nothing is lost.
"""

from __future__ import annotations

from typing import Final

from trueup.core.errors import ProtocolBroken
from trueup.wire.fix.messages.session import Header

_EVIDENCE_CHARACTERS: Final = 300


class FixBroken(ProtocolBroken):
    """A FIX message cannot be taken as it stands.

    `tag` is the field at fault (0: none in particular), `reject_reason` the code of
    SessionRejectReason (373) that says so to the other side.
    """

    reject_reason: int = 99

    def __init__(self, message: str, *, tag: int = 0, evidence: str = "") -> None:
        super().__init__(message, evidence=evidence[:_EVIDENCE_CHARACTERS])
        self.tag = tag


class Garbled(FixBroken):
    """Nothing in the message can be trusted."""


class WrongChecksum(Garbled):
    """CheckSum (10) is not the sum of the bytes before it."""


class WrongBodyLength(Garbled):
    """BodyLength (9) is not the length of the body."""


class Truncated(Garbled):
    """The message ends before its own length says."""


class OverLong(Garbled):
    """The message is longer than we are willing to hold."""


class MalformedField(Garbled):
    """A field has no ``=``, no decimal tag, or stands where it must not."""


class Unusable(FixBroken):
    """The frame is sound, the content is not.

    `header` is the message's header (None when that is broken too), `message_type` its
    MsgType (35), `raw` all of it.
    """

    raw: bytes = b""

    header: Header | None = None
    message_type: str = ""


class UnknownMessageType(Unusable):
    """MsgType (35) is not in the dictionary."""

    reject_reason = 11


class RepeatedTag(Unusable):
    """A tag appears twice where it may stand once."""

    reject_reason = 13


class MissingTag(Unusable):
    """A required tag is not there."""

    reject_reason = 1


class EmptyValue(Unusable):
    """A tag without a value."""

    reject_reason = 4


class WrongValue(Unusable):
    """A value that its field cannot hold, or a word that is not on its list."""

    reject_reason = 5


class GroupBroken(Unusable):
    """The count of a repeating group is not the number of its entries."""

    reject_reason = 16
