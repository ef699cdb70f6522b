"""The benchmarks at a tiny size: they must not rot.  Nothing here is about time."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """The benchmark that the test's parameter names."""
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    return import_module(f"benchmarks.{request.param}")


@pytest.mark.parametrize("benchmark", ["decode"], indirect=True)
def test_decoders_agree_and_are_timed(benchmark: ModuleType) -> None:
    timings = benchmark.measure(20, rounds=2)

    assert set(timings) == {
        benchmark.OURS,
        benchmark.QUOTES,
        benchmark.READ,
        benchmark.LEAN,
        benchmark.FULL,
    }
    assert all(len(timing.rounds) == 2 for timing in timings.values())


@pytest.mark.parametrize("benchmark", ["ingest"], indirect=True)
def test_both_ways_to_ingest_do_all_of_their_work(benchmark: ModuleType) -> None:
    # More than one page of ours, more than ten of the peer's; both check what they wrote.
    timings = benchmark.measure(1_050, part=1_010, rounds=1, with_postgres=False)

    assert {name: len(timing.rounds) for name, timing in timings.items()} == {
        benchmark.SQLITE: 1,
        benchmark.PEER: 1,
        benchmark.BOTH: 1,
    }


@pytest.mark.postgres
@pytest.mark.parametrize("benchmark", ["ingest"], indirect=True)
def test_ingest_runs_on_postgresql(benchmark: ModuleType) -> None:
    timings = benchmark.measure(100, part=10, rounds=1)

    assert benchmark.POSTGRESQL in timings


@pytest.mark.parametrize("benchmark", ["scale"], indirect=True)
def test_invented_account_closes_at_every_step(benchmark: ModuleType) -> None:
    # Every step ends the process unless the books close to the cent.
    steps = benchmark.measure(2_000)

    assert set(steps) == set(benchmark.STEPS)
    assert all(0 < step.mib < benchmark.LIMIT_MIB for step in steps.values())


@pytest.mark.parametrize("benchmark", ["exchange"], indirect=True)
def test_machine_and_bare_loop_make_the_same_trades(benchmark: ModuleType) -> None:
    # `measure` demands the same number of trades of both.
    timings = benchmark.measure(2_000, rounds=1)

    assert set(timings) == {benchmark.MACHINE, benchmark.BARE}
    assert benchmark.many_markets(50, orders=4) < benchmark.LIMIT_MIB


@pytest.mark.parametrize("benchmark", ["fix"], indirect=True)
def test_fix_engines_agree_and_are_timed(benchmark: ModuleType) -> None:
    tasks = benchmark.measure(10, 1, rounds=1)

    assert len(tasks) == 4
    assert all(benchmark.OURS in timings and len(timings) >= 2 for timings in tasks.values())


@pytest.mark.parametrize("benchmark", ["world"], indirect=True)
def test_a_small_world_is_lived_and_counted(benchmark: ModuleType) -> None:
    lived = benchmark.measure(1)

    assert lived.trades > 500
    assert lived.active_mean > 15


@pytest.mark.parametrize("benchmark", ["fix_batch"], indirect=True)
def test_a_settlement_is_booked_page_by_page(benchmark: ModuleType) -> None:
    # It ends the process unless every payout was booked and no page is missing.
    done = benchmark.run(320)

    assert done.parties == 320
