from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from adopting import WON, adopted, known, outcome, row
from trade_script import TICKER, market

from trueup.core.ids import Ticker
from trueup.core.orders import Side
from trueup.core.units import Money
from trueup.ledger.adopt import adopt, phantom_breaks
from trueup.ledger.breaks import BreakKind
from trueup.ledger.foreign import (
    Change,
    Column,
    Outcome,
    Reason,
    TickerEvidence,
    ratio_text,
)

D = Money.parse
F = Fraction


def test_seeds_row_gets_the_whole_result_of_its_market() -> None:
    """The first seed's table has neither side nor quantity nor price."""
    (line,) = adopted(row(), evidence=WON)

    assert outcome(line) == (Outcome.PATCH, Reason.PHANTOM_OPEN)
    assert line.changes == (
        Change(Column.STATUS, "open", "settled"),
        Change(Column.SETTLED_PRICE, None, "100.00"),
        Change(Column.PROFIT_LOSS, None, "3.83"),
    )
    assert line.rests_on == "fills"
    assert line.caveats == ("the row names no quantity or side: it gets the market's whole result",)


def test_row_that_agrees_to_the_cent_is_right() -> None:
    right = row(status="Settled", settled_price=F(100), profit_loss=F("3.8300000000000001"))

    (line,) = adopted(right, evidence=WON)

    assert outcome(line) == (Outcome.MATCHED, Reason.RIGHT)
    assert line.changes == ()


@pytest.mark.parametrize(
    ("changes", "patched"),
    [
        ({"profit_loss": F("3.84")}, [Change(Column.PROFIT_LOSS, "3.84", "3.83")]),
        ({"profit_loss": F(4)}, [Change(Column.PROFIT_LOSS, "4.00", "3.83")]),
        ({"settled_price": F(0)}, [Change(Column.SETTLED_PRICE, "0.00", "100.00")]),
        ({"settled_price": None}, [Change(Column.SETTLED_PRICE, None, "100.00")]),
        (
            {"profit_loss": None, "unreadable": {"profit_loss": "n/a"}},
            [Change(Column.PROFIT_LOSS, "n/a", "3.83")],
        ),
    ],
)
def test_settled_row_with_wrong_values_is_patched(
    changes: dict[str, object], patched: list[Change]
) -> None:
    right = row(status="settled", settled_price=F(100), profit_loss=F("3.83"))
    wrong = replace(right, **changes)  # pyright: ignore[reportArgumentType]

    (line,) = adopted(wrong, evidence=WON)

    assert outcome(line) == (Outcome.PATCH, Reason.WRONG_VALUES)
    assert list(line.changes) == patched


def test_several_rows_share_the_market_by_their_own_orders() -> None:
    evidence = known(
        """
        12:00 buy yes 10 @ .60 fee .17
        12:10 buy yes 20 @ .70 fee .30
        13:00 row yes revenue 30 yes 30 yes_cost 20 fees .47
        """
    )
    rows = [
        row(row_id="a", side=Side.YES, quantity=F(20), entry_price=F("0.7")),
        row(row_id="b", side=Side.YES, quantity=F(10), entry_price=F("0.6")),
    ]

    lines = adopted(*rows, evidence=evidence)

    assert [line.profit_loss for line in lines] == [D("5.70"), D("3.83")]


def test_rows_of_one_order_share_fees_and_the_last_gets_what_does_not_divide() -> None:
    evidence = known(
        "12:00 buy yes 3 @ .50 fee .10\n13:00 row yes revenue 3 yes 3 yes_cost 1.5 fees .10"
    )
    rows = [row(row_id=name, side=Side.YES, quantity=F(1), entry_price=F("0.5")) for name in "abc"]

    lines = adopted(*rows, evidence=evidence)

    profits = [line.profit_loss for line in lines]
    assert profits == [D(".466667"), D(".466667"), D(".466666")]
    assert sum((each for each in profits if each is not None), D("0")) == D("1.40")


def test_rows_divide_their_common_cost_by_their_own_prices() -> None:
    """Two orders at .40 and .60; the rows remember .45 and .55."""
    evidence = known(
        """
        12:00 buy yes 10 @ .40
        12:10 buy yes 10 @ .60
        13:00 row no revenue 0 yes 20 yes_cost 10
        """
    )
    rows = [
        row(row_id="a", side=Side.YES, quantity=F(10), entry_price=F("0.45")),
        row(row_id="b", side=Side.YES, quantity=F(10), entry_price=F("0.55")),
    ]

    assert [line.profit_loss for line in adopted(*rows, evidence=evidence)] == [
        D("-4.50"),
        D("-5.50"),
    ]


def test_entry_price_that_is_not_the_exchanges_is_named() -> None:
    wrong = row(side=Side.YES, quantity=F(10), entry_price=F("0.40"))

    (line,) = adopted(wrong, evidence=WON)

    assert line.profit_loss == D("3.83")
    assert line.caveats == ("entry price: the row says 0.40, the exchange 0.60",)


def test_yes_and_no_rows_of_one_market_stand_alone_and_add_up() -> None:
    """The exchange netted the pair at $1; each row still has its own outcome."""
    evidence = known(
        """
        12:00 buy yes 10 @ .60
        12:10 buy no 10 @ .35
        13:00 row yes revenue 0 yes 10 no 10 yes_cost 6 no_cost 3.5
        """
    )
    rows = [
        row(row_id="a", side=Side.YES, quantity=F(10), entry_price=F("0.6")),
        row(row_id="b", side=Side.NO, quantity=F(10), entry_price=F("0.35")),
    ]

    assert [line.profit_loss for line in adopted(*rows, evidence=evidence)] == [
        D("4"),
        D("-3.50"),
    ]


def test_sale_before_settlement_counts() -> None:
    evidence = known(
        """
        12:00 buy yes 10 @ .60 fee .17
        12:30 sell yes 4 @ .80 fee .05
        13:00 row no revenue 0 yes 10 no 4 yes_cost 6 no_cost .8 fees .22
        """
    )

    (line,) = adopted(row(side=Side.YES, quantity=F(10), entry_price=F("0.6")), evidence=evidence)

    assert line.profit_loss == D("-3.02")


def test_sale_belongs_to_the_row_that_says_so() -> None:
    evidence = known(
        """
        12:00 buy yes 10 @ .60
        12:10 buy yes 4 @ .60
        12:30 sell yes 4 @ .80
        13:00 row yes revenue 10 yes 14 no 4 yes_cost 8.4 no_cost .8
        """
    )
    rows = [
        row(row_id="a", side=Side.YES, quantity=F(10), entry_price=F("0.6")),
        row(
            row_id="b",
            status="sold",
            side=Side.YES,
            quantity=F(4),
            entry_price=F("0.6"),
            profit_loss=F("0.8"),
        ),
    ]

    first, second = adopted(*rows, evidence=evidence)

    assert first.profit_loss == D("4")
    assert outcome(second) == (Outcome.MATCHED, Reason.RIGHT)


def test_sale_belongs_to_the_row_of_its_size() -> None:
    """The rows were sold in the other order than they were bought."""
    evidence = known(
        """
        12:00 buy yes 4 @ .60
        12:10 buy yes 6 @ .60
        12:30 sell yes 6 @ .80
        12:40 sell yes 4 @ .50
        13:00 row yes revenue 0 yes 10 no 10
        """
    )
    sold = row(status="sold", side=Side.YES, entry_price=F("0.6"))
    rows = [
        replace(sold, row_id="a", quantity=F(4), profit_loss=F("-0.4")),
        replace(sold, row_id="b", quantity=F(6), profit_loss=F("1.2")),
    ]

    assert {outcome(line) for line in adopted(*rows, evidence=evidence)} == {
        (Outcome.MATCHED, Reason.RIGHT)
    }


def test_sale_that_could_be_anybodys_is_not_verifiable() -> None:
    evidence = known(
        """
        12:00 buy yes 10 @ .60
        12:10 buy yes 4 @ .60
        12:30 sell yes 4 @ .80
        13:00 row yes revenue 10 yes 14 no 4
        """
    )

    (line,) = adopted(row(side=Side.YES, quantity=F(10), entry_price=F("0.6")), evidence=evidence)

    assert outcome(line) == (Outcome.NOT_VERIFIABLE, Reason.CANNOT_MATCH)


def test_account_that_traded_more_than_the_table_holds_is_named() -> None:
    evidence = known(
        "12:00 buy yes 10 @ .60\n12:10 buy yes 4 @ .50\n13:00 row yes revenue 14 yes 14"
    )

    (line,) = adopted(row(side=Side.YES, quantity=F(4), entry_price=F("0.5")), evidence=evidence)

    assert line.profit_loss == D("2")
    assert "more contracts on this market than the table holds" in line.caveats[0]


def test_repeated_row_is_skipped_when_the_exchange_filled_it_once() -> None:
    same = row(side=Side.YES, quantity=F(10), entry_price=F("0.6"))

    first, second = adopted(same, replace(same, row_id="2"), evidence=WON)

    assert outcome(first) == (Outcome.PATCH, Reason.PHANTOM_OPEN)
    assert outcome(second) == (Outcome.SKIPPED, Reason.DUPLICATE)
    assert "row 1" in second.why


def test_repeated_row_is_right_when_the_exchange_filled_it_twice() -> None:
    evidence = known(
        "12:00 buy yes 10 @ .60\n12:10 buy yes 10 @ .60\n13:00 row yes revenue 20 yes 20"
    )
    same = row(side=Side.YES, quantity=F(10), entry_price=F("0.6"))

    lines = adopted(same, replace(same, row_id="2"), evidence=evidence)

    assert {outcome(line) for line in lines} == {(Outcome.PATCH, Reason.PHANTOM_OPEN)}


def test_rows_that_claim_more_than_was_filled_are_not_verifiable() -> None:
    (line,) = adopted(row(side=Side.YES, quantity=F(12), entry_price=F("0.6")), evidence=WON)

    assert outcome(line) == (Outcome.NOT_VERIFIABLE, Reason.CANNOT_MATCH)
    assert line.why == "the rows hold 12.00 contracts of yes, the exchange filled 10.00"


def test_rows_without_quantity_that_share_a_market_are_not_verifiable() -> None:
    lines = adopted(row(), row(row_id="2"), evidence=WON)

    assert {outcome(line) for line in lines} == {(Outcome.NOT_VERIFIABLE, Reason.COLUMNS_MISSING)}


def test_row_beside_one_of_unknown_status_does_not_get_everything() -> None:
    first, second = adopted(row(), row(row_id="2", status="??"), evidence=WON)

    assert outcome(first) == (Outcome.NOT_VERIFIABLE, Reason.COLUMNS_MISSING)
    assert outcome(second) == (Outcome.SKIPPED, Reason.UNKNOWN_STATUS)


def test_scalar_result_is_written_in_cents() -> None:
    evidence = known(
        "12:00 buy no 10.60 @ .50\n13:00 row scalar revenue 4.27 no 10.60 no_cost 5.3",
        stated=market("scalar", value=".5970"),
    )

    (line,) = adopted(row(), evidence=evidence)

    assert {change.column: change.new for change in line.changes} == {
        Column.STATUS: "settled",
        Column.SETTLED_PRICE: "59.70",
        Column.PROFIT_LOSS: "-1.0282",
    }


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (known("12:00 buy yes 1 @ .6"), (Outcome.SKIPPED, Reason.STILL_OPEN)),
        (
            known("12:00 buy yes 1 @ .6", stated=market(status="active", settled=None)),
            (Outcome.SKIPPED, Reason.STILL_OPEN),
        ),
        (
            known("12:00 buy yes 1 @ .6", stated=market("yes", status="determined", settled=None)),
            (Outcome.SKIPPED, Reason.NOT_FINAL),
        ),
        (
            known("12:00 buy yes 1 @ .6\n12:01 sell yes 1 @ .7"),
            (Outcome.SKIPPED, Reason.SOLD_OUT),
        ),
        (
            known("12:00 buy yes 1 @ .6", stated=market("scalar")),
            (Outcome.NOT_VERIFIABLE, Reason.VALUE_UNKNOWN),
        ),
        (known(stated=market("yes")), (Outcome.SKIPPED, Reason.NOT_OURS)),
        (TickerEvidence(ticker=TICKER), (Outcome.SKIPPED, Reason.UNKNOWN_TICKER)),
    ],
)
def test_row_that_cannot_be_settled_yet_stays(
    evidence: TickerEvidence, expected: tuple[Outcome, Reason]
) -> None:
    assert outcome(adopted(row(), evidence=evidence)[0]) == expected


def test_ticker_without_evidence_is_unknown_and_order_of_rows_is_kept() -> None:
    rows = [row(row_id="a", ticker=Ticker("KXNEVER")), row(row_id="b")]

    report = adopt(rows, {TICKER: [WON]})

    assert [line.trade.row_id for line in report.lines] == ["a", "b"]
    assert report.lines[0].reason is Reason.UNKNOWN_TICKER
    assert report.counts()[Outcome.PATCH] == 1


def test_settled_row_that_the_exchange_has_not_settled_is_not_verifiable() -> None:
    (line,) = adopted(row(status="settled"), evidence=known("12:00 buy yes 1 @ .6"))

    assert outcome(line) == (Outcome.NOT_VERIFIABLE, Reason.STILL_OPEN)


def test_row_without_its_fills_gets_the_settlement_rows_result() -> None:
    """yes·v + no·(1 − v) − costs − fees, with both sides bought."""
    evidence = known(
        "13:00 row yes revenue 6 yes 10 no 4 yes_cost 6 no_cost 1.4 fees .24",
        covered=False,
        with_fills=False,
    )

    (line,) = adopted(row(), evidence=evidence)

    assert (line.profit_loss, line.rests_on) == (D("2.36"), "settlement row")


def test_rows_without_fills_share_the_settlement_row() -> None:
    evidence = known(
        "13:00 row no revenue 0 yes 30 yes_cost 20 fees .47", covered=False, with_fills=False
    )
    rows = [
        row(row_id="a", side=Side.YES, quantity=F(20), entry_price=F("0.7")),
        row(row_id="b", side=Side.YES, quantity=F(10), entry_price=F("0.6")),
    ]

    lines = adopted(*rows, evidence=evidence)

    profits = [line.profit_loss for line in lines]
    assert sum((each for each in profits if each is not None), D("0")) == D("-20.47")
    assert profits[0] == D("-14.313333")


def test_fills_that_are_as_many_as_the_row_counts_are_complete_without_coverage() -> None:
    evidence = replace(WON, covered=False)
    partial_fills = replace(WON, covered=False, fills=(), books=())

    assert evidence.fills_complete
    assert not partial_fills.fills_complete
    assert adopted(row(), evidence=evidence)[0].rests_on == "fills"


OUTSIDE = known(stated=market("no"), covered=False)


def test_open_row_outside_coverage_gets_the_result_and_a_caveat() -> None:
    own = row(side=Side.NO, quantity=F(10), entry_price=F("0.9"), fees=F("0.07"))

    (line,) = adopted(own, evidence=OUTSIDE)

    assert outcome(line) == (Outcome.PATCH, Reason.PHANTOM_OPEN)
    assert (line.profit_loss, line.rests_on) == (D(".93"), "market result")
    assert "not verifiable, outside coverage" in line.caveats[0]


def test_open_row_outside_coverage_without_figures_is_not_verifiable() -> None:
    assert outcome(adopted(row(), evidence=OUTSIDE)[0]) == (
        Outcome.NOT_VERIFIABLE,
        Reason.COLUMNS_MISSING,
    )


@pytest.mark.parametrize(
    ("profit", "fees", "follows"),
    [("0.93", "0.07", True), ("1.00", None, True), ("0.93", None, True), ("0.20", None, False)],
)
def test_settled_row_outside_coverage_is_never_called_fine(
    profit: str, fees: str | None, *, follows: bool
) -> None:
    own = row(
        status="settled",
        settled_price=F(0),
        profit_loss=F(profit),
        side=Side.NO,
        quantity=F(10),
        entry_price=F("0.9"),
        fees=None if fees is None else F(fees),
    )

    (line,) = adopted(own, evidence=OUTSIDE)

    assert outcome(line) == (Outcome.NOT_VERIFIABLE, Reason.OUTSIDE_COVERAGE)
    assert line.checks[0] == "outcome: agrees with the market's result"
    assert ("profit: follows from the row's own figures" in line.checks) is follows
    assert "not verifiable, outside coverage" in line.caveats[-1]


def test_settled_row_outside_coverage_with_the_wrong_result_is_patched() -> None:
    wrong = row(
        status="settled",
        settled_price=F(100),
        profit_loss=F(-9),
        side=Side.NO,
        quantity=F(10),
        entry_price=F("0.9"),
        fees=F(0),
    )

    (line,) = adopted(wrong, evidence=OUTSIDE)

    assert outcome(line) == (Outcome.PATCH, Reason.WRONG_VALUES)
    assert [change.column for change in line.changes] == [
        Column.SETTLED_PRICE,
        Column.PROFIT_LOSS,
    ]


def test_phantom_open_trades_are_breaks() -> None:
    report = adopt([row()], {TICKER: [WON]})
    right = adopt(
        [row(status="settled", settled_price=F(100), profit_loss=F("3.83"))], {TICKER: [WON]}
    )

    (found,) = phantom_breaks(report)

    assert (found.kind, found.amount) == (BreakKind.PHANTOM_OPEN_TRADE, D("3.83"))
    assert phantom_breaks(right) == []


def test_ratio_is_shown_exactly_or_rounded_to_six_places() -> None:
    assert [ratio_text(F(1, 3)), ratio_text(F(1, 2)), ratio_text(F(-123, 100))] == [
        "0.333333",
        "0.50",
        "-1.23",
    ]
