"""Limits near the market: as far as one is willing to go, and no further."""

from __future__ import annotations

from trueup.core.grid import PriceGrid
from trueup.core.units import Price, Ratio


def pegged(price: Price, tolerance: int, grid: PriceGrid) -> Price:
    """The worst price (of the bought side) within `tolerance` above `price`, on the grid.

    `tolerance` is in price units ($0.0001).  `price` itself must be on the grid.
    A grid is symmetric, so it serves the price of either side.
    """
    found = grid.at_most(price.units + tolerance)
    return price if found is None else max(price, found)


def floored(value: Ratio, grid: PriceGrid) -> Price | None:
    """The highest price of the grid that is not above `value` dollars; `None` if there is none."""
    return grid.at_most(int(value * 10_000 // 1))


def ceiled(value: Ratio, grid: PriceGrid) -> Price | None:
    """The lowest price of the grid that is not below `value` dollars; `None` if there is none."""
    return grid.at_least(-int(-value * 10_000 // 1))
