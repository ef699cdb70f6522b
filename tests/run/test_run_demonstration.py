"""The living part of the tour: real orders, a lost answer, and a table that falls behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import trueup
from trueup.run.demonstration import LivingDemonstration, Traded


def test_a_bot_trades_its_days_and_the_books_of_them_close(tmp_path: Path) -> None:
    table = tmp_path / "trades.db"
    with LivingDemonstration(tmp_path) as exchange:
        environment = {**exchange.environment, "TRUEUP_HOME": str(tmp_path / "home")}
        done = exchange.trade(table, environment)
        with trueup.open_account(venue="sandbox", environment=environment) as account:
            account.backfill()
            verdict = account.reconcile().verdict
            patched = trueup.backfill_settlements(account, str(table))

    assert isinstance(done, Traded)
    assert done.orders >= done.filled >= 4
    assert done.lost_answers == 1
    with closing(sqlite3.connect(table)) as connection:
        rows = connection.execute("SELECT count(*) FROM trades WHERE status = 'open'").fetchone()
    assert rows[0] > done.left_open > 0
    assert verdict.closes
    assert len(patched.report.patches) > 15
