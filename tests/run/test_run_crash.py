"""`kill -9` at any page: nothing acknowledged is lost, nothing is repeated, the books close."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from demo_desk import OpenDemo, environment_of, write_key

from trueup.ledger.reconcile import Closing
from trueup.net.acceptor.server import SandboxServer
from trueup.run.clock import ShiftedClock, seeded

SCRIPT = Path(__file__).parent / "kill_me.py"
SEED = 20_261_015
ROUNDS = 3
"""How often each run is killed before it may end."""


@pytest.mark.parametrize("seed", [SEED])
def test_backfill_killed_at_random_pages_closes_in_the_end(
    demo: OpenDemo, server: SandboxServer, clock: ShiftedClock, tmp_path: Path, seed: int
) -> None:
    """A red run prints its seed by its name."""
    environment = environment_of(
        server, home=tmp_path / "home", key_file=write_key(tmp_path / "key.pem", server)
    )
    chance = seeded(seed)
    told: list[str] = []
    for _ in range(ROUNDS):
        told += killed_after(chance.randrange(1, 14), environment, clock=clock)
    with demo(server) as account:
        done = account.backfill()
        found = account.reconcile()

        assert done.fetched.resumed
        assert found.verdict.closing is Closing.CLOSES
        assert found.proof.certificate.complete
        fills = [(fill.trade_id, fill.order_id) for fill in account.books.fills()]
        assert len(fills) == len(set(fills)) == 446
    pages = [line for line in told if line.startswith("fills (live tier)")]
    # No run began at the first page again.
    assert len(pages) <= 9 + 2 * ROUNDS


def killed_after(pages: int, environment: dict[str, str], *, clock: ShiftedClock) -> list[str]:
    """Start a backfill and kill it when it has told of so many pages."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("KALSHI", "TRUEUP"))}
    told: list[str] = []
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(clock.shift)],
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(line)
            if len(told) == pages:
                process.kill()
    return told
