"""The exchange's machine: cash, positions, fees, orders."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from small_exchange import MEMBER, RAIN, SERIES, SNOW, START, small_exchange

from trueup.core import catalog
from trueup.core.errors import CallerError
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import DAY, SECOND, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e


def money(text: str) -> Money:
    return Money.parse(text)


def test_buy_pays_price_and_fee() -> None:
    small = small_exchange()

    small.buy(RAIN, Side.YES, "10", at="0.60")

    # 0.07 × 10 × 0.6 × 0.4 = 0.168
    assert small.cash() == money("1000") - money("6") - money("0.168")


def test_buying_the_other_side_closes_pairs_at_a_dollar() -> None:
    small = small_exchange()
    small.buy(RAIN, Side.YES, "10", at="0.60")
    before = small.cash()

    small.buy(RAIN, Side.NO, "10", at="0.35")

    account = small.exchange.account(MEMBER)
    holding = account.holdings[PRIMARY, RAIN].latest()
    assert holding is not None
    assert small.cash() - before == money("6.50") - money("0.1593")
    assert not holding.position.net
    assert holding.realized == money("0.50")
    assert (holding.yes_count, holding.no_count) == (Count.parse("10"), Count.parse("10"))
    assert holding.total_traded == money("9.50")


def test_recorded_fee_of_one_contract_at_52_cents_is_charged() -> None:
    """The demo exchange charged 0.0175 for a taker's contract at 0.52 in June 2026."""
    small = small_exchange()

    small.buy(RAIN, Side.YES, "1", at="0.52")

    (fill,) = small.exchange.account(MEMBER).fills
    assert fill.fee == money("0.0175")


def test_maker_pays_nothing_where_the_series_says_so() -> None:
    small = small_exchange()

    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False)

    assert small.cash() == money("994")


def test_fee_change_holds_from_its_effective_time_on() -> None:
    small = small_exchange()
    change = catalog.FeeChange(
        change_id="change-1",
        series_ticker=SERIES,
        event_ticker=None,
        fee_type="quadratic_with_maker_fees",
        fee_multiplier=Ratio(1),
        effective_at=Instant(START + 60 * SECOND),
    )
    small.step(c.ScheduleFeeChange(at=small.now, change=change))

    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False)
    free = small.cash()
    small.later(60 * SECOND).buy(RAIN, Side.YES, "10", at="0.60", taker=False)

    assert free == money("994")
    assert free - small.cash() == money("6.042")


def test_cash_less_fee_is_a_whole_step_of_the_members_precision() -> None:
    small = small_exchange(precision=Precision.NON_DIRECT)

    small.buy(RAIN, Side.YES, "3.33", at="0.123")
    small.buy(RAIN, Side.NO, "1.01", at="0.456")

    assert small.cash().is_multiple_of(Money.of_cents(1))


def test_accumulator_gives_rounding_back_within_one_order() -> None:
    small = small_exchange(precision=Precision.NON_DIRECT)
    order_id = small.buy(RAIN, Side.YES, "4", at="0.055", filled="0")

    for _ in range(4):
        small.trade(order_id, Count.parse("1"), Price.parse("0.055"))

    fees = [fill.fee for fill in small.exchange.account(MEMBER).fills]
    # 0.003639 to the cent of the balance costs 0.005 or 0.015; the accumulator evens it out.
    assert sum((fee for fee in fees if fee is not None), ZERO_MONEY) == money("0.02")


def test_order_goes_from_resting_to_executed() -> None:
    small = small_exchange()
    order_id = small.buy(RAIN, Side.YES, "10", at="0.60", filled="4")
    account = small.exchange.account(MEMBER)
    partly = account.order(order_id)

    small.trade(order_id, Count.parse("6"), Price.parse("0.59"))

    done = account.order(order_id)
    assert (partly.status, partly.fill_count) == (OrderStatus.RESTING, Count.parse("4"))
    assert (done.status, done.remaining_count) == (OrderStatus.EXECUTED, Count.parse("0"))
    assert done.taker_fill_cost == money("2.40") + money("3.54")


def test_cancelled_order_keeps_its_fills() -> None:
    small = small_exchange()
    order_id = small.buy(RAIN, Side.YES, "10", at="0.60", filled="4")

    small.step(c.CancelOrder(at=small.now, member=MEMBER, order_id=order_id))

    order = small.exchange.account(MEMBER).order(order_id)
    assert order.status is OrderStatus.CANCELED
    assert (order.fill_count, order.remaining_count) == (Count.parse("4"), Count.parse("0"))


def test_resting_order_ties_up_what_it_costs() -> None:
    small = small_exchange()

    small.buy(RAIN, Side.NO, "10", at="0.30", filled="0")

    account = small.exchange.account(MEMBER)
    assert account.cash_at(small.now) == money("1000")
    assert account.available_at(small.now) == money("997")


def test_order_that_costs_more_than_there_is_is_refused() -> None:
    small = small_exchange(dollars="5")

    small.buy(RAIN, Side.YES, "10", at="0.60", filled="0")

    assert small.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]


def test_money_on_another_shard_does_not_help() -> None:
    small = small_exchange(dollars="100")
    small.step(
        c.TransferShard(
            at=small.now,
            member=MEMBER,
            transfer_id="t",
            amount=money("99"),
            subaccount=PRIMARY,
            from_shard=SHARD_ZERO,
            to_shard=Shard(2),
        )
    )
    small.step(c.ConcludeTransfer(at=small.now, member=MEMBER, transfer_id="t"))

    small.buy(RAIN, Side.YES, "10", at="0.60", filled="0")

    assert small.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]
    assert small.cash(shard=Shard(2)) == money("99")


def place(price: str, *, count: str = "1", ticker: Ticker = RAIN, name: str = "x") -> c.PlaceOrder:
    return c.PlaceOrder(
        at=START,
        member=MEMBER,
        subaccount=PRIMARY,
        order_id=OrderId(name),
        client_order_id=ClientOrderId(name),
        ticker=ticker,
        side=Side.YES,
        price=Price.parse(price),
        count=Count.parse(count),
    )


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (place("0.5555"), e.Refusal.INVALID_PRICE),
        (place("0.555", ticker=SNOW), e.Refusal.INVALID_PRICE),
        (place("0"), e.Refusal.INVALID_PRICE),
        (place("1"), e.Refusal.INVALID_PRICE),
        (place("0.5", count="0"), e.Refusal.INVALID_ORDER_SIZE),
        (place("0.5", ticker=Ticker("KXNONE")), e.Refusal.MARKET_NOT_FOUND),
        (replace(place("0.5"), subaccount=Subaccount(7)), e.Refusal.NOT_FOUND),
        (replace(place("0.5"), member=c.Member("stranger")), e.Refusal.NOT_FOUND),
    ],
)
def test_wrong_order_is_refused_and_changes_nothing(order: c.PlaceOrder, reason: e.Refusal) -> None:
    small = small_exchange()

    (refused,) = small.step(order)

    assert isinstance(refused, e.Refused)
    assert refused.reason is reason
    assert small.exchange.account(MEMBER).orders == {}


def test_client_id_never_frees_up() -> None:
    small = small_exchange()
    small.step(place("0.5"))
    small.step(c.CancelOrder(at=small.now, member=MEMBER, order_id=OrderId("x")))

    small.step(replace(place("0.5"), order_id=OrderId("y")))

    assert small.refusals() == [e.Refusal.ORDER_ALREADY_EXISTS]


def test_trade_at_a_worse_price_is_refused() -> None:
    small = small_exchange()
    order_id = small.buy(RAIN, Side.NO, "1", at="0.40", filled="0")

    small.trade(order_id, Count.parse("1"), Price.parse("0.59"))

    assert small.refusals() == [e.Refusal.INVALID_PRICE]


def test_command_of_the_past_is_an_error() -> None:
    small = small_exchange()
    small.advance(Instant(START + DAY // 2))

    with pytest.raises(CallerError, match="too late"):
        small.exchange.step(c.Advance(at=START))


def test_subaccounts_have_their_own_cash_and_positions() -> None:
    small = small_exchange()
    one = Subaccount(1)
    small.step(c.OpenSubaccount(at=small.now, member=MEMBER, subaccount=one))
    small.step(
        c.TransferSubaccount(
            at=small.now,
            member=MEMBER,
            transfer_id="t",
            amount=money("100"),
            from_subaccount=PRIMARY,
            to_subaccount=one,
            shard=SHARD_ZERO,
        )
    )

    small.buy(RAIN, Side.YES, "10", at="0.60", taker=False, subaccount=one)

    account = small.exchange.account(MEMBER)
    assert small.cash(subaccount=PRIMARY) == money("900")
    assert small.cash(subaccount=one) == money("94")
    assert not account.position_at(small.now, PRIMARY, RAIN).net
    assert account.position_at(small.now, one, RAIN).net == Count.parse("10")


def test_deposit_counts_when_applied_less_its_fee() -> None:
    small = small_exchange()
    deposit = c.Deposit(
        at=small.now,
        member=MEMBER,
        banking_id="d",
        amount=money("300"),
        fee=money("6"),
        method="debit",
    )
    small.step(deposit)
    pending = small.cash()
    small.step(
        c.ConcludeBanking(at=small.now, member=MEMBER, banking_id="d", status=BankingStatus.APPLIED)
    )

    assert pending == money("1000")
    assert small.cash() == money("1294")


def test_returned_deposit_is_taken_back() -> None:
    small = small_exchange()

    small.step(
        c.ConcludeBanking(
            at=small.now, member=MEMBER, banking_id="deposit-1", status=BankingStatus.RETURNED
        )
    )

    assert small.cash() == ZERO_MONEY


def test_withdrawal_beyond_the_cash_is_refused() -> None:
    small = small_exchange()
    small.step(
        c.Withdraw(
            at=small.now,
            member=MEMBER,
            banking_id="w",
            amount=money("1000.01"),
            fee=ZERO_MONEY,
            method="ach",
        )
    )
    small.step(
        c.ConcludeBanking(at=small.now, member=MEMBER, banking_id="w", status=BankingStatus.APPLIED)
    )

    assert small.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]


def test_credit_moves_cash_and_leaves_no_record() -> None:
    small = small_exchange()

    small.step(
        c.Credit(
            at=small.now,
            member=MEMBER,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            amount=money("1.25"),
            reason="interest",
        )
    )

    account = small.exchange.account(MEMBER)
    assert small.cash() == money("1001.25")
    assert len(account.bankings) == 1
