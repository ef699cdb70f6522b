"""Scale: booking, the cash proof and the reconciliation over 10^4, 10^5 and 10^6 fills.

The account (`benchmarks.account`) is written straight into the journal.  Every
step then runs in a process of its own, which reports its time and its peak of
memory; the steps check that the books close, so nothing can be skipped.

    python -m benchmarks.scale STEP FILLS DATABASE   (one step, reported as JSON)
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.account import FILLS_OF_A_MARKET, write_account
from trueup.core.fees import Precision
from trueup.core.instant import Instant
from trueup.ledger.reconcile import Verdict
from trueup.run.books.booking import book_new
from trueup.run.books.proving import prove_cash, reconcile_books
from trueup.run.config import Config, StrategyRule
from trueup.store.database import Books, open_books

SIZES: Final = (10_000, 100_000, 1_000_000)
LIMIT_MIB: Final = 1024
CONFIG: Final = Config(strategies={"maker": StrategyRule(client_id_prefixes=("mm-",))})
"""A rule by client order id: booking then needs every order's."""


@dataclass(frozen=True)
class Step:
    """What one step took: seconds by the clock and of processor time, and its peak of memory."""

    seconds: float
    cpu: float
    mib: float


def write(books: Books, fills: int) -> None:
    write_account(books, fills=fills)


def book(books: Books, fills: int) -> None:
    booked = book_new(books, precision=Precision.DIRECT, config=CONFIG)
    assert booked.markets == fills // FILLS_OF_A_MARKET


def prove(books: Books, fills: int) -> None:
    del fills
    proof = prove_cash(books, precision=Precision.DIRECT, now=_now(books))
    assert_closes(proof.verdict)


def reconcile(books: Books, fills: int) -> None:
    del fills
    found = reconcile_books(books, precision=Precision.DIRECT, now=_now(books))
    assert not found.breaks, found.breaks[:3]
    assert_closes(found.verdict)


STEPS: Final[dict[str, Callable[[Books, int], None]]] = {
    "write": write,
    "book": book,
    "prove": prove,
    "reconcile": reconcile,
}
REPORTED: Final = ("book", "prove", "reconcile")


def assert_closes(verdict: Verdict) -> None:
    assert verdict.closes, verdict.words()


def _now(books: Books) -> Instant:
    return max(each.end for each in books.coverage())


def run_step(name: str, fills: int, database: str) -> Step:
    """Run one step in this process."""
    with open_books(
        database, venue="sandbox", mode="live", account="main", create=name == "write"
    ) as books:
        started, cpu = time.perf_counter(), time.process_time()
        STEPS[name](books, fills)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return Step(seconds, cpu, peak_mib())


def peak_mib() -> float:
    """The largest memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def in_child(name: str, fills: int, database: Path) -> Step:
    """Run one step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", name, str(fills), str(database)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)  # noqa: S603
    if done.returncode:
        sys.exit(f"{name} over {fills:,} fills failed:\n{done.stderr}")
    return Step(**json.loads(done.stdout))


def measure(fills: int, told: Callable[[str, Step], None] | None = None) -> dict[str, Step]:
    """All steps over an account of so many fills; `told` hears of each when it is done."""
    steps: dict[str, Step] = {}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "books.db"
        for name in STEPS:
            steps[name] = in_child(name, fills, database)
            if told is not None:
                told(name, steps[name])
    return steps


def main() -> None:
    print("\n## scale: one account of 10^4, 10^5, 10^6 fills on SQLite\n")
    print(
        f"{'step':<10}{'fills':>10}{'seconds':>9}{'CPU s':>9}{'CPU µs/fill':>13}"
        f"{'× CPU':>7}{'peak MiB':>10}",
        flush=True,
    )
    before: dict[str, Step] = {}
    for fills in SIZES:

        def tell(name: str, step: Step, fills: int = fills) -> None:
            growth = f"{step.cpu / before[name].cpu:.1f}" if name in before else ""
            before[name] = step
            print(
                f"{name:<10}{fills:>10,}{step.seconds:>9.1f}{step.cpu:>9.1f}"
                f"{step.cpu / fills * 1e6:>13.0f}{growth:>7}{step.mib:>10.0f}",
                flush=True,
            )

        measure(fills, tell)
    worst = max(before[name].mib for name in REPORTED)
    fits = "below" if worst < LIMIT_MIB else "ABOVE"
    print(f"\n'× CPU' is against ten times fewer fills. Peak {worst:.0f} MiB, {fits} 1 GiB.")


if __name__ == "__main__":
    step_name, step_fills, step_database = sys.argv[1:]
    print(json.dumps(vars(run_step(step_name, int(step_fills), step_database))))
