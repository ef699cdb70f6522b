"""What a FIX message is made of, as Python classes.

A message is a frozen struct; every attribute is annotated with the field that
carries it, and a repeating group is a tuple of entries:

    class Party(Block, frozen=True, kw_only=True, gc=False):
        party_id: Annotated[str | None, fields.PartyID] = None

    class OrderGroupRequest(Message, …):
        TYPE = "UOG"
        SENT_BY = Sender.CLIENT
        action: Annotated[OrderGroupAction, fields.OrderGroupAction]
        parties: Annotated[tuple[Party, ...], fields.NoPartyIDs] = ()

That class *is* the dictionary entry: codec, documentation and exported dictionary are
derived from it.  An attribute that may be `None` is optional; `Required` beside the
field says that the exchange demands it nevertheless, of one side or on paper only (a
message that lacks it is still read).  The order of the attributes is the order on
the wire; the first attribute of a group's entry is its delimiter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import msgspec

__all__ = ["Block", "Message", "Required", "Sender"]


class Sender(StrEnum):
    """Who sends a message."""

    CLIENT = "client"
    EXCHANGE = "exchange"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Required:
    """The field is required of messages that `of` sends, though reading forgives its absence."""

    of: Sender = Sender.BOTH


class Block(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fields that belong together: a header, the body of a message, an entry of a group."""


class Message(Block, frozen=True, kw_only=True, gc=False):
    """The body of a message.

    `TYPE` is its MsgType (35), `SENT_BY` who sends it, `IS_ADMIN` whether it belongs to
    the session: such messages are never sent again but filled by a gap fill.
    """

    TYPE: ClassVar[str] = ""
    SENT_BY: ClassVar[Sender] = Sender.BOTH
    IS_ADMIN: ClassVar[bool] = False
