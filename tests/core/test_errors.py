from __future__ import annotations

import inspect
import re

import pytest

from trueup.core import errors
from trueup.core.errors import (
    CallerError,
    ExchangeRefused,
    InvariantBroken,
    OutcomeUnknown,
    ProtocolBroken,
    TrueupError,
)

ALL = [
    one
    for _, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, TrueupError) and one is not TrueupError
]
BRANCHES = {CallerError, ExchangeRefused, OutcomeUnknown, ProtocolBroken, InvariantBroken}


@pytest.mark.parametrize("error", [TrueupError, *ALL])
def test_every_error_says_what_it_means(error: type[TrueupError]) -> None:
    own_docstring = vars(error).get("__doc__")

    assert own_docstring
    assert own_docstring.strip().endswith(".") or "\n" in own_docstring


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_in_exactly_one_branch(error: type[TrueupError]) -> None:
    assert len(BRANCHES & set(error.__mro__)) == 1


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, str] = {}
    above = ["TrueupError"]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ((?:│   |    )*)[├└]── (\w+)", line):
            depth = len(match[1]) // 4
            above[depth + 1 :] = [match[2]]
            drawn[match[2]] = above[depth]

    assert drawn == {error.__name__: error.__mro__[1].__name__ for error in ALL}


def test_the_message_is_for_a_person_and_the_remedy_says_what_next() -> None:
    error = TrueupError("The key file is readable by others.", remedy="Run chmod 600 on it.")

    assert str(error) == "The key file is readable by others."
    assert error.remedy == "Run chmod 600 on it."
    assert TrueupError("x").remedy == ""
    assert "audit" in InvariantBroken("x").remedy


def test_a_refusal_carries_what_the_exchange_said() -> None:
    error = ExchangeRefused("No.", status=409, code="order_already_exists", details="d")

    assert (error.status, error.code, error.details) == (409, "order_already_exists", "d")
    assert ProtocolBroken("x", evidence="<html>").evidence == "<html>"
