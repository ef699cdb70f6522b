"""Pages of the books: what words find, in which order, and that a long history is read by its end."""

from __future__ import annotations

import pytest
from store_facts import NOW, balance, book_everything, fill, later, order, seen

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, Stream
from trueup.core.ids import SHARD_ZERO, Ticker
from trueup.store.database import Books, open_books
from trueup.store.finding import MARKETS_MAX
from trueup.store.listing import COUNT_MAX, Leaf, Listed, ListedFill

RAIN_A, RAIN_B, SNOW = Ticker("KXRAIN-A"), Ticker("KXRAIN-B"), Ticker("KXSNOW-A")


def write(books: Books, *fills: Filled) -> None:
    books.append(seen(*fills), stream=Stream.FILLS)
    book_everything(books)


def numbers(listed: Listed[ListedFill]) -> list[int]:
    return [int(each.fill.trade_id.rpartition("-")[2]) for each in listed.rows]


def found(books: Books, words: str, **leaf: str) -> list[int]:
    return numbers(books.list_fills(Leaf(words=words, descending=False, **leaf)))  # type: ignore[arg-type]


def test_words_find_the_beginning_of_a_ticker_then_a_part_of_it_then_an_id(books: Books) -> None:
    write(
        books,
        fill(1, ticker=RAIN_A),
        fill(2, ticker=RAIN_B, order="one-order-77"),
        fill(3, ticker=SNOW),
    )
    assert found(books, "kxrain") == [1, 2]
    assert found(books, "-a") == [1, 3]
    assert found(books, "kxrain-b") == [2]
    assert found(books, "one-order-77") == [2]
    assert found(books, "trade-3") == [3]
    assert found(books, "one-order-7") == []
    assert found(books, "sun") == []
    assert found(books, "100%_") == []
    assert numbers(books.list_fills(Leaf(words="kxrain", ticker=RAIN_B))) == [2]


def test_an_order_is_found_by_its_market_its_id_and_our_own_name(books: Books) -> None:
    orders = [order(number=number, client=f"mine-{number}") for number in (1, 2)]
    books.append(seen(*orders), stream=Stream.ORDERS)
    one = orders[0]
    for words in (one.ticker[:6].lower(), one.order_id, one.client_order_id or ""):
        listed = books.list_orders(Leaf(words=words))
        assert one.order_id in {each.order_id for each in listed.rows}
    assert books.list_orders(Leaf(words=one.order_id)).total == 1
    assert books.list_orders(Leaf(words="nobody")).total == 0
    assert books.count_orders() == 2


def test_a_sort_that_is_not_offered_is_refused(books: Books) -> None:
    with pytest.raises(CallerError, match="not sorted by"):
        books.list_fills(Leaf(sort="trade_id"))


def test_a_page_leads_to_the_orders_of_its_fills(books: Books) -> None:
    named = order(number=1)
    books.append(seen(named), stream=Stream.ORDERS)
    write(books, fill(1, order=named.order_id), fill(2, order="not-known"))
    newest, oldest = books.list_fills(Leaf()).rows
    assert newest.client_order_id is None
    assert oldest.client_order_id == named.client_order_id


def test_the_newest_balance_of_every_pot_is_the_latest(books: Books) -> None:
    told = (
        ("1", None, 1),
        ("2", None, 3),
        ("3", None, 2),
        ("4", SHARD_ZERO, 1),
        ("5", SHARD_ZERO, 9),
    )
    readings = [balance(dollars, shard=shard, at=at) for dollars, shard, at in told]
    books.append(seen(*readings), stream=Stream.BALANCES)
    assert [(each.shard, each.low.dollars()) for each in books.latest_balances()] == [
        (None, "2.00"),
        (SHARD_ZERO, "5.00"),
    ]


@pytest.fixture(scope="module")
def long_books() -> Books:
    """More fills than are counted, in more markets than are told apart."""
    opened = open_books(":memory:", venue="sandbox", mode="live", account="main", create=True)
    markets = MARKETS_MAX + 100
    fills = [
        fill(n, ticker=Ticker(f"KXMANY-{n % markets:04}"), price=f"0.{10 + n % 80}", at=later(n))
        for n in range(COUNT_MAX + 300)
    ]
    opened.append(seen(*fills), stream=Stream.FILLS)
    return opened


def test_a_long_table_is_counted_to_a_bound_and_says_so(long_books: Books) -> None:
    listed = long_books.list_fills(Leaf(limit=10))
    assert (listed.total, listed.more) == (COUNT_MAX, True)
    assert numbers(listed) == list(range(COUNT_MAX + 299, COUNT_MAX + 289, -1))

    last = long_books.list_fills(Leaf(limit=50, offset=COUNT_MAX + 250))
    assert (last.total, last.more) == (COUNT_MAX + 300, False)
    assert numbers(last) == list(range(49, -1, -1))


def test_what_no_index_sorts_is_sorted_among_the_newest(long_books: Books) -> None:
    listed = long_books.list_fills(Leaf(sort="price", descending=False, limit=200))
    assert (listed.total, listed.more) == (COUNT_MAX, True)
    assert {str(each.fill.price) for each in listed.rows} <= {"0.10", "0.11"}
    assert min(numbers(listed)) >= 300
    assert listed.rows[0].fill.at > NOW


def test_words_that_very_many_markets_have_find_the_newest_of_them(long_books: Books) -> None:
    every = long_books.list_fills(Leaf(words="kxmany", limit=3))
    assert every.more
    assert numbers(every) == [COUNT_MAX + 299, COUNT_MAX + 298, COUNT_MAX + 297]

    some = long_books.list_fills(Leaf(words="-00", limit=1_000))
    assert (some.total, some.more) == (len(some.rows), False)
    assert all("-00" in each.fill.ticker for each in some.rows)
