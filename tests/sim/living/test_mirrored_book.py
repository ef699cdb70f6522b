"""What an own order would have got: small cases, and never more than the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from trueup.core.ids import OrderId, Ticker, TradeId
from trueup.core.instant import SECOND, Instant
from trueup.sim.living.mirrored_book import LAG, MirroredBook, Share, TradeSeen
from trueup.sim.living.mirrored_book import given as given_to

MARKET = Ticker("KXA-1")
BID = (True, 50)
OURS = OrderId("ours")
SECOND_ORDER = OrderId("second")


def at(seconds: float) -> Instant:
    return Instant(10**15 + round(seconds * SECOND))


def trade(price: int, count: int, when: float, *, taker_is_bid: bool = False) -> TradeSeen:
    return TradeSeen(at(when), MARKET, TradeId("t"), price, count, taker_is_bid)


def left(count: int) -> Callable[[OrderId], int]:
    return lambda _: count


def book_of(bids: dict[int, int], asks: dict[int, int] | None = None) -> MirroredBook:
    book = MirroredBook(MARKET)
    book.load(bids, asks or {}, at(0))
    return book


def test_an_order_waits_behind_everybody_at_its_price() -> None:
    book = book_of({50: 100})
    book.join(OURS, BID, at(1))

    assert book.shares(trade(50, 100, 2), left(30)) == []
    assert book.shares(trade(50, 10, 3), left(30)) == [Share(OURS, 10)]


def test_a_trade_reaches_past_those_ahead() -> None:
    book = book_of({50: 100})
    book.join(OURS, BID, at(1))

    assert book.shares(trade(50, 120, 3), left(30)) == [Share(OURS, 20)]


def test_a_trade_gives_nothing_while_somebody_ahead_may_still_be_untold() -> None:
    book = book_of({50: 0})
    book.join(OURS, BID, at(1))
    # Who joined at 0.9 and was traded with at 1.5 is told at 1.7.
    assert book.shares(trade(50, 10, 1.5), left(30)) == []

    # Levels are told in order: once one from after the arrival is told, all before it are.
    book.change((False, 60), 5, at(1.1))
    assert book.shares(trade(50, 10, 1.8), left(30)) == [Share(OURS, 10)]


def test_a_trade_through_the_price_fills_up_to_what_was_traded() -> None:
    book = book_of({50: 100})
    book.join(OURS, BID, at(1))

    assert book.shares(trade(49, 12, 2), left(30)) == [Share(OURS, 12)]


def test_who_joins_later_is_behind() -> None:
    book = book_of({50: 10})
    book.join(OURS, BID, at(1))
    book.change(BID, 500, at(2))

    assert book.shares(trade(50, 11, 3), left(30)) == [Share(OURS, 1)]


def test_who_joined_earlier_and_is_told_late_is_ahead() -> None:
    book = book_of({50: 10})
    book.join(OURS, BID, at(1))
    book.change(BID, 500, at(0.9))

    assert book.shares(trade(50, 11, 3), left(30)) == []


def test_a_level_that_shrinks_is_cancelled_only_once_no_trade_can_explain_it() -> None:
    """The news of the level may come before the trade that it is about."""
    book = book_of({50: 10})
    book.join(OURS, BID, at(1))
    book.change(BID, -10, at(2))

    assert book.shares(trade(50, 10, 2), left(30)) == []

    book = book_of({50: 10})
    book.join(OURS, BID, at(1))
    book.change(BID, -10, at(2))
    assert book.shares(trade(50, 10, 2 + 1 + LAG / SECOND), left(30)) == [Share(OURS, 10)]


def test_a_trade_from_before_the_arrival_gives_nothing() -> None:
    book = book_of({50: 0})
    book.join(OURS, BID, at(1))

    assert book.shares(trade(50, 10, 0.9), left(30)) == []


def test_two_own_orders_never_get_the_same_contract() -> None:
    book = book_of({50: 5})
    book.join(OURS, BID, at(1))
    book.join(SECOND_ORDER, BID, at(2))

    shares = book.shares(trade(50, 20, 4), left(10))

    assert shares == [Share(OURS, 10), Share(SECOND_ORDER, 5)]


def test_a_taker_who_buys_fills_no_bid() -> None:
    book = book_of({50: 0}, {52: 10})
    book.join(OURS, BID, at(1))

    assert book.shares(trade(52, 10, 2, taker_is_bid=True), left(30)) == []


def test_what_own_orders_took_stays_taken_until_the_level_lost_it() -> None:
    ask = (False, 52)
    book = book_of({}, {52: 100})
    book.take(ask, 100)
    assert book.left(ask) == 0

    book.change(ask, -50, at(1))
    assert book.left(ask) == 0

    book.change(ask, 30, at(2))
    assert book.left(ask) == 30


def test_without_a_book_only_a_trade_through_the_price_fills() -> None:
    book = MirroredBook(MARKET)
    book.join(OURS, BID, at(1))

    assert book.shares(trade(50, 10, 2), left(30)) == []
    assert book.shares(trade(49, 10, 3), left(30)) == [Share(OURS, 10)]


def test_without_a_book_what_is_ahead_can_be_assumed() -> None:
    book = MirroredBook(MARKET, assumed_ahead=8)
    book.join(OURS, BID, at(1))

    assert book.shares(trade(50, 10, 2), left(30)) == [Share(OURS, 2)]


def test_without_a_book_a_buyer_below_our_bid_proves_an_offer_that_we_would_have_met() -> None:
    book = MirroredBook(MARKET)
    book.join(OURS, BID, at(1))

    assert book.shares(trade(48, 10, 2, taker_is_bid=True), left(4)) == [Share(OURS, 4)]
    assert book.shares(trade(51, 10, 3, taker_is_bid=True), left(4)) == []


# -- never more than the truth -------------------------------------------------------------------


@dataclass
class Truth:
    """A level as it is, contract by contract: whose is ahead of ours, and what trades reach us."""

    ahead: list[int]
    behind: list[int] = field(default_factory=list[int])
    arrived: bool = False

    def join(self, count: int) -> None:
        (self.behind if self.arrived else self.ahead).append(count)

    def cancel(self, place: int) -> int:
        everybody = [*self.ahead, *self.behind]
        if not everybody:
            return 0
        place %= len(everybody)
        if place < len(self.ahead):
            return self.ahead.pop(place)
        return self.behind.pop(place - len(self.ahead))

    def trade(self, count: int) -> tuple[int, int]:
        """Takes from the front; returns what was there to trade, and what of it reached us."""
        there = min(count, sum(self.ahead) + sum(self.behind))
        reached = max(0, there - sum(self.ahead)) if self.arrived else 0
        left = there
        for queue in (self.ahead, self.behind):
            while left and queue:
                taken = min(left, queue[0])
                queue[0] -= taken
                left -= taken
                if not queue[0]:
                    queue.pop(0)
        return there, reached


STEP = st.tuples(st.sampled_from(["join", "cancel", "trade"]), st.integers(1, 9))
DELAY = st.integers(0, LAG - 1)


@given(
    start=st.lists(st.integers(1, 9), max_size=4),
    before=st.lists(STEP, max_size=4),
    after=st.lists(STEP, max_size=12),
    delays=st.lists(st.tuples(DELAY, DELAY), min_size=16, max_size=16),
)
# Who joined before the order is told after the trade.
@example(start=[], before=[("join", 1)], after=[("trade", 1)], delays=[(0, 250_002)] * 16)
def test_an_order_never_gets_more_than_it_would_have_got(
    start: list[int],
    before: list[tuple[str, int]],
    after: list[tuple[str, int]],
    delays: list[tuple[int, int]],
) -> None:
    """Levels and trades are told on two channels, each in its own order, each with its delays."""
    truth = Truth(list(start))
    told: list[tuple[int, int, TradeSeen | tuple[int, Instant] | None]] = []
    heard_level = heard_trade = 0
    reachable: dict[int, int] = {}
    arrival = 10 * SECOND + len(before) * SECOND // 4
    for n, (what, size) in enumerate((*before, *after)):
        when = 10 * SECOND + n * SECOND // 4 + (n >= len(before))
        truth.arrived = n >= len(before)
        change = size
        if what == "join":
            truth.join(size)
        elif what == "cancel":
            change = -truth.cancel(size)
        else:
            there, reachable[n] = truth.trade(size)
            change = -there
            if there:
                heard_trade = max(heard_trade, when + delays[n][0])
                seen = TradeSeen(Instant(when), MARKET, TradeId(str(n)), 50, there, False)
                told.append((heard_trade, 2 * n, seen))
        if change:
            heard_level = max(heard_level, when + delays[n][1])
            told.append((heard_level, 2 * n + 1, (change, Instant(when))))
    told.append((arrival, -1, None))

    book = MirroredBook(MARKET)
    book.load({50: sum(start)}, {}, Instant(SECOND))
    for _, _, news in sorted(told, key=lambda each: each[:2]):
        if news is None:
            book.join(OURS, BID, Instant(arrival))
        elif isinstance(news, TradeSeen):
            got = given_to(book.shares(news, left(10**6)))
            assert got <= reachable[int(news.trade_id)]
        else:
            book.change(BID, *news)
