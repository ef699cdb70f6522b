"""Closing what the bot holds: after the proof, within the bound, and said when it cannot be."""

from __future__ import annotations

from engine_floor import (
    HOT,
    Floor,
    Wishful,
    a_listing,
    all_of,
    buy,
    cents,
    contracts,
    dollars,
    only,
)

from trueup.core.ids import OrderId
from trueup.core.instant import MINUTE, SECOND
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.flatten import ClosingState
from trueup.engine.inflight import Intent
from trueup.engine.records import HaltCode
from trueup.engine.strategy import Mandate
from trueup.engine.wishes import Style


def long(floor: Floor, count: int = 10, *, side: Side = Side.YES) -> None:
    """Let the strategy hold something in the market."""
    limit = 50 if side is Side.YES else 48
    intent = only(f.Place, floor.wish(buy(count, limit, side=side))).intent
    order_id, _ = floor.accept(intent, filled=count)
    floor.fill(intent, count, order_id=order_id)


def flatten(floor: Floor, *, slippage: int = 200, strategy: str = "") -> list[f.Effect]:
    return floor.give(
        i.OperatorSaid(
            at=floor.now, wanted=i.Wanted.FLATTEN, by="ada", slippage=slippage, strategy=strategy
        )
    )


def prove(floor: Floor) -> list[f.Effect]:
    """The cancel-all is taken, and nothing rests."""
    floor.later()
    floor.give(i.SweepEnded(at=floor.now, done=True))
    return floor.give(i.RestingRead(at=floor.now, resting=(), as_of=floor.now))


def quiet_is_over(floor: Floor) -> list[f.Effect]:
    floor.later(MINUTE + SECOND)
    floor.quote()
    return floor.give(i.TimerFired(at=floor.now))


def closers(floor: Floor, since: int = 0) -> list[Intent]:
    placed = all_of(f.Place, floor.effects[since:])
    return [each.intent for each in placed if each.intent.only_reduce]


def states(floor: Floor) -> list[ClosingState]:
    return [each.state for each in floor.machine.state.flattener.closings.values()]


def words(floor: Floor) -> str:
    told = all_of(f.Alert, floor.effects)
    return next(each.words for each in reversed(told) if each.kind is f.AlertKind.FLATTENED)


def test_what_filled_and_was_not_told_yet_is_closed_too() -> None:
    """The exchange took the order; its fill is still on the way when somebody says flatten."""
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    order_id, _ = floor.accept(intent, filled=10)

    flatten(floor, strategy="wishful")
    floor.later().quote()
    assert floor.machine.state.flattener.is_active

    floor.later()
    floor.fill(intent, 10, order_id=order_id)
    (closer,) = closers(floor)
    assert closer.count == contracts(10)


def test_fill_that_never_comes_is_not_waited_for_without_end() -> None:
    floor = Floor()
    floor.accept(only(f.Place, floor.wish(buy(10, 50))).intent, filled=10)

    flatten(floor, strategy="wishful")
    floor.later(2 * MINUTE)
    floor.give(i.TimerFired(at=floor.now))

    assert not floor.machine.state.flattener.is_active
    assert words(floor).startswith("0 of 0 positions")


def test_nothing_is_sent_before_the_proof_and_the_quiet_minute() -> None:
    floor = Floor()
    long(floor)
    since = len(floor.effects)

    assert all_of(f.Sweep, flatten(floor)), "it pulls the kill switch first"
    assert floor.machine.state.halts.has(HaltCode.KILL)
    prove(floor)
    floor.later(50 * SECOND).quote()
    assert closers(floor, since) == []

    quiet_is_over(floor)
    (closer,) = closers(floor, since)
    assert (closer.side, closer.count, closer.style) == (Side.NO, contracts(10), Style.TAKE)
    assert closer.limit == cents(46), "the bid of 48, less the bound"
    assert closer.strategy == "wishful"
    assert closer in [each.record for each in all_of(f.Persist, floor.effects)]


def test_closed_position_is_told_and_the_account_stays_off() -> None:
    floor = Floor()
    long(floor)
    flatten(floor)
    prove(floor)
    quiet_is_over(floor)
    closer = closers(floor)[-1]

    order_id, _ = floor.accept(closer, filled=10)
    floor.fill(closer, 10, order_id=order_id, price=47)

    assert states(floor) == [ClosingState.CLOSED]
    assert words(floor) == "1 of 1 positions are closed"
    assert floor.machine.state.halts.has(HaltCode.KILL)
    assert not floor.machine.state.flattener.is_active


def test_short_position_is_bought_back_at_the_ask_and_the_bound() -> None:
    floor = Floor()
    long(floor, side=Side.NO)
    flatten(floor, slippage=300)
    prove(floor)
    quiet_is_over(floor)

    closer = closers(floor)[-1]

    assert (closer.side, closer.limit) == (Side.YES, cents(53))


def test_partly_filled_closer_is_followed_by_another_at_the_same_bound() -> None:
    floor = Floor()
    long(floor)
    flatten(floor)
    prove(floor)
    quiet_is_over(floor)
    first = closers(floor)[-1]
    order_id, _ = floor.accept(first, filled=4)
    floor.fill(first, 4, order_id=order_id, price=46)

    floor.later(3 * SECOND).quote(47, 49)

    second = closers(floor)[-1]
    assert second.client_order_id != first.client_order_id
    assert (second.count, second.limit) == (contracts(6), cents(46))


def test_price_beyond_the_bound_is_not_chased_and_said() -> None:
    floor = Floor()
    long(floor)
    flatten(floor)
    prove(floor)
    quiet_is_over(floor)
    first = closers(floor)[-1]
    floor.accept(first)
    floor.later(3 * SECOND).quote(30, 32)
    assert closers(floor)[-1] is first

    floor.later(3 * MINUTE).quote(30, 32)

    assert states(floor) == [ClosingState.LEFT]
    assert "the best price is 0.30 now, the bound is 0.46" in words(floor)
    assert "0 of 1" in words(floor)


def test_market_that_is_paused_leaves_its_position_and_says_so() -> None:
    floor = Floor()
    long(floor)
    paused = a_listing(status=MarketStatus.INACTIVE)
    floor.give(i.MarketsListed(at=floor.now, listings=(paused,)))
    since = len(floor.effects)
    flatten(floor)
    prove(floor)
    quiet_is_over(floor)

    floor.later(3 * MINUTE).quote()

    assert closers(floor, since) == []
    assert "market_not_open: status inactive" in words(floor)


def test_nothing_held_is_done_at_once() -> None:
    floor = Floor()
    flatten(floor)
    prove(floor)

    quiet_is_over(floor)

    assert words(floor) == "0 of 0 positions are closed"


def test_other_peoples_positions_are_left_alone() -> None:
    floor = Floor()
    long(floor)
    ours = only(f.Place, floor.effects).intent
    floor.fill(ours, 10, order_id=OrderId("by hand"), price=50)
    assert floor.machine.state.portfolio.net(HOT) == contracts(20)
    flatten(floor)
    prove(floor)

    quiet_is_over(floor)

    assert closers(floor)[-1].count == contracts(10)


def test_strategies_on_opposite_sides_are_flat_for_the_exchange() -> None:
    up, down = Wishful("up"), Wishful("down")
    floor = Floor(up, down, mandate=Mandate(capital=dollars("500")))
    for strategy, side, limit in ((up, Side.YES, 50), (down, Side.NO, 48)):
        strategy.wishes.append(buy(10, limit, side=side))
        intent = only(f.Place, floor.later().quote()).intent
        order_id, _ = floor.accept(intent, filled=10)
        floor.fill(intent, 10, order_id=order_id, price=49)
    since = len(floor.effects)
    flatten(floor)
    prove(floor)

    quiet_is_over(floor)

    assert closers(floor, since) == []
    assert "for the exchange nothing is held" in words(floor)


def test_one_strategy_is_flattened_while_the_other_trades_on() -> None:
    up, down = Wishful("up"), Wishful("down")
    floor = Floor(up, down, mandate=Mandate(capital=dollars("500")))
    up.wishes.append(buy(10, 50))
    intent = only(f.Place, floor.later().quote()).intent
    order_id, _ = floor.accept(intent, filled=10)
    floor.fill(intent, 10, order_id=order_id)
    since = len(floor.effects)

    done = flatten(floor, strategy="up")

    assert not all_of(f.Sweep, done), "nobody else's orders are touched"
    (closer,) = closers(floor, since)
    assert closer.strategy == "up"
    assert floor.machine.state.running["up"].paused
    down.wishes.append(buy(1, 48, side=Side.NO))
    assert only(f.Place, floor.later().quote()).intent.strategy == "down"


def test_rearming_ends_it() -> None:
    floor = Floor()
    long(floor)
    flatten(floor)
    prove(floor)
    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.REARM, by="ada"))
    since = len(floor.effects)

    quiet_is_over(floor)

    assert closers(floor, since) == []


def test_every_word_of_an_operator_is_told() -> None:
    floor = Floor()
    resting = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(resting)

    for wanted, order in (
        (i.Wanted.PAUSE, None),
        (i.Wanted.RESUME, None),
        (i.Wanted.CANCEL, resting.client_order_id),
    ):
        said = i.OperatorSaid(at=floor.now, wanted=wanted, by="ada", words="why", order=order)
        told = only(f.Alert, floor.give(said))
        assert (told.kind, told.by, told.command) == (f.AlertKind.OPERATOR, "ada", wanted)
        assert told.words.startswith(f"ada said {wanted}")


def test_pause_takes_back_what_rests_and_what_comes_to_rest_later() -> None:
    floor = Floor()
    resting = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(resting)
    late = only(f.Place, floor.wish(buy(5, 60, side=Side.NO, style=Style.POST))).intent

    done = floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.PAUSE, by="ada"))
    _, after = floor.accept(late)

    assert only(f.Cancel, done).client_order_id == resting.client_order_id
    assert only(f.Cancel, after).client_order_id == late.client_order_id
    assert HOT in floor.machine.state.tops
