"""The dictionary: which messages there are, and what each is made of.

Derived from the message classes; nothing is written down twice.  A `Layout` is one
block (a header, a body, an entry of a group) with its members in the order of the
wire.  `Dictionary` holds the layouts for one unit of prices.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from trueup.core.errors import InvariantBroken
from trueup.wire.fix import fields as f
from trueup.wire.fix.fields import Field
from trueup.wire.fix.kinds import AnyKind, Kind, PriceUnit
from trueup.wire.fix.message import Block, Message, Required, Sender
from trueup.wire.fix.messages import market_data, orders, quotes, session, settlement

MESSAGES: Final[tuple[type[Message], ...]] = (
    session.Heartbeat,
    session.TestRequest,
    session.ResendRequest,
    session.Reject,
    session.SequenceReset,
    session.Logout,
    session.Logon,
    session.BusinessMessageReject,
    orders.NewOrderSingle,
    orders.OrderCancelReplaceRequest,
    orders.OrderCancelRequest,
    orders.ExecutionReport,
    orders.OrderCancelReject,
    orders.OrderMassCancelRequest,
    orders.OrderMassCancelReport,
    orders.OrderGroupRequest,
    orders.OrderGroupResponse,
    orders.EventResendRequest,
    orders.EventResendComplete,
    orders.EventResendReject,
    settlement.MarketSettlementReport,
    market_data.MarketDataRequest,
    market_data.MarketDataSnapshotFullRefresh,
    market_data.MarketDataIncrementalRefresh,
    market_data.MarketDataRequestReject,
    market_data.SecurityStatusRequest,
    market_data.SecurityStatus,
    quotes.QuoteRequest,
    quotes.QuoteRequestAck,
    quotes.QuoteRequestReject,
    quotes.Quote,
    quotes.QuoteShown,
    quotes.QuoteCancel,
    quotes.QuoteCancelStatus,
    quotes.QuoteStatusReport,
    quotes.QuoteConfirm,
    quotes.QuoteConfirmStatus,
    quotes.AcceptQuote,
    quotes.AcceptQuoteStatus,
    quotes.RFQCancel,
    quotes.RFQCancelStatus,
)

FRAME_TAGS: Final = frozenset({"8", "9", "10", "35"})
"""What the codec itself writes and checks."""


@dataclass(frozen=True, slots=True)
class Member:
    """One attribute of a block: its field, and how its value is read and written.

    `entry` is the layout of a group's entries, `None` for a plain field.  `required`
    must be there to be read at all; `required_of` says whose messages must have it.
    """

    name: str
    field: Field
    kind: AnyKind
    required: bool
    required_of: Sender | None
    entry: Layout | None

    @property
    def tag(self) -> str:
        """The number as it stands in a message."""
        return str(self.field.tag)


@dataclass(frozen=True)
class Layout:
    """A block and its members."""

    block: type[Block]
    members: tuple[Member, ...]

    @cached_property
    def by_tag(self) -> Mapping[str, Member]:
        """The members by number; a data field's length counts with it."""
        return {member.tag: member for member in self.members}

    @cached_property
    def lengths(self) -> Mapping[str, str]:
        """Number of the length field → number of its data field."""
        return {
            str(member.field.length_tag): member.tag
            for member in self.members
            if member.field.length_tag
        }

    @cached_property
    def groups(self) -> tuple[Member, ...]:
        """The repeating groups directly in this block."""
        return tuple(member for member in self.members if member.entry is not None)

    @cached_property
    def reach(self) -> frozenset[str]:
        """Every number that may occur in this block, nested groups included."""
        nested = (member.entry.reach for member in self.members if member.entry is not None)
        return frozenset(self.by_tag).union(self.lengths, *nested)

    @property
    def delimiter(self) -> str:
        """The number that opens every entry of a group."""
        return self.members[0].tag


@dataclass(frozen=True)
class Dictionary:
    """All layouts for sessions that write their prices in one unit."""

    header: Layout
    trailer: Layout
    messages: tuple[Layout, ...]

    @cached_property
    def by_class(self) -> Mapping[type[Message], Layout]:
        """The layout of a message that is to be written."""
        return {typing.cast("type[Message]", layout.block): layout for layout in self.messages}

    def sent_by(self, sender: Sender) -> Mapping[str, Layout]:
        """MsgType → layout of what one side sends."""
        return {
            kind.TYPE: layout
            for kind, layout in self.by_class.items()
            if kind.SENT_BY in {sender, Sender.BOTH}
        }


@cache
def dictionary(unit: PriceUnit) -> Dictionary:
    """The dictionary of sessions that write their prices in `unit`."""
    return Dictionary(
        header=_layout(session.Header, unit),
        trailer=_layout(session.Trailer, unit),
        messages=tuple(_layout(each, unit) for each in MESSAGES),
    )


def _layout(block: type[Block], unit: PriceUnit) -> Layout:
    hints = typing.get_type_hints(block, include_extras=True)
    members = tuple(_member(name, hints[name], unit) for name in block.__struct_fields__)
    if not members:
        raise InvariantBroken(f"{block.__name__} has no fields")
    return Layout(block, members)


def _member(name: str, hint: object, unit: PriceUnit) -> Member:
    declared, *marks = typing.get_args(hint)
    fields = [mark for mark in marks if isinstance(mark, Field)]
    kinds: list[Kind[Any]] = [mark for mark in marks if isinstance(mark, Kind)]
    demands = [mark for mark in marks if isinstance(mark, Required)]
    if len(fields) != 1:
        raise InvariantBroken(f"{name} must name the one field that carries it")
    own = fields[0]
    entry = _entry_of(declared)
    required = entry is None and type(None) not in typing.get_args(declared)
    return Member(
        name=name,
        field=own,
        kind=(kinds[0] if kinds else own.kind).in_unit(unit),
        required=required,
        required_of=Sender.BOTH if required else demands[0].of if demands else None,
        entry=None if entry is None else _layout(entry, unit),
    )


def _entry_of(declared: object) -> type[Block] | None:
    if typing.get_origin(declared) is not tuple:
        return None
    entry: type[Block] = typing.get_args(declared)[0]
    return entry


def header_fields() -> Iterator[tuple[Field, bool]]:
    """The fields of the whole header with whether they are required."""
    for own in (f.BeginString, f.BodyLength, f.MsgType):
        yield own, True
    for member in dictionary(PriceUnit.CENTS).header.members:
        yield member.field, member.required
