"""What stops trading, and what lets it go on."""

from __future__ import annotations

from engine_floor import COLD, HOT, Floor, all_of, buy, cents, contracts, dollars, only, refusals

from trueup.core.ids import PRIMARY, OrderId
from trueup.core.instant import DAY, MINUTE, SECOND
from trueup.core.orders import OrderStatus
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent
from trueup.engine.limits import Limits
from trueup.engine.records import HaltCode, HaltRaised, StrategyPaused
from trueup.engine.wishes import Style


def kill(floor: Floor) -> list[f.Effect]:
    return floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.KILL, by="ada"))


def holding(floor: Floor, count: int = 10) -> Intent:
    """A resting order of the strategy, accepted."""
    intent = only(f.Place, floor.wish(buy(count, 40, style=Style.POST))).intent
    floor.accept(intent)
    return intent


def test_kill_cancels_everything_and_believes_only_what_it_reads() -> None:
    floor = Floor()
    intent = holding(floor)
    sweep = only(f.Sweep, kill(floor))
    assert sweep.subaccounts == (PRIMARY,)

    floor.later()
    read = only(f.ReadResting, floor.give(i.SweepEnded(at=floor.now, done=True)))
    assert read.subaccounts == (PRIMARY,)
    report = floor.report(intent, OrderStatus.RESTING)
    done = floor.give(i.RestingRead(at=floor.now, resting=(report,), as_of=floor.now))
    assert only(f.Cancel, done).order_id == report.order_id
    assert not [each for each in all_of(f.Alert, done) if "nothing rests" in each.words]

    floor.now = only(f.WakeAt, done).at
    assert all_of(f.Sweep, floor.give(i.TimerFired(at=floor.now)))
    floor.give(i.SweepEnded(at=floor.now, done=True))
    proven = prove(floor, intent)
    assert "nothing rests" in all_of(f.Alert, proven)[-1].words
    assert floor.machine.state.sweeper.duty is None


def prove(floor: Floor, intent: Intent) -> list[f.Effect]:
    """Nothing is listed any more; our order is asked about, ended, and the list is read again."""
    done = floor.give(i.RestingRead(at=floor.now, resting=(), as_of=floor.now))
    assert not [each for each in all_of(f.Alert, done) if "nothing rests" in each.words], (
        "an order of ours might have come to rest after the list was read"
    )
    assert intent.client_order_id in {each.client_order_id for each in all_of(f.Ask, done)}
    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=floor.report(intent, OrderStatus.CANCELED),
            as_of=floor.now,
        )
    )
    floor.now = only(f.WakeAt, done).at
    assert len(all_of(f.ReadResting, floor.give(i.TimerFired(at=floor.now)))) == 1
    return floor.give(i.RestingRead(at=floor.now, resting=(), as_of=floor.now))


def test_list_that_lags_behind_the_cancel_proves_nothing() -> None:
    floor = Floor()
    kill(floor)
    before = floor.now
    floor.later()
    floor.give(i.SweepEnded(at=floor.now, done=True))

    done = floor.give(i.RestingRead(at=floor.now, resting=(), as_of=before))

    assert floor.machine.state.sweeper.duty is not None
    floor.now = only(f.WakeAt, done).at
    again = floor.give(i.TimerFired(at=floor.now))
    assert len(all_of(f.ReadResting, again)) == 1
    assert all_of(f.Sweep, again) == [], "the cancel was taken; only the look is repeated"


def test_killed_bot_stays_killed_over_a_restart_and_takes_its_duty_up_first() -> None:
    before = Floor()
    kill(before)
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)

    assert len(all_of(f.Sweep, after.effects)) == 1
    assert "halted" in refusals(after.wish(buy(1, 50)))
    after.give(i.OperatorSaid(at=after.now, wanted=i.Wanted.REARM, by="ada"))
    assert "halted" not in refusals(after.wish(buy(1, 50)))


def test_nothing_is_placed_for_a_minute_after_cancel_all() -> None:
    floor = Floor()
    kill(floor)
    floor.give(i.SweepEnded(at=floor.now, done=True))
    floor.give(i.RestingRead(at=floor.now, resting=(), as_of=floor.now))
    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.REARM, by="ada"))

    assert refusals(floor.wish(buy(1, 50))) == ["quiet_after_cancel_all"]
    floor.later(MINUTE)
    assert refusals(floor.wish(buy(1, 50))) == []


def test_foreign_orders_are_swept_too() -> None:
    floor = Floor()
    kill(floor)
    floor.give(i.SweepEnded(at=floor.now, done=True))
    intent = only(f.Place, Floor().wish(buy(3, 40, style=Style.POST))).intent
    foreign = floor.report(intent, OrderStatus.RESTING, order_id="by-hand")

    done = floor.give(i.RestingRead(at=floor.now, resting=(foreign,), as_of=floor.now))

    assert only(f.Cancel, done).order_id == OrderId("by-hand")


def test_three_failed_calls_in_a_row_halt_and_sweep_and_success_resumes() -> None:
    floor = Floor()
    intent = holding(floor)
    for _ in range(2):
        floor.give(i.CallEnded(at=floor.now, ok=False, words="503"))
    floor.give(i.CallEnded(at=floor.now, ok=True))
    for _ in range(2):
        assert all_of(f.Sweep, floor.give(i.CallEnded(at=floor.now, ok=False))) == []
    done = floor.give(i.CallEnded(at=floor.now, ok=False, words="503"))

    assert len(all_of(f.Sweep, done)) == 1
    assert floor.machine.state.halts.has(HaltCode.BREAKER)
    floor.give(i.SweepEnded(at=floor.now, done=False, words="503"))
    again = floor.give(i.CallEnded(at=floor.now, ok=True))
    assert len(all_of(f.Sweep, again)) == 1, "the duty goes on as soon as calls succeed"
    assert floor.machine.state.halts.has(HaltCode.BREAKER), "not before nothing rests"
    floor.give(i.SweepEnded(at=floor.now, done=True))
    prove(floor, intent)
    assert not floor.machine.state.halts.has(HaltCode.BREAKER)


def test_daily_loss_halts_and_stays_until_somebody_lifts_it() -> None:
    floor = Floor(limits=Limits(daily_loss_max=dollars("2.00")))
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)
    floor.later().quote(35, 37)
    assert floor.machine.state.halts.has(HaltCode.DAILY_LOSS, "wishful") is False

    floor.later(2 * SECOND).quote(25, 27)

    assert floor.machine.state.halts.has(HaltCode.DAILY_LOSS, "wishful")
    assert "halted" in refusals(floor.wish(buy(1, 50)))
    floor.later(DAY)
    assert "halted" in refusals(floor.wish(buy(1, 50)))
    floor.later(2 * SECOND).quote(25, 27)
    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.REARM, by="ada"))
    floor.later(2 * SECOND).quote(25, 27)
    assert not floor.machine.state.halts.has(HaltCode.DAILY_LOSS, "wishful")
    floor.later(2 * SECOND).quote(4, 6)
    assert floor.machine.state.halts.has(HaltCode.DAILY_LOSS, "wishful"), "from there on"


def test_drawdown_is_measured_from_the_peak() -> None:
    floor = Floor(limits=Limits(drawdown_max=dollars("3.00")))
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)
    floor.later(2 * SECOND).quote(80, 82)
    floor.later(2 * SECOND).quote(51, 53)

    assert not floor.machine.state.halts.has(HaltCode.DRAWDOWN, "wishful")
    floor.later(2 * SECOND).quote(49, 50)
    assert floor.machine.state.halts.has(HaltCode.DRAWDOWN, "wishful")


def test_break_in_the_books_halts_until_they_close() -> None:
    floor = Floor()
    floor.give(i.BooksProven(at=floor.now, closes=False, worst=dollars("0.50")))
    assert refusals(floor.wish(buy(1, 50))) == []
    floor = Floor()

    floor.give(i.BooksProven(at=floor.now, closes=False, worst=dollars("-7.41"), words="no fill"))
    assert "halted" in refusals(floor.wish(buy(1, 50)))

    floor.give(i.BooksProven(at=floor.now, closes=True, worst=dollars("0")))
    assert refusals(floor.wish(buy(1, 50))) == []


def test_paused_strategy_sends_nothing_and_resumes() -> None:
    floor = Floor()
    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.PAUSE, by="ada", strategy="wishful"))
    assert all_of(f.Place, floor.wish(buy(1, 50))) == []

    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.RESUME, by="ada", strategy="wishful"))
    assert len(all_of(f.Place, floor.later().quote())) == 1, "it is asked again"


def test_storage_that_fails_stops_everything() -> None:
    floor = Floor()

    floor.give(i.StorageFailed(at=floor.now, words="disk full"))

    assert "halted" in refusals(floor.wish(buy(1, 50)))


def test_order_that_cannot_be_read_halts_its_market_and_no_other() -> None:
    floor = Floor()
    strange = i.OrderUnreadable(at=floor.now, ticker=HOT, words="no status is called 'held'")

    first, second = floor.give(strange), floor.give(strange)

    assert "left alone" in only(f.Alert, first).words
    assert all_of(f.Alert, second) == [], "said once"
    assert refusals(floor.wish(buy(1, 50))) == ["market_unreadable"]
    floor.later().quote(ticker=COLD)
    assert refusals(floor.wish(buy(1, 50, ticker=COLD))) == []
    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.REARM, by="ada"))
    assert refusals(floor.wish(buy(1, 50))) == []


def test_clock_that_jumps_back_undoes_nothing() -> None:
    floor = Floor()
    kill(floor)
    floor.give(i.SweepEnded(at=floor.now, done=True))
    floor.now = type(floor.now)(floor.now - DAY)

    floor.give(i.MarketSettled(at=floor.now, ticker=HOT, value=cents(0)))

    assert floor.machine.state.now > floor.now
    assert contracts(0) == floor.machine.state.portfolio.net(HOT)


def test_key_that_is_refused_halts_until_somebody_looked() -> None:
    floor = Floor()

    floor.give(i.KeyRefused(at=floor.now, words="the key is not known"))

    assert floor.machine.state.halts.has(HaltCode.KEY)
    floor.give(i.CallEnded(at=floor.now, ok=True))
    assert floor.machine.state.halts.has(HaltCode.KEY)
    assert refusals(floor.wish(buy())) == ["halted"]


def test_bot_that_was_halted_or_paused_says_so_when_it_starts_again() -> None:
    halt = HaltRaised(code=HaltCode.HANG, words="it hung", at=Floor().now)
    pause = StrategyPaused(strategy="wishful", on=True, words="by hand", at=Floor().now)

    floor = Floor(recovered=(halt, pause))

    words = [each.words for each in all_of(f.Alert, floor.effects)]
    assert words == [
        "all trading is still halted (hang): it hung; rearm lifts it",
        "strategy wishful is still paused: by hand; resume lifts it",
    ]
