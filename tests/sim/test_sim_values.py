"""Small things: histories, grids, chance."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import InvariantBroken
from trueup.core.grid import GRIDS, LINEAR_CENT, TAPERED_DECI_CENT
from trueup.core.instant import Instant
from trueup.core.units import ZERO_MONEY, Money, Price
from trueup.run.clock import seeded
from trueup.sim.chance import between, happens, identifier, pick
from trueup.sim.history import CashBook, History


@given(st.lists(st.tuples(st.integers(0, 50), st.integers()), max_size=30), st.integers(-1, 60))
def test_history_remembers_the_last_value_of_each_instant(
    changes: list[tuple[int, int]], asked: int
) -> None:
    ordered = sorted(changes, key=lambda change: change[0])
    history: History[int] = History()
    for at, value in ordered:
        history.record(Instant(at), value)

    until = [change for change in ordered if change[0] <= asked]
    assert history.at(Instant(asked)) == (until[-1][1] if until else None)
    assert history.since(Instant(asked)) == (until[-1][0] if until else None)


def test_history_refuses_the_past() -> None:
    history: History[int] = History()
    history.record(Instant(5), 1)

    with pytest.raises(InvariantBroken):
        history.record(Instant(4), 2)


def test_cash_book_runs_a_total() -> None:
    book = CashBook()
    book.move(Instant(1), 100)
    book.move(Instant(2), -30)

    assert book.at(Instant(0)) == ZERO_MONEY
    assert (book.at(Instant(1)), book.at(Instant(2)), book.latest()) == (
        Money(100),
        Money(70),
        Money(70),
    )
    assert book.changed_at(Instant(9)) == Instant(2)


@pytest.mark.parametrize("label", list(GRIDS))
def test_every_grid_allows_whole_cents_and_neither_zero_nor_one(label: str) -> None:
    found = GRIDS[label]

    assert all(found.allows(Price.of_cents(cents)) for cents in range(1, 100))
    assert not found.allows(Price(0))
    assert not found.allows(Price(10_000))
    assert found.bands[0].start == 0
    assert found.bands[-1].end == 10_000


def test_tapered_grid_is_finer_at_its_edges() -> None:
    assert TAPERED_DECI_CENT.allows(Price.parse("0.058"))
    assert TAPERED_DECI_CENT.allows(Price.parse("0.928"))
    assert not TAPERED_DECI_CENT.allows(Price.parse("0.555"))
    assert not LINEAR_CENT.allows(Price.parse("0.058"))


def test_identifiers_look_like_random_uuids_and_follow_from_the_seed() -> None:
    first, again = (identifier(seeded(7)) for _ in range(2))

    assert first == again
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first
    )


def test_chance_stays_inside_its_bounds() -> None:
    chance = seeded(1)

    assert {between(chance, 1, 3) for _ in range(99)} == {1, 2, 3}
    assert {pick(chance, "ab") for _ in range(99)} == {"a", "b"}
    assert not any(happens(chance, 0) for _ in range(99))
    assert all(happens(chance, 100) for _ in range(99))
