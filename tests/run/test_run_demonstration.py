"""The living part of the tour: real orders, a lost answer, and a table that falls behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import trueup
from trueup.core.instant import DAY, HOUR, Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.run.sandbox.demonstration import LivingDemonstration, Traded
from trueup.run.sandbox.living import Wish, prepare
from trueup.sim.living.world import LivingWorld

START = parse_instant("2026-10-16T16:00:00Z")


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


def test_markets_of_the_past_are_decided_when_their_time_has_come() -> None:
    prepared = prepare(
        Wish(world="temperatures", speed=0, start=START, with_history=True, density=1)
    )
    world = prepared.living.world
    assert prepared.history is not None
    assert isinstance(world, LivingWorld)
    inherited = set(prepared.history.exchange.books.listings.markets)

    world.advance(Instant(START + 5 * DAY))

    late = [
        ticker
        for ticker, state in world.exchange.books.listings.markets.items()
        if ticker in inherited
        and state.status is MarketStatus.CLOSED
        and state.market.close_at is not None
        and state.market.close_at < START + 5 * DAY - 2 * HOUR
    ]
    assert late == []
