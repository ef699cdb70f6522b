"""Scenarios: what the file says is what happens; what cannot be is told with its line."""

from __future__ import annotations

import pytest
from living_worlds import Watched, chances

from trueup.core.errors import ConfigError
from trueup.core.ids import Shard, Ticker
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.units import Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.faults import FaultName
from trueup.sim.living.quoter import QUOTER
from trueup.sim.living.scenario_file import ScenarioText
from trueup.sim.living.scenario_world import Scenario, scenario_of
from trueup.sim.living.world import USER

NOW = parse_instant("2026-10-18T12:00:00Z")

RAIN = """\
name = "rain"
seed = 3
density = 60

[clock]
speed = 60

[[accounts]]
deposit = 250

[[accounts]]
name = "second"
deposit = 10.50
precision = "non_direct"

[[series]]
ticker = "KXRAIN"
category = "Climate and Weather"
fee_multiplier = 0.5

[[events]]
ticker = "KXRAIN-TODAY"
series = "KXRAIN"
decided = "+4h"
determined = "+5h"
number = { start = 55, swing = 1.5 }

[[markets]]
ticker = "KXRAIN-TODAY-T55"
event = "KXRAIN-TODAY"
low = 55

[[markets]]
ticker = "KXRAIN-TODAY-HALF"
event = "KXRAIN-TODAY"
fair = 0.40
pays = 0.30
shard = 2
grid = "deci_cent"
closes = "+3h"
settlement_timer = "10m"

[[traders]]
kind = "maker"
name = "big"
size = 500

[[traders]]
kind = "crowd"
turns = 20

[[faults]]
name = "slow"
amount = 5
starts = "+10m"
stops = "+20m"

[[steps]]
at = "+1h"
do = "pause"
ticker = "KXRAIN-TODAY-T55"

[[steps]]
at = "+90m"
do = "resume"
ticker = "KXRAIN-TODAY-T55"
"""


def scenario(text: str = RAIN) -> Scenario:
    return scenario_of(ScenarioText(text, "rain.toml"), NOW, chances)


def test_what_the_file_says_happens() -> None:
    made = scenario()
    watched = Watched(made.world).run(7)
    sure, number = Ticker("KXRAIN-TODAY-HALF"), Ticker("KXRAIN-TODAY-T55")
    moved = {
        (event.ticker, event.status): event
        for event in watched.events
        if isinstance(event, e.MarketMoved)
    }

    assert (made.name, made.speed) == ("rain", 60)
    assert moved[number, MarketStatus.INACTIVE].at == NOW + HOUR
    assert moved[sure, MarketStatus.CLOSED].at == NOW + 3 * HOUR
    assert moved[number, MarketStatus.CLOSED].at == NOW + 4 * HOUR
    paid = moved[sure, MarketStatus.FINALIZED]
    assert (paid.result, paid.value) == (MarketResult.SCALAR, Price(3_000))
    assert paid.at == NOW + 5 * HOUR + 10 * MINUTE
    state = made.world.exchange.books.listings.markets[sure]
    assert (state.shard, state.grid.label) == (Shard(2), "deci_cent")
    assert state.tape.volume > 0


def test_accounts_traders_and_faults_are_those_of_the_file() -> None:
    made = scenario()
    accounts = made.world.exchange.books.accounts

    assert set(accounts) == {USER, "second", "big", "crowd-2", QUOTER}
    assert accounts[USER].cash_at(NOW, shard=Shard(3)) == Money.parse("250")
    assert accounts[c.Member("second")].cash_at(NOW) == Money.parse("42.00")
    (slow,) = made.faults
    assert (slow.name, slow.amount) == (FaultName.SLOW, 5)
    assert (slow.starts, slow.stops) == (NOW + 10 * MINUTE, NOW + 20 * MINUTE)


def test_a_built_in_world_runs_beside_what_is_written() -> None:
    made = scenario(RAIN.replace("speed = 60", "speed = 0") + '[[worlds]]\nname = "crypto"\n')
    tickers = made.world.exchange.books.listings.markets

    assert made.speed == 0
    assert {ticker.partition("-")[0] for ticker in tickers} == {"KXRAIN", "KXBTC15M", "KXETH15M"}


def test_a_scenario_may_begin_with_some_trading_behind_it() -> None:
    made = scenario(
        'warm_up = "2h"\n' + RAIN.replace('decided = "+4h"', 'listed = "-2h"\ndecided = "+4h"')
    )

    assert made.world.exchange.now == NOW
    assert any(s.tape.volume for s in made.world.exchange.books.listings.markets.values())


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("speed = 60", "speed = -1", "line 6, clock.speed: a clock runs at"),
        ('precision = "non_direct"', 'precision = "nondirect"', "line 14, accounts[2].precision"),
        ('name = "second"\n', "", "accounts[2]: a further account needs a name"),
        ('name = "second"', 'name = "../x"', "accounts[2].name: a name has letters"),
        ("deposit = 250", "deposit = -250", "line 9, accounts[1].deposit: a deposit cannot be"),
        ('series = "KXRAIN"', 'series = "KXRAINS"', "did you mean 'KXRAIN'?"),
        ('decided = "+4h"', 'decided = "-4h"', "events[1].decided: an event is decided after"),
        ('determined = "+5h"', 'determined = "+3h"', "events[1].determined: an event is determ"),
        ("swing = 1.5", "swing = 1.555", "events[1].number.swing: '1.555' is no number"),
        ('event = "KXRAIN-TODAY"\nlow', 'event = "KXRAIN-2DAY"\nlow', "markets[1].event"),
        ("low = 55", "", "markets[1]: say how it ends"),
        ("number = { start = 55, swing = 1.5 }\n", "", "KXRAIN-TODAY has no number"),
        ("pays = 0.30", "pays = 1.30", "markets[2].pays: a price lies between"),
        ("shard = 2", "shard = 7", "markets[2].shard: shards are 0 to 3"),
        ('"deci_cent"', '"decicent"', "did you mean 'deci_cent'?"),
        ('closes = "+3h"', 'closes = "-3h"', "markets[2].closes: a market closes after"),
        ('kind = "maker"', 'kind = "market maker"', "traders[1].kind"),
        ("turns = 20", "turns = 0", "traders[2].turns"),
        ('name = "slow"', 'name = "slwo"', "there is no fault 'slwo'"),
        ('stops = "+20m"', 'stops = "+5m"', "faults[1]"),
        ('do = "pause"', 'do = "stop"', "steps[1].do"),
        ('do = "resume"', 'do = "determine"', "steps[2]: say what one YES contract pays"),
        (
            'ticker = "KXRAIN-TODAY-T55"\nevent',
            'ticker = "KXRAIN-TODAY-HALF"\nevent',
            "is listed twice",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place(right: str, wrong: str, told: str) -> None:
    assert right in RAIN

    with pytest.raises(ConfigError) as raised:
        scenario(RAIN.replace(right, wrong, 1))

    assert "rain.toml, line " in str(raised.value)
    assert told in str(raised.value)


def test_times_may_be_absolute() -> None:
    made = scenario(
        RAIN.replace('at = "+1h"', "at = 2026-10-18T13:30:00.5Z").replace(
            'at = "+90m"', 'at = "+2h"'
        )
    )
    watched = Watched(made.world).run(3)

    paused = next(
        event
        for event in watched.events
        if isinstance(event, e.MarketMoved) and event.status is MarketStatus.INACTIVE
    )
    assert paused.at == Instant(NOW + 90 * MINUTE + SECOND // 2)
