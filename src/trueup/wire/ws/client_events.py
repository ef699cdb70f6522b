"""What a client session tells its driver."""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.core.announcements import Announcement
from trueup.core.ids import Ticker
from trueup.wire.ws.channels import Channel, ErrorCode


@dataclass(frozen=True, slots=True)
class BookChanged:
    """A book has new contents and is valid."""

    ticker: Ticker


@dataclass(frozen=True, slots=True)
class BookLost:
    """A book is not valid any more; its next snapshot is asked for already."""

    ticker: Ticker
    reason: str


@dataclass(frozen=True, slots=True)
class Announced:
    """Anything else that the exchange says.  `is_late` is for what came out of order."""

    value: Announcement
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of a channel are missing: `expected` should have come, `got` came."""

    channel: Channel
    expected: int
    got: int


@dataclass(frozen=True, slots=True)
class Live:
    """A channel is subscribed to (again).  Whatever happened before was not heard."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Lost:
    """A subscription ended without our doing; it is being made again."""

    channel: Channel
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The exchange will not do something, and is not asked again.

    `tickers` are the markets that it will not tell of; without any it is the
    whole channel.
    """

    channel: Channel | None
    code: ErrorCode | int
    text: str
    tickers: tuple[Ticker, ...] = ()


@dataclass(frozen=True, slots=True)
class NamesListed:
    """The indices or underlyings that a channel has."""

    channel: Channel
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drifted:
    """Something that this version does not know came for the first time.

    `what` is ``type`` or ``field``, `name` the message's type, or type and field.
    """

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message could not be understood.  It is counted, and kept here as it came."""

    type: str
    reason: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MustReconnect:
    """This connection cannot be put right: close it and make a new one."""

    reason: str


Event = (
    BookChanged
    | BookLost
    | Announced
    | Gap
    | Live
    | Lost
    | Refused
    | NamesListed
    | Drifted
    | Unreadable
    | MustReconnect
)
