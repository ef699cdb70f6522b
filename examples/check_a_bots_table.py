"""Check a bot's own table of trades, patch it, and take the patch back.

    python examples/check_a_bots_table.py trades.db

Without an argument it makes the table of the built-in world's bot, faults and all.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import trueup
from trueup.run.books.patching import undo_backfill
from trueup.run.sandbox.built_in import built_in_world
from trueup.run.sandbox.serving import write_bot_database


def check(table: str) -> None:
    """A dry run, a patch, and the way back."""
    with trueup.open_account(venue="sandbox") as account:
        account.backfill()

        dry = trueup.backfill_settlements(account, table)
        for line in dry.report.patches[:3]:
            print(line.trade.ticker, [f"{c.column}: {c.old} -> {c.new}" for c in line.changes])
        print(len(dry.report.patches), "rows are wrong; nothing was written")

        done = trueup.backfill_settlements(account, table, write=True)
        if done.patched is not None and done.patched.undo_file is not None:
            print(done.patched.rows, "rows patched")
            print(undo_backfill(table, done.patched.undo_file), "rows restored again")


def main() -> None:
    """Use the named table, or an invented one."""
    if len(sys.argv) > 1:
        check(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "trades.db"
        write_bot_database(table, built_in_world())
        check(str(table))


if __name__ == "__main__":
    main()
