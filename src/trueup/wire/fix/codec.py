"""Messages to bytes and back, for one side of one session.

    codec = Codec(reads=Sender.EXCHANGE, unit=PriceUnit.DOLLARS)
    received = codec.decode(raw)         # header, typed message, what was unknown
    raw = codec.encode(header, message)

`decode` checks everything that can be checked without the session: frame, length, checksum,
form of every field, every count of every group, required fields, every value.  A field
that the dictionary does not have is kept in `Received.unknown` and counted, since the
exchange adds fields before it documents them.  A message that fails raises `Garbled`
or, when its header could still be read, `Unusable` with that `header`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Final, cast

import msgspec

from trueup.core.errors import CallerError
from trueup.wire.fix.dictionary import Dictionary, Layout, dictionary
from trueup.wire.fix.errors import Garbled, UnknownMessageType, Unusable
from trueup.wire.fix.frame import SOH, close_text, open_frame, shown
from trueup.wire.fix.kinds import PriceUnit, write_instant
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.pairs import split_body
from trueup.wire.fix.reading import BlockReader, Unknown
from trueup.wire.fix.writing import Write, fast_writer

UNKNOWN_MAX: Final = 1000
"""How many different unknown fields are counted."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """One message as it was read.  `unknown` holds the fields that the dictionary lacks."""

    header: Header
    message: Message
    unknown: tuple[Unknown, ...] = ()


class Codec:
    """Reads what one side sends, and writes what the other does."""

    def __init__(
        self, *, reads: Sender = Sender.EXCHANGE, unit: PriceUnit = PriceUnit.CENTS
    ) -> None:
        if reads is Sender.BOTH:
            raise CallerError("a codec reads the messages of one side")
        self.reads = reads
        self.unit = unit
        self.unknown: Counter[tuple[str, str]] = Counter()
        self._readers = _readers(reads, unit)
        self._writes = Sender.CLIENT if reads is Sender.EXCHANGE else Sender.EXCHANGE
        self._writers = _writers(self._writes, unit)
        self._write_header = _header_writer(unit)

    def decode(self, raw: bytes) -> Received:
        """One whole message; raises a kind of `FixBroken`."""
        tags, values = split_body(open_frame(raw))
        if not tags or tags[0] != "35":
            raise Garbled("the body does not begin with MsgType (35)", tag=35, evidence=shown(raw))
        kind = values[0]
        del tags[0], values[0]
        reader = self._readers.get(kind)
        try:
            if reader is None:
                raise UnknownMessageType(f"message type {kind[:20]!r} is not known", tag=35)
            received = reader(tags, values)
        except Unusable as error:
            error.header = _header_alone(self.unit, tags, values)
            error.message_type = kind
            error.raw = raw
            error.evidence = shown(raw)
            raise
        if received.unknown:
            self._count(kind, received.unknown)
        return received

    def encode(self, header: Header, message: Message) -> bytes:
        """The whole message; raises `CallerError` for what cannot be sent."""
        kind = type(message)
        write = self._writers.get(kind) or self._writer(kind)
        return close_text(f"35={kind.TYPE}{SOH}{self._write_header(header)}{write(message)}")

    def _writer(self, kind: type[Message]) -> Write:
        """Make the writer of a kind of message, the first time that one is sent."""
        layout = dictionary(self.unit).by_class.get(kind)
        if layout is None or kind.SENT_BY not in {self._writes, Sender.BOTH}:
            raise CallerError(f"{kind.__name__} is not a message of this side of the session")
        write = self._writers[kind] = fast_writer(layout, self._writes)
        return write

    def _count(self, kind: str, unknown: tuple[Unknown, ...]) -> None:
        for tag, _ in unknown:
            if (kind, tag) in self.unknown or len(self.unknown) < UNKNOWN_MAX:
                self.unknown[kind, tag] += 1


_Read = Callable[[list[str], list[str]], Received]


@cache
def _writers(sender: Sender, unit: PriceUnit) -> dict[type[Message], Write]:
    """Those made so far.  There are as many as kinds of messages, no more."""
    del sender, unit  # what they are kept by
    return {}


@cache
def _header_writer(unit: PriceUnit) -> Write:
    return fast_writer(dictionary(unit).header, Sender.BOTH)


@cache
def _readers(sender: Sender, unit: PriceUnit) -> dict[str, _Read]:
    known = dictionary(unit)
    return {kind: _reader(known, layout) for kind, layout in known.sent_by(sender).items()}


def _reader(known: Dictionary, layout: Layout) -> _Read:
    blocks = BlockReader((known.header, layout, known.trailer))

    def read(tags: list[str], values: list[str]) -> Received:
        unknown: list[Unknown] = []
        header, body, _ = blocks.read(tags, values, unknown)
        return Received(header, body, tuple(unknown))

    return read


def _header_alone(unit: PriceUnit, tags: list[str], values: list[str]) -> Header | None:
    """The header of a message whose body cannot be read; None when that cannot be either."""
    layout = dictionary(unit).header
    first: dict[str, str] = {}
    for tag, value in zip(tags, values, strict=True):
        if tag in layout.by_tag:
            first.setdefault(tag, value)
    try:
        (header,) = BlockReader((layout,)).read(list(first), list(first.values()), [])
    except Unusable:
        return None
    return cast("Header", header)


def timestamp(header: Header) -> str:
    """SendingTime (52) as `Codec.encode` writes it: the form that a signature covers."""
    return write_instant(header.sending_time)
