"""Our side of the WebSocket, without the socket: what to say, and what is known.

    session = ClientSession()
    session.subscribe(Channel.ORDERBOOK, ["KXFED-26DEC-T3.75"])
    session.connected(now)
    send(*session.commands())
    for frame in frames:
        for event in session.receive(frame, now): ...
        send(*session.commands())

Whoever drives it sends what `commands` gives after every call, calls `tick` about
once a second, and `connected` and `disconnected` as things are.  Wishes outlive
connections: after `connected` everything wanted is subscribed to again.

*Sequence.*  Every frame of a subscription that carries ``seq`` has its place, also
acknowledgements and messages of unknown type; the place is checked before the
message is looked at.  A message that is missing makes every book of the
subscription unbelievable, because nobody knows whose it was: all are invalid at
once and asked for anew (``get_snapshot``).  What arrives late is never applied to
a book (the snapshot has it); other late news are passed on as such, duplicates are
dropped.  Places start at 1 with every subscription.

*Answers.*  One command per channel is on its way at a time; what is wanted
meanwhile goes with the next.  A command without an answer is sent again, and
after some attempts the connection is given up (`MustReconnect`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import OrderBook
from trueup.wire.ws import bodies
from trueup.wire.ws import client_events as e
from trueup.wire.ws import messages as m
from trueup.wire.ws.channels import TERMINAL_ERRORS, Channel, ErrorCode
from trueup.wire.ws.client_hot import PREFIX, PREFIX_LENGTH, HotDelta, apply_hot
from trueup.wire.ws.client_outbox import ClientTimes, Outbox
from trueup.wire.ws.client_subscription import (
    ChannelOptions,
    Doing,
    Pending,
    Place,
    Subscription,
    WatchedBook,
)
from trueup.wire.ws.drift import unknown_fields
from trueup.wire.ws.from_wire import (
    UNREADABLE,
    book_levels,
    book_told,
    delta_units,
    given,
)
from trueup.wire.ws.from_wire_private import announcement

_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LOOK_AGAIN_EVERY: Final = 1024
_OLD_IN_A_ROW_MAX: Final = 100
_LATER: Final = frozenset({ErrorCode.COMMAND_TIMEOUT, ErrorCode.TOO_MANY_REQUESTS})
_MILLISECOND: Final = 1000
_decoder: Final = msgspec.json.Decoder(m.AnyMessage)


class ClientSession:
    """All subscriptions; see above.  With `tells_books` all that books are given is announced."""

    def __init__(self, times: ClientTimes | None = None, *, tells_books: bool = False) -> None:
        self._times = times or ClientTimes()
        self._tells_books = tells_books
        self._subscriptions: dict[Channel, Subscription] = {}
        self._by_sid: dict[object, Subscription] = {}
        self._outbox = Outbox(self._times)
        self._looked_at: set[type[m.Message]] = set()
        self._drifted: set[str] = set()
        self._looks = 0
        self.frames = 0
        """How many frames came."""
        self.counts: Counter[str] = Counter()
        """How often came a ``gap``, ``duplicate``, ``late``, ``stray``, ``unreadable``, ``unknown ...``."""

    # -- wishes ----------------------------------------------------------------

    def subscribe(
        self,
        channel: Channel,
        names: Iterable[str] | None = None,
        *,
        now: Instant,
        options: ChannelOptions | None = None,
    ) -> None:
        """Want a channel: of these markets (or indices), or of all.

        Wishes add up.  The options of the first wish hold as long as the subscription.
        """
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription.is_over:
            subscription = Subscription(channel, options or ChannelOptions())
            self._subscriptions[channel] = subscription
        subscription.want(names)
        self._outbox.go_on(subscription, now)

    def unsubscribe(
        self, channel: Channel, names: Iterable[str] | None = None, *, now: Instant
    ) -> None:
        """Want these markets no more, or the whole channel."""
        subscription = self._subscriptions.get(channel)
        if subscription is not None:
            subscription.drop(names)
            self._outbox.go_on(subscription, now)

    def book(self, ticker: Ticker) -> OrderBook | None:
        """The order book of a market that is wanted."""
        subscription = self._subscriptions.get(Channel.ORDERBOOK)
        watched = subscription.books.get(ticker) if subscription is not None else None
        return None if watched is None else watched.book

    def ask_names(self, channel: Channel) -> bool:
        """Ask which indices or underlyings a channel has; false while it is not subscribed to."""
        subscription = self._subscriptions.get(channel)
        if subscription is None or not subscription.sid:
            return False
        self._outbox.ask_names(subscription)
        return True

    def ask_subscriptions(self) -> None:
        """Ask what the exchange thinks is subscribed to; nothing needs the answer."""
        self._outbox.ask_subscriptions()

    def commands(self) -> list[bytes]:
        """What is to be sent now, in order.  Each is given once."""
        return self._outbox.drain()

    # -- the connection --------------------------------------------------------

    def connected(self, now: Instant) -> None:
        """A new connection stands: subscribe to everything wanted."""
        self._outbox.open()
        self._by_sid.clear()
        self._looked_at.clear()
        for subscription in self._subscriptions.values():
            subscription.end()
            subscription.attempts, subscription.retry_at = 0, now
            self._outbox.go_on(subscription, now)

    def disconnected(self, reason: str) -> list[e.Event]:
        """The connection is gone: no book can be believed, no sid means anything."""
        self._outbox.close()
        self._by_sid.clear()
        events: list[e.Event] = []
        for subscription in self._subscriptions.values():
            subscription.end()
            events += subscription.lose_books(reason)
        return events

    def tick(self, now: Instant) -> list[e.Event]:
        """Time passed: repeat what got no answer, make again what was lost."""
        events: list[e.Event] = []
        if not self._outbox.is_open:
            return events
        for subscription in self._subscriptions.values():
            pending = subscription.pending
            if pending is not None and now - pending.sent_at >= self._times.answer:
                self.counts["unanswered command"] += 1
                subscription.pending = None
                subscription.doubt(pending.doing, pending.names or ())
                subscription.attempts += 1
                if subscription.attempts >= self._times.attempts:
                    many = f"{subscription.attempts} commands about {subscription.channel}"
                    events.append(e.MustReconnect(f"no answer to {many}"))
            self._outbox.go_on(subscription, now)
            waited = now - subscription.snapshots_asked_at
            if subscription.sid and subscription.books and waited >= self._times.snapshot:
                self._outbox.ask_snapshots(subscription, subscription.not_valid(), now)
        return events

    # -- what comes in ---------------------------------------------------------

    def receive(self, frame: bytes | str, now: Instant) -> Sequence[e.Event]:
        """Take one frame; what it means."""
        self.frames += 1
        if frame[:PREFIX_LENGTH] == PREFIX:
            events, negative = apply_hot(frame, self._by_sid)
            if negative is not None:
                return self._negative_change(negative, now)
            if events is not None:
                return events
        try:
            message = _decoder.decode(frame)
        except _BROKEN:
            return self._receive_odd(frame, now)
        return self._receive_slowly(message, frame, now)

    def _receive_slowly(
        self, message: m.AnyMessage, frame: bytes | str, now: Instant
    ) -> Sequence[e.Event]:
        events: list[e.Event] = []
        self._look_for_drift(message, frame, events)
        subscription = self._by_sid.get(message.sid)
        place = Place.NEXT
        if subscription is not None and isinstance(message.seq, int):
            place = self._place(subscription, message.seq, events, now)
        if isinstance(message, m.Reply):
            self._answer(message, events, now)
        elif place is Place.OLD:
            pass
        elif isinstance(message, m.Snapshot | m.Delta):
            if subscription is None:
                self.counts["stray"] += 1
            elif place is not Place.LATE:
                self._change_book(subscription, message, frame, events, now=now)
        else:
            self._announce(message, frame, events, is_late=place is Place.LATE)
        return events

    def _receive_odd(self, frame: bytes | str, now: Instant) -> Sequence[e.Event]:
        """A frame that is new to us, or broken.  Its place in the sequence still counts."""
        events: list[e.Event] = []
        try:
            message = m.read_message(frame)
        except _BROKEN as error:
            self._unreadable("", str(error), frame, events)
            return events
        if not isinstance(message, m.Envelope):
            return self._receive_slowly(message, frame, now)
        subscription = self._by_sid.get(message.sid)
        place = Place.NEXT
        if subscription is not None and isinstance(message.seq, int):
            place = self._place(subscription, message.seq, events, now)
        if message.is_new:
            self._note_drift("type", message.type, events)
        else:
            self._unreadable(message.type, message.why, frame, events)
            if place in {Place.NEXT, Place.AFTER_A_GAP} and subscription is not None:
                self._distrust(subscription, "a message could not be read", events, now)
        return events

    # -- the sequence ----------------------------------------------------------

    def _place(
        self, subscription: Subscription, seq: int, events: list[e.Event], now: Instant
    ) -> Place:
        """Check the place of a frame, and act on a gap."""
        expected = subscription.expected
        place = subscription.place(seq)
        match place:
            case Place.NEXT:
                pass
            case Place.AFTER_A_GAP:
                self.counts["gap"] += 1
                events.append(e.Gap(subscription.channel, expected, seq))
                self._distrust(subscription, f"message {expected} is missing", events, now)
            case Place.LATE:
                self.counts["late"] += 1
            case Place.OLD:
                self.counts["duplicate"] += 1
                if subscription.old_in_a_row == _OLD_IN_A_ROW_MAX:
                    reason = f"the sequence of {subscription.channel} started over without a word"
                    events.append(e.MustReconnect(reason))
        return place

    def _distrust(
        self, subscription: Subscription, reason: str, events: list[e.Event], now: Instant
    ) -> None:
        """Nobody knows which book lacks something: none can be believed."""
        if not subscription.books:
            return
        events += subscription.lose_books(reason)
        self._outbox.ask_snapshots(subscription, subscription.not_valid(), now)

    # -- books -----------------------------------------------------------------

    def _change_book(
        self,
        subscription: Subscription,
        message: m.Snapshot | m.Delta,
        frame: bytes | str,
        events: list[e.Event],
        *,
        now: Instant,
    ) -> None:
        body = message.msg
        watched = subscription.books.get(Ticker(body.market_ticker))
        if watched is None or subscription.is_leaving(body.market_ticker):
            return
        book, use_yes_price = watched.book, subscription.options.use_yes_price
        try:
            if isinstance(body, bodies.SnapshotBody):
                bids, asks = book_levels(body, use_yes_price=use_yes_price)
                book.load_units(bids, asks, clock=given(body.clock) or 0)
            elif not book.is_valid:
                return
            elif book.apply_units(*delta_units(body, use_yes_price=use_yes_price)):
                book.clock = given(body.clock) or book.clock
        except UNREADABLE as error:
            self._unreadable(str(message.__struct_config__.tag), str(error), frame, events)
            was_valid = book.is_valid
            book.invalidate("a message about it could not be read")
            self._recover(subscription, watched, events, was_valid=was_valid, now=now)
            return
        if book.is_valid:
            if self._tells_books:
                events += (e.Announced(book_told(body, book, use_yes_price=use_yes_price)),)
            elif m.Delta in self._looked_at:
                subscription.hot[body.market_ticker] = watched
            events += watched.changed
        else:
            events += self._negative(subscription, watched, now)

    def _negative_change(self, change: HotDelta, now: Instant) -> list[e.Event]:
        subscription = self._by_sid[change.sid]
        watched = subscription.hot[change.msg.market_ticker]
        return self._negative(subscription, watched, now)

    def _negative(
        self, subscription: Subscription, watched: WatchedBook, now: Instant
    ) -> list[e.Event]:
        self.counts["negative level"] += 1
        events: list[e.Event] = []
        self._recover(subscription, watched, events, was_valid=True, now=now)
        return events

    def _recover(
        self,
        subscription: Subscription,
        watched: WatchedBook,
        events: list[e.Event],
        *,
        was_valid: bool,
        now: Instant,
    ) -> None:
        subscription.hot.pop(watched.book.ticker, None)
        if was_valid:
            events.append(e.BookLost(watched.book.ticker, watched.book.reason))
        self._outbox.ask_snapshots(subscription, [watched.book.ticker], now)

    # -- other news ------------------------------------------------------------

    def _announce(
        self, message: m.News, frame: bytes | str, events: list[e.Event], *, is_late: bool
    ) -> None:
        try:
            events.append(e.Announced(announcement(message), is_late))
        except UNREADABLE as error:
            self._unreadable(str(message.__struct_config__.tag), str(error), frame, events)

    def _unreadable(
        self, kind: str, reason: str, frame: bytes | str, events: list[e.Event]
    ) -> None:
        self.counts["unreadable"] += 1
        raw = frame.encode() if isinstance(frame, str) else bytes(frame)
        events.append(e.Unreadable(kind, reason, raw))

    def _look_for_drift(
        self, message: m.AnyMessage, frame: bytes | str, events: list[e.Event]
    ) -> None:
        kind = type(message)
        if kind in self._looked_at:
            self._looks += 1
            if self._looks % _LOOK_AGAIN_EVERY:
                return
        self._looked_at.add(kind)
        for name in unknown_fields(frame):
            self._note_drift("field", f"{kind.__struct_config__.tag}.{name}", events)

    def _note_drift(self, what: str, name: str, events: list[e.Event]) -> None:
        key = f"unknown {what} {name}"
        self.counts[key] += 1
        if key not in self._drifted:
            self._drifted.add(key)
            events.append(e.Drifted(what, name))

    # -- answers ---------------------------------------------------------------

    def _answer(self, message: m.Reply, events: list[e.Event], now: Instant) -> None:
        match message:
            case m.Error():
                self._take_error(message, events, now)
            case m.CfBenchmarksList() | m.CfBenchmarks5HzList():
                self._take_names(message, message.msg.index_ids, events)
            case m.PythList():
                self._take_names(message, message.msg.underlying_tickers, events)
            case m.Subscribed() | m.Unsubscribed() | m.Ok():
                self._take_done(message, events, now)

    def _take_names(self, message: m.Reply, names: tuple[str, ...], events: list[e.Event]) -> None:
        subscription = self._by_sid.get(message.sid)
        if subscription is not None:
            events.append(e.NamesListed(subscription.channel, names))

    def _take_done(
        self, message: m.Subscribed | m.Unsubscribed | m.Ok, events: list[e.Event], now: Instant
    ) -> None:
        subscription, pending = self._pending_of(message.id)
        if subscription is None or pending is None:
            self._take_late(message, now)
            return
        subscription.pending = None
        if pending.doing is Doing.SUBSCRIBE and not subscription.sid:
            self._begin(subscription, message, now)
            events.append(e.Live(subscription.channel))
        elif pending.doing is Doing.UNSUBSCRIBE:
            self._by_sid.pop(subscription.sid, None)
            events += subscription.lose_books("its subscription ended")
        subscription.attempts = 0
        subscription.done(pending)
        if isinstance(message, m.Ok) and isinstance(message.msg, m.OkBody):
            # The exchange's own list decides where it covers more than we asked for.
            listed = given(message.msg.market_tickers)
            if listed and subscription.told is not None and pending.doing is not Doing.DELETE:
                subscription.told.update(listed)
        self._outbox.go_on(subscription, now)

    def _take_late(self, message: m.Subscribed | m.Unsubscribed | m.Ok, now: Instant) -> None:
        """An answer that was not waited for any more.  If something ended, it ended here."""
        asked = self._outbox.asked(message.id)
        subscription = None if asked is None else self._subscriptions.get(asked.channel)
        if asked is not None and subscription is not None and asked.sid == subscription.sid:
            subscription.doubt(asked.doing, asked.names)
            self._outbox.go_on(subscription, now)

    def _begin(
        self,
        subscription: Subscription,
        message: m.Subscribed | m.Unsubscribed | m.Ok,
        now: Instant,
    ) -> None:
        if isinstance(message, m.Subscribed):
            subscription.begin(message.msg.sid, 1)
        elif isinstance(message.sid, int):
            # The first acknowledgement was lost, and this one merged into what it had made.
            seq = message.seq if isinstance(message.seq, int) else 0
            subscription.begin(message.sid, seq + 1)
        self._by_sid[subscription.sid] = subscription
        # Snapshots come by themselves now; ask only if they do not.
        subscription.snapshots_asked_at = now

    def _take_error(self, message: m.Error, events: list[e.Event], now: Instant) -> None:
        body = message.msg
        self.counts[f"error {body.code}"] += 1
        reason = f"{body.msg} (error {body.code})"
        ends = body.code in TERMINAL_ERRORS or body.code == ErrorCode.UNKNOWN_SID
        by_sid = self._by_sid.get(message.sid)
        if by_sid is not None and ends:
            self._lose(by_sid, reason, events, now)
            return
        asked = self._outbox.asked(message.id)
        subscription = None if asked is None else self._subscriptions.get(asked.channel)
        if asked is None or subscription is None:
            events.append(e.Refused(None, body.code, body.msg))
            return
        pending, refused = subscription.pending, _refused_names(body)
        is_pending = pending is not None and pending.command_id == message.id
        if is_pending and (not refused or set(refused) >= set(asked.names)):
            subscription.pending = None
        if asked.sid not in {0, subscription.sid}:
            # It was said to a subscription that exists no more.
            pass
        elif ends:
            self._lose(subscription, reason, events, now)
        elif body.code in _LATER:
            subscription.retry_at = Instant(now + self._times.resubscribe)
        elif asked.is_snapshot and not refused:
            events.append(e.MustReconnect(f"no snapshot of a book: {reason}"))
        elif is_pending and pending is not None and pending.doing is Doing.UNSUBSCRIBE:
            events.append(e.MustReconnect(f"a subscription cannot be ended: {reason}"))
        else:
            names = refused or asked.names
            subscription.refuse(names)
            tickers = tuple(map(Ticker, names))
            events.append(e.Refused(subscription.channel, body.code, body.msg, tickers))
        self._outbox.go_on(subscription, now)

    def _lose(
        self, subscription: Subscription, reason: str, events: list[e.Event], now: Instant
    ) -> None:
        self._by_sid.pop(subscription.sid, None)
        subscription.end()
        subscription.retry_at = Instant(now + self._times.resubscribe)
        if subscription.is_wanted:
            events.append(e.Lost(subscription.channel, reason))
        events += subscription.lose_books(reason)

    def _pending_of(self, command_id: object) -> tuple[Subscription | None, Pending | None]:
        for subscription in self._subscriptions.values():
            pending = subscription.pending
            if pending is not None and pending.command_id == command_id:
                return subscription, pending
        return None, None


def _refused_names(body: m.ErrorBody) -> tuple[str, ...]:
    one = given(body.market_ticker) or given(body.market_id)
    return given(body.market_tickers) or ((one,) if one else ())
