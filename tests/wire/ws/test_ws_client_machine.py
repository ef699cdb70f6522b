"""Client against server, with everything that a network can do between them.

The claim: a book of the client equals the server's as of what was delivered, or it
does not answer.  And once the line is clean again, all books come back.
"""

from __future__ import annotations

import json
from collections import deque

from exchange_floor import NOW, Floor
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orderbook import BookSnapshot
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions
from trueup.wire.ws.server_session import ServerSession

TICKERS = [Ticker(f"KX-{letter}") for letter in "ABCD"]
tickers = st.sampled_from(TICKERS)


class Machine(RuleBasedStateMachine):
    """One client, one exchange, one bad line from the exchange to the client.

    `sent` holds, for every frame on its way, the books as they were when it left, so
    that "what was delivered" is known by another road than the client's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor(*TICKERS)
        self.client = ClientSession()
        self.server: ServerSession | None = None
        self.sent: deque[tuple[bytes, dict[Ticker, BookSnapshot]]] = deque()
        self.now = NOW
        self.wanted: set[Ticker] = set()
        self.truth: dict[Ticker, BookSnapshot] = {}
        self.newest = 0
        self.events: list[e.Event] = []

    @initialize(use_yes_price=st.booleans(), first=st.sets(tickers, min_size=1))
    def start(self, use_yes_price: bool, first: set[Ticker]) -> None:
        options = ChannelOptions(use_yes_price=use_yes_price)
        self.client.subscribe(Channel.ORDERBOOK, sorted(first), now=self.now, options=options)
        self.wanted |= first
        self.connect()

    def connect(self) -> None:
        self.server = ServerSession("me", self.floor)
        self.sent.clear()
        self.newest = 0
        self.client.connected(self.now)
        self.talk()

    def talk(self) -> None:
        """Deliver the client's commands (that way is reliable) and queue the answers."""
        for command in self.client.commands():
            if self.server is not None:
                for frame in self.server.receive(command, self.now):
                    self.queue(frame)

    def queue(self, frame: bytes) -> None:
        self.sent.append((frame, {one: self.floor.books[one].snapshot() for one in TICKERS}))

    def take(self, frame: bytes, state: dict[Ticker, BookSnapshot]) -> None:
        place = json.loads(frame).get("seq", 0)
        if place > self.newest:
            self.newest, self.truth = place, state
        self.events += self.client.receive(frame, self.now)
        self.talk()

    # -- the exchange ----------------------------------------------------------

    @rule(
        changes=st.lists(
            st.tuples(tickers, st.booleans(), st.integers(1, 9), st.integers(1, 9)),
            min_size=1,
            max_size=12,
        )
    )
    def trade(self, changes: list[tuple[Ticker, bool, int, int]]) -> None:
        """Levels grow, and shrink where there is enough to take."""
        for ticker, is_bid, cents, count in changes:
            side, price = (Side.YES, cents) if is_bid else (Side.NO, 100 - cents)
            resting = self.floor.books[ticker].count_at(side, Price.of_cents(price))
            self.publish(ticker, side, price, -count if resting.units >= count * 100 else count)

    def publish(self, ticker: Ticker, side: Side, price: int, change: int) -> None:
        delta = self.floor.change(ticker, side, price, change)
        if self.server is not None:
            for frame in self.server.publish(self.floor.publication(delta), self.now):
                self.queue(frame)

    # -- the client ------------------------------------------------------------

    @rule(ticker=tickers)
    def watch(self, ticker: Ticker) -> None:
        self.client.subscribe(Channel.ORDERBOOK, [ticker], now=self.now)
        self.wanted.add(ticker)
        self.talk()

    @precondition(lambda self: len(self.wanted) > 1)
    @rule(ticker=tickers)
    def forget(self, ticker: Ticker) -> None:
        self.client.unsubscribe(Channel.ORDERBOOK, [ticker], now=self.now)
        self.wanted.discard(ticker)
        self.talk()

    @rule(seconds=st.sampled_from([1, 1, 1, 2, 6, 11]))
    def wait(self, seconds: int) -> None:
        self.now = Instant(self.now + seconds * SECOND)
        self.events += self.client.tick(self.now)
        self.talk()

    # -- the line --------------------------------------------------------------

    @precondition(lambda self: self.sent)
    @rule(count=st.integers(1, 20))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.sent))):
            self.take(*self.sent.popleft())

    @precondition(lambda self: self.sent)
    @rule(place=st.integers(0, 5))
    def lose(self, place: int) -> None:
        del self.sent[min(place, len(self.sent) - 1)]

    @precondition(lambda self: self.sent)
    @rule(place=st.integers(0, 5))
    def repeat(self, place: int) -> None:
        place = min(place, len(self.sent) - 1)
        self.sent.insert(place + 1, self.sent[place])

    @precondition(lambda self: len(self.sent) > 1)
    @rule(place=st.integers(0, 5))
    def reorder(self, place: int) -> None:
        place = min(place, len(self.sent) - 2)
        one, other = self.sent[place], self.sent[place + 1]
        self.sent[place], self.sent[place + 1] = other, one

    @rule()
    def deliver_everything(self) -> None:
        while self.sent:
            self.take(*self.sent.popleft())

    @rule(luck=st.integers(0, 9))
    def break_off(self, luck: int) -> None:
        if luck:
            return
        self.events += self.client.disconnected("the connection was lost")
        self.server = None
        self.sent.clear()
        assert not any(self.client.book(one).is_valid for one in self.wanted)  # type: ignore[union-attr]
        self.connect()

    # -- the claims ------------------------------------------------------------

    @invariant()
    def a_book_that_answers_is_right_as_of_the_newest_frame(self) -> None:
        for ticker in TICKERS:
            book = self.client.book(ticker)
            if book is not None and book.is_valid:
                assert book.snapshot() == self.truth[ticker]

    def teardown(self) -> None:
        """A clean line, some time and one more change each, because only a later message shows
        that the last one was lost: everything that is wanted answers, and is right.
        """
        for ticker in TICKERS:
            self.publish(ticker, Side.YES, 50, 1)
        for _ in range(40):
            while self.sent:
                self.take(*self.sent.popleft())
            self.now = Instant(self.now + 3 * SECOND)
            self.events += self.client.tick(self.now)
            if any(isinstance(one, e.MustReconnect) for one in self.events):
                self.events.clear()
                self.client.disconnected("as it wished")
                self.connect()
            self.talk()
            if not self.sent and self.all_well():
                break
        assert self.all_well(), {one: self.client.book(one) for one in self.wanted}
        for ticker in TICKERS:
            assert (self.client.book(ticker) is not None) == (ticker in self.wanted)

    def all_well(self) -> bool:
        books = [self.client.book(one) for one in self.wanted]
        return all(
            book is not None
            and book.is_valid
            and book.snapshot() == self.floor.books[book.ticker].snapshot()
            for book in books
        )


TestClientAgainstServer = Machine.TestCase
TestClientAgainstServer.settings = settings(
    max_examples=50,
    stateful_step_count=60,
    deadline=None,
    # Shrinking a run of sixty steps takes minutes; the run itself can be read.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
