"""The peer of `ingest`: how a bot typically repairs its own table of trades.

After a published backfill script, written anew: settlement pages of 100 by
cursor, the open trades in a dictionary, and for every match a new connection,
one UPDATE and a commit with SQLite's default durability (rollback journal,
``synchronous=FULL``).  Nothing else is written: no journal, no raw payload, no
fills, no fees, no postings.

`record_fills` writes the trades themselves the same way, a connection and a commit
for each: what the bot did when it traded, and what our books have to do as well.

It is given a little help: the connection to the server is kept alive (the
script opens one per page), and its pause of 0.3 s between pages is left out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from urllib3 import HTTPConnectionPool, connection_from_url

from benchmarks.exchange_stub import ticker_of

PAGE_SIZE = 100
PAUSE_SECONDS = 0.3
"""What the script waits between two pages."""


def make_bot_database(path: Path, count: int) -> None:
    """A bot's table in which `count` trades are still open."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE trades (id INTEGER PRIMARY KEY, market_ticker TEXT, status TEXT, "
            "settled_price REAL, profit_loss REAL, updated_at TEXT)"
        )
        connection.executemany(
            "INSERT INTO trades (market_ticker, status) VALUES (?, 'open')",
            ((ticker_of(number),) for number in range(count)),
        )


def backfill(origin: str, path: Path, *, most: int) -> int:
    """Settle up to `most` of the bot's trades; returns how many rows were settled."""
    rows = fetch(origin, "settlements", most)
    opened = open_trades(path)
    patched = 0
    for row in rows:
        trade = opened.get(row["ticker"])
        if trade is None:
            continue
        cost = float(row["yes_total_cost_dollars"]) + float(row["no_total_cost_dollars"])
        profit = row["revenue"] / 100 - cost - float(row["fee_cost"])
        patch(path, trade, float(row["value"]), profit)
        patched += 1
    return patched


def record_fills(origin: str, path: Path, *, most: int) -> None:
    """Write up to `most` fills as open trades: a connection and a commit for each."""
    for row in fetch(origin, "fills", most):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "INSERT INTO trades (market_ticker, status) VALUES (?, 'open')", (row["ticker"],)
            )
            connection.commit()


def fetch(origin: str, listing: str, most: int) -> list[dict[str, Any]]:
    """The newest rows of a listing."""
    rows: list[dict[str, Any]] = []
    with connection_from_url(origin) as pool:
        for page in pages(pool, listing):
            rows.extend(page)
            if len(rows) >= most:
                break
    return rows[:most]


def pages(pool: HTTPConnectionPool, listing: str) -> Iterator[list[dict[str, Any]]]:
    """A listing page by page."""
    cursor = ""
    while True:
        fields = {"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
        answer = pool.request("GET", f"/trade-api/v2/portfolio/{listing}", fields=fields)
        assert answer.status == 200
        page = json.loads(answer.data)
        yield page[listing]
        cursor = page["cursor"]
        if not cursor:
            return


def open_trades(path: Path) -> dict[str, int]:
    """The id of every open trade by its market."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT market_ticker, id FROM trades WHERE status = 'open'")
        return dict(found.fetchall())


def patch(path: Path, trade: int, settled_price: float, profit_loss: float) -> None:
    """Settle one trade: a connection and a commit of its own."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE trades SET status = 'settled', settled_price = ?, profit_loss = ?, "
            "updated_at = CURRENT_TIMESTAMP WHERE id = ?",
            (settled_price, profit_loss, trade),
        )
        connection.commit()
