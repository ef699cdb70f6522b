"""A settlement pays once, whoever tells of it first: REST's row, the report of FIX, or both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from fix_reports import page, report, whole
from hypothesis import given
from hypothesis import strategies as st
from trade_script import TICKER, at, facts, market
from trade_script import book as book_told

from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.observations import Recorded
from trueup.core.payoff import gross_payout
from trueup.core.statements import MarketStated
from trueup.core.units import Count, Money, Price
from trueup.ledger.bare import bare_step
from trueup.ledger.booking import book_steps
from trueup.ledger.breaks import BreakKind
from trueup.ledger.entries import EntryKind, Evidence, MarketBook
from trueup.ledger.witnesses import join_reports

D = Money.parse
BOUGHT = "12:00 buy yes 10 @ .60 fee .17\n"


def book(recorded: list[Recorded], *, market: MarketStated | None = None) -> MarketBook:
    """The book of what was told; of the reports among it all pages came."""
    return book_told(whole(recorded), market=market)


def settlements(found: MarketBook) -> list[tuple[Stream, int, str, str]]:
    """Stream, time, cash and evidence of what settled."""
    return [
        (entry.stream, entry.at, str(entry.cash()), entry.evidence)
        for entry in found.entries
        if entry.kind is EntryKind.SETTLEMENT
    ]


def test_a_report_alone_pays_at_its_time() -> None:
    found = book([*facts(BOUGHT), report("13:00:02", "10", "10.00")])

    assert settlements(found) == [
        (Stream.SETTLEMENT_REPORTS, at("13:00:02"), "10.00", "settlement report")
    ]
    assert (found.evidence, found.payout, found.position.net) == (
        Evidence.REPORT,
        D("10"),
        Count(0),
    )
    assert found.realized == D("4.00")


def test_a_report_pays_when_the_market_settled_where_that_is_known() -> None:
    found = book([*facts(BOUGHT), report("13:00:02", "10", "10.00")], market=market("yes"))

    assert settlements(found)[0][1] == at("13:00")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_row_and_report_pay_once_in_whatever_order_they_came(order: tuple[int, ...]) -> None:
    told = [
        *facts(BOUGHT + "13:00 row yes revenue 10.00 yes 10 fees .17"),
        report("13:00:02", "10", "10.00"),
    ]

    found = book([told[place] for place in order])

    assert settlements(found) == [
        (
            Stream.SETTLEMENTS,
            at("13:00"),
            "10.00",
            "settlement row; a settlement report confirms it",
        )
    ]
    assert not found.breaks


def test_a_report_that_was_sent_before_the_rows_time_pays_nothing_beside_it() -> None:
    row = facts(BOUGHT + "13:00 row yes revenue 10.00 yes 10 fees .17")

    found = book([*row, report("12:59:58", "10", "10.00")])

    assert found.payout == D("10.00")
    assert len(settlements(found)) == 1


def test_a_scalar_payout_is_provisional_until_a_report_says_it_exactly() -> None:
    told = facts(
        "12:00 buy yes 100.01 @ .25 fee .17\n13:00 row scalar revenue 30.60 yes 100.01 fees .17"
    )
    provisional = book(told)

    confirmed = book(
        [
            *told,
            report("13:01", "100.01", "30.6030", result="scalar", value=".3060", fee=".00006"),
        ]
    )

    assert provisional.payout == D("30.60")
    assert confirmed.payout == D("30.603")
    assert confirmed.settlement_fees == D(".00006")
    # Only the difference is added: the row's cents were paid already.
    assert confirmed.payout - provisional.payout == D(".003")
    assert "the row shows cents" in settlements(confirmed)[0][3]


@pytest.mark.parametrize("day", [date(2025, 6, 16), date(2026, 2, 26)])
def test_before_2026_02_27_what_is_missing_to_a_cent_was_cut_off(day: date) -> None:
    cut = report("13:00", "10.01", "3.00", result="scalar", value=".30", day=day)

    found = book([*facts("12:00 buy yes 10.01 @ .25"), cut])

    assert (found.payout, found.settlement_fees) == (D("3.00"), D(".003"))


@pytest.mark.parametrize("day", [date(2026, 2, 27), date(2026, 10, 16)])
def test_since_2026_02_27_a_cut_that_no_fee_states_is_a_contradiction(day: date) -> None:
    bought = facts("12:00 buy yes 10.01 @ .25")
    cut = report("13:00", "10.01", "3.00", result="scalar", value=".30", day=day)
    stated = report("13:00", "10.01", "3.00", result="scalar", value=".30", fee=".003", day=day)

    assert book([*bought, cut]).evidence is None
    found = book([*bought, stated])
    assert (found.payout, found.settlement_fees) == (D("3.00"), D(".003"))


def test_since_2026_02_27_no_fee_is_made_up_where_the_position_is_not_said() -> None:
    told = report("13:00", "10.01", "3.00", result="scalar", value=".30")
    told = replace(told, value=replace(told.value, long=None, short=None))  # pyright: ignore[reportArgumentType, reportCallIssue]

    found = book([*facts("12:00 buy yes 10.01 @ .25"), told])

    assert (found.payout, found.settlement_fees) == (D("3.00"), D("0"))


def test_a_settlement_fee_of_a_future_kind_is_put_aside() -> None:
    told = facts(BOUGHT + "13:00 row yes revenue 10.00 yes 10 fees .17")

    found = book([*told, report("13:00", "10", "9.90", fee=".10")])

    assert (found.payout, found.settlement_fees, found.fees) == (D("9.90"), D(".10"), D(".17"))
    assert found.realized - found.fees == D("9.90") - D("6.00") - D(".17")


@pytest.mark.parametrize("paid", ["9.00", "1000.00"])
def test_where_the_two_contradict_each_other_the_row_is_booked(paid: str) -> None:
    told = facts(BOUGHT + "13:00 row yes revenue 10.00 yes 10 fees .17")

    found = book([*told, report("13:00", "10", paid)])

    assert found.payout == D("10.00")
    assert settlements(found)[0][3].startswith("settlement row; a settlement report says")


def test_a_report_that_contradicts_itself_is_booked_by_nobody() -> None:
    in_cents = report("13:00", "10", "1000.00")

    assert book([*facts(BOUGHT), in_cents]).evidence is None
    assert book([*facts(BOUGHT), in_cents], market=market("yes")).evidence is Evidence.MARKET_RESULT


def test_a_report_without_an_amount_pays_by_position_and_price() -> None:
    found = book([*facts(BOUGHT), report("13:00", "10", None)])

    assert found.payout == D("10.00")
    assert "does not say what was paid" in settlements(found)[0][3]


def test_several_parties_of_one_subaccount_were_paid_together() -> None:
    found = book(
        [
            *facts(BOUGHT),
            report("13:00", "6", "6.00"),
            report("13:00:01", "4", "4.00", party="P-2"),
        ]
    )

    assert found.payout == D("10.00")
    assert len(settlements(found)) == 1


def test_a_report_that_is_told_otherwise_is_taken_back_and_booked_again() -> None:
    found = book(
        [
            *facts(BOUGHT),
            report("13:00", "10", "10.00"),
            report("13:00", "10", "0", result="no", value="0", version=2, seen_at="15:00"),
        ]
    )

    assert found.payout == D("0")
    assert [
        (entry.kind, entry.at, str(entry.cash()))
        for entry in found.entries
        if entry.at > at("12:00")
    ] == [
        (EntryKind.SETTLEMENT, at("13:00"), "10.00"),
        (EntryKind.REVERSAL, at("15:00"), "-10.00"),
        (EntryKind.SETTLEMENT, at("15:00"), "0.00"),
    ]
    (revised,) = found.breaks
    assert (revised.kind, revised.amount) == (BreakKind.REVISED_SETTLEMENT, D("-10.00"))


def test_a_market_reported_under_a_later_date_is_paid_once() -> None:
    later = report(
        "15:00", "10", "0", result="no", value="0", day=date(2026, 6, 2), seen_at="15:00"
    )

    found = book([*facts(BOUGHT), report("13:00", "10", "10.00"), later])

    assert found.payout == D("0")
    assert sum((entry.cash() for entry in found.entries), D("0")) == D("-6.17")
    assert [each.kind for each in found.breaks] == [BreakKind.REVISED_SETTLEMENT]


def test_a_party_that_alone_is_reported_anew_takes_nothing_from_the_others() -> None:
    told = [
        *facts(BOUGHT),
        report("13:00", "6", "6.00"),
        report("13:00:01", "4", "4.00", party="P-2"),
        report("15:00", "4", "3.99", fee=".01", party="P-2", day=date(2026, 6, 2), seen_at="15:00"),
    ]

    found = book(told)

    assert (found.payout, found.settlement_fees) == (D("9.99"), D(".01"))
    joined = join_reports(whole(told))
    assert joined is not None
    assert joined.is_whole
    assert (joined.paid, joined.fee, joined.net) == (9_990_000, 10_000, 1_000)


def test_of_one_party_only_its_newest_version_counts() -> None:
    wrong = report("13:00", "10", "1000.00")
    right = report("13:00", "10", "10.00", version=2, seen_at="14:00")

    joined = join_reports([wrong, right])

    assert joined is not None
    assert (joined.paid, joined.doubt) == (10_000_000, "")
    # The market's word is not asked, though the first version could not have paid.
    assert book([*facts(BOUGHT), wrong, right], market=market("yes")).payout == D("10.00")


def test_of_a_party_that_names_one_side_the_other_is_nothing() -> None:
    """As the exchange's own reports were seen: only the side that is held is there."""
    told = report("13:00", "-2", "2.00", result="no", value="0")
    joined = join_reports([replace(told, value=replace(told.value, long=None))])  # pyright: ignore[reportArgumentType, reportCallIssue]

    assert joined is not None
    assert joined.net == -200


def test_a_position_that_one_party_does_not_say_is_unknown_not_nothing() -> None:
    silent = report("13:00", "4", "4.00", party="P-2")
    silent = replace(silent, value=replace(silent.value, long=None, short=None))  # pyright: ignore[reportArgumentType, reportCallIssue]

    joined = join_reports([report("13:00", "6", "6.00"), silent])

    assert joined is not None
    assert (joined.net, joined.paid) == (None, 10_000_000)


TWO_PARTIES = (report("13:00:01", "6", "6.00"), report("13:00:02", "4", "4.00", party="P-2"))


def test_while_a_page_is_missing_the_parties_that_came_pay_nothing() -> None:
    first, _ = TWO_PARTIES

    found = book_told([*facts(BOUGHT), first, page(1, of=2)])

    assert (found.evidence, found.payout, found.position.net) == (None, D("0"), Count(1000))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_missing_page_makes_it_pay_once_for_all_parties(order: tuple[int, ...]) -> None:
    told = [*TWO_PARTIES, page(1, of=2), page(2, of=2)]

    found = book_told([*facts(BOUGHT), *(told[place] for place in order)])

    assert (found.evidence, found.payout) == (Evidence.REPORT, D("10.00"))
    assert len(settlements(found)) == 1


def test_a_page_that_never_comes_leaves_the_payout_to_the_row() -> None:
    row = facts(BOUGHT + "13:00 row yes revenue 10.00 yes 10 fees .17")

    found = book_told([*row, TWO_PARTIES[0], page(1, of=2)])

    assert (found.evidence, found.payout) == (Evidence.ROW, D("10.00"))
    ((_, _, _, words),) = settlements(found)
    assert words == "settlement row; a settlement report of which pages are missing says 6.00"


def test_a_page_that_never_comes_leaves_the_payout_to_the_markets_result() -> None:
    found = book_told([*facts(BOUGHT), TWO_PARTIES[0], page(1, of=2)], market=market("yes"))

    assert (found.evidence, found.payout) == (Evidence.MARKET_RESULT, D("10.00"))


@pytest.mark.parametrize(("held", "payout"), [("100.01", "30.603"), ("100.02", "30.6061")])
def test_a_report_with_missing_pages_is_exact_only_where_it_tells_of_all_that_was_held(
    held: str, payout: str
) -> None:
    """Otherwise only its value is taken, which is the market's: the position is the books'."""
    told = facts(f"12:00 buy yes {held} @ .25\n13:00 row scalar revenue 30.60 yes {held}")
    part = report("13:01", "100.01", "30.6030", result="scalar", value=".3060", fee=".00006")

    found = book_told([*told, part, page(1, of=2, like=part)])

    assert found.payout == D(payout)


def test_one_session_that_has_all_pages_is_enough() -> None:
    pages = [page(1, of=2), page(1, of=2, session="KalshiRT/key"), page(2, of=2)]

    assert book_told([*facts(BOUGHT), *TWO_PARTIES, *pages]).payout == D("10.00")
    # One that may see fewer parties than another gets fewer pages, and does not know of more.
    narrow = [page(1, of=1, session="KalshiRT/other"), page(1, of=2)]
    assert book_told([*facts(BOUGHT), TWO_PARTIES[0], *narrow]).evidence is None


def test_a_corrected_result_pays_only_once_all_of_its_own_pages_are_there() -> None:
    corrected = [
        report("15:00", net, "0", result="no", value="0", party=party, version=2, seen_at="15:00")
        for net, party in (("6", "P-1"), ("4", "P-2"))
    ]
    told = [*facts(BOUGHT), *TWO_PARTIES, page(1, of=2), page(2, of=2)]
    again = [page(number, of=2, like=corrected[0]) for number in (1, 2)]

    assert book_told([*told, corrected[0], again[0]]).evidence is None
    found = book_told([*told, *corrected, *again])
    assert (found.evidence, found.payout) == (Evidence.REPORT, D("0"))


@pytest.mark.parametrize(
    "pages", [[], [page(1, of=None, is_last=False)], [page(1, of=1, is_last=False)]]
)
def test_a_report_of_which_nobody_said_that_it_is_whole_pays_nothing(
    pages: list[Recorded],
) -> None:
    assert book_told([*facts(BOUGHT), *TWO_PARTIES, *pages]).evidence is None


@given(
    nets=st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=4),
    value=st.integers(0, 10_000),
    fee=st.integers(0, 50),
    has_row=st.booleans(),
)
def test_the_quick_road_books_what_the_long_one_books(
    nets: list[int], value: int, fee: int, *, has_row: bool
) -> None:
    """Parties of one subaccount, with or without a row: the cash is what FIX said, to the unit."""
    held = sum(nets)
    side = "yes" if held >= 0 else "no"
    told: list[Recorded] = facts(f"12:00 buy {side} {Count(abs(held) or 1)} @ .50")
    payouts: list[Money] = []
    for number, net in enumerate(nets):
        gross = gross_payout(Count(net), Price(value))
        paid = max(gross - Money(fee), Money(0))
        payouts.append(paid)
        told.append(
            report(
                "13:00",
                str(Count(net)),
                str(paid),
                result="scalar",
                value=str(Price(value)),
                fee=str(gross - paid),
                party=f"P-{number}",
            )
        )
    total = sum(payouts, Money(0))
    if has_row:
        told += facts(f"13:00 row scalar revenue {total.floor_to(Money.of_cents(1))}")

    long_way = book(told)
    told = whole(told)
    fills_and_rows = [each for each in told if each.key[:4] in {"fill", "sett"}]
    quick = book_steps(
        PRIMARY,
        SHARD_ZERO,
        TICKER,
        steps=sorted(map(bare_step, fills_and_rows)),
        report=join_reports(each for each in told if each not in fills_and_rows),
    )

    assert quick.bare == long_way.bare
    assert [entry.cash() for entry in quick.entries] == [e.cash() for e in long_way.entries]
    assert long_way.payout == total
