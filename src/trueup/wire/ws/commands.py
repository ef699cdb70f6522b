"""What a client sends: commands, written strictly and read leniently.

The client writes `Subscribe`, `Unsubscribe`, `UpdateSubscription` and
`ListSubscriptions`.  The server reads a `Command`, in which everything may be
missing or misspelt, because it has to name what is wrong.

An ``id`` of 0 is the same as none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "Action",
    "Command",
    "ListSubscriptions",
    "Params",
    "Subscribe",
    "SubscribeParams",
    "Unsubscribe",
    "UnsubscribeParams",
    "UpdateParams",
    "UpdateSubscription",
    "encode_command",
    "read_command",
]


class Action(StrEnum):
    """What ``update_subscription`` can do."""

    ADD_MARKETS = "add_markets"
    DELETE_MARKETS = "delete_markets"
    GET_SNAPSHOT = "get_snapshot"
    SUBSCRIBE_INDICES = "subscribe_indices"
    UNSUBSCRIBE_INDICES = "unsubscribe_indices"
    LIST_INDICES = "indexlist"
    SUBSCRIBE_UNDERLYINGS = "subscribe_underlyings"
    UNSUBSCRIBE_UNDERLYINGS = "unsubscribe_underlyings"
    LIST_UNDERLYINGS = "underlying_list"


class SubscribeParams(msgspec.Struct, frozen=True, kw_only=True):
    """What to hear of.  `use_yes_price` is always sent: its default will change."""

    channels: tuple[str, ...]
    market_ticker: str | UnsetType = UNSET
    market_tickers: tuple[str, ...] | UnsetType = UNSET
    market_id: str | UnsetType = UNSET
    market_ids: tuple[str, ...] | UnsetType = UNSET
    send_initial_snapshot: bool | UnsetType = UNSET
    skip_ticker_ack: bool | UnsetType = UNSET
    use_yes_price: bool | UnsetType = UNSET
    user_filter: str | UnsetType = UNSET
    shard_factor: int | UnsetType = UNSET
    shard_key: int | UnsetType = UNSET
    index_ids: tuple[str, ...] | UnsetType = UNSET
    underlying_tickers: tuple[str, ...] | UnsetType = UNSET


class Subscribe(msgspec.Struct, frozen=True, tag_field="cmd", tag="subscribe"):
    """Subscribe to channels, each of which is acknowledged on its own."""

    id: int
    params: SubscribeParams


class UnsubscribeParams(msgspec.Struct, frozen=True):
    """The subscriptions to end."""

    sids: tuple[int, ...]


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="cmd", tag="unsubscribe"):
    """End subscriptions."""

    id: int
    params: UnsubscribeParams


class UpdateParams(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one subscription, or a question about it."""

    sids: tuple[int, ...]
    action: Action
    market_tickers: tuple[str, ...] | UnsetType = UNSET
    market_ids: tuple[str, ...] | UnsetType = UNSET
    send_initial_snapshot: bool | UnsetType = UNSET
    index_ids: tuple[str, ...] | UnsetType = UNSET
    underlying_tickers: tuple[str, ...] | UnsetType = UNSET


class UpdateSubscription(msgspec.Struct, frozen=True, tag_field="cmd", tag="update_subscription"):
    """Add or delete markets, indices or underlyings, or ask for snapshots."""

    id: int
    params: UpdateParams


class ListSubscriptions(msgspec.Struct, frozen=True, tag_field="cmd", tag="list_subscriptions"):
    """Ask which subscriptions there are."""

    id: int


Sent = Subscribe | Unsubscribe | UpdateSubscription | ListSubscriptions

_encoder: Final = msgspec.json.Encoder()


def encode_command(command: Sent) -> bytes:
    """The command as the text of one message."""
    return _encoder.encode(command)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """All parameters of all commands, as far as they have the right type."""

    channels: tuple[str, ...] | None = None
    sids: tuple[int, ...] | None = None
    sid: int | None = None
    action: str | None = None
    market_ticker: str | None = None
    market_tickers: tuple[str, ...] | None = None
    market_id: str | None = None
    market_ids: tuple[str, ...] | None = None
    send_initial_snapshot: bool = False
    skip_ticker_ack: bool = False
    use_yes_price: bool | None = None
    user_filter: str | None = None
    shard_factor: int | None = None
    shard_key: int | None = None
    index_ids: tuple[str, ...] | None = None
    underlying_tickers: tuple[str, ...] | None = None

    def tickers(self) -> tuple[str, ...] | None:
        """The markets that are named, by the one or the other parameter."""
        if self.market_ticker is not None:
            return (self.market_ticker,)
        return self.market_tickers

    def ids(self) -> tuple[str, ...] | None:
        """The markets that are named by their ids."""
        return (self.market_id,) if self.market_id is not None else self.market_ids


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it arrived.  `params` may be of a wrong type inside."""

    id: int = 0
    cmd: str = ""
    params: msgspec.Raw | UnsetType = UNSET

    def read_params(self) -> Params:
        """The parameters.  Raises `msgspec.ValidationError` where one has a wrong type."""
        return _params.decode(b"{}" if isinstance(self.params, UnsetType) else self.params)


_command: Final = msgspec.json.Decoder(Command)
_params: Final = msgspec.json.Decoder(Params)


def read_command(text: bytes | str) -> Command:
    """Read one message of a client.  Raises `msgspec.MsgspecError` for what is no command."""
    return _command.decode(text)
