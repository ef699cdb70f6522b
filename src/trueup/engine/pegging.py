"""Limits near the market: as far as one is willing to go, and no further."""

from __future__ import annotations

from trueup.core.grid import PriceGrid
from trueup.core.units import Price, Ratio

_LOWEST, _HIGHEST = 1, 9_999


def pegged(price: Price, tolerance: int, grid: PriceGrid) -> Price:
    """The worst price (of the bought side) within `tolerance` above `price`, on the grid.

    `tolerance` is in price units ($0.0001).  `price` itself must be on the grid.
    """
    units = min(_HIGHEST, price.units + tolerance)
    while units > price.units and not _fits(units, grid):
        units -= 1
    return Price(units)


def floored(value: Ratio, grid: PriceGrid) -> Price | None:
    """The highest price of the grid that is not above `value` dollars; `None` if there is none."""
    units = min(_HIGHEST, int(value * 10_000 // 1))
    while units >= _LOWEST:
        if _fits(units, grid):
            return Price(units)
        units -= 1
    return None


def ceiled(value: Ratio, grid: PriceGrid) -> Price | None:
    """The lowest price of the grid that is not below `value` dollars; `None` if there is none."""
    units = max(_LOWEST, -int(-value * 10_000 // 1))
    while units <= _HIGHEST:
        if _fits(units, grid):
            return Price(units)
        units += 1
    return None


def _fits(units: int, grid: PriceGrid) -> bool:
    # A grid is symmetric, so one test serves the price of either side.
    return grid.allows(Price(units))
