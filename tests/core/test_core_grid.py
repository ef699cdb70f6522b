"""The nearest allowed price, held against trying every price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.grid import GRIDS, TAPERED_DECI_CENT
from trueup.core.units import Price

ALLOWED = {
    label: [price for units in range(10_001) if grid.allows(price := Price(units))]
    for label, grid in GRIDS.items()
}


@pytest.mark.parametrize("label", sorted(GRIDS))
@given(units=st.integers(-300, 10_300))
def test_nearest_prices_are_the_nearest_that_are_allowed(label: str, units: int) -> None:
    grid = GRIDS[label]
    below = [each for each in ALLOWED[label] if each.units <= units]
    above = [each for each in ALLOWED[label] if each.units >= units]

    assert grid.at_most(units) == (below[-1] if below else None)
    assert grid.at_least(units) == (above[0] if above else None)


def test_step_changes_where_the_band_changes() -> None:
    assert TAPERED_DECI_CENT.at_most(999) == Price(990)
    assert TAPERED_DECI_CENT.at_most(1_099) == Price(1_000)
    assert TAPERED_DECI_CENT.at_least(1_001) == Price(1_100)
    assert TAPERED_DECI_CENT.at_least(9_001) == Price(9_010)
