"""Orders that meet: price, time, time in force, self-trades, collateral."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from small_exchange import EVENT, RAIN, SERIES, a_market
from trading_floor import ANN, BOB, CAT, FOK, IOC, MAKER_GIVES_WAY, trading_floor

from trueup.core.catalog import FeeChange
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Money, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e


def test_orders_that_do_not_cross_rest() -> None:
    floor = trading_floor()

    floor.bid(ANN, "10", "0.54")
    floor.ask(BOB, "5", "0.55")

    assert floor.book() == ["ask 0.55 5.00", "bid 0.54 10.00"]
    assert floor.trades() == []


def test_arriving_order_trades_at_the_resting_ones_prices_the_best_first() -> None:
    floor = trading_floor()
    dear = floor.ask(BOB, "5", "0.57")
    cheap = floor.ask(CAT, "5", "0.55")

    taker = floor.bid(ANN, "8", "0.60")

    assert floor.trades() == ["5.00 at 0.55", "3.00 at 0.57"]
    assert floor.shape(taker) == ("executed", "8.00", "0.00")
    assert floor.shape(cheap) == ("executed", "5.00", "0.00")
    assert floor.shape(dear) == ("resting", "3.00", "2.00")
    assert floor.book() == ["ask 0.57 2.00"]


def test_of_two_at_one_price_the_earlier_trades_first() -> None:
    floor = trading_floor()
    first = floor.bid(BOB, "5", "0.50")
    second = floor.bid(CAT, "5", "0.50")

    floor.ask(ANN, "6", "0.50")

    assert floor.shape(first) == ("executed", "5.00", "0.00")
    assert floor.shape(second) == ("resting", "1.00", "4.00")


def test_what_is_left_of_a_crossing_order_rests_at_its_own_price() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")

    floor.bid(ANN, "8", "0.56")

    assert floor.book() == ["bid 0.56 3.00"]


def test_both_fills_share_the_trades_id_and_only_the_taker_pays_here() -> None:
    floor = trading_floor()
    floor.ask(BOB, "10", "0.60")

    floor.bid(ANN, "10", "0.60")

    (trade,) = [one for one in floor.events if isinstance(one, e.TradeMade)]
    taken, made = floor.exchange.account(ANN).fills[0], floor.exchange.account(BOB).fills[0]
    assert taken.trade_id == made.trade_id == trade.trade_id
    assert (taken.is_taker, made.is_taker) == (True, False)
    assert (taken.fee, made.fee) == (Money.parse("0.168"), Money(0))
    assert floor.free(ANN) == Money.parse("993.832")
    assert floor.free(BOB) == Money.parse("996")


def test_immediate_or_cancel_takes_what_is_there() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")

    order = floor.bid(ANN, "8", "0.56", lambda one: replace(one, time_in_force=IOC))

    assert floor.shape(order) == ("canceled", "5.00", "0.00")
    assert floor.book() == []


def test_fill_or_kill_fills_whole_or_is_refused() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")

    floor.bid(ANN, "8", "0.56", lambda one: replace(one, time_in_force=FOK))
    whole = floor.bid(ANN, "5", "0.56", lambda one: replace(one, time_in_force=FOK))

    assert floor.refusals() == [e.Refusal.FILL_OR_KILL]
    assert floor.shape(whole) == ("executed", "5.00", "0.00")


def test_fill_or_kill_does_not_count_what_lies_behind_an_own_order() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")
    floor.ask(ANN, "1", "0.56")
    floor.ask(BOB, "5", "0.57")

    floor.bid(ANN, "6", "0.60", lambda one: replace(one, time_in_force=FOK))

    assert floor.refusals() == [e.Refusal.FILL_OR_KILL]


def test_maximum_cost_fills_whole_for_at_most_that_much() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.50")
    floor.ask(BOB, "5", "0.60")

    floor.bid(ANN, "10", "0.99", lambda one: replace(one, cost_max=Money.parse("5.49")))
    whole = floor.bid(ANN, "10", "0.99", lambda one: replace(one, cost_max=Money.parse("5.50")))

    assert floor.refusals() == [e.Refusal.FILL_OR_KILL]
    assert floor.shape(whole) == ("executed", "10.00", "0.00")


def test_post_only_that_would_cross_is_refused_by_rest_and_cancelled_by_fix() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")

    floor.bid(ANN, "1", "0.55", lambda one: replace(one, post_only=True))
    accepted = floor.bid(
        ANN, "1", "0.55", lambda one: replace(one, post_only=True, canceled_when_impossible=True)
    )
    rests = floor.bid(ANN, "1", "0.54", lambda one: replace(one, post_only=True))

    (refused,) = [one for one in floor.events if isinstance(one, e.Refused)]
    assert (refused.reason, refused.detail) == (e.Refusal.INVALID_ORDER, "post only cross")
    assert floor.why(accepted) == ["Placed", "PostOnlyCrossCancel"]
    assert floor.shape(rests) == ("resting", "0.00", "1.00")


def test_reduce_only_is_capped_by_the_position() -> None:
    floor = trading_floor()
    floor.ask(BOB, "4", "0.50")
    floor.bid(ANN, "4", "0.50")
    floor.bid(BOB, "10", "0.45")

    order = floor.ask(
        ANN, "9", "0.45", lambda one: replace(one, time_in_force=IOC, reduce_only=True)
    )
    again = floor.ask(
        ANN, "9", "0.45", lambda one: replace(one, time_in_force=IOC, reduce_only=True)
    )

    assert floor.shape(order) == ("canceled", "4.00", "0.00")
    assert floor.why(order)[-1] == floor.why(again)[-1] == "ReduceOnlyCancel"
    assert floor.net(ANN) == "0.00"


def test_self_trade_cancels_the_taker_and_its_earlier_fills_stand() -> None:
    floor = trading_floor()
    floor.ask(BOB, "2", "0.54")
    own = floor.ask(ANN, "5", "0.55")

    order = floor.bid(ANN, "5", "0.56")

    assert floor.shape(order) == ("canceled", "2.00", "0.00")
    assert floor.why(order) == ["Placed", "Trade", "SelfTradeCancel"]
    assert floor.shape(own) == ("resting", "0.00", "5.00")


def test_self_trade_cancels_the_maker_and_goes_on() -> None:
    floor = trading_floor()
    own = floor.ask(ANN, "5", "0.54")
    floor.ask(BOB, "5", "0.55")

    order = floor.bid(
        ANN, "5", "0.56", lambda one: replace(one, self_trade_prevention=MAKER_GIVES_WAY)
    )

    assert floor.shape(own) == ("canceled", "0.00", "0.00")
    assert floor.shape(order) == ("executed", "5.00", "0.00")
    assert floor.trades() == ["5.00 at 0.55"]


def test_order_ends_by_itself_when_it_expires() -> None:
    floor = trading_floor()
    ends = Instant(floor.now + 10 * SECOND)
    order = floor.bid(ANN, "5", "0.50", lambda one: replace(one, expires_at=ends))

    floor.advance(Instant(ends - 1))
    before = floor.shape(order)
    floor.advance(ends)

    assert before == ("resting", "0.00", "5.00")
    assert floor.why(order)[-1] == "ExpiryCancel"
    assert floor.order(order).state().at == ends


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time_in_force": IOC, "expires_at": Instant(2**60)}, e.Refusal.INVALID_PARAMETERS),
        ({"time_in_force": FOK, "expires_at": Instant(2**60)}, e.Refusal.INVALID_PARAMETERS),
        ({"expires_at": Instant(1)}, e.Refusal.INVALID_PARAMETERS),
        ({"reduce_only": True}, e.Refusal.INVALID_ORDER),
        ({"reduce_only": True, "time_in_force": FOK}, e.Refusal.INVALID_ORDER),
        ({"post_only": True, "time_in_force": IOC}, e.Refusal.INVALID_ORDER),
    ],
)
def test_contradictory_order_is_refused(change: dict[str, object], reason: e.Refusal) -> None:
    floor = trading_floor()

    floor.bid(ANN, "5", "0.50", lambda one: replace(one, **change))

    assert floor.refusals() == [reason]


def test_closing_order_needs_no_money() -> None:
    floor = trading_floor("10")
    floor.ask(BOB, "10", "0.90")
    floor.bid(ANN, "10", "0.90")

    order = floor.ask(ANN, "10", "0.95")

    assert floor.shape(order) == ("resting", "0.00", "10.00")
    assert floor.free(ANN) == Money.parse("0.937")


def test_what_trades_at_once_must_be_covered_with_its_fee() -> None:
    """5 at 0.50 cost 2.50 and a fee of 0.0875."""
    floor = trading_floor("2.58")
    floor.ask(BOB, "5", "0.50")

    floor.bid(ANN, "5", "0.50")
    floor.bid(ANN, "4", "0.50")

    assert floor.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]
    assert floor.trades() == ["4.00 at 0.50"]


def test_a_better_price_than_the_limit_frees_the_difference() -> None:
    floor = trading_floor("6")
    floor.ask(BOB, "10", "0.50")

    order = floor.bid(ANN, "10", "0.60")

    assert floor.shape(order) == ("executed", "10.00", "0.00")
    assert floor.free(ANN) == Money.parse("0.825")


def test_pairs_close_at_a_dollar_between_members() -> None:
    floor = trading_floor()
    floor.ask(BOB, "10", "0.40")
    floor.bid(ANN, "10", "0.40")
    floor.bid(CAT, "10", "0.70")

    floor.ask(ANN, "10", "0.70")

    state = floor.exchange.books.listings.markets[RAIN]
    holding = floor.exchange.account(ANN).holdings[PRIMARY, RAIN].latest()
    assert holding is not None
    assert holding.realized == Money.parse("3")
    assert (floor.net(ANN), floor.net(BOB), floor.net(CAT)) == ("0.00", "-10.00", "10.00")
    assert str(state.open_interest) == "10.00"


def test_cancel_says_how_much_was_taken_back() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.ask(BOB, "4", "0.50")

    events = floor.step(c.CancelOrder(at=floor.now, member=ANN, order_id=order))

    (updated,) = [one for one in events if isinstance(one, e.OrderUpdated)]
    assert str(updated.reduced_by) == "6.00"
    assert floor.shape(order) == ("canceled", "4.00", "0.00")


def test_book_changes_add_up_to_the_book() -> None:
    floor = trading_floor()
    floor.ask(BOB, "5", "0.55")
    floor.bid(ANN, "8", "0.56")
    floor.ask(CAT, "1", "0.56")
    floor.bid(CAT, "2.50", "0.40")

    levels: dict[tuple[str, str], int] = {}
    for event in floor.events:
        if isinstance(event, e.BookChanged):
            key = (event.side, str(event.price))
            levels[key] = levels.get(key, 0) + event.delta.units
            assert levels[key] == event.count.units
    assert {key: count for key, count in levels.items() if count} == {
        ("yes", "0.56"): 200,
        ("yes", "0.40"): 250,
    }


def test_waiver_and_override_hold_at_the_time_of_the_trade() -> None:
    floor = trading_floor()
    ends = Instant(floor.now + 10 * SECOND)
    ticker = Ticker("KXTEST-26OCT02-HAIL")
    floor.step(c.ListMarket(at=floor.now, market=a_market(ticker, waiver_until=ends)))
    floor.step(
        c.ScheduleFeeChange(
            at=floor.now,
            change=FeeChange(
                change_id="override",
                series_ticker=SERIES,
                event_ticker=EVENT,
                fee_type="quadratic_with_maker_fees",
                fee_multiplier=Ratio(2),
                effective_at=Instant(ends + 10 * SECOND),
            ),
        )
    )

    for wait in (0, 8 * SECOND, 10 * SECOND):
        floor.later(wait)
        floor.place(BOB, Side.NO, "10", price="0.60", ticker=ticker)
        floor.place(ANN, Side.YES, "10", price="0.60", ticker=ticker)

    # Waived; then 0.07 × 10 × 0.24 for the taker; then twice that, and a quarter for the maker.
    fees = {
        member: [str(fill.fee) for fill in floor.exchange.account(member).fills]
        for member in (ANN, BOB)
    }
    assert fees == {ANN: ["0.00", "0.168", "0.336"], BOB: ["0.00", "0.00", "0.084"]}


def test_order_sent_to_another_shard_finds_no_market() -> None:
    floor = trading_floor()

    floor.bid(ANN, "1", "0.50", lambda one: replace(one, shard=Shard(2)))
    floor.bid(ANN, "1", "0.50", lambda one: replace(one, shard=SHARD_ZERO))

    assert floor.refusals() == [e.Refusal.MARKET_NOT_FOUND]
    assert floor.book() == ["bid 0.50 1.00"]
