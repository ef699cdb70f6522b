"""Plain SQL on the books while trueup goes on writing them.

python examples/your_own_sql.py
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import trueup

BY_MARKET = """
SELECT ticker, count(*) AS trades, sum(profit_loss) / 1000000.0 AS dollars
FROM trades WHERE status <> 'open' GROUP BY ticker ORDER BY dollars DESC LIMIT 3
"""


def main() -> None:
    """Sync, then ask the tables directly."""
    with trueup.open_account(venue="sandbox") as account:
        account.sync()
        # Read-only: a reader never locks out the writer.
        place = f"file:{account.desk.database}?mode=ro"
        with closing(sqlite3.connect(place, uri=True)) as books:
            for ticker, trades, dollars in books.execute(BY_MARKET):
                print(f"{ticker:<28} {trades:>3} trades  {dollars:>9.4f} $")
            latest = books.execute("SELECT * FROM kalshi_orders ORDER BY filled_at DESC LIMIT 1")
            print("newest:", latest.fetchone())


if __name__ == "__main__":
    main()
