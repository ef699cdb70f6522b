"""Small parts of `run`: pauses, repeated work, unit files, fetching ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import (
    BooksError,
    CallerError,
    ConfigError,
    NotAuthorized,
    TrueupError,
    Unreachable,
)
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.run.books.fetching import ahead
from trueup.run.clock import ManualClock
from trueup.run.desk import read_desk_settings
from trueup.run.schedule import PAUSE_MIN_SECONDS, parse_interval, repeat

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "": 1}


@given(st.integers(0, 999_999), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_pause_is_number_times_unit(number: int, unit: str, gap: str) -> None:
    seconds = number * UNITS[unit]
    text = f"{number}{gap}{unit}"
    if seconds >= PAUSE_MIN_SECONDS:
        assert parse_interval(text) == parse_interval(text.upper()) == seconds
    else:
        with pytest.raises(CallerError):
            parse_interval(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "15 minutes", "-5m", "1.5h", "0", "4s", "1e3", "\u0665m"]
)
def test_what_is_no_pause_is_refused(text: str) -> None:
    with pytest.raises(CallerError) as caught:
        parse_interval(text)

    assert "15m" in caught.value.remedy


def run_rounds(
    outcomes: list[TrueupError | None], *, rounds: int
) -> tuple[list[Instant], list[TrueupError]]:
    """Repeat work that ends as listed; gives the times of the rounds and what was told."""
    clock, times, told = ManualClock(Instant(0)), list[Instant](), list[TrueupError]()

    def work() -> None:
        times.append(clock.now())
        error = outcomes[len(times) - 1]
        if error is not None:
            raise error

    repeat(work, pause_seconds=900, clock=clock, failed=told.append, rounds=rounds)
    return times, told


def test_repeated_work_keeps_its_pause_and_ends_after_its_rounds() -> None:
    times, told = run_rounds([None, None, None], rounds=3)

    assert times == [0, 15 * MINUTE, 30 * MINUTE]
    assert told == []


def test_silence_of_the_exchange_is_told_and_borne() -> None:
    silence = Unreachable("no answer")
    times, told = run_rounds([silence, None, silence, None], rounds=4)

    assert len(times) == 4
    assert told == [silence, silence]


def test_books_in_use_are_borne_only_after_a_success() -> None:
    taken = BooksError("another process writes")
    _, told = run_rounds([None, taken, None], rounds=3)

    assert told == [taken]
    with pytest.raises(BooksError):
        run_rounds([taken, None], rounds=2)


def test_refused_key_ends_repeated_work() -> None:
    with pytest.raises(NotAuthorized):
        run_rounds([None, NotAuthorized("wrong key", status=401), None], rounds=3)


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_fetching_ahead_gives_everything_in_order(values: list[int], count: int) -> None:
    with ahead(values, count) as items:
        assert list(items) == values


def test_error_of_the_source_comes_at_its_place() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise Unreachable("gone")

    with ahead(source(), 2) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(Unreachable):
            next(items)


def test_fetching_ahead_stays_ahead_by_so_much_only() -> None:
    pulled: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    with ahead(source(), 2) as items:
        assert next(items) == 0

    assert len(pulled) <= 1 + 2 + 2
    assert threading.active_count() < 20


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with ahead(range(1000), 2) as items:
        next(items)

    assert threading.active_count() == before
    assert 5 * SECOND == 5_000_000


def test_address_of_the_database_may_come_from_a_file_that_only_its_owner_reads(
    tmp_path: Path,
) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://me:word@db/books\n", encoding="utf-8")
    environment = {"TRUEUP_HOME": str(tmp_path), "TRUEUP_DATABASE_FILE": str(file)}
    file.chmod(0o600)

    assert read_desk_settings(environment).config.database == "postgresql://me:word@db/books"

    file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by other users"):
        read_desk_settings(environment)
