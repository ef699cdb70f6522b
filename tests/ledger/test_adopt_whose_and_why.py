"""Which subaccount a row belongs to, and what is said of wrong ones."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from adopting import WON, adopted, known, outcome, row
from trade_script import TICKER, market

from trueup.core.ids import Subaccount, Ticker
from trueup.core.orders import Side
from trueup.core.units import Money
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import (
    AdoptionLine,
    AdoptionReport,
    ForeignTrade,
    Outcome,
    Reason,
    TickerEvidence,
)
from trueup.run.clock import seeded
from trueup.sim.bot_database import BotDatabase, Fault, bot_database
from trueup.sim.scenario import DEFAULT_SEED, account_world

D = Money.parse
F = Fraction


def check_built_in_bot() -> tuple[BotDatabase, AdoptionReport]:
    """The built-in bot's table against the record of the built-in world."""
    world = account_world(seeded(DEFAULT_SEED))
    database = bot_database(world, seeded(DEFAULT_SEED))
    account = world.exchange.account(world.member)
    trades = [
        ForeignTrade(
            row_id=str(trade.trade_id),
            ticker=trade.ticker,
            status=trade.status,
            settled_price=None
            if trade.settled_price is None
            else F(trade.settled_price.units, 100),
            profit_loss=None if trade.profit_loss is None else F(trade.profit_loss.units, 10**6),
            side=trade.side,
            quantity=F(trade.quantity.units, 100),
            entry_price=trade.entry_price,
        )
        for trade in database.trades
    ]
    evidence: dict[Ticker, list[TickerEvidence]] = {}
    for trade in trades:
        listed = world.exchange.books.listings.markets.get(trade.ticker)
        stated = None if listed is None else listed.stated(world.end)
        fills = tuple(fill for fill in account.fills if fill.ticker == trade.ticker)
        evidence[trade.ticker] = [
            TickerEvidence(ticker=trade.ticker, fills=fills, market=stated, covered=bool(fills))
        ]
    return database, adopt(trades, evidence)


def test_every_fault_of_the_built_in_bot_is_found_and_repaired_exactly() -> None:
    """The sandbox knows the truth by another road."""
    database, report = check_built_in_bot()

    patched = {line.trade.row_id: line.profit_loss for line in report.patches}
    truth = {
        str(fault.trade_id): fault.profit_loss
        for fault in database.faults
        if fault.fault is not Fault.UNKNOWN_TICKER
    }
    assert patched == truth
    still_open = [
        line.trade.row_id
        for line in report.of(Outcome.SKIPPED)
        if line.reason is not Reason.UNKNOWN_TICKER
    ]
    assert still_open == [str(trade_id) for trade_id in database.truly_open]
    assert report.of(Outcome.NOT_VERIFIABLE) == ()


SAID_OF = {
    Fault.STUCK_OPEN: "open in the table, settled at the exchange",
    Fault.FEES_FORGOTTEN: "fees of were not taken off",
    Fault.NO_SIDE_INVERTED: "booked as if YES were held",
    Fault.SALE_IGNORED: "a sale before settlement was not counted",
    Fault.UNKNOWN_TICKER: "the exchange does not know this ticker",
}


def test_what_is_said_of_every_planted_fault_is_what_was_planted() -> None:
    database, report = check_built_in_bot()
    said = {line.trade.row_id: re.sub(r" [\d.]+", "", line.why) for line in report.lines}

    planted = {str(fault.trade_id): SAID_OF[fault.fault] for fault in database.faults}
    assert {row_id: said[row_id] for row_id in planted} == planted
    assert {fault.fault for fault in database.faults} == set(Fault)


SOLD = known(
    """
    12:00 buy no 10 @ .30 fee .15
    12:30 sell no 4 @ .50 fee .07
    13:00 row no revenue 6
    """,
    stated=market("no"),
)


@pytest.mark.parametrize(
    ("profit", "why"),
    [
        # Truth: 6 paid, 2 for the four sold, 3 and .22 paid.
        (F("5.00"), "fees of 0.22 were not taken off"),
        (F("6.85"), "a sale before settlement was not counted"),
        (
            F("7.00"),
            "a sale before settlement was not counted, and fees of 0.15 were not taken off",
        ),
        (F("-3.15"), "booked as if YES were held"),
        (F("-3.00"), "booked as if YES were held, and fees of 0.15 were not taken off"),
        (F("-1.22"), "booked by the wrong settled price"),
        (F("-1.00"), "booked by the wrong settled price, and fees of 0.22 were not taken off"),
        (F("4.79"), "the exchange's record gives other figures"),
        (F("5.01"), "the exchange's record gives other figures"),
    ],
)
def test_wrong_profit_is_explained_where_one_mistake_gives_it_to_the_cent(
    profit: Fraction, why: str
) -> None:
    wrong = row(
        status="settled",
        settled_price=F(100),
        profit_loss=profit,
        side=Side.NO,
        quantity=F(10),
        entry_price=F("0.3"),
    )

    (line,) = adopted(wrong, evidence=SOLD)

    assert (line.profit_loss, line.why) == (D("4.78"), why)


def test_wrong_profit_that_two_mistakes_give_is_not_explained() -> None:
    """Ten NO at .50: without the fee of .50 as with the price of a market that paid .55."""
    evidence = known(
        "12:00 buy no 10 @ .50 fee .50\n13:00 row scalar revenue 5 yes 0",
        stated=market("scalar", value=".50"),
    )
    wrong = row(
        status="settled",
        settled_price=F(45),
        profit_loss=F(0),
        side=Side.NO,
        quantity=F(10),
        entry_price=F("0.5"),
    )

    (line,) = adopted(wrong, evidence=evidence)

    assert (line.profit_loss, line.why) == (
        D("-0.50"),
        "the exchange's record gives other figures",
    )


def test_row_without_side_is_told_that_fees_were_forgotten() -> None:
    (line,) = adopted(row(status="settled", settled_price=F(100), profit_loss=F(4)), evidence=WON)

    assert line.why == "fees of 0.17 were not taken off"


def test_row_with_the_right_profit_and_a_wrong_settled_price_is_told_so() -> None:
    wrong = row(status="settled", settled_price=F(0), profit_loss=F("3.83"))

    (line,) = adopted(wrong, evidence=WON)

    assert line.why == "the profit is right, the settled price is not"


# -- several subaccounts -------------------------------------------------------------------------

OURS = replace(WON, subaccount=Subaccount(0))
THEIRS = replace(
    known("12:10 buy no 10 @ .45\n13:00 row yes revenue 0 no 10 no_cost 4.50"),
    subaccount=Subaccount(1),
)
LIKE_OURS = replace(
    known("12:10 buy yes 20 @ .60\n13:00 row yes revenue 20"), subaccount=Subaccount(2)
)
BOUGHT = row(side=Side.YES, quantity=F(10), entry_price=F("0.6"))


def in_subaccounts(*rows: ForeignTrade, held: list[TickerEvidence]) -> tuple[AdoptionLine, ...]:
    return adopt(rows, {TICKER: held}).lines


def test_rows_belong_to_the_only_subaccount_whose_contracts_they_fit() -> None:
    (line,) = in_subaccounts(BOUGHT, held=[OURS, THEIRS])

    assert (line.outcome, line.profit_loss) == (Outcome.PATCH, D("3.83"))
    assert line.checks == ("subaccount 0: the only one whose contracts these rows fit",)
    (other,) = in_subaccounts(
        replace(BOUGHT, side=Side.NO, entry_price=F("0.45")), held=[OURS, THEIRS]
    )
    assert (other.outcome, other.profit_loss) == (Outcome.PATCH, D("-4.50"))


@pytest.mark.parametrize(
    ("rows", "held", "words"),
    [
        ([BOUGHT], [OURS, LIKE_OURS], "several of them fit"),
        ([replace(BOUGHT, entry_price=F("0.8"))], [OURS, THEIRS], "none of them fits"),
        ([replace(BOUGHT, quantity=F(11))], [OURS, THEIRS], "none of them fits"),
        ([replace(BOUGHT, entry_price=None)], [OURS, THEIRS], "none of them fits"),
        ([row()], [OURS, THEIRS], "none of them fits"),
        (
            [BOUGHT, replace(BOUGHT, side=Side.NO, entry_price=F("0.45"))],
            [OURS, THEIRS],
            "none of them fits",
        ),
    ],
)
def test_rows_that_may_be_of_any_subaccount_are_not_verifiable(
    rows: list[ForeignTrade], held: list[TickerEvidence], words: str
) -> None:
    lines = in_subaccounts(*rows, held=held)

    assert {outcome(line) for line in lines} == {
        (Outcome.NOT_VERIFIABLE, Reason.SEVERAL_SUBACCOUNTS)
    }
    assert all(words in line.why and line.changes == () for line in lines)


def test_row_of_a_running_market_stays_open_whoever_holds_it() -> None:
    running = known("12:00 buy yes 10 @ .60", stated=market("", status="active", settled=None))
    held = [replace(running, subaccount=Subaccount(n)) for n in (0, 1)]

    (line,) = in_subaccounts(row(), held=held)

    assert outcome(line) == (Outcome.SKIPPED, Reason.STILL_OPEN)


def test_status_that_nobody_knows_is_said_before_whose_row_it_is() -> None:
    (line,) = in_subaccounts(row(status="???"), held=[OURS, THEIRS])

    assert outcome(line) == (Outcome.SKIPPED, Reason.UNKNOWN_STATUS)
