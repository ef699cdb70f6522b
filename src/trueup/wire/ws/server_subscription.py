"""One subscription as the exchange keeps it, and what a command for it may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from trueup.core.ids import Ticker
from trueup.wire.ws.channels import TRAITS, Channel, ErrorCode, Filter
from trueup.wire.ws.commands import Action, Params
from trueup.wire.ws.publication import Publication

_SHARD_FACTOR_MAX: Final = 100


class Refusal(Exception):
    """A command that is answered by an error."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Subscription:
    """One channel of this connection.  `tickers` is `None` when it covers everything."""

    channel: Channel
    sid: int
    seq: int = 0
    tickers: dict[Ticker, None] | None = None
    market_ids: dict[str, Ticker] = field(default_factory=dict[str, Ticker])
    names: dict[str, None] = field(default_factory=dict[str, None])
    use_yes_price: bool = False
    skips_tickers: bool = False
    only_self: bool = False
    shard_factor: int = 1
    shard_key: int = 0

    def next_seq(self) -> int:
        """The place of the next message."""
        self.seq += 1
        return self.seq

    def add(self, markets: Mapping[Ticker, str]) -> list[Ticker]:
        """Cover these markets, too, each with the id it was named by; which of them are new."""
        if self.tickers is None:
            return list(markets)
        news = [ticker for ticker in markets if ticker not in self.tickers]
        self.tickers.update(dict.fromkeys(news))
        self.market_ids.update({name: ticker for ticker, name in markets.items() if name})
        return news

    def remove(self, tickers: Iterable[Ticker]) -> None:
        """Cover these markets no more."""
        gone = set(tickers)
        for ticker in gone:
            (self.tickers or {}).pop(ticker, None)
        self.market_ids = {name: one for name, one in self.market_ids.items() if one not in gone}

    def covered(self) -> dict[str, list[str]]:
        """What an ``ok`` tells of it: the full lists, sorted."""
        kind = TRAITS[self.channel].filter
        if kind in NAMES_KEY:
            return {
                NAMES_KEY[kind][0]: [ALL_NAMES] if ALL_NAMES in self.names else sorted(self.names)
            }
        if self.skips_tickers:
            return {}
        by_id = set(self.market_ids.values())
        covered: dict[str, list[str]] = {"market_tickers": sorted(set(self.tickers or ()) - by_id)}
        if by_id:
            covered["market_ids"] = sorted(self.market_ids)
        return covered


ALL_NAMES: Final = "all"
"""The index id (or underlying) that stands for every one."""

NAMES_KEY: Final = {
    Filter.INDICES: ("index_ids", "_indexlist"),
    Filter.UNDERLYINGS: ("underlying_tickers", "_underlying_list"),
}
"""What names are called in a message, and how the type of their listing ends."""

_CHANGES: Final = (Action.ADD_MARKETS, Action.DELETE_MARKETS)
_BY_FILTER: Final[Mapping[Filter, tuple[Action, ...]]] = {
    Filter.MARKETS_REQUIRED: (*_CHANGES, Action.GET_SNAPSHOT),
    Filter.MARKETS: _CHANGES,
    Filter.NOTHING: (),
    Filter.INDICES: (
        Action.SUBSCRIBE_INDICES,
        Action.UNSUBSCRIBE_INDICES,
        Action.LIST_INDICES,
    ),
    Filter.UNDERLYINGS: (
        Action.SUBSCRIBE_UNDERLYINGS,
        Action.UNSUBSCRIBE_UNDERLYINGS,
        Action.LIST_UNDERLYINGS,
    ),
}
ACTIONS: Final = {channel: _BY_FILTER[traits.filter] for channel, traits in TRAITS.items()}
"""What ``update_subscription`` can do to each channel."""


def covers(subscription: Subscription, publication: Publication) -> bool:
    """Whether a subscription covers the market that a publication is about."""
    tickers = subscription.tickers
    return tickers is None or publication.ticker in tickers


def names_markets(channel: Channel, params: Params) -> bool:
    """Whether a command narrows this channel down to markets."""
    takes_markets = TRAITS[channel].filter in {Filter.MARKETS, Filter.MARKETS_REQUIRED}
    return takes_markets and bool(params.tickers() or params.ids())


def names_of(channel: Channel, params: Params) -> tuple[str, ...]:
    """The indices or underlyings that a command names for this channel."""
    match TRAITS[channel].filter:
        case Filter.INDICES:
            return params.index_ids or ()
        case Filter.UNDERLYINGS:
            return params.underlying_tickers or ()
        case _:
            return ()


def check_markets(params: Params) -> None:
    """Only one of the four ways to name markets may be used."""
    ways = (params.market_ticker, params.market_tickers, params.market_id, params.market_ids)
    if sum(way is not None for way in ways) > 1:
        raise Refusal(ErrorCode.INVALID_PARAMETER)


def check_shards(params: Params) -> None:
    """Whether the shard of the communications channel is one."""
    factor, key = params.shard_factor, params.shard_key
    if factor is None:
        if key is not None:
            raise Refusal(ErrorCode.SHARD_FACTOR_REQUIRED)
        return
    if factor <= 0:
        raise Refusal(ErrorCode.SHARD_FACTOR_TOO_SMALL)
    if factor > _SHARD_FACTOR_MAX:
        raise Refusal(ErrorCode.SHARD_FACTOR_TOO_LARGE)
    if not 0 <= (key or 0) < factor:
        raise Refusal(ErrorCode.SHARD_KEY_OUT_OF_RANGE)
