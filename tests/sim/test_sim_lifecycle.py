"""From the opening of a market to the row of its settlement."""

from __future__ import annotations

import itertools

import pytest
from small_exchange import CLOSES, EVENT, MEMBER, RAIN, SNOW, START, a_market, small_exchange

from trueup.core.fees import Precision
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import PRIMARY, Ticker
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant
from trueup.core.market import MARKET_TRANSITIONS, MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ONE_DOLLAR, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.lifecycle import CLOSE_CANCEL_DELAY, MarketState, Stage


def money(text: str) -> Money:
    return Money.parse(text)


def test_market_opens_and_closes_silently_by_its_own_times() -> None:
    small = small_exchange()
    later = Ticker("KXTEST-26OCT02-WIND")
    market = a_market(later)
    small.step(c.ListMarket(at=small.now, market=market))

    closing = small.advance(CLOSES)

    moved = [event for event in closing if isinstance(event, e.MarketMoved)]
    assert {event.ticker for event in moved} == {RAIN, SNOW, later}
    assert all(event.silent and event.status is MarketStatus.CLOSED for event in moved)


def test_close_cancels_what_rests() -> None:
    small = small_exchange()
    order_id = small.buy(RAIN, Side.YES, "5", at="0.10", filled="0")

    small.advance(CLOSES)
    waiting = small.exchange.account(MEMBER).order(order_id)
    small.step(c.CancelOrder(at=CLOSES, member=MEMBER, order_id=order_id))
    small.advance(Instant(CLOSES + CLOSE_CANCEL_DELAY))

    order = small.exchange.account(MEMBER).order(order_id)
    assert waiting.status is OrderStatus.RESTING
    assert small.refusals() == [e.Refusal.MARKET_INACTIVE]
    assert (order.status, order.updated_at) == (
        OrderStatus.CANCELED,
        Instant(CLOSES + CLOSE_CANCEL_DELAY),
    )
    assert small.exchange.account(MEMBER).available_at(small.now) == money("1000")


def test_order_after_the_close_is_refused() -> None:
    small = small_exchange()
    small.advance(CLOSES)

    small.buy(RAIN, Side.YES, "5", at="0.10", filled="0")

    assert isinstance(small.events[-1], e.Refused)
    assert small.events[-1].reason is e.Refusal.MARKET_INACTIVE


def test_pause_refuses_orders_and_resuming_cancels_those_that_rest() -> None:
    small = small_exchange()
    resting = small.buy(RAIN, Side.YES, "5", at="0.10", filled="0")
    small.step(c.PauseMarket(at=small.now, ticker=RAIN))
    small.buy(RAIN, Side.YES, "5", at="0.11", filled="0")
    refused = small.events[-1]

    small.step(c.ResumeMarket(at=small.now, ticker=RAIN))

    assert isinstance(refused, e.Refused)
    assert small.exchange.account(MEMBER).order(resting).status is OrderStatus.CANCELED


def test_determination_pays_nothing_until_the_timer_has_run_out() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False)
    small.advance(CLOSES)
    determined = c.DetermineMarket(
        at=CLOSES, ticker=RAIN, result=MarketResult.YES, value=ONE_DOLLAR
    )
    small.step(determined)

    small.advance(Instant(CLOSES + HOUR - 1))
    waiting = small.cash()
    small.advance(Instant(CLOSES + HOUR))

    assert waiting == money("994")
    assert small.cash() == money("1004")


def test_disputed_determination_pays_what_was_amended() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False)
    small.advance(CLOSES)
    small.step(c.DetermineMarket(at=CLOSES, ticker=RAIN, result=MarketResult.YES, value=ONE_DOLLAR))
    small.step(c.DisputeMarket(at=Instant(CLOSES + 10 * MINUTE), ticker=RAIN))
    small.advance(Instant(CLOSES + 5 * HOUR))
    disputed = small.cash()
    small.step(
        c.AmendMarket(
            at=Instant(CLOSES + 5 * HOUR), ticker=RAIN, result=MarketResult.NO, value=Price(0)
        )
    )
    small.advance(Instant(CLOSES + 7 * HOUR))

    stage = small.exchange.books.listings.markets[RAIN].stage()
    assert disputed == money("994")
    assert small.cash() == money("994")
    assert (stage.status, stage.result) == (MarketStatus.FINALIZED, MarketResult.NO)
    assert stage.settled_at == CLOSES + 6 * HOUR


def test_row_appears_some_seconds_after_the_payment() -> None:
    small = small_exchange(row_delay=20 * SECOND)
    small.buy(RAIN, Side.YES, "10", at="0.60")

    done = small.settle(RAIN, MarketResult.YES)

    (paid,) = [event for event in done if isinstance(event, e.SettlementPaid)]
    (listed,) = [event for event in done if isinstance(event, e.SettlementListed)]
    assert listed.at - paid.at == 20 * SECOND
    assert listed.settled == paid.settled
    assert paid.settled.at == paid.at


def test_row_counts_gross_contracts_and_pays_the_net() -> None:
    """As on a recorded row: 19.00 YES and 18.86 NO at 0.45 leave revenue of 6 cents."""
    small = small_exchange()
    small.buy(RAIN, Side.YES, "19", at="0.50")
    small.buy(RAIN, Side.NO, "18.86", at="0.40")

    small.settle(RAIN, MarketResult.SCALAR, "0.45")

    (row,) = small.exchange.account(MEMBER).settlements
    settled = row.settled
    assert (settled.yes_count, settled.no_count) == (Count.parse("19"), Count.parse("18.86"))
    assert (settled.yes_cost, settled.no_cost) == (money("9.50"), money("7.544"))
    assert settled.revenue == money("0.06")
    assert settled.value == Price.of_cents(45)
    holding = small.exchange.account(MEMBER).holdings[PRIMARY, RAIN].latest()
    assert holding is not None
    assert holding.payout == money("0.063")
    assert settled.trade_fees == holding.fees


@pytest.mark.parametrize(
    ("precision", "paid"), [(Precision.DIRECT, "3.7852"), (Precision.NON_DIRECT, "3.78")]
)
def test_scalar_payout_is_cut_to_the_members_precision(precision: Precision, paid: str) -> None:
    small = small_exchange(precision=precision)
    small.buy(RAIN, Side.YES, "12.37", at="0.50")
    before = small.cash()

    small.settle(RAIN, MarketResult.SCALAR, "0.3060")

    assert small.cash() - before == money(paid)


def test_tie_pays_both_sides_half() -> None:
    yes, no = small_exchange(), small_exchange()
    yes.buy(RAIN, Side.YES, "10", at="0.60", taker=False)
    no.buy(RAIN, Side.NO, "10", at="0.40", taker=False)

    for small in (yes, no):
        small.settle(RAIN, MarketResult.SCALAR, "0.50")

    assert yes.cash() == money("999")
    assert no.cash() == money("1001")


def test_market_nobody_traded_settles_without_a_row() -> None:
    small = small_exchange()

    done = small.settle(SNOW, MarketResult.NO)

    assert not [event for event in done if isinstance(event, e.SettlementPaid)]


def test_truth_can_be_asked_for_any_instant_of_the_past() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False)
    bought = small.now
    small.settle(RAIN, MarketResult.YES)

    account = small.exchange.account(MEMBER)
    assert account.cash_at(Instant(bought - 1)) == money("1000")
    assert account.cash_at(bought) == money("994")
    assert account.cash_at(small.now) == money("1004")
    assert account.position_at(bought, PRIMARY, RAIN).net == Count.parse("10")
    assert not account.position_at(small.now, PRIMARY, RAIN).net
    stated = small.exchange.books.listings.markets[RAIN].stated(bought)
    assert stated is not None
    assert (stated.status, stated.result) == (MarketStatus.ACTIVE, None)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(MarketStatus, MarketStatus)))
def test_every_cell_of_the_lifecycle_table_holds_in_the_machine(
    before: MarketStatus, after: MarketStatus
) -> None:
    state = MarketState(a_market(RAIN), LINEAR_CENT, HOUR)
    state.enter(START, Stage(status=before))

    moved = state.move(START, Stage(status=after))

    assert moved == (after in MARKET_TRANSITIONS[before])
    assert state.stage().status is (after if moved else before)


@pytest.mark.parametrize(
    "command",
    [
        c.DetermineMarket(at=START, ticker=RAIN, result=MarketResult.YES, value=ONE_DOLLAR),
        c.DisputeMarket(at=START, ticker=RAIN),
        c.AmendMarket(at=START, ticker=RAIN, result=MarketResult.NO, value=Price(0)),
        c.ResumeMarket(at=START, ticker=RAIN),
    ],
)
def test_step_out_of_turn_is_refused(command: c.Command) -> None:
    small = small_exchange()

    (refused,) = small.step(command)

    assert isinstance(refused, e.Refused)
    assert refused.reason is e.Refusal.WRONG_STATE


def test_things_are_listed_once_and_under_their_parents() -> None:
    small = small_exchange()

    (again,) = small.step(c.ListMarket(at=small.now, market=a_market(RAIN)))

    assert isinstance(again, e.Refused)
    assert again.reason is e.Refusal.ALREADY_EXISTS
    assert small.exchange.books.listings.markets_of[EVENT] == [RAIN, SNOW]
