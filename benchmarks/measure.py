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
    """Seconds of each round of one case."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def plain(work: Callable[[], object]) -> Case:
    """A case that needs no preparation."""

    @contextmanager
    def case() -> Generator[Callable[[], object]]:
        yield work

    return case


def in_turn(
    cases: Mapping[str, Case], *, rounds: int, fewer: Mapping[str, int] | None = None
) -> dict[str, Timing]:
    """Run every case once per round, in rotating order, and time it.

    `fewer` names cases that are too slow for so many rounds.
    """
    names = list(cases)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            if len(seconds[name]) < (fewer or {}).get(name, rounds):
                seconds[name].append(once(cases[name]))
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def once(case: Case) -> float:
    """The seconds of one round."""
    with case() as work:
        gc.collect()
        started = time.perf_counter()
        work()
        return time.perf_counter() - started


def show(title: str, timings: Mapping[str, Timing], *, peer: str, per: int, unit: str) -> None:
    """Print a table: median time, its spread, rate, and how many times faster than the peer."""
    print(f"\n## {title}\n")
    longest = max(timing.median for timing in timings.values())
    name_of_time, times = ("s", 1) if longest > 1 else ("ms", 1000)
    width = max(len(name) for name in timings)
    print(
        f"{'case':<{width}}  {'median ' + name_of_time:>10}  {'min … max':>17}  "
        f"{unit + '/s':>15}  {'× peer':>7}"
    )
    base = timings[peer].median
    for name, timing in timings.items():
        spread = f"{min(timing.rounds) * times:.2f} … {max(timing.rounds) * times:.2f}"
        print(
            f"{name:<{width}}  {timing.median * times:>10.2f}  {spread:>17}  "
            f"{per / timing.median:>15,.0f}  {base / timing.median:>7.2f}"
        )
