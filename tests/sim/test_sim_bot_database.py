"""The bot's own table: right where it should be, wrong where it was made wrong."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from trueup.core.ids import Ticker
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.run.clock import seeded
from trueup.sim.bot_database import (
    BOT_PREFIXES,
    SCHEMA,
    BotDatabase,
    BotTrade,
    Fault,
    bot_database,
)
from trueup.sim.scenario import DEFAULT_END, DEFAULT_SEED, World


@pytest.fixture(scope="module")
def database(world: World) -> BotDatabase:
    return bot_database(world, seeded(DEFAULT_SEED))


def profit_from_fills(world: World, trade: BotTrade) -> Money:
    """What all fills and the result of a ticker come to, fees included."""
    value = world.exchange.books.listings.markets[trade.ticker].stage().value
    assert value is not None
    profit = ZERO_MONEY
    for fill in world.exchange.account(world.member).fills:
        if fill.ticker != trade.ticker:
            continue
        own = fill.price if fill.side is Side.YES else fill.price.complement()
        worth = value if fill.side is Side.YES else value.complement()
        profit += worth * fill.count - own * fill.count - (fill.fee or ZERO_MONEY)
    return profit


def test_same_seed_gives_the_same_table(world: World, database: BotDatabase) -> None:
    assert bot_database(world, seeded(DEFAULT_SEED)) == database


def test_every_kind_of_fault_is_planted(database: BotDatabase) -> None:
    kinds = Counter(fault.fault for fault in database.faults)

    assert set(kinds) == set(Fault)
    assert 8 <= kinds[Fault.STUCK_OPEN] <= 20
    assert len({fault.trade_id for fault in database.faults}) == len(database.faults)


def test_wrong_rows_differ_from_what_is_right(database: BotDatabase) -> None:
    rows = {trade.trade_id: trade for trade in database.trades}

    for fault in database.faults:
        row = rows[fault.trade_id]
        assert row.ticker == fault.ticker
        if fault.fault in {Fault.STUCK_OPEN, Fault.UNKNOWN_TICKER}:
            assert (row.status, row.settled_price, row.profit_loss) == ("open", None, None)
        else:
            assert row.status == "settled"
            assert row.profit_loss != fault.profit_loss
            assert row.settled_price == fault.settled_price


def test_truth_of_a_faulty_row_follows_from_the_fills(world: World, database: BotDatabase) -> None:
    per_ticker = Counter(trade.ticker for trade in database.trades)
    rows = {trade.trade_id: trade for trade in database.trades}

    checked = 0
    for fault in database.faults:
        if fault.profit_loss is not None and per_ticker[fault.ticker] == 1:
            assert fault.profit_loss == profit_from_fills(world, rows[fault.trade_id])
            checked += 1
    assert checked >= 12


def test_settled_rows_without_a_fault_are_right(world: World, database: BotDatabase) -> None:
    faulty = {fault.trade_id for fault in database.faults}
    sums: dict[Ticker, Money] = {}
    spoilt = {fault.ticker for fault in database.faults}
    trades: dict[Ticker, BotTrade] = {}
    for trade in database.trades:
        if trade.trade_id not in faulty and trade.profit_loss is not None:
            sums[trade.ticker] = sums.get(trade.ticker, ZERO_MONEY) + trade.profit_loss
            trades[trade.ticker] = trade

    for ticker in sums.keys() - spoilt:
        assert sums[ticker] == profit_from_fills(world, trades[ticker])


def test_several_rows_of_a_ticker_share_it_by_their_own_entries(
    world: World, database: BotDatabase
) -> None:
    shared = [
        ticker
        for ticker, rows in Counter(trade.ticker for trade in database.trades).items()
        if rows > 1
    ]

    assert shared
    for ticker in shared:
        rows = [trade for trade in database.trades if trade.ticker == ticker]
        fills = [one for one in world.exchange.account(world.member).fills if one.ticker == ticker]
        assert sum((row.quantity for row in rows), ZERO_COUNT) == sum(
            (fill.count for fill in fills), ZERO_COUNT
        )


def test_open_rows_are_stuck_mistyped_or_truly_open(world: World, database: BotDatabase) -> None:
    stuck = {
        fault.trade_id
        for fault in database.faults
        if fault.fault in {Fault.STUCK_OPEN, Fault.UNKNOWN_TICKER}
    }
    open_rows = {trade.trade_id for trade in database.trades if trade.status == "open"}

    assert open_rows == stuck | set(database.truly_open)
    assert database.truly_open
    rows = {trade.trade_id: trade for trade in database.trades}
    for trade_id in database.truly_open:
        state = world.exchange.books.listings.markets[rows[trade_id].ticker]
        assert state.stage().settled_at is None


def test_mistyped_ticker_is_unknown_to_the_exchange(world: World, database: BotDatabase) -> None:
    (mistyped,) = [one for one in database.faults if one.fault is Fault.UNKNOWN_TICKER]

    assert mistyped.ticker not in world.exchange.books.listings.markets


def test_market_makers_trades_are_not_the_bots(world: World, database: BotDatabase) -> None:
    account = world.exchange.account(world.member)
    made = {
        account.order(order_id).ticker
        for order_id in account.orders
        if account.order(order_id).client_order_id.startswith("mm-")
    }

    assert "mm" not in BOT_PREFIXES
    assert not made & {trade.ticker for trade in database.trades}


def test_rows_fit_the_schema_as_numbers(database: BotDatabase) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(SCHEMA)
        connection.executemany(
            "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [trade.sql_values() for trade in database.trades],
        )
        kinds = connection.execute(
            "SELECT DISTINCT typeof(profit_loss), typeof(quantity), typeof(entry_price)"
            " FROM trades WHERE status = 'settled'"
        ).fetchall()
        prices = connection.execute("SELECT DISTINCT settled_price FROM trades").fetchall()

    assert kinds == [("real", "real", "real")]
    assert {100.0, 0.0} <= {price for (price,) in prices}


def test_numbers_are_written_exactly() -> None:
    trade = BotTrade(
        trade_id=1,
        ticker=Ticker("KXTEST-1"),
        status="settled",
        settled_price=Price(3_060),
        profit_loss=Money(-1_234_567),
        updated_at=DEFAULT_END,
        side=Side.NO,
        quantity=Count(14),
        entry_price=Ratio(1, 3),
    )

    assert trade.sql_values() == (
        1,
        "KXTEST-1",
        "settled",
        "30.600000",
        "-1.234567",
        "2026-10-15 16:00:00",
        "no",
        "0.14",
        "0.333333",
    )
