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
from pathlib import Path
from typing import Final

from benchmarks.account import write_account
from trueup.core.fees import Precision
from trueup.run.books.account import Account
from trueup.run.books.booking import book_new
from trueup.run.config import Config
from trueup.run.desk import Desk, read_desk_settings
from trueup.store.database import open_books
from trueup.web.pages.orders import fills_page, orders_page
from trueup.web.pages.settlements import settlements_page
from trueup.web.tables import Query
from trueup.web.values.earnings import earnings
from trueup.web.values.holdings import holdings

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


QUICK: Final[dict[str, Question]] = {
    "fills, first page": fills,
    "fills, page 100": lambda account: fills(account, offset=2_500),
    "fills of one market": lambda account: fills(account, words="-1"),
    "orders, first page": orders,
    "settlements, first page": settlements,
    "positions": holdings,
}
SLOW: Final[dict[str, Question]] = {"earnings (in the background)": earnings}


def main() -> None:
    large = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else LARGE
    with tempfile.TemporaryDirectory() as folder:
        taken = {count: measured(Path(folder), count) for count in (SMALL, large)}
    print(f"{'milliseconds, median of ' + str(ROUNDS):34} {SMALL:>10,} {large:>12,} {'ratio':>7}")
    for name in (*QUICK, *SLOW):
        small, big = taken[SMALL][name], taken[large][name]
        print(f"{name:34} {small * 1000:10.1f} {big * 1000:12.1f} {big / small:7.1f}")


def measured(folder: Path, count: int) -> dict[str, float]:
    """Seconds of every question on an account of so many fills."""
    place = folder / f"{count}.db"
    with open_books(place, venue="demo", mode="live", account="main", create=True) as books:
        write_account(books, fills=count)
        book_new(books, precision=Precision.DIRECT, config=Config())
    environment = {
        "TRUEUP_HOME": str(folder),
        "TRUEUP_DATABASE": str(place),
        "KALSHI_ENV": "demo",
    }
    desk = Desk(read_desk_settings(environment))
    desk.books(create=False, read_only=True)
    with Account(desk) as account:
        found = {name: timed(account, question, ROUNDS) for name, question in QUICK.items()}
        return found | {name: timed(account, question, 1) for name, question in SLOW.items()}


def timed(account: Account, question: Question, rounds: int) -> float:
    times: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        question(account)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
