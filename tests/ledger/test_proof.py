from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trade_script import at, reading

from trueup.core.errors import CallerError
from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.statements import BalanceStated
from trueup.core.units import Money
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.entries import EntryKind
from trueup.ledger.explain import Suspect, explain, interval_breaks
from trueup.ledger.movements import CashMovement
from trueup.ledger.proof import LISTED_MAX, Interval, Level, Proven, prove

D = Money.parse
CENT = Money.of_cents(1)


def moved(clock: str, dollars: str, *, kind: EntryKind = EntryKind.FILL) -> CashMovement:
    return CashMovement(
        at=at(clock),
        amount=D(dollars),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        stream=Stream.FILLS,
        key=f"{clock} {dollars}",
        version=1,
        kind=kind,
        ticker=None,
    )


def told(intervals: list[Interval]) -> list[tuple[str, str]]:
    return [(each.verdict, str(each.difference)) for each in intervals]


def test_explained_change_is_proven() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "9.40"), reading("13:00", "9.40")]

    (first, second) = prove(readings, [moved("12:10", "-0.60")])

    assert (first.verdict, first.explained, first.count) == (Proven.PROVEN, D("-.60"), 1)
    assert (first.claimed_low, first.claimed_high) == (D("-.60"), D("-.60"))
    assert (second.verdict, second.moved, first.moved) == (Proven.PROVEN, False, True)


@pytest.mark.parametrize(
    ("after", "difference"), [("9.41", "0.01"), ("9.39", "-0.01"), ("10", "0.60")]
)
def test_unexplained_cent_is_unproven(after: str, difference: str) -> None:
    readings = [reading("12:00", "10"), reading("12:30", after), reading("13:00", after)]

    intervals = list(prove(readings, [moved("12:10", "-0.60")]))

    assert told(intervals) == [("unproven", difference), ("proven", "0.00")]


def test_later_intervals_are_judged_on_their_own() -> None:
    readings = [reading(f"12:{minute:02}", "10") for minute in range(0, 50, 10)]
    readings[2:] = [reading(f"12:{minute:02}", "12") for minute in range(20, 50, 10)]

    intervals = list(prove(readings, [moved("12:35", "-1")]))

    assert told(intervals) == [
        ("proven", "0.00"),
        ("unproven", "2.00"),
        ("proven", "0.00"),
        ("unproven", "1.00"),
    ]


def test_opposite_gaps_do_not_cancel() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "11"), reading("13:00", "10")]

    assert told(list(prove(readings, []))) == [("unproven", "1.00"), ("unproven", "-1.00")]


def test_lagging_reading_is_timing_when_the_next_one_agrees() -> None:
    readings = [reading("12:00", "10"), reading("12:10:30", "10"), reading("12:20", "9.40")]

    intervals = list(prove(readings, [moved("12:10", "-0.60")]))

    assert told(intervals) == [("timing", "0.00"), ("timing", "0.00")]
    assert [each.amount for each in intervals[0].shifted] == [D("-.60")]
    assert [(each.kind, each.severity) for each in interval_breaks(intervals)] == [
        (BreakKind.TIMING, Severity.GREEN)
    ] * 2


def test_early_reading_is_timing_too() -> None:
    readings = [reading("12:00", "10"), reading("12:10", "9.40"), reading("12:20", "9.40")]

    intervals = list(prove(readings, [moved("12:10:30", "-0.60")]))

    assert told(intervals) == [("timing", "0.00"), ("timing", "0.00")]


def test_several_readings_may_lag_within_the_window() -> None:
    readings = [
        reading("12:00", "10"),
        reading("12:10:05", "10"),
        reading("12:10:25", "10"),
        reading("12:20", "9.40"),
    ]

    assert told(list(prove(readings, [moved("12:10", "-0.60")]))) == [("timing", "0.00")] * 3


def test_lag_beyond_the_window_is_unproven() -> None:
    readings = [reading("12:00", "10"), reading("12:11:30", "10"), reading("12:20", "9.40")]

    intervals = list(prove(readings, [moved("12:10", "-0.60")]))

    assert told(intervals) == [("unproven", "0.60"), ("unproven", "-0.60")]


def test_timing_must_come_right_within_the_window_of_its_first_reading() -> None:
    """Each reading alone could be timing, but together they never agree for over a minute."""
    readings = [
        reading("12:00", "10"),
        reading("12:10:05", "10"),
        reading("12:11:10", "9.40"),
        reading("12:20", "8.80"),
    ]
    movements = [moved("12:10", "-0.60"), moved("12:10:50", "-0.60")]

    found = told(list(prove(readings, movements)))

    assert found == [("unproven", "0.60"), ("proven", "0.00"), ("unproven", "-0.60")]


def test_exact_time_of_a_reading_is_no_tie() -> None:
    early = replace(reading("12:10", "9.40"), at=Instant(at("12:10") + 100_000))
    fact = replace(moved("12:10", "-0.60"), at=Instant(at("12:10") + 400_000))
    readings = [reading("12:00", "10"), early, reading("12:20", "9.40")]

    assert told(list(prove(readings, [fact]))) == [("timing", "0.00"), ("timing", "0.00")]


def test_fitting_neighbour_does_not_hide_a_missing_fact() -> None:
    """A fill of .60 is missing; another fill of .60 just after the reading fits by chance."""
    readings = [reading("12:00", "10"), reading("12:10", "9.40"), reading("12:20", "8.80")]

    intervals = list(prove(readings, [moved("12:10:30", "-0.60")]))

    assert told(intervals) == [("unproven", "-0.60"), ("proven", "0.00")]


def test_timing_of_the_last_reading_stays_open() -> None:
    readings = [reading("12:00", "10"), reading("12:10:30", "10")]

    (interval,) = prove(readings, [moved("12:10", "-0.60")])

    assert interval.verdict is Proven.OPEN
    assert [each.severity for each in interval_breaks([interval])] == [Severity.AMBER]


def test_fact_in_the_very_second_of_a_reading_may_be_on_either_side() -> None:
    fact = replace(moved("12:10", "-0.60"), at=Instant(at("12:10") + 400_000))
    readings = [reading("12:00", "10"), reading("12:10", "9.40"), reading("12:20", "9.40")]

    intervals = list(prove(readings, [fact]))

    assert told(intervals) == [("proven", "0.00"), ("proven", "0.00")]
    assert intervals[0].shifted == (fact,)


def test_fact_of_which_only_bounds_are_known_may_follow_readings_between_them() -> None:
    arrival = replace(moved("12:01", "25"), latest=at("13:00"))
    readings = [reading("12:00", "5"), reading("12:15", "5"), reading("12:30", "5")]
    readings += [reading("12:45", "30"), reading("13:15", "30")]

    intervals = list(prove(readings, [arrival]))

    assert told(intervals) == [("proven", "0.00")] * 4
    assert [each.shifted for each in intervals] == [(arrival,), (arrival,), (), ()]


def test_fact_that_is_not_there_after_its_latest_time_is_missing_money() -> None:
    arrival = replace(moved("12:01", "25"), latest=at("13:00"))
    readings = [reading("12:00", "5"), reading("12:30", "5"), reading("13:30", "5")]

    intervals = list(prove(readings, [arrival]))

    assert told(intervals) == [("unproven", "-25.00"), ("proven", "0.00")]


def test_bounds_do_not_let_another_amount_pass() -> None:
    arrival = replace(moved("12:01", "25"), latest=at("13:00"))
    readings = [reading("12:00", "5"), reading("12:30", "4.99"), reading("13:30", "30")]

    intervals = list(prove(readings, [arrival]))

    assert [verdict for verdict, _ in told(intervals)] == ["unproven", "unproven"]


def test_readings_of_one_second_are_intervals_too() -> None:
    readings = [reading("12:00", "10"), reading("12:10", "9.40"), reading("12:10", "9.40")]

    assert told(list(prove(readings, [moved("12:05", "-0.60")]))) == [("proven", "0.00")] * 2


def test_truncated_readings_agree_while_their_intervals_meet() -> None:
    """98.0186 − 0.0130 = 98.0056: both show as 98.01 and 98.00 in whole cents."""
    readings = [reading("12:00", "98.01", "98.0199"), reading("12:30", "98.00", "98.0099")]

    (interval,) = prove(readings, [moved("12:10", "-0.0130")])

    assert interval.verdict is Proven.PROVEN


def test_truncated_readings_narrow_each_other() -> None:
    """Steps of .4 cent pin the balance down until a gap of a cent shows."""
    readings = [
        reading("12:00", "98.01", "98.0199"),
        reading("12:10", "98.01", "98.0199"),
        reading("12:20", "98.00", "98.0099"),
        reading("12:30", "98.01", "98.0199"),
    ]
    movements = [moved("12:05", "-0.0040"), moved("12:15", "-0.0040"), moved("12:25", "-0.0001")]

    intervals = list(prove(readings, movements))

    assert [each.verdict for each in intervals] == [
        Proven.PROVEN,
        Proven.PROVEN,
        Proven.UNPROVEN,
    ]
    assert intervals[2].difference > D("0")


def test_precision_makes_a_truncated_reading_exact() -> None:
    readings = [reading("12:00", "10.00", "10.0099"), reading("12:30", "9.99", "9.9999")]

    (loose,) = prove(readings, [moved("12:10", "-0.0050")])
    (exact,) = prove(readings, [moved("12:10", "-0.0050")], precision=CENT)

    assert (loose.verdict, exact.verdict) == (Proven.PROVEN, Proven.UNPROVEN)


def test_precision_may_change_with_time() -> None:
    """Of an account in whole cents a truncated reading is exact; later it is an interval."""

    def step_at(moment: Instant) -> Money:
        return CENT if moment < at("12:30") else Money(100)

    readings = [
        reading("12:00", "10.00", "10.0099"),
        reading("12:20", "9.99", "9.9999"),
        reading("12:40", "9.98", "9.9899"),
    ]
    movements = [moved("12:10", "-0.0199"), moved("12:35", "-0.0001")]

    intervals = list(prove(readings, movements, precision=step_at))

    assert told(intervals) == [("unproven", "0.0099"), ("proven", "0.00")]


def test_collateral_of_resting_orders_is_added_back() -> None:
    def resting(stated: BalanceStated) -> Money:
        return D("3.00") if stated.at == at("12:30") else D("0")

    readings = [reading("12:00", "10"), reading("12:30", "7"), reading("13:00", "10")]

    assert told(list(prove(readings, [], collateral=resting))) == [("proven", "0.00")] * 2
    assert told(list(prove(readings, []))) == [("unproven", "-3.00"), ("unproven", "3.00")]


def test_absolute_books_prove_the_level_from_the_first_reading() -> None:
    deposit = moved("09:00", "10", kind=EntryKind.DEPOSIT)

    (right,) = prove([reading("12:00", "10")], [deposit], absolute=True)
    (wrong,) = prove([reading("12:00", "10.01")], [deposit], absolute=True)

    assert (right.before, right.verdict, right.explained) == (None, Proven.PROVEN, D("10"))
    assert (wrong.verdict, wrong.difference) == (Proven.UNPROVEN, D(".01"))


def test_opening_balance_makes_the_level_absolute_from_its_time_on() -> None:
    opening = moved("11:00", "10", kind=EntryKind.OPENING)
    movements = [opening, moved("12:10", "-1")]
    readings = [reading("12:00", "10"), reading("13:00", "9")]
    level = Level(at=at("11:00"), cash=D("10"))

    first, after = prove(readings, movements, level=level)
    wrong, _ = prove([reading("12:00", "11"), reading("13:00", "10")], movements, level=level)

    assert (first.before, first.verdict, after.verdict) == (None, Proven.PROVEN, Proven.PROVEN)
    assert (first.explained, first.claimed_low) == (D("10"), D("10"))
    assert (wrong.verdict, wrong.difference) == (Proven.UNPROVEN, D("1"))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("60", [("unproven", "-40.00"), ("proven", "0.00")]),
        ("100", [("unproven", "-40.00"), ("unproven", "-40.00")]),
    ],
)
def test_opening_between_two_readings_does_not_hide_what_is_missing(
    stated: str, expected: list[tuple[str, str]]
) -> None:
    readings = [reading("10:00", "100"), reading("12:00", "60"), reading("13:00", "60")]
    opening = moved("11:00", stated, kind=EntryKind.OPENING)
    level = Level(at=at("11:00"), cash=D(stated))

    found = list(prove(readings, [opening], level=level))

    assert told(found) == [*expected, ("proven", "0.00")]
    assert [each.before is None for each in found] == [False, True, False]
    breaks = [each.identity for each in interval_breaks(found)]
    assert len(breaks) == len(set(breaks))


def test_wrong_opening_is_told_once_and_never_carried_along() -> None:
    readings = [reading("10:00", "100"), *(reading(f"1{hour}:00", "100") for hour in range(2, 5))]
    level = Level(at=at("11:00"), cash=D("60"))

    found = told(list(prove(readings, [], level=level)))

    assert found == [
        ("proven", "0.00"),
        ("unproven", "40.00"),
        ("proven", "0.00"),
        ("proven", "0.00"),
    ]


def test_opening_is_judged_when_the_reading_after_it_was_only_timing() -> None:
    fact = moved("12:00:30", "-0.60")
    readings = [reading("10:00", "10"), reading("12:00", "9.40"), reading("12:00:50", "9.40")]
    level = Level(at=at("11:00"), cash=D("10"))

    found = list(prove(readings, [fact], level=level))

    assert [(each.verdict, each.before is None) for each in found] == [
        (Proven.TIMING, False),
        (Proven.TIMING, False),
        (Proven.PROVEN, True),
    ]


@given(
    st.lists(st.integers(-500, 500), min_size=2, max_size=8),
    st.lists(st.integers(-500, 500), min_size=1, max_size=8),
    st.integers(0, 1000),
)
def test_opening_never_changes_how_the_changes_are_judged(
    before: list[int], after: list[int], stated: int
) -> None:
    cash = [1000 + each for each in (*before, *after)]
    readings = [
        reading(f"{hour:02}:00", str(Money.of_cents(cents)))
        for hour, cents in enumerate(cash, start=1)
    ]
    opening_at = at(f"{len(before):02}:30")

    without = told(list(prove(readings, [])))
    found = list(prove(readings, [], level=Level(at=opening_at, cash=Money.of_cents(stated))))

    assert told([each for each in found if each.before is not None]) == without
    (level,) = [each for each in found if each.before is None]
    assert level.difference == Money.of_cents(cash[len(before)] - stated)


def test_movements_before_the_first_reading_do_not_matter() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "10")]

    assert told(list(prove(readings, [moved("11:00", "-5")]))) == [("proven", "0.00")]


def test_interval_lists_some_movements_and_counts_all() -> None:
    movements = [moved("12:10", "-0.01") for _ in range(LISTED_MAX + 5)]
    readings = [reading("12:00", "10"), reading("12:30", "7.95")]

    (interval,) = prove(readings, movements)

    assert (interval.count, len(interval.movements)) == (LISTED_MAX + 5, LISTED_MAX)
    assert interval.verdict is Proven.PROVEN


def test_what_is_out_of_order_is_refused() -> None:
    later_first = [reading("12:30", "10"), reading("12:00", "10")]
    with pytest.raises(CallerError, match="time order"):
        list(prove(later_first, []))
    movements = [moved("12:20", "1"), moved("12:10", "1")]
    with pytest.raises(CallerError, match="time order"):
        list(prove([reading("12:30", "10")], movements))


def test_suspect_of_the_right_amount_is_named_once() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "13"), reading("13:00", "16")]
    suspect = Suspect(
        group="settlement",
        kind=BreakKind.MISSING_SETTLEMENT,
        amount=D("3"),
        since=at("12:10"),
        until=None,
        words="position +3.00 YES in T, market determined yes without a settlement",
        likely=True,
    )

    first, second = explain(prove(readings, []), [suspect])

    assert first.explanations == (f"{suspect.words} would explain +3.00",)
    assert first.suspected is BreakKind.MISSING_SETTLEMENT
    assert second.suspected is None
    assert "no fill or settlement is known for the amount: +3.00" in second.explanations
    kinds = [(each.kind, each.severity) for each in interval_breaks([first, second])]
    assert kinds == [
        (BreakKind.MISSING_SETTLEMENT, Severity.RED),
        (BreakKind.UNATTRIBUTED_CASH, Severity.AMBER),
    ]


def test_likely_suspect_that_explains_a_part_is_named_with_what_is_left() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "11.81")]
    suspect = Suspect(
        group="settlement",
        kind=BreakKind.MISSING_SETTLEMENT,
        amount=D("3"),
        since=at("12:10"),
        until=None,
        words="the settlement of T",
        likely=True,
    )

    (interval,) = explain(prove(readings, []), [suspect])

    assert interval.explanations[:2] == (
        "the settlement of T would explain +3.00",
        "no fill or settlement is known for what is left: -1.19",
    )


def test_suspect_of_another_time_or_shard_is_not_named() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "13")]
    suspect = Suspect(
        group="settlement",
        kind=BreakKind.MISSING_SETTLEMENT,
        amount=D("3"),
        since=at("12:40"),
        until=None,
        words="too late",
        likely=True,
    )
    elsewhere = replace(suspect, since=at("12:10"), shard=Shard(2))

    (interval,) = explain(prove(readings, []), [suspect, elsewhere])

    assert interval.suspected is None


def test_cash_that_left_without_a_fact_is_red() -> None:
    readings = [reading("12:00", "10"), reading("12:30", "9")]

    (found,) = interval_breaks(prove(readings, []))

    assert (found.kind, found.severity, found.amount) == (
        BreakKind.UNATTRIBUTED_CASH,
        Severity.RED,
        D("-1"),
    )


STEPS = st.lists(
    st.tuples(
        st.integers(1, 300 * SECOND),
        st.integers(-500, 500).map(Money.of_cents),
        st.booleans(),
    ),
    max_size=40,
)


def _world(
    steps: list[tuple[int, Money, bool]],
) -> tuple[list[BalanceStated], list[CashMovement]]:
    """An account whose balance is read now and then, right after a movement."""
    now, balance = at("00:00"), D("100")
    readings = [reading("00:00", "100")]
    movements: list[CashMovement] = []
    for pause, amount, looked in steps:
        now = Instant(now + pause)
        balance += amount
        movements.append(replace(moved("00:00", str(amount)), at=now))
        if looked:
            now = Instant(now + 1)
            readings.append(replace(readings[0], low=balance, high=balance, at=now))
    return readings, movements


@given(STEPS)
def test_complete_facts_always_prove_everything(steps: list[tuple[int, Money, bool]]) -> None:
    readings, movements = _world(steps)

    assert {each.verdict for each in prove(readings, movements)} <= {Proven.PROVEN}


@given(STEPS, st.data())
def test_missing_movement_always_leaves_its_amount(
    steps: list[tuple[int, Money, bool]], data: st.DataObject
) -> None:
    readings, movements = _world(steps)
    covered = [each for each in movements if each.amount and each.at <= readings[-1].at]
    if not covered:
        return
    missing = data.draw(st.sampled_from(covered))

    intervals = list(prove(readings, [each for each in movements if each is not missing]))

    unproven = [each for each in intervals if each.verdict is not Proven.PROVEN]
    assert unproven
    closed = all(each.verdict is not Proven.OPEN for each in intervals)
    if closed:
        left = sum((each.difference for each in intervals), D("0"))
        assert left == missing.amount


def test_window_is_in_microseconds() -> None:
    readings = [reading("12:00", "10"), reading("12:10:30", "10"), reading("12:20", "9.40")]

    intervals = list(prove(readings, [moved("12:10", "-0.60")], window=MINUTE // 3))

    assert told(intervals) == [("unproven", "0.60"), ("unproven", "-0.60")]
