from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from store_facts import (
    NOW,
    RAIN,
    SNOW,
    book_everything,
    deposit,
    fill,
    later,
    market,
    opening,
    order,
    seen,
    settlement,
    transfer,
)

from trueup.core.catalog import Event, FeeChange, Market, Quote, Series
from trueup.core.errors import InvariantBroken
from trueup.core.facts import BankingStatus, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, SeriesTicker, Subaccount
from trueup.core.instant import HOUR
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.ledger.bare import bare_step
from trueup.ledger.booking import book_market, book_steps
from trueup.ledger.entries import EntryKind, TradeStatus
from trueup.store.database import Books
from trueup.store.driver import AnyRow
from trueup.store.maintenance import table_columns
from trueup.store.snapshots import Snapshot
from trueup.store.statement import Statement


def a_small_history(books: Books) -> None:
    """Rain bought, half sold, settled YES; snow still held; money in, moved and revised."""
    books.append(seen(deposit("100.00")), stream=Stream.DEPOSITS)
    books.append(seen(transfer("5.00")), stream=Stream.TRANSFERS)
    books.append(
        seen(
            fill(1, count=10, price="0.60"),
            fill(2, side=Side.NO, count=5, price="0.65", order="order-2"),
            fill(3, ticker=SNOW, side=Side.NO, count=4, price="0.30", order="order-3"),
        ),
        stream=Stream.FILLS,
    )
    books.append(seen(settlement(count=10, revenue="5.00")), stream=Stream.SETTLEMENTS)
    books.append(seen(order(OrderStatus.EXECUTED, filled=10, updated=1)), stream=Stream.ORDERS)
    books.append(seen(order(number=9, updated=5)), stream=Stream.ORDERS)
    book_everything(books)


def contents(books: Books) -> dict[str, list[AnyRow]]:
    """Every row of every table, sorted."""
    return {
        name: sorted(
            books.driver.rows(Statement(f"SELECT {', '.join(columns)} FROM {name}")),  # noqa: S608
            key=repr,
        )
        for name, columns in table_columns().items()
    }


def test_books_hold_what_the_ledger_booked(books: Books) -> None:
    a_small_history(books)

    rain, snow = sorted(books.market_books(), key=lambda book: book.ticker)
    trips = list(books.trades(ticker=RAIN))

    # 10 bought at .60, 5 sold at .65, 5 paid $1: .25 + 2.00 gained.
    assert (rain.realized, rain.settled, rain.payout) == (
        Money.parse("2.25"),
        True,
        Money.parse("5"),
    )
    assert snow.position.net == Count.of_contracts(-4)
    assert [(trip.status, trip.profit_loss) for trip in trips] == [
        (TradeStatus.SETTLED, Money.parse("1.91"))
    ]
    assert [book.ticker for book in books.market_books(open_only=True)] == [SNOW]
    assert books.count_unbooked() == 0


def test_cash_movements_come_in_time_order_and_sum_to_the_cash(books: Books) -> None:
    a_small_history(books)

    movements = list(books.cash_movements())
    entries = list(books.entries())

    assert [each.at for each in movements] == sorted(each.at for each in movements)
    assert sum(each.amount.units for each in movements) == books.totals().cash.units
    assert [each.cash() for each in entries] == [each.amount for each in movements]
    assert {each.kind for each in movements} >= {EntryKind.FILL, EntryKind.DEPOSIT}
    of_one = list(books.cash_movements(Subaccount(1), SHARD_ZERO))
    assert [each.amount for each in of_one] == [Money.parse("5.00")]


def test_totals_and_profit_rows_agree_with_the_markets(books: Books) -> None:
    a_small_history(books)

    totals, rows = books.totals(), list(books.pnl_rows())

    assert totals.realized == Money.parse("2.25")
    assert totals.fees == Money.parse("0.51")
    assert (totals.open_positions, totals.markets) == (1, 2)
    assert sum(row.realized.units for row in rows) == totals.realized.units
    assert sum(row.fees.units for row in rows) == totals.fees.units
    assert all(row.hour % HOUR == 0 for row in rows)
    assert {row.ticker for row in books.pnl_rows(since=later(3600))} == {RAIN}


def test_listings_are_narrowed_ordered_and_limited(books: Books) -> None:
    books.append(seen(*(fill(number) for number in range(1, 6))), stream=Stream.FILLS)
    books.append(seen(fill(6, ticker=SNOW)), stream=Stream.FILLS)

    def trades(**wanted: object) -> list[str]:
        return [each.trade_id for each in books.fills(**wanted)]  # type: ignore[arg-type]

    assert trades(limit=2) == ["trade-1", "trade-2"]
    assert trades(limit=2, newest_first=True) == ["trade-6", "trade-5"]
    assert trades(since=later(3), until=later(5)) == ["trade-3", "trade-4"]
    assert trades(ticker=SNOW) == ["trade-6"]


def test_fact_that_arrives_while_its_market_is_booked_is_booked_afterwards(books: Books) -> None:
    books.append(seen(fill(1)), stream=Stream.FILLS)
    handed = books.unbooked(10)
    books.append(seen(fill(2)), stream=Stream.FILLS)

    books.write_market_books(
        [
            book_market(each.subaccount, each.shard, each.ticker, recorded=each.facts)
            for each in handed
        ]
    )

    assert books.count_unbooked() == 1
    book_everything(books)
    assert next(books.market_books()).position.net == Count.of_contracts(20)


def test_finalized_market_has_its_holders_booked_again(books: Books) -> None:
    books.append(seen(fill(1), fill(2, ticker=SNOW)), stream=Stream.FILLS)
    book_everything(books)

    final = market(MarketStatus.FINALIZED, result=MarketResult.YES)
    books.append(seen(final, at=60), stream=Stream.MARKETS)

    assert [(each.ticker, each.market) for each in books.unbooked(10)] == [(RAIN, final)]
    book_everything(books)
    assert next(books.market_books()).settled


def test_unbooked_markets_come_in_bounded_portions(books: Books) -> None:
    facts = [fill(n, ticker=type(RAIN)(f"KXRAIN-{n % 7}")) for n in range(1, 22)]
    books.append(seen(*facts), stream=Stream.FILLS)

    assert [len(each.facts) for each in books.unbooked(3)] == [3, 3, 3]
    assert len(books.unbooked(100)) == 7


def test_revised_settlement_reaches_the_ledger_with_all_its_versions(books: Books) -> None:
    a_small_history(books)
    changed = settlement(result=MarketResult.NO, revenue="0.00")
    books.append(seen(changed, at=7200), stream=Stream.SETTLEMENTS)

    unbooked = books.unbooked(10)
    book_everything(books)

    assert [each.version for each in unbooked[0].facts if each.key.startswith("0/")] == [1, 2]
    assert EntryKind.REVERSAL in {each.kind for each in books.cash_movements()}
    assert books.totals().realized == Money.parse("-2.75")


def test_plain_markets_are_handed_out_as_steps_that_book_what_their_facts_book(
    books: Books,
) -> None:
    unnamed = [fill(n, count=n, price=f"0.{10 * n}", fee=None) for n in (1, 2)]
    books.append(seen(*unnamed, fill(3, ticker=SNOW, side=Side.NO)), stream=Stream.FILLS)
    books.append(seen(settlement(count=3, revenue="3.00")), stream=Stream.SETTLEMENTS)

    for each in books.unbooked(10):
        where = (each.subaccount, each.shard, each.ticker)
        assert each.plain
        assert each.steps == [bare_step(recorded) for recorded in each.facts]
        assert book_steps(*where, steps=each.steps) == book_market(*where, recorded=each.facts)


def test_markets_that_ask_for_more_than_their_rows_are_not_handed_out_as_steps(
    books: Books,
) -> None:
    books.append(seen(fill(1), fill(2, ticker=SNOW)), stream=Stream.FILLS)
    books.append(seen(fill(1, price="0.61"), at=60), stream=Stream.FILLS)
    final = market(MarketStatus.FINALIZED, result=MarketResult.YES)
    books.append(seen(replace(final, ticker=SNOW), at=60), stream=Stream.MARKETS)

    told_twice, without_row = books.unbooked(10)

    assert not told_twice.plain
    assert not without_row.plain
    assert [each.version for each in told_twice.facts] == [1, 2]
    assert without_row.facts[-1].value == replace(final, ticker=SNOW)


def test_book_of_a_market_without_facts_is_refused(books: Books) -> None:
    book = book_market(PRIMARY, SHARD_ZERO, RAIN, recorded=())

    with pytest.raises(InvariantBroken, match="no fact of it"):
        books.write_market_books([book])


def test_pending_deposit_is_booked_as_nothing_and_again_when_applied(books: Books) -> None:
    pending, applied = deposit(status=BankingStatus.PENDING), deposit()
    books.append(seen(pending), stream=Stream.DEPOSITS)
    books.append(seen(opening("50.00")), stream=Stream.OPENING)
    book_everything(books)

    books.append(seen(applied, at=60), stream=Stream.DEPOSITS)
    book_everything(books)

    assert books.totals().cash == Money.parse("150.00")
    assert books.unbooked_cash(10) == []


def test_rebuild_gives_identical_projections(books: Books) -> None:
    a_small_history(books)
    books.append(seen(fill(1, fee="0.18"), at=7000), stream=Stream.FILLS)
    books.append(seen(settlement(revenue="4.99"), at=7200), stream=Stream.SETTLEMENTS)
    books.append(seen(market(), at=1), stream=Stream.MARKETS)
    books.append(seen(market(MarketStatus.CLOSED), at=2), stream=Stream.MARKETS)
    book_everything(books)
    before = contents(books)

    read = books.rebuild()
    assert books.count_unbooked() > 0
    book_everything(books)

    assert contents(books) == before
    assert read == len(before["journal"])


def test_seeds_order_view_attributes_every_cent_of_profit(books: Books) -> None:
    a_small_history(books)

    rows = {
        row[0]: row
        for row in books.driver.rows(
            Statement(
                "SELECT id, ticker, side, quantity, price, filled_at, status, pnl_cents "
                "FROM kalshi_orders"
            )
        )
    }

    assert set(rows) == {"order-1", "order-2", "order-3", "order-9"}
    # Order 1 opened all ten and was paid for five; order 2 sold five; each paid 17 cents.
    assert rows["order-1"] == (
        *("order-1", RAIN, "BUY", 10, 0.6, "2026-05-28T20:26:41Z", "executed"),
        200 - 17,
    )
    assert rows["order-2"][2:4] == ("SELL", 5)
    assert rows["order-2"][-1] == 25 - 17
    assert rows["order-9"][3:] == (10, 0.6, None, "resting", 0)
    totals = books.totals()
    profit = (totals.realized - totals.fees).units // 10_000
    assert sum(row[-1] for row in rows.values()) == profit


def test_views_show_dollars_and_readable_times(books: Books) -> None:
    a_small_history(books)
    books.save_snapshot(a_snapshot())

    def one(query: str) -> AnyRow:
        return books.driver.rows(Statement(query))[0]

    filled = one("SELECT price, count, fee, at FROM fills_in_dollars WHERE trade_id = 'trade-1'")
    assert [float(each) for each in filled[:3]] == [0.6, 10.0, 0.17]
    assert filled[3] == "2026-05-28T20:26:41Z"
    snapshot = one("SELECT balance_cents, pnl_cents, open_positions FROM kalshi_snapshots")
    assert snapshot == (9550, 174, 1)
    legs = one("SELECT count(*), sum(money), sum(contracts) FROM postings")
    assert [int(each) for each in legs] == [one("SELECT count(*) FROM ledger_in_dollars")[0], 0, 0]


def test_every_view_can_be_read(books: Books) -> None:
    from trueup.store.views import SHOWN  # noqa: PLC0415  # brings SQLAlchemy

    a_small_history(books)
    names = [f"{name}_in_dollars" for name in SHOWN]

    for name in (*names, "ledger_in_dollars", "kalshi_orders", "kalshi_snapshots", "postings"):
        books.driver.rows(Statement(f"SELECT * FROM {name}"))  # noqa: S608


def a_snapshot() -> Snapshot:
    return Snapshot(
        at=later(7200),
        balance=Money.parse("95.50"),
        portfolio_value=None,
        equity=None,
        positions=1,
        realized=Money.parse("2.25"),
        unrealized=None,
        fees=Money.parse("0.51"),
    )


def test_snapshots_come_back_oldest_first(books: Books) -> None:
    books.save_snapshot(a_snapshot())

    assert books.snapshots() == [a_snapshot()]
    assert books.snapshots(since=later(7201)) == []
    assert books.latest_snapshot() == a_snapshot()


def test_catalog_comes_back_as_it_was_saved(books: Books) -> None:
    series = Series(
        ticker=SeriesTicker("KXRAIN"),
        title="Rain",
        category="Climate and Weather",
        tags=("rain", "daily"),
        fee_type="quadratic",
        fee_multiplier=Ratio(7, 100),
    )
    event = Event(
        ticker=EventTicker("KXRAIN-26MAY31"),
        series_ticker=SeriesTicker("KXRAIN"),
        title="Rain on May 31",
        mutually_exclusive=True,
        fee_type_override=None,
        fee_multiplier_override=Ratio(1, 2),
    )
    described = Market(
        ticker=RAIN,
        event_ticker=event.ticker,
        title="More than an inch",
        open_at=NOW,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
    change = FeeChange(
        change_id="1",
        series_ticker=series.ticker,
        event_ticker=None,
        fee_type="flat",
        fee_multiplier=Ratio(1, 3),
        effective_at=later(1),
    )
    books.append(seen(fill(1)), stream=Stream.FILLS)
    assert books.cache.unsettled_tickers() == {RAIN}
    books.cache.save_markets([described], fetched_at=NOW)
    assert list(books.cache.event_ages()) == [(event.ticker, None)]
    books.cache.save_events([event], fetched_at=NOW)
    assert list(books.cache.series_ages()) == [(series.ticker, None)]
    books.cache.save_series([series], fetched_at=later(9))
    books.cache.save_fee_changes([change], fetched_at=NOW)

    catalog = books.cache.catalog()

    assert catalog.series_of(RAIN) == series
    assert catalog.event_of(RAIN) == event
    assert catalog.markets[RAIN] == described
    assert catalog.fee_changes == (change,)
    assert catalog.observed_at == NOW
    final = market(MarketStatus.FINALIZED, result=MarketResult.YES)
    books.append(seen(final), stream=Stream.MARKETS)
    assert books.cache.unsettled_tickers() == set()


def test_quotes_keep_their_age(books: Books) -> None:
    quote = Quote(
        ticker=RAIN,
        yes_bid=Price.parse("0.41"),
        yes_ask=None,
        last=Price.parse("0.4250"),
        volume=Count(100),
        volume_24h=Count(50),
        open_interest=Count(25),
    )
    books.cache.save_quotes([quote], fetched_at=NOW)
    books.cache.save_quotes([quote], fetched_at=later(60))

    assert books.cache.quotes()[RAIN].quote == quote
    assert books.cache.quotes()[RAIN].fetched_at == later(60)


def test_user_reads_plain_tables_with_his_own_tools(sqlite_place: str) -> None:
    """A person with sqlite3 finds the documented names."""
    connection = sqlite3.connect(sqlite_place)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    finally:
        connection.close()

    assert tables >= {"orders", "fills", "settlements", "positions", "trades", "snapshots"}
    assert tables >= {"kalshi_orders", "kalshi_snapshots"}


def test_hot_paths_name_the_columns_of_the_schema() -> None:
    """The statements are written by hand; the schema is the description."""
    from trueup.store import break_register, cache, projections, snapshots, sql  # noqa: PLC0415
    from trueup.store.records import KINDS  # noqa: PLC0415
    from trueup.store.schema import DURABLE  # noqa: PLC0415
    from trueup.store.schema_projections import PROJECTED  # noqa: PLC0415

    described = {
        name: list(table.columns.keys())
        for metadata in (DURABLE, PROJECTED)
        for name, table in metadata.tables.items()
    }
    used: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for kind in KINDS.values():
        used[kind.table].append(kind.table_columns)
    used["journal"].append(sql.JOURNAL_COLUMNS)
    used["entries"].append(projections.ENTRY_COLUMNS)
    used["positions"].append(projections.POSITION_COLUMNS)
    used["trades"].append(projections.TRADE_COLUMNS)
    used["booking_breaks"].append(projections.BREAK_COLUMNS)
    used["breaks"].append(break_register.COLUMNS)
    used["snapshots"].append(snapshots.COLUMNS)
    used["series"].append(cache.SERIES_COLUMNS)
    used["events"].append(cache.EVENT_COLUMNS)
    used["market_details"].append(cache.MARKET_COLUMNS)
    used["fee_changes"].append(cache.FEE_CHANGE_COLUMNS)
    used["quotes"].append(cache.QUOTE_COLUMNS)

    for table, listings in used.items():
        for columns in listings:
            assert sorted(columns) == sorted(described[table]), table
    assert all(re.fullmatch(r"[a-z_0-9]+", name) for name in described)


def test_reference_page_describes_every_table_and_view() -> None:
    from trueup.store.table_docs import describe_tables  # noqa: PLC0415
    from trueup.store.views import SHOWN  # noqa: PLC0415

    page = (Path(__file__).parents[2] / "docs" / "reference" / "tables.md").read_text("utf-8")

    assert page.endswith(describe_tables()), "run: python -m trueup.store.table_docs <page>"
    assert all(f"`{name}`" in page for name in (*SHOWN, "kalshi_orders", "kalshi_snapshots"))
