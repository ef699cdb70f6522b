"""The dashboard's pages on 10,000 and on 1,000,000 fills: what a person waits for must not grow.

The account (`benchmarks.account`) is written straight into the journal and booked.  Then
the questions of the pages are asked as the pages ask them, through a connection that
cannot write, and compared between the two sizes.

    python -m benchmarks.web [FILLS]     (another size than 1,000,000, e.g. for a quick look)
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.account import write_account
from trueup.core.fees import Precision
from trueup.core.ids import Ticker
from trueup.run.books.account import Account
from trueup.run.books.booking import book_new
from trueup.run.config import Config
from trueup.run.desk import Desk, read_desk_settings
from trueup.store.database import open_books
from trueup.store.listing import Leaf
from trueup.web.pages.orders import fills_page, orders_page
from trueup.web.pages.records import entries_of_day
from trueup.web.pages.settlements import settlements_page
from trueup.web.reading import newest_reading
from trueup.web.tables import Query
from trueup.web.values.earnings import earnings
from trueup.web.values.holdings import holdings
from trueup.web.values.trace import day_span

SMALL: Final = 10_000
LARGE: Final = 1_000_000
ROUNDS: Final = 7
Question = Callable[[Account], object]


def fills(account: Account, **query: object) -> object:
    return fills_page(Query(**{"sort": "at", "limit": 25, **query}), prefix="", account=account)  # type: ignore[arg-type]


def orders(account: Account) -> object:
    return orders_page(Query(sort="at", limit=25), prefix="", may_cancel=False, account=account)


def settlements(account: Account) -> object:
    return settlements_page(Query(sort="at"), prefix="", account=account)


def day(account: Account) -> object:
    return entries_of_day(account, *day_span("2026-09-20"))


QUICK: Final[dict[str, Question]] = {
    "fills, first page": fills,
    "fills, page 100": lambda account: fills(account, offset=2_500),
    "fills by price": lambda account: fills(account, sort="price"),
    "fills of one market": lambda account: fills(account, words="KXBENCH-00003-T07"),
    "fills of one event": lambda account: fills(account, words="kxbench-00003"),
    "fills, a part of a ticker": lambda account: fills(account, words="3-T07"),
    "orders, first page": orders,
    "orders of one market": lambda account: account.books.list_orders(
        Leaf(ticker=Ticker("KXBENCH-00003-T07"), limit=20)
    ),
    "settlements, first page": settlements,
    "positions": holdings,
    "a day's entries": day,
    "when the exchange was asked": newest_reading,
}
SLOW: Final[dict[str, Question]] = {"earnings (in the background)": earnings}


def main() -> None:
    large = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else LARGE
    with tempfile.TemporaryDirectory() as folder:
        sizes = {count: written(Path(folder), count) for count in (SMALL, large)}
        taken = in_turns(sizes)
    head = f"processor milliseconds, median of {ROUNDS}"
    print(f"{head:36} {SMALL:>10,} {large:>12,} {'ratio':>7}")
    for name, (small, big) in taken.items():
        print(f"{name:36} {small * 1000:10.2f} {big * 1000:12.2f} {big / small:7.1f}")


def written(folder: Path, count: int) -> Path:
    """Books of so many fills."""
    place = folder / f"{count}.db"
    with open_books(place, venue="demo", mode="live", account="main", create=True) as books:
        write_account(books, fills=count)
        book_new(books, precision=Precision.DIRECT, config=Config())
    return place


def in_turns(sizes: dict[int, Path]) -> dict[str, list[float]]:
    """Seconds of every question on every size; each is asked of one and the other in turn."""
    taken: dict[str, list[float]] = {}
    with ExitStack() as stack:
        accounts = [stack.enter_context(opened(place)) for place in sizes.values()]
        for name, question in (*QUICK.items(), *SLOW.items()):
            rounds = ROUNDS if name in QUICK else 1
            times = [[processor_time(each, question) for each in accounts] for _ in range(rounds)]
            taken[name] = [statistics.median(of_one) for of_one in zip(*times, strict=True)]
    return taken


def opened(place: Path) -> Account:
    """The account as a page has it: it cannot write."""
    environment = {
        "TRUEUP_HOME": str(place.parent),
        "TRUEUP_DATABASE": str(place),
        "KALSHI_ENV": "demo",
    }
    desk = Desk(read_desk_settings(environment))
    desk.books(create=False, read_only=True)
    return Account(desk)


def processor_time(account: Account, question: Question) -> float:
    began = time.process_time()
    question(account)
    return time.process_time() - began


if __name__ == "__main__":
    main()
