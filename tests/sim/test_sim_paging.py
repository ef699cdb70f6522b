"""Pages: every record once, also while new ones arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.sim.paging import Query, page, read_cursor, write_cursor


def everything(rows: list[int], limit: int, wanted: frozenset[int]) -> list[list[int]]:
    pages: list[list[int]] = []
    cursor = ""
    while True:
        found = page(
            rows,
            Query(limit=limit, cursor=cursor),
            listing="rows",
            wanted=lambda row: row not in wanted,
        )
        pages.append(list(found.items))
        cursor = found.cursor
        if not cursor:
            return pages


@given(
    st.lists(st.integers(0, 9), max_size=60), st.integers(1, 20), st.frozensets(st.integers(0, 9))
)
def test_pages_together_are_everything_wanted_newest_first(
    kinds: list[int], limit: int, unwanted: frozenset[int]
) -> None:
    rows = [number * 10 + kind for number, kind in enumerate(kinds)]
    hidden = frozenset(row for row in rows if row % 10 in unwanted)

    pages = everything(rows, limit, hidden)

    together = [row for one in pages for row in one]
    assert together == [row for row in reversed(rows) if row not in hidden]
    assert all(len(one) == limit for one in pages[:-1])
    assert len(pages) == 1 or pages[-1]


@given(st.integers(1, 40), st.integers(1, 10), st.integers(1, 10))
def test_rows_that_arrive_meanwhile_disturb_nothing(number: int, limit: int, arriving: int) -> None:
    rows = list(range(number))
    seen: list[int] = []
    cursor = ""
    while True:
        found = page(rows, Query(limit=limit, cursor=cursor), listing="rows", wanted=lambda _: True)
        seen.extend(found.items)
        cursor = found.cursor
        rows.extend(range(len(rows), len(rows) + arriving))
        if not cursor:
            break

    assert seen == list(reversed(range(number)))


def test_last_full_page_has_an_empty_cursor() -> None:
    found = page([1, 2, 3], Query(limit=3), listing="rows", wanted=lambda _: True)

    assert found.items == (3, 2, 1)
    assert not found.cursor


@given(st.text(max_size=20))
def test_garbage_starts_over(cursor: str) -> None:
    found = page([1, 2, 3], Query(limit=2, cursor=cursor), listing="rows", wanted=lambda _: True)

    assert found.items == (3, 2)


def test_cursor_of_another_listing_starts_over() -> None:
    found = page(
        [1, 2, 3],
        Query(limit=2, cursor=write_cursor("others", 1)),
        listing="rows",
        wanted=lambda _: True,
    )

    assert found.items == (3, 2)


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.integers(0, 10**9))
def test_cursor_names_its_place(listing: str, place: int) -> None:
    assert read_cursor(listing, write_cursor(listing, place)) == place
