"""A machine that remembers some days only, and members whose past nobody asks for."""

from __future__ import annotations

from random_trading import RandomTrading
from small_exchange import RAIN
from trading_floor import ANN, BOB, Floor, trading_floor

from trueup.core.ids import PRIMARY
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.units import Count
from trueup.sim.account import Holding


def traded() -> tuple[Floor, Instant]:
    """Two trades an hour apart; returns the time between them."""
    floor = trading_floor()
    floor.ask(BOB, "10", "0.40")
    floor.bid(ANN, "4", "0.40")
    floor.later(HOUR)
    between = Instant(floor.now - SECOND)
    floor.bid(ANN, "5", "0.40")
    return floor, between


def test_what_is_forgotten_changes_nothing_that_is_still_asked_for() -> None:
    floor, between = traded()
    account = floor.exchange.account(ANN)
    cash, held = account.cash_at(between), account.holdings[PRIMARY, RAIN].at(between)

    floor.exchange.books.forget(between)

    assert account.cash_at(between) == cash
    assert account.holdings[PRIMARY, RAIN].at(between) == held
    assert [fill.count for fill in account.fills] == [Count.parse("5")]
    assert len(account.orders) == 1
    quote = floor.exchange.books.listings.markets[RAIN].quotes.at(floor.now)
    assert quote is not None
    assert (quote.volume, quote.volume_24h) == (Count.parse("9"), Count.parse("9"))


def test_resting_orders_and_used_names_are_never_forgotten() -> None:
    floor, _ = traded()

    floor.exchange.books.forget(Instant(floor.now + HOUR))
    floor.bid(ANN, "1", "0.40")

    assert floor.trades()[-1] == "1.00 at 0.40"
    assert len(floor.exchange.account(ANN).client_order_ids) == 3


def test_holding_at_any_time_is_what_its_fills_add_up_to() -> None:
    """Fills are kept instead of states; asking for the past counts them again."""
    floor = trading_floor("100000")
    known: list[tuple[Instant, Holding | None]] = []
    for number in range(150):
        side = floor.bid if number % 3 else floor.ask
        other = floor.ask if number % 3 else floor.bid
        other(BOB, "7", "0.40")
        side(ANN, "7", "0.40")
        known.append((floor.now, floor.exchange.account(ANN).holdings[PRIMARY, RAIN].latest()))

    record = floor.exchange.account(ANN).holdings[PRIMARY, RAIN]
    assert all(record.at(at) == held for at, held in known)
    assert record.at(Instant(known[0][0] - HOUR)) is None


def test_member_without_a_history_leaves_nothing_behind() -> None:
    trading = RandomTrading(5)

    trading.play(1_000)

    plain = [trading.exchange.account(member) for member in trading.members[:3]]
    assert all(not account.history for account in plain)
    assert all(not account.fills for account in plain)
    assert all(account.orders.keys() == account.resting.keys() for account in plain)
