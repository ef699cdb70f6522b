"""Paper beside live and FIX beside REST, as the page shows them."""

from __future__ import annotations

from pathlib import Path

from trueup.core.facts import OrderReported
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.run.books.account import Account
from trueup.run.desk import Desk, read_desk_settings
from trueup.run.paper.beside import compare
from trueup.run.views import Row
from trueup.store.database import open_books
from trueup.web.values.clearing_day import (
    ClearingDay,
    clearing_dates,
    party_rows,
    total_rows,
    verdict,
)
from trueup.web.values.paper import beside_figures, pair_rows, paper_beside
from trueup.web.values.shown import UNKNOWN, Tone

NOON = parse_instant("2026-10-06T12:00:00Z")
UUID = "0a1b2c3d-0000-4000-8000-000000000000"


def order(seconds: int, filled: int, cents: int) -> OrderReported:
    at = Instant(NOON + seconds * SECOND)
    return OrderReported(
        order_id=OrderId(f"{seconds}/{cents}"),
        client_order_id=ClientOrderId(f"maker-{UUID}"),
        ticker=Ticker("KXA-1"),
        side=Side.YES,
        status=OrderStatus.CANCELED,
        price=Price.of_cents(cents),
        initial_count=Count.of_contracts(10),
        fill_count=Count.of_contracts(filled),
        remaining_count=ZERO_COUNT,
        taker_fees=ZERO_MONEY,
        maker_fees=ZERO_MONEY,
        taker_fill_cost=Price.of_cents(cents) * Count.of_contracts(filled),
        maker_fill_cost=ZERO_MONEY,
        created_at=at,
        updated_at=at,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def test_a_decision_shows_what_paper_got_and_what_live_got_the_newest_first() -> None:
    found = compare(
        [order(0, 10, 40), order(300, 5, 41), order(9_000, 1, 41)],
        [order(2, 8, 41), order(302, 5, 41)],
    )

    newest, oldest = pair_rows(found.pairs)
    assert newest.cells["kinder"].text == "as live"
    assert newest.cells["difference"].text == "0.0000"
    assert oldest.cells["paper_filled"].text == "10 of 10"
    assert oldest.cells["live_filled"].text == "8 of 10"
    assert oldest.cells["difference"].text == "−0.0100"
    assert oldest.cells["kinder"].text == "kinder"
    sums = beside_figures(found)
    assert sums["Decisions on both"].text == "2"
    assert sums["On paper only"].text == "1"
    assert sums["Paper filled more"].text == "+2"
    assert sums["Paper paid more a contract"].text == "−0.0050"


def test_what_did_not_fill_has_no_price_and_no_difference() -> None:
    (row,) = pair_rows(compare([order(0, 3, 40)], [order(1, 0, 40)]).pairs)
    assert row.cells["live_price"].text == UNKNOWN
    assert row.cells["difference"].text == UNKNOWN


def opened(folder: Path, *accounts: str) -> Account:
    environment = {"TRUEUP_HOME": str(folder), "KALSHI_ENV": "demo"}
    for name in accounts:
        settings = read_desk_settings(environment, account=name)
        with Desk(settings) as desk:
            place = desk.database
        Path(place).parent.mkdir(exist_ok=True)
        open_books(place, venue="demo", mode=settings.mode, account=name, create=True).close()
    desk = Desk(read_desk_settings(environment))
    desk.books(create=False, read_only=True)
    return Account(desk)


def test_an_account_that_was_never_on_paper_says_so_and_fix_has_told_nothing(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, "main") as account:
        beside = paper_beside(account)
        assert beside.found is None
        assert "not traded on paper" in beside.words
        assert clearing_dates(account) == ()


def told(ticker: str, *, payout: str | None, booked: str | None, doubt: str | None = None) -> Row:
    return {
        "party": "party-1",
        "subaccount": Subaccount(0),
        "ticker": ticker,
        "result": "yes",
        "settlement_price": ONE_DOLLAR,
        "yes_count": Count.of_contracts(10),
        "no_count": ZERO_COUNT,
        "gross": Money.parse("10"),
        "fees": ZERO_MONEY,
        "fee_types": "",
        "payout": None if payout is None else Money.parse(payout),
        "doubt": doubt,
        "rest_revenue": Money.parse("10"),
        "booked": None if booked is None else Money.parse(booked),
    }


def test_a_party_shows_fix_rest_and_the_books_and_a_difference_is_marked() -> None:
    same, other, open_one = party_rows(
        [
            told("KXA", payout="10", booked="10"),
            told("KXB", payout="10", booked="9.99"),
            told("KXC", payout="10", booked=None),
        ],
        prefix="/books",
    )
    assert (same.tone, other.tone, open_one.tone) == ("", "look", "")
    assert same.href == "/books/position/0/KXA"
    assert [same.cells[name].text for name in ("held", "fix", "rest", "booked")] == [
        "10 YES",
        "10.00",
        "10.00",
        "10.00",
    ]
    assert open_one.cells["booked"].text == UNKNOWN


def test_the_sums_and_the_verdict_of_a_day() -> None:
    (row,) = total_rows(
        [
            {
                "account": "subaccount 0",
                "settlements": 3,
                "payout": Money.parse("30"),
                "fees": ZERO_MONEY,
                "rest_revenue": Money.parse("30"),
                "booked": Money.parse("29.99"),
            }
        ]
    )
    assert (row.cells["fix"].text, row.cells["booked"].text) == ("30.00", "29.99")

    def day(*, differences: tuple[str, ...] = (), waiting: tuple[str, ...] = ()) -> ClearingDay:
        return ClearingDay(
            day="2026-10-06",
            rows=(),
            totals=(),
            differences=differences,
            waiting=waiting,
            pages=1,
        )

    assert verdict(day()).tone is Tone.GOOD
    assert verdict(day(waiting=("one",))).tone is Tone.LOOK
    assert verdict(day(differences=("one",), waiting=("two",))).tone is Tone.BAD
