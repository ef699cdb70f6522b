"""Requests for quotes: who may do what when, and what an execution does."""

from __future__ import annotations

import pytest
from rfq_floor import Refusal, RfqFloor, rfq_floor, with_money
from small_exchange import CLOSES, RAIN, SNOW
from trading_floor import ANN, BOB, CAT

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.auditing import audit
from trueup.sim.rfq import OPEN_RFQS_MAX, QUOTE_TRANSITIONS, RfqEnd, windows


@pytest.fixture
def floor() -> RfqFloor:
    return rfq_floor()


# -- from the request to the trade -------------------------------------------------------------


def test_accepted_yes_bid_lets_the_quoter_make_and_the_requester_take(floor: RfqFloor) -> None:
    """As recorded: at 48 cents the quoter pays its bid, the requester 52 and a taker's fee."""
    quote_id = floor.agree(yes="0.48")

    floor.wait(15)

    assert floor.status(quote_id) == "executed"
    assert floor.trades() == ["10.00 at 0.48"]
    assert (floor.net(BOB), floor.net(ANN)) == ("10.00", "-10.00")
    (made,) = floor.exchange.account(BOB).fills
    (taken,) = floor.exchange.account(ANN).fills
    assert (made.is_taker, made.fee) == (False, Money(0))
    assert (taken.is_taker, taken.side, taken.fee) == (True, Side.NO, Money.parse("0.1748"))
    assert floor.free(ANN) == Money.parse("994.6252")


def test_accepted_no_bid_sells_the_requester_yes(floor: RfqFloor) -> None:
    quote_id = floor.agree(side=Side.NO)

    floor.wait(15)

    assert floor.status(quote_id) == "executed"
    assert floor.trades() == ["10.00 at 0.52"]
    assert (floor.net(BOB), floor.net(ANN)) == ("-10.00", "10.00")


def test_nothing_trades_before_the_timer_ran_out(floor: RfqFloor) -> None:
    quote_id = floor.agree()

    floor.wait(14)
    assert (floor.status(quote_id), floor.trades()) == ("confirmed", [])

    floor.wait(1)
    assert (floor.status(quote_id), floor.trades()) == ("executed", ["10.00 at 0.48"])

    floor.wait(3_600)
    assert floor.trades() == ["10.00 at 0.48"]


def test_execution_closes_the_request_and_the_other_quotes(floor: RfqFloor) -> None:
    rfq_id = floor.ask_for()
    other, best = floor.answer(rfq_id, "0.47", member=CAT), floor.answer(rfq_id)
    floor.accept(best)
    floor.confirm(best)

    floor.wait(15)

    assert floor.rfq(rfq_id).end is RfqEnd.EXECUTED
    assert (floor.status(best), floor.status(other)) == ("executed", "cancelled")


def test_execution_is_told_before_its_orders(floor: RfqFloor) -> None:
    floor.agree()
    floor.later(15_000_000)

    told = [type(event) for event in floor.advance(floor.now)]

    assert told[:2] == [e.RfqQuoteUpdated, e.RfqUpdated]
    assert told.index(e.OrderUpdated) < told.index(e.FillMade)


def test_acceptance_may_be_of_a_part(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for())
    floor.accept(quote_id, count="2.50")
    floor.confirm(quote_id)

    floor.wait(15)

    assert floor.trades() == ["2.50 at 0.48"]


def test_better_quote_is_taken_where_that_is_preferred(floor: RfqFloor) -> None:
    rfq_id = floor.ask_for()
    worse, better = floor.answer(rfq_id), floor.answer(rfq_id, "0.49", member=CAT)

    floor.accept(worse, prefers_better=True)

    assert (floor.status(worse), floor.status(better)) == ("open", "accepted")


# -- on the public book ------------------------------------------------------------------------


def test_better_bid_of_the_book_trades_first(floor: RfqFloor) -> None:
    floor.bid(CAT, "4", "0.50")
    floor.agree(yes="0.48")

    floor.wait(15)

    assert floor.trades() == ["4.00 at 0.50", "6.00 at 0.48"]
    assert floor.book() == []


def test_remainder_of_the_quoter_rests_if_it_wants(floor: RfqFloor) -> None:
    floor.bid(CAT, "4", "0.50")
    quote_id = floor.answer(floor.ask_for(), rests=True)
    floor.accept(quote_id)
    floor.confirm(quote_id)

    floor.wait(15)

    assert floor.book() == ["bid 0.48 4.00"]


def test_remainder_of_the_requester_rests_if_it_wants(floor: RfqFloor) -> None:
    """Cat's offer is cheaper than the bid: the quoter takes it, and cannot serve Ann whole."""
    floor.ask(CAT, "3", "0.40")
    quote_id = floor.answer(floor.ask_for(rests=True))
    floor.accept(quote_id)
    floor.confirm(quote_id)

    floor.wait(15)

    assert floor.trades() == ["3.00 at 0.40", "7.00 at 0.48"]
    assert floor.book() == ["ask 0.48 3.00"]


def test_post_only_quote_gives_way_instead_of_taking(floor: RfqFloor) -> None:
    floor.ask(CAT, "3", "0.40")
    quote_id = floor.answer(floor.ask_for(), post_only=True)
    floor.accept(quote_id)
    floor.confirm(quote_id)

    floor.wait(15)

    assert floor.status(quote_id) == "executed"
    assert floor.trades() == []
    assert floor.book() == ["ask 0.40 3.00"]


def test_requester_never_trades_with_itself(floor: RfqFloor) -> None:
    floor.bid(ANN, "10", "0.50")
    floor.agree(yes="0.48")

    floor.wait(15)

    assert floor.trades() == []
    assert floor.net(ANN) == "0.00"


# -- who may do what ---------------------------------------------------------------------------


def test_nobody_quotes_for_its_own_request(floor: RfqFloor) -> None:
    with pytest.raises(Refusal, match="your own RFQ"):
        floor.answer(floor.ask_for(), member=ANN)


def test_new_quote_replaces_the_last_one(floor: RfqFloor) -> None:
    rfq_id = floor.ask_for()
    first, second = floor.answer(rfq_id), floor.answer(rfq_id, "0.49")

    assert (floor.status(first), floor.quote(first).reason) == ("cancelled", "replaced")
    with pytest.raises(Refusal, match="not open"):
        floor.accept(first)
    floor.accept(second)


@pytest.mark.parametrize(
    ("yes", "no", "why"),
    [
        ("0", "0", "at least one side"),
        ("0.60", "0.41", "more than \\$1"),
        ("0.4855", "0.48", "invalid_price"),
        ("0.48", "0.4855", "invalid_price"),
    ],
)
def test_quote_that_makes_no_sense_is_refused(floor: RfqFloor, yes: str, no: str, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        floor.answer(floor.ask_for(), yes, no)


def test_declined_side_cannot_be_accepted(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for(), "0")

    assert str(floor.quote(quote_id).yes_count) == "0.00"
    with pytest.raises(Refusal, match="not offered"):
        floor.accept(quote_id, Side.YES)
    floor.accept(quote_id, Side.NO)


def test_only_the_requester_accepts_and_only_the_quoter_confirms(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for())

    with pytest.raises(Refusal, match="not_found"):
        floor.accept(quote_id, member=CAT)
    floor.accept(quote_id)
    with pytest.raises(Refusal, match="not_found"):
        floor.confirm(quote_id, member=CAT)


def test_nothing_is_confirmed_that_was_not_accepted(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for())

    with pytest.raises(Refusal, match="no confirmation"):
        floor.confirm(quote_id)

    floor.wait(60)
    assert floor.trades() == []


def test_late_confirmation_finds_the_window_closed(floor: RfqFloor) -> None:
    """As recorded: ``expired``, and the quote stays accepted for good."""
    quote_id = floor.answer(floor.ask_for())
    floor.accept(quote_id)
    floor.wait(30)

    with pytest.raises(Refusal, match="expired"):
        floor.confirm(quote_id)
    assert floor.status(quote_id) == "accepted"


def test_another_quote_is_accepted_only_after_the_first_lapsed(floor: RfqFloor) -> None:
    rfq_id = floor.ask_for()
    first, second = floor.answer(rfq_id), floor.answer(rfq_id, member=CAT)
    floor.accept(first)

    with pytest.raises(Refusal, match="another quote"):
        floor.accept(second)
    floor.wait(31)
    floor.accept(second)
    floor.confirm(second, member=CAT)
    floor.wait(15)

    assert (floor.status(first), floor.status(second)) == ("accepted", "executed")
    assert floor.net(CAT) == "10.00"


def test_accepted_quote_is_not_found_by_who_wants_to_delete_it(floor: RfqFloor) -> None:
    """As recorded."""
    quote_id = floor.answer(floor.ask_for())
    floor.accept(quote_id)

    with pytest.raises(Refusal, match="not_found"):
        floor.delete_quote(quote_id)


def test_deleted_quote_cannot_be_accepted(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for())
    floor.delete_quote(quote_id)

    with pytest.raises(Refusal, match="not open"):
        floor.accept(quote_id)


def test_deleted_request_takes_its_quotes_with_it(floor: RfqFloor) -> None:
    rfq_id = floor.ask_for()
    quote_id = floor.answer(rfq_id)
    floor.accept(quote_id)

    floor.delete_rfq(rfq_id)

    assert floor.rfq(rfq_id).end is RfqEnd.DELETED
    with pytest.raises(Refusal, match="no confirmation"):
        floor.confirm(quote_id)
    with pytest.raises(Refusal, match="no open RFQ"):
        floor.answer(rfq_id)


def test_nobody_withdraws_from_a_confirmed_quote(floor: RfqFloor) -> None:
    quote_id = floor.agree()

    with pytest.raises(Refusal, match="confirmed"):
        floor.delete_rfq(floor.quote(quote_id).rfq_id)
    with pytest.raises(Refusal, match="already_exists"):
        floor.ask_for(replaces=True)


def test_one_request_is_open_on_a_market(floor: RfqFloor) -> None:
    first = floor.ask_for()

    with pytest.raises(Refusal, match="already_exists"):
        floor.ask_for()
    floor.ask_for(ticker=SNOW)
    floor.ask_for(member=BOB)
    floor.ask_for(replaces=True)

    assert floor.rfq(first).end is RfqEnd.REPLACED


def test_request_is_for_contracts_or_for_a_cost(floor: RfqFloor) -> None:
    for count, target in ((None, None), ("10", "5"), ("0", None), (None, "0")):
        with pytest.raises(Refusal, match="invalid_parameters"):
            floor.ask_for(count, target=target)


def test_a_hundred_requests_may_be_open() -> None:
    assert OPEN_RFQS_MAX == 100


# -- money -------------------------------------------------------------------------------------


def test_target_cost_covers_the_fee_unless_it_excludes_it(floor: RfqFloor) -> None:
    """Who accepts a YES bid of 48 cents pays 52: for $5.20 that is 10, or fewer with fees."""
    bare = floor.quote(floor.answer(floor.ask_for(None, target="5.2", excludes_fees=True)))
    whole = floor.quote(floor.answer(floor.ask_for(None, target="5.2", ticker=SNOW)))

    assert bare.yes_count == Count.parse("10")
    assert whole.yes_count == Count.parse("9.67")


def test_target_cost_is_not_exceeded_by_the_trade(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for(None, target="5.2"))
    floor.accept(quote_id)
    floor.confirm(quote_id)

    floor.wait(15)

    spent = Money.parse("1000") - floor.free(ANN)
    assert Money.parse("5.19") < spent <= Money.parse("5.2")


def test_requester_without_the_money_cannot_accept(floor: RfqFloor) -> None:
    """The contracts cost $5.20, and the fee comes on top."""
    quote_id = floor.answer(floor.ask_for())
    with_money(floor, ANN, "5.20")

    with pytest.raises(Refusal, match="insufficient_balance"):
        floor.accept(quote_id)


def test_quoter_without_the_money_cannot_confirm(floor: RfqFloor) -> None:
    quote_id = floor.answer(floor.ask_for())
    with_money(floor, BOB, "4.79")
    floor.accept(quote_id)

    with pytest.raises(Refusal, match="insufficient_balance"):
        floor.confirm(quote_id)


@pytest.mark.parametrize("poor", [ANN, BOB])
def test_execution_fails_whole_when_a_side_has_spent_its_money(
    floor: RfqFloor, poor: c.Member
) -> None:
    quote_id = floor.agree()
    with_money(floor, poor, "1")

    floor.wait(15)

    assert (floor.status(quote_id), floor.quote(quote_id).reason) == (
        "cancelled",
        "insufficient_balance",
    )
    assert floor.trades() == []
    assert floor.book() == []
    audit(floor.exchange.books)


# -- the market and the clock ------------------------------------------------------------------


def test_requests_end_with_their_market(floor: RfqFloor) -> None:
    quote_id = floor.agree()

    floor.do(c.CloseMarket(at=floor.now, ticker=RAIN))
    floor.wait(15)

    assert floor.rfq(floor.quote(quote_id).rfq_id).end is RfqEnd.MARKET_CLOSED
    assert floor.status(quote_id) == "cancelled"
    assert floor.trades() == []


def test_paused_market_executes_nothing(floor: RfqFloor) -> None:
    quote_id = floor.agree()

    floor.do(c.PauseMarket(at=floor.now, ticker=RAIN))
    floor.wait(15)

    assert floor.quote(quote_id).reason == "market_inactive"
    with pytest.raises(Refusal, match="market_inactive"):
        floor.answer(floor.quote(quote_id).rfq_id)


def test_request_expires_after_a_day(floor: RfqFloor) -> None:
    floor.do(c.ChangeCloseTime(at=floor.now, ticker=RAIN, close_at=Instant(CLOSES + 9 * HOUR)))
    rfq_id = floor.ask_for()

    floor.wait(24 * 3_600 - 1)
    assert floor.rfq(rfq_id).end is None
    floor.wait(1)
    assert floor.rfq(rfq_id).end is RfqEnd.EXPIRED


def test_request_does_not_expire_under_a_quote_that_may_execute(floor: RfqFloor) -> None:
    floor.do(c.ChangeCloseTime(at=floor.now, ticker=RAIN, close_at=Instant(CLOSES + 9 * HOUR)))
    rfq_id = floor.ask_for()
    floor.wait(24 * 3_600 - 10)
    quote_id = floor.answer(rfq_id)
    floor.accept(quote_id)
    floor.confirm(quote_id)

    floor.wait(15)

    assert floor.status(quote_id) == "executed"


def test_windows_of_combos_are_short() -> None:
    combo = Ticker("KXMVESPORTS-1")

    assert [window // 1_000_000 for window in windows(combo)] == [3, 1]
    assert [window // 1_000_000 for window in windows(RAIN)] == [30, 15]


def test_what_is_over_stays_over() -> None:
    over = {status for status, following in QUOTE_TRANSITIONS.items() if not following}

    assert {status.value for status in over} == {"executed", "cancelled"}


def test_closed_requests_are_forgotten_and_open_ones_are_not(floor: RfqFloor) -> None:
    floor.agree()
    floor.wait(15)
    kept = floor.ask_for()

    floor.exchange.books.forget(floor.now)

    assert list(floor.exchange.books.communications.rfqs) == [kept]
    assert floor.exchange.books.communications.quotes == {}
