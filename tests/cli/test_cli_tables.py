"""Tables on narrow screens: a figure without its last digits would be another figure."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trueup.cli.tables import laid_out

COLUMNS = ["market", "exchange says", "books say", "difference", "why"]
FIGURES = ["exchange says", "books say", "difference"]
ROWS = [
    ("KXHIGHCHI-26OCT15-B76.5", "3,526.6152", "3,526.6152", "0.00", "–"),
    ("KXBTC15M-26OCT150930-30", "125.50", "−1,125.4999", "1,250.9999", "a sale was\nnot counted"),
]


def drawn(width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(
        laid_out(COLUMNS, ROWS, figures=FIGURES, width=width, title="Pots")
    )
    return file.getvalue()


@pytest.mark.parametrize("width", range(30, 121))
def test_no_figure_and_no_market_is_cut_at_any_width(width: int) -> None:
    text = drawn(width)

    for row in ROWS:
        assert all(cell in text for cell in row[:4]), text


def test_where_there_is_room_a_row_is_a_line() -> None:
    (line,) = (each for each in drawn(100).splitlines() if ROWS[0][0] in each)

    assert [cell for cell in line.split() if cell != "–"] == list(ROWS[0][:4])


def test_where_there_is_less_the_titles_are_broken_first() -> None:
    text = drawn(75)

    assert "exchange says" not in text
    assert len([each for each in text.splitlines() if "3,526.6152" in each]) == 1


def test_on_a_narrow_screen_each_cell_has_a_line_with_its_title() -> None:
    lines = drawn(40).splitlines()

    assert lines[:3] == [
        "Pots",
        "market         KXHIGHCHI-26OCT15-B76.5",
        "exchange says  3,526.6152",
    ]
    assert "               not counted" in lines
