"""Price grids: which prices an order may have in a market.

A market names one of the exchange's price level structures; the bands behind
the name are what counts.  Source: the exchange's page *Fixed-point and price
level structures*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.units import Price


@dataclass(frozen=True, slots=True)
class Band:
    """Prices from `start` to `end` in steps of `step` (all in $0.0001)."""

    start: int
    end: int
    step: int


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """A named list of bands that together cover $0 to $1."""

    label: str
    bands: tuple[Band, ...]

    def allows(self, price: Price) -> bool:
        """Whether an order may have this price: on the grid, strictly inside 0 and 1."""
        units = price.units
        if not 0 < units < _DOLLAR:
            return False
        for band in self.bands:
            if band.start <= units <= band.end and (units - band.start) % band.step == 0:
                return True
        return False

    def at_most(self, units: int) -> Price | None:
        """The highest allowed price that is not above `units` ($0.0001 each); `None`: there is none."""
        found = 0
        for band in self.bands:
            if units >= band.start:
                top = min(units, band.end, _DOLLAR - 1)
                found = max(found, band.start + (top - band.start) // band.step * band.step)
        return Price(found) if found > 0 else None

    def at_least(self, units: int) -> Price | None:
        """The lowest allowed price that is not below `units` ($0.0001 each); `None`: there is none."""
        for band in self.bands:
            if units <= band.end:
                bottom = max(units, band.start, 1)
                found = band.start - (band.start - bottom) // band.step * band.step
                if found <= band.end and found < _DOLLAR:
                    return Price(found)
        return None


_DOLLAR: Final = 10_000


def _three(label: str, edges: int, *, outer: int, inner: int) -> PriceGrid:
    return PriceGrid(
        label,
        (
            Band(0, edges, outer),
            Band(edges, _DOLLAR - edges, inner),
            Band(_DOLLAR - edges, _DOLLAR, outer),
        ),
    )


def _uniform(label: str, step: int) -> PriceGrid:
    return PriceGrid(label, (Band(0, _DOLLAR, step),))


LINEAR_CENT: Final = _uniform("linear_cent", 100)
DECI_CENT: Final = _uniform("deci_cent", 10)
TAPERED_DECI_CENT: Final = _three("tapered_deci_cent", 1_000, outer=10, inner=100)

GRIDS: Final[dict[str, PriceGrid]] = {
    grid.label: grid
    for grid in (
        LINEAR_CENT,
        DECI_CENT,
        TAPERED_DECI_CENT,
        _three("center_whole_edge_half_cent", 1_000, outer=50, inner=100),
        _three("center_whole_edge_quint_cent", 1_000, outer=20, inner=100),
        _uniform("center_half_edge_half_cent", 50),
        _three("center_half_edge_quint_cent", 1_000, outer=20, inner=50),
        _three("center_half_edge_deci_cent", 1_000, outer=10, inner=50),
        _uniform("center_quint_edge_quint_cent", 20),
        _three("center_quint_edge_deci_cent", 1_000, outer=10, inner=20),
        _uniform("center_centi_edge_centi_cent", 1),
        _three("center_deci_edge_centi_cent", 100, outer=1, inner=10),
    )
}
"""Every structure the exchange has named, by its label."""
