"""The virtual clock: real speed, times N, stepped; it never goes back by itself."""

from __future__ import annotations

import pytest

from trueup.core.errors import CallerError
from trueup.core.instant import HOUR, SECOND, Instant, parse_instant
from trueup.run.clock import ManualClock, VirtualClock

START = parse_instant("2026-10-18T17:00:00Z")


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(Instant(1_000 * SECOND))


@pytest.mark.parametrize("speed", [1, 60, 3_600])
def test_a_second_of_the_machine_is_speed_seconds_of_the_world(
    machine: ManualClock, speed: int
) -> None:
    clock = VirtualClock(START, speed=speed, machine=machine)

    machine.sleep(2 * SECOND)

    assert clock.now() == START + 2 * speed * SECOND


def test_a_stepped_clock_stands_still_until_it_is_advanced(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=0, machine=machine)

    machine.sleep(HOUR)
    assert clock.now() == START

    assert clock.advance(HOUR) == START + HOUR
    assert clock.now() == START + HOUR


def test_a_change_of_speed_counts_from_now(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=10, machine=machine)
    machine.sleep(SECOND)

    clock.set_speed(2)
    machine.sleep(SECOND)

    assert clock.now() == START + 12 * SECOND


def test_advancing_a_running_clock_adds_to_what_passes_anyway(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=1, machine=machine)
    clock.advance(HOUR)

    machine.sleep(SECOND)

    assert clock.now() == START + HOUR + SECOND


def test_sleeping_takes_the_machine_a_fraction_of_the_time(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=60, machine=machine)
    before = machine.now()

    clock.sleep(HOUR)

    assert machine.now() - before == HOUR // 60
    assert clock.now() == START + HOUR


def test_a_machine_that_is_set_back_does_not_set_the_world_back(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=1, machine=machine)

    machine.instant = Instant(0)

    assert clock.now() == START


def test_rewinding_shows_the_earlier_time_and_goes_on_from_there(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=1, machine=machine)
    clock.advance(HOUR)

    clock.rewind(START)
    machine.sleep(SECOND)

    assert clock.now() == START + SECOND


def test_nonsense_is_refused_and_changes_nothing(machine: ManualClock) -> None:
    clock = VirtualClock(START, speed=0, machine=machine)

    with pytest.raises(CallerError):
        clock.advance(-1)
    with pytest.raises(CallerError):
        clock.set_speed(-3)

    assert (clock.now(), clock.speed) == (START, 0)
