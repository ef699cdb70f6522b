"""What a strategy thinks a market is worth: said by itself, and asking changes nothing."""

from __future__ import annotations

import pytest
from engine_floor import HOT, NOON, Floor, cents

from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant
from trueup.core.units import Ratio
from trueup.engine import inputs as i
from trueup.engine.desk import MachineDesk
from trueup.engine.rolling import RollingMean
from trueup.engine.signals import AnchorSignal
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.mean_reversion import MeanReversion
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import FairValue, Strategy


def fair_of(floor: Floor, strategy: Strategy) -> FairValue | None:
    state = floor.machine.state
    return strategy.fair(MachineDesk(state, state.running[strategy.name]), HOT)


def test_the_anchored_fed_is_worth_what_fedwatch_says_while_that_is_fresh() -> None:
    strategy = Anchored(age_max=2 * HOUR)
    floor = Floor(strategy)
    floor.quote(48, 50)
    assert fair_of(floor, strategy) is None

    said = AnchorSignal(ticker=HOT, probability=Ratio(623, 1000), source="FedWatch", at=NOON)
    floor.give(i.SignalSeen(at=floor.later().now, signal=said))

    assert fair_of(floor, strategy) == FairValue(
        value=Ratio(623, 1000), as_of=NOON, source="FedWatch"
    )
    floor.later(3 * HOUR).quote(48, 50)
    assert fair_of(floor, strategy) is None


def test_mean_reversion_names_the_mean_it_trades_toward() -> None:
    strategy = MeanReversion(window=2 * DAY)
    floor = Floor(strategy)
    floor.quote(40, 42)
    floor.later(12 * HOUR).quote(60, 62)
    assert fair_of(floor, strategy) is None, "half of the window must have been seen"

    floor.later(12 * HOUR).quote(60, 62)

    found = fair_of(floor, strategy)
    assert found == FairValue(value=Ratio(50, 100), as_of=floor.now, source="mean of 2.00 days")


@pytest.mark.parametrize(("bid", "ask", "worth"), [(48, 52, Ratio(50, 100)), (48, None, None)])
def test_a_market_maker_names_what_it_quotes_around(
    bid: int, ask: int | None, worth: Ratio | None
) -> None:
    strategy = MarketMaker()
    floor = Floor(strategy)
    floor.quote(bid, ask)

    found = fair_of(floor, strategy)

    assert (None if found is None else found.value) == worth


def test_a_strategy_without_an_opinion_names_no_value() -> None:
    strategy = Threshold([HOT])
    floor = Floor(strategy)
    floor.quote(48, 50)

    assert fair_of(floor, strategy) is None


def test_whoever_asks_for_a_mean_moves_nothing_that_is_traded_on() -> None:
    """A price that the exchange dates before the asking still counts from its own time on."""
    asked, left_alone = RollingMean(10 * HOUR), RollingMean(10 * HOUR)
    for mean in (asked, left_alone):
        mean.see(NOON, cents(40))

    for minute in range(30):
        asked.mean(Instant(NOON + HOUR + minute * MINUTE))
        asked.covered(Instant(NOON + 40 * HOUR))
    for mean in (asked, left_alone):
        mean.see(Instant(NOON + HOUR + 20 * SECOND), cents(80))

    later = Instant(NOON + 9 * HOUR)
    assert asked.mean(later) == left_alone.mean(later)
    assert asked.covered(later) == left_alone.covered(later) == 9 * HOUR
