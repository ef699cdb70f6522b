"""A strategy's settings, told as their owner wrote them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trueup.core.instant import HOUR, MINUTE, SECOND
from trueup.core.units import Count, Money, Price, Ratio
from trueup.engine.sizing import Fixed, Kelly, Percent
from trueup.engine.strategies.arbitrage import NakedLeg
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.mean_reversion import MeanReversion
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Strategy
from trueup.run.bot.strategy_parameters import make_strategy, parameter_words
from trueup.run.plain_values import Plain, length_words, value_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Percent(Ratio(2, 100)), "2 % of the portfolio"),
        (Percent(Ratio(1, 300)), "1/300 of the portfolio"),
        (Kelly(Ratio(1, 4), Ratio(15, 1000)), "1/4 Kelly, at most 1.5 % of the portfolio"),
        (Fixed(Count.parse("1")), "1 contract"),
        (Count.parse("12.5"), "12.5 contracts"),
        (Price.parse("0.405"), "$0.405"),
        (Money.parse("-1234.5"), "-$1,234.50"),
        (Ratio(12, 100), "0.12"),
        (Ratio(1, 3), "1/3"),
        (True, "true"),
        (None, "none"),
        (NakedLeg.UNWIND, "unwind"),
        (frozenset({"b", "a"}), "a, b"),
        (7, None),
    ],
)
def test_a_value_reads_as_its_owner_would_say_it(value: object, words: str | None) -> None:
    assert value_words(value) == words


@pytest.mark.parametrize(
    ("length", "words"), [(90 * SECOND, "90s"), (15 * MINUTE, "15m"), (36 * HOUR, "36h")]
)
def test_a_length_is_never_rounded(length: int, words: str) -> None:
    assert length_words(length) == words


def test_what_was_configured_is_what_is_told() -> None:
    given: dict[str, Plain] = {
        "deviation": "12%",
        "window": "7d",
        "sizing": {"percent": "2%"},
        "tolerance": "0.01",
    }
    told = parameter_words(make_strategy(MeanReversion, given, "here"))

    assert told["deviation"] == "0.12"
    assert told["window"] == "7d"
    assert told["sizing"] == "2 % of the portfolio"
    assert told["tolerance"] == "0.01"
    assert "window_days" not in told, "the window is told once"


def test_no_strategy_that_ships_shows_how_python_writes_it() -> None:
    for made in (MarketMaker(), MeanReversion(), Threshold()):
        told = parameter_words(made)
        assert not [text for text in told.values() if "(" in text or "_" in text]
    assert parameter_words(Threshold())["buy_below"] == "$0.40"
    assert parameter_words(Threshold())["every"] == "10s"
    assert "tolerance" not in parameter_words(Momentum()), "200 of what?"


class Own(Strategy):
    name = "own"
    edge = Ratio(5, 100)
    patience = 45 * SECOND
    rounds = 3

    def parameters(self) -> Mapping[str, str]:
        return {**super().parameters(), "model": "v3"}


def test_a_strategy_of_your_own_tells_what_it_wants_to_be_told() -> None:
    assert parameter_words(Own()) == {
        "edge": "0.05",
        "patience": "45s",
        "rounds": "3",
        "model": "v3",
    }


class Broken(Strategy):
    name = "broken"

    def parameters(self) -> Mapping[str, str]:
        raise ValueError("no model")


def test_a_strategy_that_cannot_say_stops_nobody() -> None:
    assert parameter_words(Broken()) == {"unknown": "ValueError: no model"}
