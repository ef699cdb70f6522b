"""A bot's configuration: what it makes, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.core.ids import SeriesTicker, Subaccount, Ticker
from trueup.core.instant import HOUR, MINUTE, SECOND
from trueup.core.units import Count, Money, Price, Ratio
from trueup.engine.limits import Hours
from trueup.engine.sizing import Fixed, Kelly, Percent
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.engine.strategies.mean_reversion import MeanReversion
from trueup.engine.strategies.threshold import Threshold
from trueup.run.bot.configuration import options_of, read_bot_file
from trueup.run.bot.options import BotOptions
from trueup.run.config import load_config

WHOLE = """
portfolio = "1000"
pace = "polling"
breaker_threshold = 5
hang_max = "10s"

[limits]
exposure_max = "400"
cash_floor = "100"
daily_loss_max = 50
position_max = "none"

[[strategies]]
strategy = "threshold"
name = "cheap"
capital = "200"
subaccount = 3
order_life = "none"
parameters = { buy_below = "0.35", count = 2, every = "30s" }
universe = { tickers = ["KXCPI-26OCT-T3.5"] }
limits = { position_max = 20, slippage_max = "0.03", expiry_min = "4h", hours = "08:00-18:00" }

[[strategies]]
strategy = "mean-reversion"
capital = "250.50"
parameters = { deviation = "12%", sizing = { kelly = "1/4", share_max = "1%" }, tolerance = "0.01" }
universe = { categories = ["Economics"], busiest = 22, volume_min = 500, series = ["KXCPI"] }
order_group = "quotes"

[[strategies]]
strategy = "mine.py"
capital = 100
parameters = { edge = "0.05", rounds = 3 }
"""

MINE = """
from trueup import Ratio, Strategy

class Mine(Strategy):
    name = "mine"
    edge = Ratio(1, 100)
    rounds = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path / "bot.toml"


def read(file: Path, content: str) -> BotOptions:
    file.write_text(content, encoding="utf-8")
    return options_of(read_bot_file(file), file)


def test_whole_configuration_means_what_it_says(file: Path) -> None:
    options = read(file, WHOLE)

    assert options.names == ("cheap", "mean-reversion", "mine")
    limits = options.engine.limits
    assert limits.exposure_max == Money.parse("400")
    assert limits.cash_floor == Money.parse("100")
    assert limits.daily_loss_max == Money.parse("50")
    assert limits.position_max is None
    assert options.engine.breaker_threshold == 5
    assert (options.pace.streams, options.pace.prices) == (False, 90 * SECOND)
    assert options.hang_max == 10 * SECOND
    assert not options.scope.tickers, "mine.py looks at every market"

    cheap, mandate = options.mandates[0]
    assert isinstance(cheap, Threshold)
    assert (cheap.buy_below, cheap.count) == (Price.parse("0.35"), Count.parse("2"))
    assert cheap.every == 30 * SECOND
    assert cheap.universe.tickers == {Ticker("KXCPI-26OCT-T3.5")}
    assert mandate.capital == Money.parse("200")
    assert mandate.subaccount == Subaccount(3)
    assert mandate.order_life is None
    assert mandate.limits.position_max == Count.parse("20")
    assert mandate.limits.slippage_max == 300
    assert mandate.limits.expiry_min == 4 * HOUR
    assert mandate.limits.hours == Hours(8 * 60, 18 * 60)

    reverting, mandate = options.mandates[1]
    assert isinstance(reverting, MeanReversion)
    assert reverting.deviation == Ratio(12, 100)
    assert reverting.sizing == Kelly(Ratio(1, 4), Ratio(1, 100))
    assert reverting.tolerance == 100
    assert reverting.universe.busiest == 22
    assert reverting.universe.series == {SeriesTicker("KXCPI")}
    assert mandate.limits.volume_min == Count.parse("500"), "the case study's filters stay"
    assert mandate.order_group == "quotes"
    assert mandate.order_life == 15 * MINUTE

    mine, _ = options.mandates[2]
    assert mine.parameters() == {"edge": "1/20", "rounds": "3"}, "they are stored with each trade"


def test_only_named_markets_are_read_where_every_strategy_names_some(file: Path) -> None:
    options = read(
        file,
        """
[[strategies]]
strategy = "threshold"
capital = 1
universe = { tickers = ["A-1"] }
[[strategies]]
strategy = "momentum"
capital = 1
universe = { series = ["KXB"] }
""",
    )

    assert options.scope.tickers == {Ticker("A-1")}
    assert options.scope.series == {SeriesTicker("KXB")}


def test_section_of_the_common_configuration_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'venue = "demo"\n[bot]\npace = "polling"\n'
        '[[bot.strategies]]\nstrategy = "threshold"\ncapital = "5"\n',
        encoding="utf-8",
    )

    settings = load_config(tmp_path).bot

    assert settings is not None
    assert options_of(settings, tmp_path / "config.toml").names == ("threshold",)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("{ fixed = 5 }", Fixed(Count.parse("5"))),
        ('{ percent = "2%" }', Percent(Ratio(2, 100))),
        ("{ percent = 2 }", Percent(Ratio(2, 100))),
        ('{ kelly = "0.5" }', Kelly(Ratio(1, 2))),
    ],
)
def test_size_is_said_in_three_ways(file: Path, value: str, made: object) -> None:
    options = read(file, one("mean-reversion", f"sizing = {value}"))

    strategy, _ = options.mandates[0]
    assert isinstance(strategy, MeanReversion)
    assert strategy.sizing == made


def test_words_of_an_enumeration_and_truth(file: Path) -> None:
    options = read(file, one("arbitrage", 'executes = true, naked_leg = "hold"'))

    strategy, _ = options.mandates[0]
    assert isinstance(strategy, Arbitrage)
    assert (strategy.executes, strategy.naked_leg.value) == (True, "hold")


def one(strategy: str, parameters: str = "", more: str = "") -> str:
    return (
        f'[[strategies]]\nstrategy = "{strategy}"\ncapital = "10"\n'
        f"parameters = {{ {parameters} }}\n{more}\n"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the key 'strategies' is missing"),
        ("strategies = []", "length >= 1"),
        (
            "[[strategies]]\nstrategy = 'threshold'",
            "line 1: strategies[1]: the key 'capital' is missing",
        ),
        ("colour = 1\n" + one("threshold"), "line 1: colour: there is no key 'colour'"),
        (
            one("threshold", more="limit = 3"),
            "strategies[1].limit: there is no key 'limit'; did you mean 'limits'?",
        ),
        (
            one("threshold", more="limits = { max = 3 }"),
            "strategies[1].limits.max: there is no key 'max'",
        ),
        (
            one("threshold", more="limits = { price_max = 0.5 }"),
            "strategies[1].limits.price_max: 0.5 stands without quotes",
        ),
        (
            one("threshold") + one("momentum", more="limits = { postion_max = 3 }"),
            "line 10: strategies[2].limits.postion_max: there is no key 'postion_max'; did you mean",
        ),
        (
            one("threshold") + one("momentum", more='limits = { position_max = "many" }'),
            "strategies[2].limits.position_max: 'many' is not a decimal number",
        ),
        (one("threshold", "buy_below = 0.4"), "strategies[1].parameters.buy_below: 0.4 stands"),
        (one("threshold", more="name = 7"), "strategies[1].name: 7 does not fit"),
        (one("threshold", more='limits = { exposure_max = "-1" }'), "exposure_max: -1.00 is neg"),
        (one("threshold", more='limits = { exposure_max = "0" }'), "nothing could ever be traded"),
        (one("threshold", more='limits = { cash_floor = "-5" }'), "cash_floor: -5.00 is negative"),
        (one("threshold", more='limits = { price_min = "0.9", price_max = "0.1" }'), "no price is"),
        (one("threshold", more='limits = { price_max = "1.5" }'), "limits.price_max"),
        (one("threshold", more='limits = { hours = "18:00-08:00" }'), "hours: trading hours from"),
        (one("threshold", more='limits = { expiry_min = "soon" }'), "expiry_min: 'soon' is no"),
        (one("threshold", more="limits = { open_orders_max = 0 }"), ">= 1"),
        (one("threshold", more="subaccount = 64"), "<= 63"),
        (one("threshold", more='order_life = "10"'), "order_life: '10' is no length"),
        (one("threshold", more='name = "a b"'), "no good name"),
        (one("threshold", more='universe = { volume_min = "-1" }'), "volume_min: -1.00 is neg"),
        (one("threshold") + one("threshold"), "two strategies are called 'threshold'"),
        (one("martingale"), "no strategy and no file 'martingale'"),
        (one("treshold"), "no strategy and no file 'treshold'; did you mean 'threshold'?"),
        (one("absent.py"), "no strategy and no file 'absent.py'"),
        (
            one("threshold", "buy_bellow = 1"),
            "parameters.buy_bellow: there is no such parameter; did you mean",
        ),
        (one("threshold", 'buy_below = "40"'), "parameters.buy_below"),
        (one("threshold", 'buy_below = "cheap"'), "parameters.buy_below: 'cheap' is not a decimal"),
        (one("threshold", "every = 10"), "parameters.every: 10 is no length of time"),
        (one("threshold", 'every = "0s"'), "threshold wants its timer every 0 microseconds"),
        (one("threshold", "count = true"), "parameters.count: True is not a Count"),
        (one("mean-reversion", "sizing = 3"), "parameters.sizing: 3 is no size"),
        (one("mean-reversion", "sizing = { percent = 200 }"), "share of 200 is impossible"),
        (one("mean-reversion", "sizing = { percent = 2, fixed = 1 }"), "is no size"),
        (one("mean-reversion", more="limits = { volume_min = 100 }"), "volume_min: mean reversion"),
        (one("arbitrage", 'naked_leg = "pray"'), "parameters.naked_leg: 'pray' is unknown"),
        (one("arbitrage", 'executes = "yes"'), "parameters.executes: 'yes' is not true or false"),
        ('pace = "fast"\n' + one("threshold"), "pace: 'fast' is unknown"),
        ('polling_every = "0s"\n' + one("threshold"), "polling_every: 0s is too short"),
        ("breaker_threshold = 0\n" + one("threshold"), ">= 1"),
        ('portfolio = "9"\n' + one("threshold"), "capitals come to 10.00, the portfolio is 9.00"),
        (
            'portfolio = "10"\nlimits = { cash_floor = "10" }\n' + one("threshold"),
            "limits.cash_floor: a floor of 10.00 leaves nothing",
        ),
        ("[[strategies", "cannot be used"),
    ],
)
def test_what_is_impossible_is_refused_with_file_and_key(
    file: Path, content: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(file, content)

    assert str(file) in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_file_that_is_not_there_is_said() -> None:
    with pytest.raises(ConfigError, match=r"there is no file nowhere\.toml"):
        read_bot_file(Path("nowhere.toml"))


def test_constructor_of_your_own_gets_its_parameters(file: Path) -> None:
    (file.parent / "own.py").write_text(
        """
from trueup import Count, Price, Strategy

class Own(Strategy):
    def __init__(self, *, price: Price, count: "Count | None" = None, words=None) -> None:
        self.name = "own"
        self.price, self.count, self.words = price, count, words
""",
        encoding="utf-8",
    )

    options = read(file, one("own.py", 'price = "0.20", count = 7, words = "hi"'))

    strategy, _ = options.mandates[0]
    assert strategy.parameters() == {"price": "0.20", "count": "7.00", "words": "hi"}
    with pytest.raises(ConfigError, match="missing 1 required"):
        read(file, one("own.py"))


def test_file_that_the_guide_shows_is_taken(file: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "bot.md").read_text(encoding="utf-8")
    shown = guide.split("```toml\n")[1].split("```")[0]

    assert read(file, shown).names == ("cheap", "mean-reversion")
