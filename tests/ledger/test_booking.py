from __future__ import annotations

from dataclasses import replace

import pytest
from trade_script import EVENT, TICKER, at, book, facts, market, seen

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, OrderId, Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.observations import Recorded
from trueup.core.position import FLAT, Position
from trueup.core.statements import MarketStated
from trueup.core.units import Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.booking import MarketBooking, book_market
from trueup.ledger.breaks import BreakKind
from trueup.ledger.entries import Entry, EntryKind, Evidence, MarketBook, TradeStatus
from trueup.ledger.strategy import no_strategy

D = Money.parse
C = Count.parse


def legs(entry: Entry) -> list[tuple[str, str, str]]:
    return [(leg.account, str(leg.money), str(leg.contracts)) for leg in entry.postings]


def cash(found: MarketBook) -> Money:
    return sum((entry.cash() for entry in found.entries), Money(0))


def test_buy_pays_cost_and_fee_and_holds_contracts() -> None:
    found = book("12:00 buy yes 10 @ .60 fee .17")

    assert legs(found.entries[0]) == [
        ("Assets:Cash", "-6.17", "0.00"),
        ("Expenses:Fees:Trading", "0.17", "0.00"),
        ("Assets:Positions", "6.00", "10.00"),
        ("Equity:ExchangeContracts", "0.00", "-10.00"),
    ]
    assert found.position == Position(C("10"), D("6"))


@pytest.mark.parametrize("closing", ["sell yes 10 @ .65", "buy no 10 @ .35"])
def test_sale_of_yes_is_purchase_of_no(closing: str) -> None:
    """The example of the design: cash +6.50 − F, positions −6.00, realised .50."""
    found = book(f"12:00 buy yes 10 @ .60\n12:05 {closing} fee .16")

    assert legs(found.entries[1]) == [
        ("Assets:Cash", "6.34", "0.00"),
        ("Expenses:Fees:Trading", "0.16", "0.00"),
        ("Assets:Positions", "-6.00", "-10.00"),
        ("Income:Realized", "-0.50", "0.00"),
        ("Equity:ExchangeContracts", "0.00", "10.00"),
    ]
    assert (found.position, found.realized, found.fees) == (FLAT, D(".5"), D(".16"))


def test_trade_through_zero_closes_on_one_leg_and_opens_on_another() -> None:
    found = book("12:00 buy yes 4 @ .50\n12:05 buy no 10 @ .30 fee .10")

    positions = [leg for leg in legs(found.entries[1]) if leg[0] == "Assets:Positions"]
    assert positions == [
        ("Assets:Positions", "-2.00", "-4.00"),
        ("Assets:Positions", "1.80", "-6.00"),
    ]
    assert found.position == Position(C("-6"), D("1.80"))
    first, second = found.round_trips
    assert (first.status, second.status) == (TradeStatus.CLOSED, TradeStatus.OPEN)
    assert (first.fees, second.fees) == (D(".04"), D(".06"))
    assert first.profit_loss == D(".76")


@pytest.mark.parametrize(
    ("script", "payout", "realized"),
    [
        ("12:00 buy yes 3 @ .40\n13:00 row yes revenue 3.00 yes 3 yes_cost 1.20", "3", "1.80"),
        ("12:00 buy yes 3 @ .40\n13:00 row no revenue 0 yes 3 yes_cost 1.20", "0", "-1.20"),
        ("12:00 buy no 3 @ .40\n13:00 row no revenue 3.00 no 3 no_cost 1.20", "3", "1.80"),
        ("12:00 buy yes 9 @ .4\n12:01 buy no 9 @ .5\n13:00 row yes revenue 0", "0", ".9"),
        ("12:00 buy yes .14 @ .50\n13:00 row yes revenue 0.14 yes .14", ".14", ".07"),
    ],
)
def test_settlement_pays_the_net_position(script: str, payout: str, realized: str) -> None:
    found = book(script)

    assert (found.payout, found.realized) == (D(payout), D(realized))
    assert (found.position, found.settled, found.evidence) == (FLAT, True, Evidence.ROW)
    assert not found.breaks


def test_a_row_that_names_no_event_leaves_the_one_that_the_market_told() -> None:
    bought, row = facts("12:00 buy yes 3 @ .40\n13:00 row yes revenue 3 yes 3 yes_cost 1.2")
    silent = seen(row, "14:00", version=1, event_ticker=EventTicker(""))

    found = book_market(PRIMARY, SHARD_ZERO, TICKER, recorded=[bought, silent], market=market())

    assert found.event_ticker == EVENT


def test_fee_of_the_row_repeats_trade_fees_and_books_nothing() -> None:
    found = book(
        "12:00 buy yes 3 @ .40 fee .06\n13:00 row yes revenue 3 yes 3 yes_cost 1.2 fees .06"
    )

    assert found.fees == D(".06")
    assert cash(found) == D("1.74")


def test_scalar_is_paid_more_finely_than_the_row_shows() -> None:
    """FACTS: 10.60 at 0.5970 is 6.3282; the row says 6.32, a direct member gets 6.3282."""
    found = book(
        "12:00 buy yes 10.60 @ .50\n13:00 row scalar revenue 6.32 yes 10.60 value .59",
        market=market("scalar", value=".5970"),
    )

    assert found.payout == D("6.3282")
    assert "the row shows 6.32" in found.entries[1].evidence
    assert not found.breaks


def test_scalar_payout_is_cut_to_the_precision_and_the_cut_is_a_settlement_fee() -> None:
    found = book(
        "12:00 buy yes 10.60 @ .50\n13:00 row scalar revenue 6.32 yes 10.60",
        market=market("scalar", value=".5970"),
        precision=Precision.NON_DIRECT,
    )

    assert (found.payout, found.settlement_fees) == (D("6.32"), D(".0082"))
    assert found.realized == D("1.02")
    fees = [leg for leg in legs(found.entries[1]) if leg[0] == "Expenses:Fees:Settlement"]
    assert fees == [("Expenses:Fees:Settlement", "0.0082", "0.00")]


def test_scalar_of_unknown_value_is_booked_as_the_row_says_and_marked_provisional() -> None:
    found = book("12:00 buy yes 2 @ .50\n13:00 row scalar revenue 0.90 yes 2")

    assert found.payout == D(".90")
    assert "provisional" in found.entries[1].evidence


def test_tie_pays_both_sides_half() -> None:
    found = book(
        "12:00 buy no 3 @ .40\n13:00 row scalar revenue 1.50 no 3 no_cost 1.2",
        market=market("scalar", value=".5"),
    )

    assert (found.payout, found.realized) == (D("1.5"), D(".3"))


def test_row_that_disagrees_with_the_books_moves_what_the_exchange_paid() -> None:
    found = book("12:00 buy yes 3 @ .40\n13:00 row yes revenue 5.00 yes 5 yes_cost 2")

    assert found.payout == D("5")
    assert cash(found) == D("3.80")
    assert "pays 5.00 where the books expect 3.00" in found.entries[1].evidence


def test_finalized_market_without_a_row_pays_by_its_result() -> None:
    found = book("12:00 buy no 3 @ .40", market=market("no"))

    entry = found.entries[1]
    assert (found.payout, found.evidence) == (D("3"), Evidence.MARKET_RESULT)
    assert (entry.stream, entry.key, entry.at) == (Stream.MARKETS, TICKER, at("13:00"))


def test_row_goes_before_the_markets_result_and_pays_once() -> None:
    found = book(
        "12:00 buy no 3 @ .40\n13:00:05 row no revenue 3 no 3 no_cost 1.2", market=market("no")
    )

    assert [entry.kind for entry in found.entries] == [EntryKind.FILL, EntryKind.SETTLEMENT]
    assert (found.payout, found.evidence) == (D("3"), Evidence.ROW)


@pytest.mark.parametrize(
    "told",
    [
        market("yes", status="determined", settled=None),
        market("yes", status="disputed", settled=None),
        market("yes", settled=None),
        market("scalar"),
        market(status="active", settled=None),
        None,
    ],
)
def test_market_that_is_not_finally_settled_books_nothing(told: MarketStated | None) -> None:
    found = book("12:00 buy yes 3 @ .40", market=told)

    assert len(found.entries) == 1
    assert (found.settled, found.position.net) == (False, C("3"))


def test_flat_position_is_settled_by_an_entry_of_nothing() -> None:
    found = book("12:00 buy yes 3 @ .40\n12:01 sell yes 3 @ .41", market=market("yes"))

    assert legs(found.entries[2]) == [("Assets:Cash", "0.00", "0.00")]
    assert found.settled


def test_late_fill_is_booked_in_its_place() -> None:
    recorded = facts("12:00 buy yes 3 @ .40\n12:30 sell yes 3 @ .50\n13:00 row yes revenue 3 yes 6")
    late = facts("# 1\n12:10 buy yes 3 @ .60")

    found = book([*recorded, *_renumbered(late, 9)])

    assert [str(entry.cash()) for entry in found.entries] == ["-1.20", "-1.80", "1.50", "3.00"]
    assert not found.breaks


def test_fill_after_settlement_is_booked_and_reported() -> None:
    found = book("12:00 buy yes 3 @ .40\n13:00 row yes revenue 3 yes 3\n13:05 buy yes 1 @ .9")

    assert [each.kind for each in found.breaks] == [BreakKind.FILL_AFTER_SETTLEMENT]
    assert found.position.net == C("1")


def test_unknown_fee_is_booked_as_nothing_and_reported_once_per_market() -> None:
    found = book("12:00 buy yes 3 @ .40 fee unknown\n12:01 buy yes 3 @ .40 fee unknown")

    assert [each.kind for each in found.breaks] == [BreakKind.FEE_UNKNOWN]
    assert "2 fills" in found.breaks[0].summary
    assert found.entries[0].evidence == "fee unknown"


@pytest.mark.parametrize(
    ("fee", "precision", "kinds"),
    [
        (".01", Precision.NON_DIRECT, []),
        (".0145", Precision.NON_DIRECT, [BreakKind.PRECISION]),
        (".0145", Precision.DIRECT, []),
        (".01455", Precision.DIRECT, [BreakKind.PRECISION]),
    ],
)
def test_cash_minus_fee_must_be_whole_steps_of_the_balance(
    fee: str, precision: Precision, kinds: list[BreakKind]
) -> None:
    found = book(f"12:00 buy yes 3 @ .40 fee {fee}", precision=precision)

    assert [each.kind for each in found.breaks] == kinds


@pytest.mark.parametrize(
    ("precision", "noted"),
    [(Precision.DIRECT, 2), (Precision.NON_DIRECT, 4)],
)
def test_balance_steps_are_those_of_the_time_of_each_fill(precision: Precision, noted: int) -> None:
    """Until 2026-05-28 (midnight in New York) direct members had whole cents too."""
    noon, change = parse_instant("2026-05-26T16:00:00Z"), parse_instant("2026-05-28T04:00:00Z")
    times = (noon, Instant(change - 1), change, Instant(change + 1))
    [fill] = facts("12:00 buy yes 3 @ .40 fee .0145")
    recorded = [
        replace(fill, key=f"fill {number}", value=replace(fill.value, at=when))  # pyright: ignore[reportCallIssue]
        for number, when in enumerate(times)
    ]

    [found] = book(recorded, precision=precision).breaks

    assert found.kind is BreakKind.PRECISION
    assert found.summary.startswith(f"cash minus fee of {noted} fills")


def test_round_trip_tells_what_was_bought_sold_paid_and_earned() -> None:
    found = book(
        """
        12:00 buy yes 10 @ .60 fee .17
        12:05 buy yes 10 @ .70 fee .15
        12:10 sell yes 5 @ .80 fee .06
        13:00 row yes revenue 15.00 yes 20 no 5
        """
    )

    (trip,) = found.round_trips
    assert (trip.status, trip.side) == (TradeStatus.SETTLED, "yes")
    assert (trip.quantity, trip.bought, trip.sold) == (C("20"), C("20"), C("5"))
    assert (trip.bought_cost, trip.sold_proceeds, trip.payout) == (D("13"), D("4"), D("15"))
    assert (trip.fees, trip.profit_loss) == (D(".38"), D("5.62"))
    assert (trip.opened_at, trip.closed_at) == (at("12:00"), at("13:00"))
    assert trip.profit_loss == found.realized - found.fees


def test_open_round_trip_counts_only_what_is_realised() -> None:
    (trip,) = book("12:00 buy yes 10 @ .60 fee .10\n12:05 sell yes 5 @ .70 fee .05").round_trips

    assert (trip.status, trip.closed_at) == (TradeStatus.OPEN, None)
    assert trip.profit_loss == D(".35")


def test_payout_for_contracts_the_books_never_held_is_not_lost_from_the_trades() -> None:
    found = book("13:00 row yes revenue 5.00 yes 5 yes_cost 2")

    assert found.realized == D("5")
    assert [trip.profit_loss for trip in found.round_trips] == [D("5")]


def test_gross_counts_take_a_sale_as_a_purchase_of_the_other_side() -> None:
    found = book("12:00 buy yes 10 @ .60\n12:05 sell yes 4 @ .65")

    assert (found.yes_bought, found.yes_cost) == (C("10"), D("6"))
    assert (found.no_bought, found.no_cost) == (C("4"), D("1.40"))
    assert found.total_traded == D("7.40")


def test_strategies_that_cross_each_other_keep_their_own_trades() -> None:
    """A holds 10 YES from .60; B sells 10 at .65; A's position is still there."""

    def by_order(order_id: OrderId, _: Ticker) -> str:
        return order_id.split("-")[0]

    found = book(
        """
        12:00 buy yes 10 @ .60 fee .10 order a-1
        12:05 sell yes 10 @ .65 fee .20 order b-1
        13:00 row yes revenue 0 yes 10 no 10
        """,
        strategy_of=by_order,
    )

    by_name = {trip.strategy: trip for trip in found.round_trips}
    assert by_name["a"].profit_loss == D("3.90")
    assert by_name["b"].profit_loss == D("-3.70")
    assert found.realized - found.fees == D(".20")
    assert [entry.strategy for entry in found.entries] == ["a", "b", ""]


def test_one_strategy_owns_the_settlement_too() -> None:
    def weather(_order_id: OrderId, _ticker: Ticker) -> str:
        return "w"

    found = book("12:00 buy yes 1 @ .60\n13:00 row yes revenue 1 yes 1", strategy_of=weather)

    assert [entry.strategy for entry in found.entries] == ["w", "w"]


def test_facts_of_another_market_are_refused() -> None:
    with pytest.raises(InvariantBroken, match="another book"):
        book(facts("12:00 buy yes 3 @ .40", Ticker("OTHER")))
    with pytest.raises(InvariantBroken, match="another book"):
        book(facts("12:00 row yes", Ticker("OTHER")))


def test_empty_book_is_flat() -> None:
    found = book_market(PRIMARY, SHARD_ZERO, TICKER, recorded=[])

    assert (found.position, len(found.entries), found.settled) == (FLAT, 0, False)


def test_market_is_paid_once_also_when_booked_step_by_step() -> None:
    booking = MarketBooking(
        PRIMARY,
        SHARD_ZERO,
        TICKER,
        precision=Precision.DIRECT,
        strategy_of=no_strategy,
        market=market("yes"),
    )
    for step in (*facts("12:00 buy yes 3 @ .40\n12:59 row yes revenue 3 yes 3"), market("yes")):
        booking.book(step)

    assert booking.result().payout == D("3")
    assert len(booking.log) == 2


def test_entries_are_a_sequence_that_makes_them_again() -> None:
    found = book("12:00 buy yes 3 @ .40\n12:05 sell yes 3 @ .50\n13:00 row yes revenue 0")
    entries = found.entries

    assert entries[-1].kind is EntryKind.SETTLEMENT
    assert list(entries) == [entries[0], entries[1], entries[2]]
    assert entries[:2] == tuple(entries)[:2]
    assert entries == tuple(entries)
    assert all(leg.account is not Account.SUSPENSE for entry in entries for leg in entry.postings)


def _renumbered(recorded: list[Recorded], number: int) -> list[Recorded]:
    return [replace(each, key=f"fill {number}", sequence=number) for each in recorded]
