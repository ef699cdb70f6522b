"""The exchange's hours: nothing new in a closing or just before, and what became of what rested."""

from __future__ import annotations

from engine_floor import NOON, Floor, all_of, buy, only, refusals

from trueup.core.ids import SHARD_ZERO, Shard
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.hours import OPEN, Activity, Window
from trueup.engine.inflight import Intent
from trueup.engine.records import HaltCode
from trueup.engine.wishes import Style

PAUSED = Activity(exchange_active=True, trading_active=False)
CLOSED = Activity(exchange_active=False, trading_active=False)
WINDOW = Window(Instant(NOON + 10 * MINUTE), Instant(NOON + 2 * HOUR))


def plan(floor: Floor) -> list[f.Effect]:
    return floor.give(i.ClosingsPlanned(at=floor.now, windows=(WINDOW,)))


def says(floor: Floor, activity: Activity, **shards: Activity) -> list[f.Effect]:
    named = {Shard(int(name[1:])): each for name, each in shards.items()}
    return floor.give(i.ExchangeStated(at=floor.now, activity=activity, shards=named))


def wake(floor: Floor) -> list[f.Effect]:
    return floor.give(i.TimerFired(at=floor.now))


def rests(floor: Floor) -> Intent:
    intent = only(f.Place, floor.wish(buy(5, 40, style=Style.REST))).intent
    floor.accept(intent)
    return intent


def test_planned_closing_is_woken_up_for() -> None:
    floor = Floor()

    alarms = {each.at for each in all_of(f.WakeAt, plan(floor))}

    assert alarms == {WINDOW.begin - 2 * MINUTE, WINDOW.end}


def test_nothing_new_is_sent_in_a_closing_and_just_before() -> None:
    floor = Floor()
    plan(floor)

    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1
    floor.now = Instant(WINDOW.begin - 90 * SECOND)
    (refusal,) = only(f.Decision, floor.wish(buy(1, 49))).refusals[:1]
    assert refusal.code == "maintenance"
    assert refusal.figures == {"from": "2026-10-06T16:10:00Z", "until": "2026-10-06T18:00:00Z"}


def test_trading_goes_on_after_the_window() -> None:
    floor = Floor()
    plan(floor)
    floor.now = Instant(WINDOW.end + SECOND)
    wake(floor)

    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_what_rests_is_taken_back_before_a_closing() -> None:
    floor = Floor()
    intent = rests(floor)
    plan(floor)

    floor.now = Instant(WINDOW.begin - 2 * MINUTE)
    said = wake(floor)

    assert only(f.Cancel, said).client_order_id == intent.client_order_id
    assert all_of(f.Cancel, wake(floor.later())) == [], "once"


def test_what_could_not_be_taken_back_is_asked_about_afterwards() -> None:
    floor = Floor()
    intent = rests(floor)
    plan(floor)
    floor.now = Instant(WINDOW.begin - 2 * MINUTE)
    wake(floor)

    floor.now = WINDOW.end
    said = wake(floor)

    assert only(f.Ask, said).client_order_id == intent.client_order_id


def test_exchange_that_pauses_is_sent_nothing() -> None:
    floor = Floor()

    said = says(floor, PAUSED)

    assert only(f.Alert, said).words == "shard 0: trading is paused"
    assert "exchange_paused" in refusals(floor.wish(buy(1)))
    assert all_of(f.Alert, says(floor, PAUSED)) == [], "once"


def test_pause_of_another_shard_is_no_concern_here() -> None:
    floor = Floor()

    says(floor, OPEN, s2=PAUSED)

    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_pause_of_the_markets_shard_stops_it() -> None:
    floor = Floor()

    says(floor, OPEN, s0=CLOSED)

    refusal = only(f.Decision, floor.wish(buy(1))).refusals[0]
    assert refusal.code == "exchange_paused"
    assert refusal.figures == {"shard": str(SHARD_ZERO), "it says": "the exchange is closed"}


def test_after_a_pause_what_rested_is_asked_about_and_trading_goes_on() -> None:
    floor = Floor()
    intent = rests(floor)
    says(floor, PAUSED)

    said = says(floor, OPEN)

    assert only(f.Ask, said).client_order_id == intent.client_order_id
    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_calls_that_fail_while_the_exchange_is_closed_trip_no_breaker() -> None:
    floor = Floor()
    plan(floor)
    floor.now = Instant(WINDOW.begin + MINUTE)

    for _ in range(5):
        floor.give(i.CallEnded(at=floor.now, ok=False, words="503"))

    assert not floor.machine.state.halts.has(HaltCode.BREAKER)


def test_calls_that_fail_while_trading_is_paused_do() -> None:
    floor = Floor()
    says(floor, PAUSED)

    for _ in range(5):
        floor.give(i.CallEnded(at=floor.now, ok=False, words="503"))

    assert floor.machine.state.halts.has(HaltCode.BREAKER)
