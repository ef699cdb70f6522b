"""Every comparison provokes its break, and is silent when all is fine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trade_script import EVENT, TICKER, at, book, facts, fills, market, reading

from trueup.core.catalog import Catalog, Event, Market, Series
from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Settled, Source, Stream
from trueup.core.fees import Precision
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    OrderId,
    SeriesTicker,
    Subaccount,
)
from trueup.core.instant import DAY, Instant
from trueup.core.observations import Quarantined
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import ZERO_MONEY, Count, Money, Price, Ratio
from trueup.ledger.accounts import Account
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.ledger.coverage import Coverage, Wanted, certify
from trueup.ledger.entries import Entry, EntryKind, MarketBook, Posting
from trueup.ledger.fee_check import check_fees
from trueup.ledger.order_check import check_orders, unseen_fills
from trueup.ledger.position_check import check_positions, nothing_left
from trueup.ledger.proof import prove
from trueup.ledger.reconcile import (
    Closing,
    Comparison,
    check_total,
    check_transit,
    check_union,
    quarantine_breaks,
    reconcile,
    verdict,
)
from trueup.ledger.settlement_check import check_settlements

D = Money.parse
C = Count.parse
NOW = Instant(at("23:00"))
MUCH_LATER = Instant(NOW + 3 * DAY)


def told(breaks: object) -> list[tuple[str, str]]:
    assert isinstance(breaks, list)
    found: list[Break] = breaks  # pyright: ignore[reportUnknownVariableType]
    return [(each.kind, each.severity) for each in found]


# -- positions -------------------------------------------------------------------------------------

HELD = book("12:00 buy yes 10 @ .60 fee .17\n12:05 sell yes 4 @ .65 fee .07")


def stated(**changes: object) -> PositionStated:
    same = PositionStated(
        ticker=TICKER,
        net=C("6"),
        exposure=D("3.60"),
        realized=D(".20"),
        fees_paid=D(".24"),
        total_traded=D("7.40"),
        updated_at=at("12:05"),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
    return replace(same, **changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"exposure": D("3.6099")}, []),
        ({"realized": D(".1950")}, []),
        ({"net": C("5")}, [(BreakKind.POSITION_DIFFERS, Severity.RED)]),
        (
            {"net": C("10"), "updated_at": at("12:00")},
            [(BreakKind.POSITION_DIFFERS, Severity.AMBER)],
        ),
        ({"exposure": D("3.62")}, [(BreakKind.POSITION_DIFFERS, Severity.AMBER)]),
        ({"realized": D(".22")}, [(BreakKind.POSITION_DIFFERS, Severity.AMBER)]),
        ({"fees_paid": D(".25")}, [(BreakKind.FEE_DIFFERS, Severity.AMBER)]),
        ({"total_traded": D("8")}, [(BreakKind.POSITION_DIFFERS, Severity.AMBER)]),
    ],
)
def test_stated_position_against_the_books(
    changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert told(list(check_positions([HELD], [stated(**changes)]))) == expected


def test_position_that_only_one_side_knows() -> None:
    assert told(list(check_positions([HELD], []))) == [(BreakKind.POSITION_DIFFERS, Severity.RED)]
    assert list(check_positions([HELD], [], complete=False)) == []
    assert told(list(check_positions([], [stated()]))) == [(BreakKind.MISSING_FILL, Severity.RED)]
    assert list(check_positions([], [stated(net=C("0"), total_traded=ZERO_MONEY)])) == []


def test_flat_book_needs_no_statement() -> None:
    assert list(check_positions([book("12:00 buy yes 1 @ .5\n12:01 sell yes 1 @ .6")], [])) == []


@pytest.mark.parametrize("realized", [".40", "0"])
def test_settled_position_may_count_the_payout_or_not(realized: str) -> None:
    settled = book("12:00 buy yes 1 @ .60\n13:00 row yes revenue 1 yes 1")
    statement = stated(
        net=C("0"),
        exposure=ZERO_MONEY,
        realized=D(realized),
        fees_paid=ZERO_MONEY,
        total_traded=D(".60"),
        updated_at=at("13:00"),
    )

    assert list(check_positions([settled], [statement])) == []


# -- settlement rows -------------------------------------------------------------------------------

FILLS = "12:00 buy yes 10 @ .60 fee .17\n12:05 sell yes 4 @ .65 fee .07\n"
RIGHT = "13:00 row yes revenue 6.00 yes 10 no 4 yes_cost 6 no_cost 1.40 fees .24"


def settled(row: str, told_by_market: MarketStated | None = None) -> list[Break]:
    recorded = facts(FILLS + row)
    rows = [each.value for each in recorded if isinstance(each.value, Settled)]
    markets = {} if told_by_market is None else {TICKER: told_by_market}
    books = [book(recorded, market=told_by_market)]
    return list(check_settlements(books, rows, markets, now=NOW))


RED_FILL = (BreakKind.MISSING_FILL, Severity.RED)
RED_PAYOUT = (BreakKind.PAYOUT_DIFFERS, Severity.RED)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (RIGHT, []),
        # Contracts that were sold may or may not be counted: both fit.
        ("13:00 row yes revenue 6.00 yes 6 yes_cost 3.6 fees .24", []),
        (RIGHT.replace("yes 10", "yes 12"), [(BreakKind.MISSING_FILL, Severity.AMBER)]),
        (RIGHT.replace("6.00 yes 10", "8.00 yes 12"), [RED_FILL, RED_PAYOUT]),
        (RIGHT.replace("6.00", "5.00"), [RED_PAYOUT]),
        (RIGHT.replace("yes 10 no 4", "yes 12 no 6"), [RED_FILL]),
        (RIGHT.replace("fees .24", "fees .25"), [(BreakKind.FEE_DIFFERS, Severity.AMBER)]),
        (
            RIGHT.replace("yes_cost 6", "yes_cost 6.2"),
            [(BreakKind.POSITION_DIFFERS, Severity.AMBER)],
        ),
        (
            RIGHT.replace("row yes", "row scalar"),
            [(BreakKind.PAYOUT_DIFFERS, Severity.AMBER)],
        ),
        (RIGHT.replace("row yes revenue 6.00", "row scalar value .45 revenue 2.70"), []),
    ],
)
def test_settlement_row_against_the_books(row: str, expected: list[tuple[str, str]]) -> None:
    assert told(settled(row)) == expected


def test_row_against_another_result_of_its_market() -> None:
    assert settled(RIGHT, market("yes")) == []
    assert told(settled(RIGHT, market("no"))) == [(BreakKind.REVISED_SETTLEMENT, Severity.AMBER)]


def test_row_without_a_single_fill() -> None:
    rows = [each.value for each in facts(RIGHT) if isinstance(each.value, Settled)]
    both = [replace(rows[0], no_count=rows[0].yes_count)]

    assert told(list(check_settlements([], rows, {}, now=NOW))) == [RED_FILL]
    assert told(list(check_settlements([book(RIGHT)], rows, {}, now=NOW))) == [RED_FILL]
    assert told(list(check_settlements([], both, {}, now=NOW))) == [
        (BreakKind.SIDE_UNKNOWN, Severity.RED)
    ]


@pytest.mark.parametrize(
    ("told_by_market", "now", "expected"),
    [
        (market("yes"), NOW, [(BreakKind.MISSING_SETTLEMENT, Severity.GREEN)]),
        (market("yes", settled=None), NOW, [(BreakKind.MISSING_SETTLEMENT, Severity.RED)]),
        (market("scalar"), NOW, [(BreakKind.MISSING_SETTLEMENT, Severity.RED)]),
        (market("yes", status="determined", settled=None), NOW, []),
        (
            market("yes", status="determined", settled=None),
            MUCH_LATER,
            [(BreakKind.MISSING_SETTLEMENT, Severity.AMBER)],
        ),
        (market(status="active", settled=None, closed="23:30"), NOW, []),
        (None, NOW, []),
        (None, MUCH_LATER, [(BreakKind.MISSING_SETTLEMENT, Severity.AMBER)]),
    ],
)
def test_held_position_against_its_market(
    told_by_market: MarketStated | None, now: Instant, expected: list[tuple[str, str]]
) -> None:
    markets = {} if told_by_market is None else {TICKER: told_by_market}
    books = [book(FILLS, market=told_by_market)]

    assert told(list(check_settlements(books, [], markets, now=now))) == expected


def test_position_that_was_sold_misses_no_settlement() -> None:
    flat = book("12:00 buy yes 1 @ .5\n12:01 sell yes 1 @ .6")

    assert list(check_settlements([flat], [], {}, now=MUCH_LATER)) == []


# -- orders and fees -------------------------------------------------------------------------------


def order(**changes: object) -> OrderReported:
    same = OrderReported(
        order_id=OrderId("a"),
        client_order_id=ClientOrderId("bot-1"),
        ticker=TICKER,
        side=Side.YES,
        status=OrderStatus.EXECUTED,
        price=Price.parse(".60"),
        initial_count=C("10"),
        fill_count=C("10"),
        remaining_count=C("0"),
        taker_fees=D(".17"),
        maker_fees=ZERO_MONEY,
        taker_fill_cost=D("6"),
        maker_fill_cost=ZERO_MONEY,
        created_at=at("12:00"),
        updated_at=at("12:01"),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
    return replace(same, **changes)  # pyright: ignore[reportArgumentType]


ORDER_FILLS = fills("12:00 buy yes 4 @ .60 fee .07 order a\n12:01 buy yes 6 @ .60 fee .10 order a")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"fill_count": C("12")}, [RED_FILL]),
        ({"fill_count": C("4")}, [(BreakKind.ORDER_DIFFERS, Severity.RED)]),
        (
            {"fill_count": C("4"), "status": OrderStatus.RESTING},
            [(BreakKind.ORDER_DIFFERS, Severity.GREEN)],
        ),
        ({"taker_fees": D(".16")}, [(BreakKind.FEE_DIFFERS, Severity.AMBER)]),
    ],
)
def test_order_against_its_fills(
    changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert told(list(check_orders([order(**changes)], ORDER_FILLS))) == expected


def test_orders_and_fills_are_walked_side_by_side() -> None:
    orders = [order(order_id=OrderId(name)) for name in ("0", "a", "b")]
    others = fills("12:00 buy yes 4 @ .60 order 1\n12:01 buy yes 6 @ .60 order c")

    found = list(check_orders(orders, [others[0], *ORDER_FILLS, others[1]]))

    assert [each.evidence[0].split()[1] for each in found] == ["0", "b"]
    assert told(found) == [RED_FILL, RED_FILL]


def test_unsorted_orders_or_fills_are_refused() -> None:
    with pytest.raises(CallerError, match="sorted by order id"):
        list(check_orders([order(order_id=OrderId("b")), order()], []))
    with pytest.raises(CallerError, match="sorted by order id"):
        list(
            check_orders(
                [order(order_id=OrderId("z"))],
                [*fills("12:00 buy yes 1 @ .5 order c"), *ORDER_FILLS],
            )
        )


def test_order_without_its_fills_is_a_suspect_of_the_proof() -> None:
    (suspect,) = unseen_fills([order(fill_count=C("12"), taker_fill_cost=D("7.20"))], ORDER_FILLS)

    assert (suspect.kind, suspect.amount) == (BreakKind.MISSING_FILL, D("-1.20"))
    assert "filled 2.00 more than is known" in suspect.words
    assert list(unseen_fills([order()], ORDER_FILLS)) == []


def catalog(fee_type: str = "quadratic") -> Catalog:
    series = Series(
        ticker=SeriesTicker("KXHIGHNY"),
        title="",
        category="Climate and Weather",
        tags=(),
        fee_type=fee_type,
        fee_multiplier=Ratio(1),
    )
    event = Event(
        ticker=EVENT,
        series_ticker=series.ticker,
        title="",
        mutually_exclusive=True,
        fee_type_override=None,
        fee_multiplier_override=None,
    )
    listed = Market(
        ticker=TICKER,
        event_ticker=EVENT,
        title="",
        open_at=None,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
    return Catalog(series=[series], events=[event], markets=[listed])


@pytest.mark.parametrize(
    ("fee", "exact", "unknown", "wrong"),
    [(".17", 1, 0, 0), (".18", 0, 0, 1), ("unknown", 0, 1, 0)],
)
def test_charged_fee_against_the_published_rules(
    fee: str, exact: int, unknown: int, wrong: int
) -> None:
    """0.07 × 10 × .6 × .4 = .168, whole cents for a non-direct member."""
    charged = fills(f"12:00 buy yes 10 @ .60 fee {fee} order a")

    checked = check_fees(charged, catalog(), Precision.NON_DIRECT)

    assert (checked.orders, checked.exact, checked.unknown) == (1, exact, unknown)
    assert told(list(checked.breaks)) == [(BreakKind.FEE_DIFFERS, Severity.AMBER)] * wrong


def test_unknown_fee_terms_are_not_wrong() -> None:
    charged = fills("12:00 buy yes 10 @ .60 fee .99 order a")

    assert check_fees(charged, Catalog(), Precision.DIRECT).unknown == 1
    assert check_fees(charged, catalog("never heard of"), Precision.DIRECT).unknown == 1


# -- the small ones --------------------------------------------------------------------------------


def quarantined(stream: Stream) -> Quarantined:
    return Quarantined(stream, "unknown word", Source.REST, at("12:00"), b'{"side":"maybe"}')


def test_record_that_cannot_be_read_is_red_where_money_is_missing() -> None:
    found = list(quarantine_breaks([quarantined(Stream.FILLS), quarantined(Stream.ORDERS)]))

    assert told(found) == [
        (BreakKind.QUARANTINED, Severity.RED),
        (BreakKind.QUARANTINED, Severity.AMBER),
    ]
    assert found[0].identity == next(iter(quarantine_breaks([quarantined(Stream.FILLS)]))).identity


def leg(amount: str, subaccount: int) -> Entry:
    return Entry(
        stream=Stream.TRANSFERS,
        key="t",
        version=1,
        kind=EntryKind.TRANSFER,
        at=at("12:00"),
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
        ticker=None,
        strategy="",
        postings=(
            Posting(Account.CASH, D(amount), C("0")),
            Posting(Account.IN_TRANSIT, -D(amount), C("0")),
        ),
    )


def test_transfer_that_never_arrives_is_reported_after_a_while() -> None:
    assert list(check_transit([leg("-25", 0), leg("25", 1)], now=NOW)) == []
    assert list(check_transit([leg("-25", 0)], now=at("12:30"))) == []
    assert told(list(check_transit([leg("-25", 0)], now=NOW))) == [
        (BreakKind.UNATTRIBUTED_CASH, Severity.AMBER)
    ]


def test_row_of_a_subaccount_that_was_not_asked_is_found() -> None:
    rows = [each.value for each in facts(RIGHT) if isinstance(each.value, Settled)]

    assert list(check_union(rows, rows)) == []
    assert told(list(check_union([], rows))) == [(BreakKind.COVERAGE_GAP, Severity.RED)]
    assert told(list(check_union(rows, rows * 2))) == [(BreakKind.COVERAGE_GAP, Severity.RED)]


def test_balances_must_add_up_to_the_total() -> None:
    parts = [reading("12:00", "3.00", "3.0099"), reading("12:00", "4.00", "4.0099")]

    assert list(check_total(parts, reading("12:00", "7.01"))) == []
    (found,) = check_total(parts, reading("12:00", "8.00"))
    assert (found.kind, found.amount) == (BreakKind.COVERAGE_GAP, D(".9802"))


# -- all together ----------------------------------------------------------------------------------


def comparison(**changes: object) -> Comparison:
    recorded = facts(FILLS + RIGHT)
    whole = book(recorded, market=market("yes"))

    def books() -> list[MarketBook]:
        return [whole]

    def all_fills() -> list[Filled]:
        return [each.value for each in recorded if isinstance(each.value, Filled)]

    same = Comparison(
        books=books,
        now=NOW,
        markets={TICKER: market("yes")},
        positions=[],
        settlements=[each.value for each in recorded if isinstance(each.value, Settled)],
        fills=all_fills,
        catalog=catalog(),
        precision=Precision.NON_DIRECT,
        certificate=certify(
            Coverage(), now=NOW, wanted=Wanted(since=NOW, streams=(), subaccounts=())
        ),
    )
    return replace(same, **changes)  # pyright: ignore[reportArgumentType]


PROVEN = list(prove([reading("12:00", "1"), reading("13:00", "1")], []))
UNPROVEN = list(prove([reading("12:00", "1"), reading("13:00", "2")], []))
LOST = list(prove([reading("12:00", "2"), reading("13:00", "1")], []))


def test_position_that_is_gone_from_the_listing_is_compared_by_its_count_alone() -> None:
    flat = book("12:00 buy yes 1 @ .5\n12:01 sell yes 1 @ .6")
    gone = nothing_left(stated(), NOW)

    assert list(check_positions([flat], [gone])) == []
    (found,) = check_positions([HELD], [gone])
    assert (found.kind, found.severity) == (BreakKind.POSITION_DIFFERS, Severity.RED)


def test_books_that_equal_the_exchange_close() -> None:
    breaks = reconcile(comparison())

    found = verdict(breaks, PROVEN)

    assert breaks == []
    assert (found.closing, found.closes) == (Closing.CLOSES, True)
    assert found.words() == "The books close: 1 of 1 intervals proven, no break."


def test_worst_break_comes_first_and_decides() -> None:
    breaks = reconcile(
        comparison(
            positions=[stated(fees_paid=D("9"), net=C("0"), exposure=ZERO_MONEY)],
            quarantined=[quarantined(Stream.FILLS)],
        )
    )

    assert breaks[0].severity is Severity.RED
    assert breaks[-1].severity is Severity.AMBER
    assert verdict(breaks, PROVEN).closing is Closing.RED


def test_breaks_of_the_booking_are_part_of_it() -> None:
    odd = book("12:00 buy yes 1 @ .60 fee unknown")

    breaks = reconcile(comparison(books=lambda: [odd], settlements=None, positions=None))

    assert [each.kind for each in breaks] == [BreakKind.FEE_UNKNOWN]


def test_money_without_a_fact_never_closes() -> None:
    came, left = verdict([], UNPROVEN), verdict([], LOST)

    assert (came.closing, left.closing) == (Closing.AMBER, Closing.RED)
    assert came.unexplained == D("1")
    both = verdict([], [*UNPROVEN, *LOST])
    assert (both.unexplained, both.unexplained_gross) == (D("0"), D("2"))
    assert both.words().endswith("2.00 unexplained.")


def test_nothing_proven_is_amber() -> None:
    found = verdict([], [])

    assert found.closing is Closing.AMBER
    assert "fewer than two" in found.words()


def test_green_break_does_not_keep_the_books_open() -> None:
    served = book("12:00 buy yes 1 @ .60", market=market("yes"))
    breaks = list(check_settlements([served], [], {TICKER: market("yes")}, now=NOW))

    assert [each.severity for each in breaks] == [Severity.GREEN]
    assert verdict(breaks, PROVEN).closes
