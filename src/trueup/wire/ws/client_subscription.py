"""One channel as the client keeps it: what is wanted, what the exchange was told, where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from msgspec import UNSET

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import BookState, OrderBook
from trueup.wire.ws.channels import TRAITS, Channel, Filter
from trueup.wire.ws.client_events import BookChanged, BookLost, Event
from trueup.wire.ws.commands import (
    Action,
    Sent,
    Subscribe,
    SubscribeParams,
    Unsubscribe,
    UnsubscribeParams,
    UpdateParams,
    UpdateSubscription,
)

_MISSING_MAX: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOptions:
    """What else a channel can be asked for; see the exchange's AsyncAPI description.

    `is_with_first` wants the ticker channel to begin with a message for every market.
    Order books are told in YES prices on both sides unless `use_yes_price` is false;
    which it is, is always said, because the exchange's default will change.
    `only_own_rfqs`, `shard_factor` and `shard_key` are for communications.
    """

    is_with_first: bool = False
    use_yes_price: bool = True
    only_own_rfqs: bool = False
    shard_factor: int | None = None
    shard_key: int | None = None


class Doing(StrEnum):
    """What a command that is not answered yet will have done."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    ADD = "add"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that waits for its answer.  `names` is `None` for everything."""

    command_id: int
    doing: Doing
    names: tuple[str, ...] | None
    sent_at: Instant


class Place(StrEnum):
    """Where a frame stands in its sequence."""

    NEXT = "next"
    AFTER_A_GAP = "after a gap"
    LATE = "late"
    OLD = "old"


class WatchedBook:
    """A book with what the hot path needs, made once."""

    __slots__ = ("apply", "book", "changed")

    def __init__(self, ticker: Ticker) -> None:
        self.book: Final = OrderBook(ticker)
        self.apply: Final[Callable[[bool, int, int], bool]] = self.book.apply_units
        self.changed: Final[tuple[Event, ...]] = (BookChanged(ticker),)


@dataclass(slots=True)
class Subscription:
    """One channel.

    `is_kept` until nothing of it is wanted any more.  `wanted` names markets (or indices); `None` is everything.  `told` is the same as
    the exchange has it; it means nothing while `sid` is 0.  `expected` is the next
    ``seq``.  `hot` has the books that a change may be applied to without further
    looking.
    """

    channel: Channel
    options: ChannelOptions
    is_kept: bool = True
    wanted: dict[str, None] | None = field(default_factory=dict[str, None])
    told: set[str] | None = field(default_factory=set[str])
    sid: int = 0
    expected: int = 1
    missing: set[int] = field(default_factory=set[int])
    old_in_a_row: int = 0
    pending: Pending | None = None
    attempts: int = 0
    retry_at: Instant = Instant(0)  # noqa: RUF009  # an int
    snapshots_asked_at: Instant = Instant(0)  # noqa: RUF009  # an int
    books: dict[Ticker, WatchedBook] = field(default_factory=dict[Ticker, WatchedBook])
    hot: dict[str, WatchedBook] = field(default_factory=dict[str, WatchedBook])
    use_yes_price: bool = True

    def __post_init__(self) -> None:
        self.use_yes_price = self.options.use_yes_price

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants anything of this channel.

        An index channel may be wanted without names, to ask for its listing.
        """
        is_index = TRAITS[self.channel].filter in _NAME_KEYS
        return self.wanted is None or bool(self.wanted) or (is_index and self.is_kept)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left, neither wanted nor at the exchange."""
        return not self.is_wanted and not self.sid and self.pending is None

    def want(self, names: Iterable[str] | None) -> None:
        """Want these, too; `None` wants everything."""
        self.is_kept = True
        if names is None:
            self.wanted = None
        elif self.wanted is not None:
            self.wanted.update(dict.fromkeys(names))
        if self.channel is Channel.ORDERBOOK:
            for name in self.wanted or ():
                if Ticker(name) not in self.books:
                    self.books[Ticker(name)] = WatchedBook(Ticker(name))

    def drop(self, names: Iterable[str] | None) -> None:
        """Want these no more; `None` for nothing at all."""
        dropped = list(self.wanted or ()) if names is None else list(names)
        if names is None:
            self.wanted, self.is_kept = {}, False
        for name in dropped:
            if self.wanted is not None:
                self.wanted.pop(name, None)
            self.hot.pop(name, None)
            watched = self.books.pop(Ticker(name), None)
            if watched is not None:
                watched.book.invalidate("it is not watched any more")

    def refuse(self, names: tuple[str, ...]) -> None:
        """The exchange will not have these (or, without names, the channel): stop wanting them."""
        self.drop(names or None)
        if self.told is not None:
            self.told.difference_update(names)

    def lose_books(self, reason: str) -> list[Event]:
        """No book can be believed any more; says which could until now."""
        lost: list[Event] = [
            BookLost(ticker, reason)
            for ticker, watched in self.books.items()
            if watched.book.is_valid
        ]
        for watched in self.books.values():
            watched.book.invalidate(reason)
        self.hot.clear()
        return lost

    def begin(self, sid: int, next_seq: int) -> None:
        """The exchange gave this subscription its id."""
        self.sid, self.expected = sid, next_seq
        self.missing.clear()
        self.old_in_a_row = 0
        self.attempts = 0

    def end(self) -> None:
        """The subscription exists no more (or its connection does not)."""
        self.sid, self.expected = 0, 1
        self.told = set()
        self.pending = None
        self.missing.clear()

    def place(self, seq: int) -> Place:
        """Take the place of a frame."""
        if seq == self.expected:
            self.expected, self.old_in_a_row = seq + 1, 0
            return Place.NEXT
        if seq > self.expected:
            self._note_missing(self.expected, seq)
            self.expected, self.old_in_a_row = seq + 1, 0
            return Place.AFTER_A_GAP
        if seq in self.missing:
            self.missing.discard(seq)
            return Place.LATE
        self.old_in_a_row += 1
        return Place.OLD

    def _note_missing(self, first: int, end: int) -> None:
        """Remember which places were skipped, as far as that is reasonable."""
        if end - first + len(self.missing) > _MISSING_MAX:
            self.missing.clear()
        self.missing.update(range(max(first, end - _MISSING_MAX), end))

    def is_leaving(self, ticker: str) -> bool:
        """Whether the exchange was told to stop about a market and has not confirmed it.

        It may be wanted again already; what comes until then is the end of the old
        stream, and a book must not begin with it.
        """
        pending = self.pending
        if pending is None or pending.doing in {Doing.SUBSCRIBE, Doing.ADD}:
            return False
        return pending.doing is Doing.UNSUBSCRIBE or ticker in (pending.names or ())

    def not_valid(self) -> list[Ticker]:
        """Books that the exchange was told of and that wait for a snapshot."""
        told = self.told or set()
        return [
            ticker
            for ticker, watched in self.books.items()
            if watched.book.state is not BookState.VALID
            and ticker in told
            and not self.is_leaving(ticker)
        ]

    def next_step(self) -> tuple[Doing, tuple[str, ...] | None] | None:
        """What to tell the exchange next, so that it covers what is wanted."""
        wanted, told = self.wanted, self.told
        if self.sid == 0:
            step = (Doing.SUBSCRIBE, None if wanted is None else tuple(wanted))
            return step if self.is_wanted else None
        if not self.is_wanted or (wanted is not None and told is None):
            # A subscription to everything cannot be narrowed: it is ended and made anew.
            return (Doing.UNSUBSCRIBE, None)
        if wanted is None:
            return None if told is None else (Doing.SUBSCRIBE, None)
        covered = told or set()
        if more := tuple(name for name in wanted if name not in covered):
            return (Doing.ADD, more)
        if less := tuple(sorted(covered - wanted.keys())):
            return (Doing.DELETE, less)
        return None

    def doubt(self, doing: Doing | None, names: tuple[str, ...]) -> None:
        """A command that ends something was carried out, or perhaps was: do not count on it.

        Whatever is still wanted of it is asked for anew.
        """
        if doing is Doing.DELETE and self.told is not None:
            self.told.difference_update(names)
        elif doing is Doing.UNSUBSCRIBE:
            self.told = set()
            names = tuple(self.books)
        else:
            return
        for name in names:
            self.hot.pop(name, None)
            watched = self.books.get(Ticker(name))
            if watched is not None:
                watched.book.invalidate("the exchange was told to stop about it")

    def done(self, pending: Pending) -> None:
        """The exchange has carried this command out."""
        match pending.doing:
            case Doing.UNSUBSCRIBE:
                self.end()
            case Doing.DELETE if self.told is not None:
                self.told.difference_update(pending.names or ())
            case _ if pending.names is None:
                self.told = None
            case _ if self.told is not None:
                self.told.update(pending.names)
            case _:
                pass

    def command(self, command_id: int, doing: Doing, names: tuple[str, ...] | None) -> Sent:
        """The command for a step."""
        kind = TRAITS[self.channel].filter
        is_index = kind in {Filter.INDICES, Filter.UNDERLYINGS}
        match doing:
            case Doing.SUBSCRIBE:
                return Subscribe(command_id, self._params(names, kind))
            case Doing.UNSUBSCRIBE:
                return Unsubscribe(command_id, UnsubscribeParams((self.sid,)))
            case Doing.ADD | Doing.DELETE:
                key = _NAME_KEYS.get(kind, "market_tickers")
                more = doing is Doing.ADD and self.options.is_with_first and not is_index
                params = UpdateParams(
                    sids=(self.sid,),
                    action=_UPDATES[kind][doing is Doing.DELETE],
                    send_initial_snapshot=True if more else UNSET,
                    **{key: names or ()},
                )
                return UpdateSubscription(command_id, params)

    def _params(self, names: tuple[str, ...] | None, kind: Filter) -> SubscribeParams:
        options = self.options
        is_communications = self.channel is Channel.COMMUNICATIONS
        is_book = self.channel is Channel.ORDERBOOK
        named: dict[str, Any] = (
            {} if names is None else {_NAME_KEYS.get(kind, "market_tickers"): names}
        )
        if names is None and kind in _NAME_KEYS:
            named = {_NAME_KEYS[kind]: ("all",)}
        factor, key = options.shard_factor, options.shard_key
        return SubscribeParams(
            channels=(self.channel.value,),
            send_initial_snapshot=True if options.is_with_first else UNSET,
            use_yes_price=options.use_yes_price if is_book else UNSET,
            user_filter="self" if is_communications and options.only_own_rfqs else UNSET,
            shard_factor=UNSET if factor is None else factor,
            shard_key=UNSET if key is None else key,
            **named,
        )


_NAME_KEYS: Final = {Filter.INDICES: "index_ids", Filter.UNDERLYINGS: "underlying_tickers"}
_MARKET_UPDATES: Final = (Action.ADD_MARKETS, Action.DELETE_MARKETS)
_UPDATES: Final = {
    Filter.MARKETS_REQUIRED: _MARKET_UPDATES,
    Filter.MARKETS: _MARKET_UPDATES,
    Filter.NOTHING: _MARKET_UPDATES,
    Filter.INDICES: (Action.SUBSCRIBE_INDICES, Action.UNSUBSCRIBE_INDICES),
    Filter.UNDERLYINGS: (Action.SUBSCRIBE_UNDERLYINGS, Action.UNSUBSCRIBE_UNDERLYINGS),
}
