"""Run many seeds of the seeded world: `make sim SEEDS=1000 FIRST=1`.

Every seed must have its 2,000 commands, five faults and a crash, and an auditor
without a complaint.  A seed that fails is printed with the command that repeats
it; the run goes on, and its exit code is 1.  With `--processes 1` everything runs
in this process.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from time import monotonic

from world import Plan, World, run

COMMANDS_MIN = 2_000
FAULTS_MIN = 5
CRASHES_MIN = 1
_TELL_EVERY = 10.0


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one seed came to.  `complaints` is empty when it was good."""

    seed: int
    commands: int = 0
    faults: int = 0
    crashes: int = 0
    orders: int = 0
    fills: int = 0
    complaints: tuple[str, ...] = ()


def judge(world: World) -> list[str]:
    """What is wrong with a run: the auditor's complaints, and a world that was too easy."""
    found = list(world.auditor.complaints)
    demands = (
        ("commands", world.commands, COMMANDS_MIN),
        ("faults", world.venue.heard.faults, FAULTS_MIN),
        ("crashes", world.crashes, CRASHES_MIN),
    )
    found += [f"only {had} {what}, {least} wanted" for what, had, least in demands if had < least]
    return found


def run_seed(seed: int) -> Ran:
    """Run one seed; an exception is a complaint, too."""
    gc.disable()
    try:
        world = run(Plan(seed=seed))
    except Exception:  # noqa: BLE001  (whatever it is, the other seeds go on)
        return Ran(seed=seed, complaints=(traceback.format_exc(),))
    finally:
        gc.enable()
    heard = world.venue.heard
    return Ran(
        seed=seed,
        commands=world.commands,
        faults=heard.faults,
        crashes=world.crashes,
        orders=len(heard.placed),
        fills=len(heard.fills),
        complaints=tuple(judge(world)),
    )


def run_all(seeds: Iterable[int], processes: int) -> Iterator[Ran]:
    """Run the seeds, on so many processes; results come as they are done."""
    if processes == 1:
        yield from map(run_seed, seeds)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=4)


def summarize(results: Iterable[Ran], seeds: int, say: Callable[[str], None]) -> int:
    """Tell how it goes, each failure at once, and what it came to; returns the failures."""
    began = told = monotonic()
    done: list[Ran] = []
    bad: list[int] = []
    for ran in results:
        done.append(ran)
        if ran.complaints:
            bad.append(ran.seed)
            say(f"SEED {ran.seed} FAILED; repeat it with: make sim SEEDS=1 FIRST={ran.seed}")
            for complaint in ran.complaints:
                say(f"    {complaint}")
        if monotonic() - told >= _TELL_EVERY:
            told = monotonic()
            rate = len(done) / (told - began)
            left = (seeds - len(done)) / rate
            say(f"{len(done):,} of {seeds:,} seeds, {len(bad)} bad, {left / 60:.1f} minutes left")
    wall = monotonic() - began
    say(
        f"{len(done):,} seeds ({min(each.seed for each in done)} to "
        f"{max(each.seed for each in done)}): {sum(each.commands for each in done):,} commands, "
        f"{sum(each.orders for each in done):,} orders, {sum(each.fills for each in done):,} fills, "
        f"{sum(each.faults for each in done):,} faults, "
        f"{sum(each.crashes for each in done):,} crashes, "
        f"{len(bad)} seeds with complaints, {wall:,.0f} s"
    )
    return len(bad)


def main() -> int:
    """The command line of `make sim`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    say = partial(print, flush=True)
    processes = min(chosen.processes, chosen.seeds)
    return 1 if summarize(run_all(seeds, processes), chosen.seeds, say) else 0


if __name__ == "__main__":
    sys.exit(main())
