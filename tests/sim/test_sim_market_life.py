"""Markets that close early, reopen, change their grid, pay wrongly; positions that move."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from small_exchange import CLOSES, EVENT, RAIN, SNOW, START, a_market, a_series, an_event
from trading_floor import ANN, BOB, Floor, trading_floor

from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import DECI_CENT, LINEAR_CENT
from trueup.core.ids import PRIMARY, SHARD_ZERO, Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange

ONE = Subaccount(1)


def moves(floor: Floor) -> list[str]:
    return [
        type(one).__name__ if isinstance(one, e.CloseTimeChanged) else one.status.value
        for one in floor.events
        if isinstance(one, e.MarketMoved | e.CloseTimeChanged) and one.ticker == RAIN
    ]


def pay(floor: Floor, result: MarketResult, value: str) -> None:
    """End RAIN now and wait until everything is paid and listed."""
    floor.step(c.CloseMarket(at=floor.now, ticker=RAIN))
    floor.step(
        c.DetermineMarket(at=floor.now, ticker=RAIN, result=result, value=Price.parse(value))
    )
    floor.advance(Instant(floor.now + 2 * HOUR))


def test_early_close_tells_its_time_and_the_old_one_does_nothing() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "1", "0.50")

    floor.step(c.CloseMarket(at=floor.now, ticker=RAIN))
    closed = floor.now
    floor.advance(Instant(CLOSES + DAY))

    assert moves(floor)[-2:] == ["closed", "CloseTimeChanged"]
    stated = floor.exchange.books.listings.markets[RAIN].stated(floor.now)
    assert stated is not None
    assert stated.close_at == closed
    assert floor.why(order)[-1] == "CloseCancel"


@pytest.mark.parametrize("hours", [-2, 3])
def test_changed_close_time_holds(hours: int) -> None:
    floor = trading_floor()
    floor.later(SECOND)
    later = Instant(CLOSES + hours * HOUR)
    state = floor.exchange.books.listings.markets[RAIN]

    floor.step(c.ChangeCloseTime(at=floor.now, ticker=RAIN, close_at=later))
    floor.advance(Instant(later - 1))
    before = state.status
    floor.advance(later)

    assert (before, state.status) == (MarketStatus.ACTIVE, MarketStatus.CLOSED)
    known = state.stated(START)
    assert known is not None
    assert known.close_at == CLOSES


def test_reopened_market_trades_until_its_new_close() -> None:
    floor = trading_floor()
    floor.bid(ANN, "1", "0.50")
    floor.step(c.CloseMarket(at=floor.now, ticker=RAIN))
    again = Instant(CLOSES + DAY)

    floor.step(c.ReopenMarket(at=floor.now, ticker=RAIN, close_at=again))
    floor.bid(ANN, "2", "0.50")
    floor.advance(Instant(again - 1))
    open_until = floor.book()
    floor.advance(Instant(again + HOUR))

    assert moves(floor)[-3:] == ["CloseTimeChanged", "active", "closed"]
    assert open_until == ["bid 0.50 2.00"]
    assert floor.book() == []


def test_orders_off_a_new_grid_stay_but_no_new_ones_come() -> None:
    floor = trading_floor()
    floor.bid(ANN, "1", "0.505")

    floor.step(c.ChangePriceGrid(at=floor.now, ticker=RAIN, grid=LINEAR_CENT))
    floor.bid(ANN, "1", "0.505")
    floor.ask(BOB, "1", "0.50")

    state = floor.exchange.books.listings.markets[RAIN]
    assert floor.refusals() == [e.Refusal.INVALID_PRICE]
    assert floor.trades() == ["1.00 at 0.505"]
    assert (state.grid_at(START), state.grid_at(floor.now)) == (DECI_CENT, LINEAR_CENT)


def test_revised_settlement_pays_the_difference_and_replaces_the_row() -> None:
    floor = trading_floor()
    floor.ask(BOB, "10", "0.40")
    floor.bid(ANN, "10", "0.40")
    pay(floor, MarketResult.YES, "1")
    wrong = floor.now
    account = floor.exchange.account(ANN)
    cash = floor.free(ANN)

    floor.step(
        c.ReviseSettlement(
            at=floor.now, ticker=RAIN, result=MarketResult.SCALAR, value=Price.parse("0.305")
        )
    )
    floor.advance(Instant(floor.now + HOUR))

    assert floor.free(ANN) - cash == Money.parse("-6.95")
    assert floor.exchange.account(BOB).cash_at(floor.now) == Money.parse("1000.95")
    before = [row.settled for row in account.settlements_at(wrong, since=START)]
    after = [row.settled for row in account.settlements_at(floor.now, since=START)]
    assert [(row.result, row.revenue) for row in before] == [(MarketResult.YES, Money.parse("10"))]
    assert [(row.result, row.revenue) for row in after] == [
        (MarketResult.SCALAR, Money.parse("3.05"))
    ]
    assert before[0].at == after[0].at


def test_only_a_paid_market_can_be_revised() -> None:
    floor = trading_floor()

    floor.step(
        c.ReviseSettlement(
            at=floor.now, ticker=RAIN, result=MarketResult.NO, value=Price.parse("0")
        )
    )

    assert floor.refusals() == [e.Refusal.WRONG_STATE]


def test_what_scalar_payouts_are_cut_by_stays_with_the_exchange() -> None:
    floor = trading_floor()
    floor.ask(BOB, "0.01", "0.40")
    floor.bid(ANN, "0.01", "0.40")

    pay(floor, MarketResult.SCALAR, "0.3061")

    # 0.003061 and 0.006939, each cut to $0.0001.
    assert floor.exchange.books.rounding == 100
    assert floor.exchange.books.clearing == 0


# -- positions between subaccounts ---------------------------------------------------------


def with_subaccount() -> Floor:
    floor = trading_floor()
    floor.step(c.OpenSubaccount(at=floor.now, member=ANN, subaccount=ONE))
    floor.step(
        c.TransferSubaccount(
            at=floor.now,
            member=ANN,
            transfer_id="cash",
            amount=Money.parse("100"),
            from_subaccount=PRIMARY,
            to_subaccount=ONE,
            shard=SHARD_ZERO,
        )
    )
    floor.ask(BOB, "10", "0.40")
    floor.bid(ANN, "10", "0.40")
    return floor


def moving(floor: Floor, count: str) -> c.TransferPosition:
    return c.TransferPosition(
        at=floor.now,
        member=ANN,
        transfer_id="position",
        ticker=RAIN,
        side=Side.YES,
        count=Count.parse(count),
        price=Price.parse("0.45"),
        from_subaccount=PRIMARY,
        to_subaccount=ONE,
    )


def test_position_moves_with_its_price_and_without_a_fee() -> None:
    floor = with_subaccount()
    account = floor.exchange.account(ANN)
    total = account.cash_at(floor.now)

    floor.step(moving(floor, "4"))

    assert floor.net(ANN) == "6.00"
    assert account.position_at(floor.now, ONE, RAIN).net == Count.parse("4")
    assert account.cash_at(floor.now, subaccount=ONE) == Money.parse("98.20")
    assert account.cash_at(floor.now) == total


def test_more_than_is_held_does_not_move() -> None:
    floor = with_subaccount()

    floor.step(moving(floor, "10.01"))
    floor.step(replace(moving(floor, "1"), to_subaccount=Subaccount(9)))
    floor.step(moving(floor, "1"))
    floor.step(moving(floor, "1"))

    assert floor.refusals() == [
        e.Refusal.INVALID_ORDER_SIZE,
        e.Refusal.NOT_FOUND,
        e.Refusal.ALREADY_EXISTS,
    ]


# -- mutually exclusive events -------------------------------------------------------------


def exclusive_floor() -> Floor:
    """Two markets of which one at most resolves to yes; ANN gets certain collateral back."""
    floor = Floor(Exchange(audit_every=1))
    floor.step(c.ListSeries(at=START, series=a_series()))
    floor.step(c.ListEvent(at=START, event=replace(an_event(), mutually_exclusive=True)))
    for ticker in (RAIN, SNOW):
        floor.step(c.ListMarket(at=START, market=a_market(ticker), grid=DECI_CENT))
    for member in (ANN, BOB):
        floor.step(
            c.OpenAccount(
                at=START, member=member, precision=Precision.DIRECT, collateral_return=member == ANN
            )
        )
        floor.step(
            c.Deposit(
                at=START,
                member=member,
                banking_id="deposit",
                amount=Money.parse("100"),
                fee=ZERO_MONEY,
                method="ach",
            )
        )
        floor.step(
            c.ConcludeBanking(
                at=START, member=member, banking_id="deposit", status=BankingStatus.APPLIED
            )
        )
    for ticker, price in ((RAIN, "0.40"), (SNOW, "0.30")):
        floor.place(ANN, Side.NO, "10", price=price, ticker=ticker)
        floor.place(BOB, Side.YES, "10", price=price, ticker=ticker)
    return floor


def test_no_contracts_of_two_exclusive_markets_give_a_dollar_back() -> None:
    floor = exclusive_floor()

    # 6 and 7 were paid; 10 of them are certain to come back.
    assert floor.free(ANN) == Money.parse("97")
    assert floor.exchange.books.listings.events[EVENT].mutually_exclusive
    assert floor.exchange.account(ANN).position_at(floor.now, PRIMARY, RAIN).cost == Money.parse(
        "6"
    )


@pytest.mark.parametrize("winner", [RAIN, SNOW, None])
def test_returned_collateral_is_taken_back_when_the_markets_pay(winner: Ticker | None) -> None:
    floor = exclusive_floor()

    floor.advance(CLOSES)
    for ticker in (RAIN, SNOW):
        yes = ticker == winner
        floor.step(
            c.DetermineMarket(
                at=floor.now,
                ticker=ticker,
                result=MarketResult.YES if yes else MarketResult.NO,
                value=ONE_DOLLAR if yes else Price(0),
            )
        )
    floor.advance(Instant(floor.now + 2 * HOUR))

    assert floor.free(ANN) == Money.parse("107" if winner is None else "97")
    assert floor.exchange.books.returned == 0


def test_buying_back_needs_the_money_that_was_returned() -> None:
    floor = exclusive_floor()
    floor.place(BOB, Side.NO, "10", price="0.40")
    floor.step(
        c.Withdraw(
            at=floor.now,
            member=ANN,
            banking_id="out",
            amount=Money.parse("94"),
            fee=ZERO_MONEY,
            method="ach",
        )
    )
    floor.step(
        c.ConcludeBanking(at=floor.now, member=ANN, banking_id="out", status=BankingStatus.APPLIED)
    )

    floor.bid(ANN, "10", "0.40")
    floor.bid(ANN, "1", "0.40")

    assert floor.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]
    assert floor.net(ANN) == "-9.00"


def test_commands_are_values() -> None:
    order = c.CancelOrder(at=START, member=ANN, order_id=trading_floor().bid(ANN, "1", "0.5"))

    with pytest.raises(AttributeError):
        order.at = Instant(0)  # pyright: ignore[reportAttributeAccessIssue]
    assert msgspec.structs.replace(order) == order
