"""A table that says won or lost gets the word that fits the outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adopting import WON, known, row
from trade_script import TICKER

from trueup.core.orders import Side
from trueup.core.units import Ratio
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import AdoptionLine, Column, ForeignTrade, TickerEvidence
from trueup.ledger.status_words import StatusWords

LOST = known("12:00 buy yes 10 @ .60 fee .17\n13:00 row no yes 10 yes_cost 6 fees .17")
BOUGHT = replace(row(), side=Side.YES, quantity=Ratio(10), entry_price=Ratio(6, 10))
ELSEWHERE = "KXOTHER-1"
"""A market that nobody knows: its row only shows which words the table uses."""


def judge(
    evidence: TickerEvidence,
    status: str,
    *used: str,
    words: StatusWords | None = None,
    bought: ForeignTrade = BOUGHT,
) -> AdoptionLine:
    """The first row of a table whose other rows use these words."""
    others = [replace(row(), ticker=ELSEWHERE, row_id=word, status=word) for word in used]
    rows = [replace(bought, status=status), *others]
    return adopt(rows, {TICKER: [evidence]}, words=words).lines[0]


def word_of(line: AdoptionLine) -> str | None:
    return next((each.new for each in line.changes if each.column is Column.STATUS), None)


@pytest.mark.parametrize(
    ("used", "won", "lost"),
    [
        (("won", "lost"), "won", "lost"),
        (("Win",), "Win", "Loss"),
        (("LOST",), "WON", "LOST"),
        (("won", "settled"), "settled", "settled"),
        ((), "settled", "settled"),
    ],
)
def test_open_row_gets_the_word_that_the_table_uses(
    used: tuple[str, ...], won: str, lost: str
) -> None:
    assert word_of(judge(WON, "open", *used)) == won
    assert word_of(judge(LOST, "open", *used)) == lost


def test_chosen_word_goes_before_what_the_table_uses() -> None:
    words = StatusWords(settled_word="done", chosen=True)

    assert word_of(judge(WON, "open", "won", "lost", words=words)) == "done"


def test_decided_market_is_won_by_side_although_the_fee_ate_the_profit() -> None:
    dear = known(
        "12:00 buy yes 10 @ .99 fee .17\n13:00 row yes revenue 10 yes 10 yes_cost 9.90 fees .17"
    )
    bought = replace(BOUGHT, entry_price=Ratio(99, 100))

    line = judge(dear, "open", "won", "lost", bought=bought)

    assert (word_of(line), str(line.profit_loss)) == ("won", "-0.07")


def test_word_that_contradicts_side_and_profit_is_patched() -> None:
    settled = replace(BOUGHT, settled_price=Ratio(0), profit_loss=Ratio(-617, 100))

    line = judge(LOST, "Won", "lost", bought=settled)

    assert [(each.column, each.old, each.new) for each in line.changes] == [
        (Column.STATUS, "Won", "Lost")
    ]
    assert line.why == "the figures are right, the word is not"


def test_word_that_either_reading_allows_stays() -> None:
    dear = known(
        "12:00 buy yes 10 @ .99 fee .17\n13:00 row yes revenue 10 yes 10 yes_cost 9.90 fees .17"
    )
    settled = replace(
        BOUGHT,
        entry_price=Ratio(99, 100),
        settled_price=Ratio(100),
        profit_loss=Ratio(-7, 100),
    )

    assert judge(dear, "won", bought=settled).changes == ()
    assert judge(dear, "lost", bought=settled).changes == ()
