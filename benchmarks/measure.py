"""How the benchmarks measure: cases in turn inside one run, medians, ratios against a peer.

Machines are noisy and differ; a ratio of two cases that ran alternately on the same
machine travels, an absolute time does not.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of each round of one case."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def in_turn(cases: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Run every case once per round, in rotating order, and time it."""
    names = list(cases)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            gc.collect()
            started = time.perf_counter()
            cases[name]()
            seconds[name].append(time.perf_counter() - started)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def show(title: str, timings: Mapping[str, Timing], *, peer: str, per: int, unit: str) -> None:
    """Print a table: median time, rate, and how many times faster than the peer."""
    print(f"\n## {title}\n")
    width = max(len(name) for name in timings)
    print(f"{'case':<{width}}  {'median s':>10}  {unit + '/s':>14}  {'× peer':>8}")
    base = timings[peer].median
    for name, timing in timings.items():
        rate = per / timing.median
        print(f"{name:<{width}}  {timing.median:>10.3f}  {rate:>14,.0f}  {base / timing.median:>8.2f}")
