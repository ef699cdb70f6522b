from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from trueup.core.catalog import Market, Quote
from trueup.core.facts import Filled, Settled
from trueup.core.quick import quickly
from trueup.core.statements import MarketStated


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A value with a default, and a field that does not count when it is compared."""

    ticker: str
    contracts: int = 1
    named: bool = field(default=True, compare=False)


make_leg = quickly(Leg)


def test_quick_value_is_the_same_as_an_ordinary_one() -> None:
    quick, ordinary = make_leg(ticker="A", contracts=2), Leg(ticker="A", contracts=2)

    assert type(quick) is Leg
    assert (quick, hash(quick), repr(quick)) == (ordinary, hash(ordinary), repr(ordinary))
    assert replace(quick, contracts=3) == Leg(ticker="A", contracts=3)
    assert copy.copy(quick) == pickle.loads(pickle.dumps(quick)) == ordinary  # noqa: S301
    assert make_leg(ticker="A") == Leg(ticker="A")


def test_quick_value_is_frozen() -> None:
    leg = make_leg(ticker="A")

    with pytest.raises(FrozenInstanceError):
        leg.ticker = "B"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_quick_constructor_asks_for_every_field_without_a_default() -> None:
    with pytest.raises(TypeError, match="ticker"):
        make_leg(contracts=1)  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="price"):
        make_leg(ticker="A", price=1)  # pyright: ignore[reportCallIssue]


def test_class_that_checks_its_fields_has_no_quick_constructor() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        units: int

        def __post_init__(self) -> None:
            assert self.units

    @dataclass(frozen=True, slots=True)
    class Growing:
        found: list[int] = field(default_factory=list[int])

    with pytest.raises(TypeError, match="Checked does more"):
        quickly(Checked)
    with pytest.raises(TypeError, match="Growing does more"):
        quickly(Growing)


@pytest.mark.parametrize("made", [Filled, Settled, Market, MarketStated, Quote])
def test_values_of_the_hot_paths_can_be_made_quickly(made: type) -> None:
    given = {each.name: number for number, each in enumerate(fields(made))}

    assert quickly(made)(**given) == made(**given)
