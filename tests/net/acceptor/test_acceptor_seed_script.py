"""A settlement backfill script of 2025, as its author published it, runs against the sandbox.

The text lies beside the recorded material; nothing in it is changed but the host
and the module that signs.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.keys import new_rsa_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, SystemClock, seeded
from trueup.sim.bot_database import SCHEMA, Fault, bot_database
from trueup.sim.scenario import DEFAULT_SEED, OLD_END, World, account_world

pytestmark = pytest.mark.recorded

HOST = "https://trading-api.kalshi.com/trade-api/v2"

SIGNING = """
import base64, time
from pathlib import Path
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding


def build_auth_headers(method, path):
    key = serialization.load_pem_private_key(Path("key.pem").read_bytes(), password=None)
    stamp = str(int(time.time() * 1000))
    signature = key.sign(
        (stamp + method + path).encode(),
        padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH),
        hashes.SHA256(),
    )
    return {
        "KALSHI-ACCESS-KEY": "old-bot",
        "KALSHI-ACCESS-TIMESTAMP": stamp,
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }
"""


def published_script(recorded_data: Path) -> str:
    """The program inside the article: from its first line to its last."""
    articles = sorted((recorded_data.parent / "seeds").glob("000_*.txt"))
    if not articles:
        pytest.skip("the published script is not beside the recorded material")
    text = articles[0].read_text(encoding="utf-8")
    found = re.search(
        r"#!/usr/bin/env python3\n.*?run_backfill\(args\.db, args\.dry_run\)", text, re.DOTALL
    )
    assert found is not None
    return found.group(0)


@pytest.fixture(scope="module")
def world() -> World:
    return account_world(seeded(DEFAULT_SEED), OLD_END, whole_contracts=True)


@pytest.fixture
def bots_folder(recorded_data: Path, world: World, tmp_path: Path) -> Iterator[Path]:
    """The script with its host, its signing module and its database, and a server behind it."""
    pair = new_rsa_pair("old-bot")
    settings = Settings(personality=Personality.OLD)
    clock = ShiftedClock.starting_at(world.end).now
    with SandboxServer(
        world, clock=clock, wall_clock=SystemClock().now, settings=settings, pair=pair
    ) as server:
        script = published_script(recorded_data)
        assert script.count(HOST) == 1
        (tmp_path / "backfill_settlements.py").write_text(script.replace(HOST, server.base_url))
        (tmp_path / "auth.py").write_text(SIGNING)
        (tmp_path / "key.pem").write_bytes(pair.pem)
        with closing(sqlite3.connect(tmp_path / "trades.db")) as connection, connection:
            connection.execute(SCHEMA)
            connection.executemany(
                "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [trade.sql_values() for trade in bot_database(world, seeded(DEFAULT_SEED)).trades],
            )
        yield tmp_path


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "backfill_settlements.py",
            "--db",
            "trades.db",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def open_trades(folder: Path) -> set[int]:
    with closing(sqlite3.connect(folder / "trades.db")) as connection:
        rows = connection.execute("SELECT id FROM trades WHERE status = 'open'")
        return {row_id for (row_id,) in rows}


def test_the_published_backfill_patches_what_is_stuck(bots_folder: Path, world: World) -> None:
    bot = bot_database(world, seeded(DEFAULT_SEED))
    stuck = {one.trade_id for one in bot.faults if one.fault is Fault.STUCK_OPEN}
    before = open_trades(bots_folder)

    dry = run(bots_folder, "--dry-run")
    after_dry = open_trades(bots_folder)
    wet = run(bots_folder)
    patched = before - open_trades(bots_folder)

    rows = len(world.exchange.account(world.member).settlements)
    assert f"{rows} total settlements returned" in dry
    assert after_dry == before
    assert patched
    assert patched <= stuck
    assert f"Matched={len(patched)} " in wet
