"""How the benchmarks measure: cases in turn inside one run, medians, ratios against a peer.

Machines are noisy and differ; a ratio of two cases that ran alternately on the same
machine travels, an absolute time does not.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

Case = Callable[[], AbstractContextManager[Callable[[], object]]]
"""Gives the work of one round; what happens before and after the block is not timed."""


@dataclass(frozen=True)
class Timing:
    """Seconds of each round of one case: by the clock, and of processor time."""

    rounds: tuple[float, ...]
    cpu: tuple[float, ...]
    """Of this process, with its threads.  It hardly depends on what else the machine does."""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def cpu_median(self) -> float:
        return statistics.median(self.cpu)


def plain(work: Callable[[], object]) -> Case:
    """A case that needs no preparation."""

    @contextmanager
    def case() -> Generator[Callable[[], object]]:
        yield work

    return case


def in_turn(cases: Mapping[str, Case], *, rounds: int) -> dict[str, Timing]:
    """Run every case once per round, in rotating order, and time it."""
    names = list(cases)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            taken[name].append(once(cases[name]))
    return {
        name: Timing(tuple(clock for clock, _ in values), tuple(cpu for _, cpu in values))
        for name, values in taken.items()
    }


def once(case: Case) -> tuple[float, float]:
    """The seconds of one round, by the clock and of processor time."""
    with case() as work:
        gc.collect()
        started, cpu = time.perf_counter(), time.process_time()
        work()
        return time.perf_counter() - started, time.process_time() - cpu


def show(
    title: str, timings: Mapping[str, Timing], *, peer: str, per: Mapping[str, int], unit: str
) -> None:
    """Print a table: time per unit with its spread, rate, and how many times the peer is slower.

    `per` is how many units each case does in a round.
    """
    print(f"\n## {title}\n")
    width = max(len(name) for name in timings)
    print(
        f"{'case':<{width}}  {'µs/' + unit:>15}  {'min … max':>19}  {unit + 's/s':>15}  "
        f"{'× peer':>7}  {'CPU µs':>8}  {'× peer':>7}"
    )
    base, cpu_base = timings[peer].median / per[peer], timings[peer].cpu_median / per[peer]
    for name, timing in timings.items():
        each, cpu = timing.median / per[name], timing.cpu_median / per[name]
        least, most = (bound(timing.rounds) / per[name] * 1e6 for bound in (min, max))
        print(
            f"{name:<{width}}  {each * 1e6:>15,.2f}  {f'{least:,.2f} … {most:,.2f}':>19}  "
            f"{1 / each:>15,.0f}  {base / each:>7.2f}  {cpu * 1e6:>8,.2f}  {cpu_base / cpu:>7.2f}"
        )
