from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_books import RAIN, book, fill, later, market, open_small, order, put, settlement

from trueup.core.catalog import Catalog, Quote
from trueup.core.facts import Stream
from trueup.core.ids import Ticker
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money, Price
from trueup.ledger.report import (
    BETWEEN_STRATEGIES,
    By,
    CategoryRule,
    Naming,
    PnlLine,
    pnl,
    total_line,
)
from trueup.run.books.booking import strategies
from trueup.run.books.profit import earned, earned_by_strategy
from trueup.run.config import Config, StrategyRule
from trueup.store.database import Books

D = Money.parse
SNOW = Ticker("KXSNOW-26MAY31-B1")
CONFIG = Config(
    strategies={
        "A": StrategyRule(client_id_prefixes=("a-",)),
        "B": StrategyRule(client_id_prefixes=("b-",)),
    },
    categories={},
)
NAMING = Naming(catalog=Catalog(), rules=(CategoryRule(category="mine", strategy="A"),))


def lines(books: Books, by: By, *, since: int | None = None) -> dict[str, PnlLine]:
    moment = None if since is None else later(since)
    if by in {By.STRATEGY, By.CATEGORY}:
        found = earned_by_strategy(books, strategies(books, CONFIG), since=moment)
    else:
        found = earned(books, since=moment)
    listed = pnl(found.rows, by, naming=NAMING, open_positions=found.open_positions)
    return {line.name: line for line in listed}


def name_orders(books: Books) -> None:
    """Orders whose ids begin with a or b belong to strategy A or B."""
    for letter in "ab":
        named = [order(f"{letter}{n}", client=f"{letter}-{n}") for n in range(30)]
        put(books, Stream.ORDERS, *named)


@pytest.fixture
def books() -> Books:
    """A buys 10 YES at .60, B sells 10 at .70: the account is flat, both still hold."""
    books = open_small()
    name_orders(books)
    put(
        books,
        Stream.FILLS,
        fill(1, Side.YES, 10, ".60", order="a1"),
        fill(2, Side.NO, 10, ".70", order="b1"),
    )
    return books


def test_strategies_that_trade_one_market_each_have_their_own_profit(books: Books) -> None:
    put(books, Stream.SETTLEMENTS, settlement(yes=10, no=10))
    put(books, Stream.MARKETS, market())
    book(books, CONFIG)

    found = lines(books, By.STRATEGY)

    assert {name: line.realized for name, line in found.items()} == {"A": D("4"), "B": D("-3")}
    assert lines(books, By.CATEGORY)["mine"].realized == D("4")
    assert lines(books, By.TICKER)[RAIN].realized == D("1")


def test_what_strategies_hold_against_each_other_is_shown_as_such(books: Books) -> None:
    quote = Quote(
        ticker=RAIN,
        yes_bid=Price.parse(".75"),
        yes_ask=Price.parse(".77"),
        last=None,
        volume=ZERO_COUNT,
        volume_24h=ZERO_COUNT,
        open_interest=ZERO_COUNT,
    )
    books.cache.save_quotes([quote], fetched_at=later(0))
    book(books, CONFIG)

    found = lines(books, By.STRATEGY)
    total = total_line(found.values())

    assert {name: (line.realized, line.unrealized) for name, line in found.items()} == {
        "A": (D("0"), D("1.50")),
        "B": (D("0"), D("-.70")),
        BETWEEN_STRATEGIES: (D("1"), D("-.80")),
    }
    assert (total.realized, total.unrealized) == (D("1"), ZERO_MONEY)


def test_position_of_one_strategy_is_under_its_name() -> None:
    books = open_small()
    name_orders(books)
    put(books, Stream.FILLS, fill(1, Side.YES, 10, ".60", order="a1"))
    book(books, CONFIG)

    assert lines(books, By.STRATEGY)["A"].open == 1


def test_period_counts_only_what_was_earned_in_it() -> None:
    """A bought 10 at .60 and sold 4 at .80 before, and 6 at .90 in the period; B trades too."""
    books = open_small()
    name_orders(books)
    put(
        books,
        Stream.FILLS,
        fill(1, Side.YES, 10, ".60", order="a1", fee=".10"),
        fill(2, Side.YES, 1, ".50", order="b1"),
        fill(3, Side.NO, 4, ".80", order="a2", fee=".04"),
        fill(11, Side.NO, 6, ".90", order="a3", fee=".06"),
        fill(12, Side.NO, 1, ".40", order="b2"),
    )
    book(books, CONFIG)

    found = lines(books, By.STRATEGY, since=10)

    assert (found["A"].realized, found["A"].fees) == (D("1.80"), D(".06"))
    assert found["B"].realized == D("-.10")
    assert (lines(books, By.STRATEGY)["A"].realized) == D("2.60")


@st.composite
def scripts(draw: st.DrawFn) -> tuple[list[tuple[str, Side, int, int, int]], str, int]:
    """Fills of three strategies in two markets, how the markets end, and a moment."""
    one = st.tuples(
        st.sampled_from("abx"), st.sampled_from(Side), *[st.integers(1, n) for n in (9, 98, 2)]
    )
    ends = st.sampled_from(["open", "yes", "no", "scalar"])
    return draw(st.lists(one, min_size=1, max_size=12)), draw(ends), draw(st.integers(0, 4000))


@given(scripts())
@settings(max_examples=40, deadline=None)
def test_lines_add_up_to_the_ledger_whatever_strategies_trade(
    script: tuple[list[tuple[str, Side, int, int, int]], str, int],
) -> None:
    trades, end, since = script
    with open_small() as books:
        name_orders(books)
        fills = [
            fill(
                number * 300,
                side,
                count,
                str(Money.of_cents(cents)),
                fee=".01",
                order=f"{who}{number}",
                ticker=RAIN if where == 1 else SNOW,
            )
            for number, (who, side, count, cents, where) in enumerate(trades, 1)
        ]
        put(books, Stream.FILLS, *fills)
        if end != "open":
            value = ".3333" if end == "scalar" else None
            stated = [market(MarketResult(end), value=value, ticker=t) for t in (RAIN, SNOW)]
            put(books, Stream.MARKETS, *stated)
        book(books, CONFIG)
        for by in By:
            total, ledger = total_line(lines(books, by).values()), books.totals()
            assert (total.realized, total.fees) == (ledger.realized, ledger.fees)
            part = total_line(lines(books, by, since=since).values())
            booked = list(books.pnl_rows(since=later(since)))
            assert part.realized == sum((each.realized for each in booked), ZERO_MONEY)
            assert part.fees == sum((each.fees for each in booked), ZERO_MONEY)
