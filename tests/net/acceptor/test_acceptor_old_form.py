"""The personality of 2025, and the way a bot of that time patched its table with it."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from asker import Asker

from trueup.core.units import Money
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, seeded
from trueup.sim.bot_database import SCHEMA, Fault, bot_database
from trueup.sim.scenario import DEFAULT_SEED, OLD_END, World, account_world


@pytest.fixture(scope="module")
def old_world() -> World:
    return account_world(seeded(DEFAULT_SEED), OLD_END, whole_contracts=True)


@pytest.fixture(scope="module")
def old_sandbox(old_world: World) -> Iterator[Asker]:
    clock = ShiftedClock.starting_at(old_world.end).now
    settings = Settings(personality=Personality.OLD)
    with SandboxServer(old_world, clock=clock, settings=settings) as server:
        asker = Asker(server, clock)
        yield asker
        asker.close()


def test_settlement_rows_have_the_six_old_fields(old_sandbox: Asker, old_world: World) -> None:
    rows = old_sandbox.get("/portfolio/settlements?limit=1000").rows("settlements")

    assert len(rows) == len(old_world.exchange.account(old_world.member).settlements)
    for row in rows:
        assert list(row) == [
            "market_ticker",
            "settled_price",
            "profit_loss",
            "settled_time",
            "no_count",
            "yes_count",
        ]


def test_profit_of_a_row_is_net_of_the_fees_that_were_charged(
    old_sandbox: Asker, old_world: World
) -> None:
    """Per subaccount, all profits are what the holdings realised less all fees."""
    account = old_world.exchange.account(old_world.member)
    rows = old_sandbox.get("/portfolio/settlements?limit=1000").rows("settlements")

    cents = sum(round(float(str(row["profit_loss"])) * 100) for row in rows)
    held = [one for one in (h.latest() for h in account.holdings.values()) if one]
    settled = [one for one in held if one.settled_at is not None]
    expected = sum((one.realized - one.fees for one in settled), Money(0))
    assert cents * 10_000 == expected.units
    assert sum((one.fees for one in settled), Money(0)) > Money(0)


def test_amounts_are_integer_cents(old_sandbox: Asker) -> None:
    balance = old_sandbox.get("/portfolio/balance").tree
    (fill, *_) = old_sandbox.get("/portfolio/fills?limit=1").rows("fills")
    (position, *_) = old_sandbox.get("/portfolio/positions?limit=1").rows("market_positions")
    (order, *_) = old_sandbox.get("/portfolio/orders?limit=1").rows("orders")
    (market, *_) = old_sandbox.raw("/markets?limit=1").rows("markets")

    assert set(balance) == {"balance", "portfolio_value", "updated_ts"}
    for value in (
        fill["yes_price"],
        fill["count"],
        position["market_exposure"],
        order["taker_fees"],
        market["yes_ask"],
    ):
        assert isinstance(value, int)


def test_every_listing_of_2025_can_be_written(old_sandbox: Asker) -> None:
    for path in ("fills", "orders", "settlements", "positions?settlement_status=all"):
        joint = "&" if "?" in path else "?"
        assert old_sandbox.get(f"/portfolio/{path}{joint}limit=1000").status == 200
    assert old_sandbox.raw("/markets?limit=1000").status == 200


def test_there_was_no_archive(old_sandbox: Asker) -> None:
    assert old_sandbox.get("/historical/fills").rows("fills") == []
    assert set(old_sandbox.raw("/historical/cutoff").tree.values()) == {"1970-01-01T00:00:00Z"}


def test_a_backfill_of_that_time_repairs_what_it_can(
    old_sandbox: Asker, old_world: World, tmp_path: Path
) -> None:
    """Reads all pages with one set of headers, and patches open rows by their ticker."""
    bot = bot_database(old_world, seeded(DEFAULT_SEED))
    path = tmp_path / "trades.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(SCHEMA)
        connection.executemany(
            "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [trade.sql_values() for trade in bot.trades],
        )

    headers = old_sandbox.signed_headers("/portfolio/settlements")
    outcomes: dict[str, tuple[float, float]] = {}
    cursor, pages = "", 0
    while True:
        request = urllib.request.Request(  # noqa: S310  # a loopback address
            f"{old_sandbox.server.base_url}/portfolio/settlements?limit=50"
            + (f"&cursor={cursor}" if cursor else ""),
            headers=headers,
        )
        with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310  # same
            page = json.load(answer)
        pages += 1
        for row in page["settlements"]:
            outcomes[row["market_ticker"]] = row["settled_price"], row["profit_loss"]
        cursor = page.get("cursor")
        if not cursor:
            break

    with closing(sqlite3.connect(path)) as connection, connection:
        unsettled = connection.execute("SELECT id, market_ticker FROM trades WHERE status = 'open'")
        patched = [
            (*outcomes[ticker], row_id) for row_id, ticker in unsettled if ticker in outcomes
        ]
        connection.executemany(
            "UPDATE trades SET settled_price = ?, profit_loss = ?, status = 'settled' WHERE id = ?",
            patched,
        )
        left = {
            row_id
            for (row_id,) in connection.execute("SELECT id FROM trades WHERE status = 'open'")
        }

    stuck = {one.trade_id for one in bot.faults if one.fault is Fault.STUCK_OPEN}
    mistyped = {one.trade_id for one in bot.faults if one.fault is Fault.UNKNOWN_TICKER}
    assert pages > 1
    assert {row_id for *_, row_id in patched} == stuck
    assert left == mistyped | set(bot.truly_open)
