"""The weekly report's figures against trades worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trade_script import at, book

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant, eastern_day
from trueup.core.units import Money, Ratio
from trueup.ledger.entries import RoundTrip
from trueup.ledger.performance import (
    Flow,
    Point,
    by_name,
    closed_between,
    correlation,
    curve,
    daily,
    drawdown,
    gain,
    net_return,
    time_weighted_return,
    trades_of,
)

D = Money.parse


def trips(*scripts: str) -> list[RoundTrip]:
    return [
        trip
        for number, script in enumerate(scripts)
        for trip in book(script, ticker=Ticker(f"KXCPI-26JUN-T{number}")).round_trips
    ]


CASE = "12:00 buy no 80 @ .32\n13:00 row no revenue 80.00 no 80 no_cost 25.60"
"""The case study's trade: 80 NO at 32 cents against a mean of 54, settled NO."""

LOST = "12:00 buy yes 10 @ .60 fee .17\n13:00 row no revenue 0 yes 10 yes_cost 6.00"
SOLD = "12:00 buy yes 10 @ .40 fee .17\n12:30 sell yes 10 @ .55 fee .18"
EVEN = "12:00 buy yes 10 @ .40\n12:30 sell yes 10 @ .40"
OPEN = "12:00 buy yes 10 @ .40 fee .17"


def test_the_case_study_s_trade_costs_25_60_and_brings_54_40() -> None:
    (trip,) = trips(CASE)
    found = trades_of([trip])

    assert found.cost == D("25.60")
    assert found.profit == D("54.40")
    assert (found.number, found.win_rate) == (1, 1)
    assert found.mean_winner == Ratio("54.40")
    assert found.mean_loser is None
    assert found.reward_to_risk is None


def test_win_rate_means_and_reward_to_risk_by_hand() -> None:
    """+54.40, −6.17 and +1.15 (1.50 less 0.35 of fees), and one that came out even."""
    found = trades_of(trips(CASE, LOST, SOLD, EVEN, OPEN))

    assert (found.number, found.winners, found.losers) == (4, 2, 1)
    assert found.win_rate == Ratio(1, 2)
    assert found.mean_winner == (Ratio("54.40") + Ratio("1.15")) / 2
    assert found.mean_loser == Ratio("-6.17")
    assert found.reward_to_risk == Ratio("27.775") / Ratio("6.17")
    assert found.profit == D("49.38")
    assert found.fees == D("0.52")


def test_nothing_traded_divides_by_nothing() -> None:
    found = trades_of(trips(OPEN))

    assert (found.number, found.profit) == (0, D("0"))
    assert found.win_rate is found.mean_winner is found.reward_to_risk is None


def test_a_trade_belongs_to_the_period_in_which_it_was_closed() -> None:
    all_trips = trips(CASE, SOLD, OPEN)

    assert closed_between(all_trips, at("12:00"), at("13:00")) == (all_trips[1],)
    assert closed_between(all_trips, at("12:30"), at("13:01")) == (all_trips[1], all_trips[0])
    assert closed_between(all_trips, at("13:01"), at("14:00")) == ()


def test_by_any_name_it_is_the_same_sum() -> None:
    all_trips = trips(CASE, LOST, SOLD)

    groups = by_name(all_trips, lambda trip: trip.side)

    assert {name: each.number for name, each in groups.items()} == {"no": 1, "yes": 2}
    assert sum((each.profit for each in groups.values()), D("0")) == trades_of(all_trips).profit


# -- return and drawdown -----------------------------------------------------------------------


def points(*equity: str) -> list[Point]:
    """One an hour."""
    return [Point(Instant(n * HOUR), D(each)) for n, each in enumerate(equity)]


def flow(hour: int, amount: str) -> Flow:
    return Flow(Instant(hour * HOUR), D(amount))


def test_a_deposit_is_no_gain() -> None:
    """5,000 earn 500 (10 %), 5,000 are paid in, and 10,500 lose 525 (5 %)."""
    course = points("5000", "5500", "10500", "9975")
    deposit = [flow(2, "5000")]

    assert gain(course, deposit) == D("-25")
    assert net_return(course, deposit) == Ratio(-25, 10_000)
    assert time_weighted_return(course, deposit) == Ratio(110, 100) * Ratio(95, 100) - 1


def test_an_empty_account_begins_with_its_first_deposit() -> None:
    course = points("0", "5000", "5000", "4500")
    deposit = [flow(1, "5000")]

    assert net_return(course, deposit) == Ratio(-1, 10)
    assert time_weighted_return(course, deposit) == Ratio(-1, 10)


def test_a_withdrawal_is_no_loss() -> None:
    course = points("1000", "1100", "600", "660")
    withdrawal = [flow(2, "-500")]

    assert gain(course, withdrawal) == D("160")
    assert time_weighted_return(course, withdrawal) == Ratio(110, 100) * Ratio(110, 100) - 1
    assert drawdown(course, withdrawal) is None


def test_the_deepest_fall_is_from_its_own_high() -> None:
    """1,200 → 900 is 25 %; the later fall from 1,400 to 1,150 is smaller."""
    fallen = drawdown(points("1000", "1200", "900", "1400", "1150"), [])

    assert fallen is not None
    assert (fallen.amount, fallen.share) == (D("300"), Ratio(1, 4))
    assert (fallen.high_at, fallen.low_at) == (HOUR, 2 * HOUR)


@pytest.mark.parametrize("course", [points(), points("0"), points("0", "100")])
def test_without_money_at_first_there_is_no_return(course: list[Point]) -> None:
    assert net_return(course, []) is None
    assert time_weighted_return(course, []) is None


@given(
    st.lists(st.integers(1, 10**9), min_size=2, max_size=12),
    st.lists(st.tuples(st.integers(1, 11), st.integers(0, 10**8)), max_size=4),
)
def test_returns_do_not_depend_on_when_money_comes(
    equity: list[int], deposits: list[tuple[int, int]]
) -> None:
    """The same course with deposits on top of it has the same gain."""
    plain = [Point(Instant(n * HOUR), Money(each)) for n, each in enumerate(equity)]
    flows = [Flow(Instant(hour * HOUR), Money(amount)) for hour, amount in deposits]
    fed = [
        Point(p.at, Money(p.equity.units + sum(f.amount.units for f in flows if f.at <= p.at)))
        for p in plain
    ]

    assert gain(fed, flows) == gain(plain, [])
    fallen, dry = drawdown(fed, flows), drawdown(plain, [])
    assert (fallen is None) == (dry is None)
    assert fallen is None or dry is None or fallen.amount == dry.amount
    assert time_weighted_return(plain, []) == net_return(plain, [])


def test_a_curve_is_the_start_and_everything_after_it() -> None:
    start = Point(Instant(HOUR), D("100"))
    earned = [
        (Instant(HOUR), D("7")),
        (Instant(3 * HOUR), D("-2")),
        (Instant(2 * HOUR), D("5")),
        (Instant(3 * HOUR), D("1")),
    ]

    found = curve(start, earned, [flow(3, "50")])

    assert [(each.at // HOUR, each.equity) for each in found] == [
        (1, D("100")),
        (2, D("105")),
        (3, D("154")),
    ]


# -- correlation -------------------------------------------------------------------------------


def series(*dollars: int) -> list[Money]:
    return [Money.of_cents(each * 100) for each in dollars]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (series(1, 2, 3), series(2, 4, 6), Ratio(1)),
        (series(1, 2, 3), series(6, 4, 2), Ratio(-1)),
        (series(1, 0, -1, 0), series(0, 1, 0, -1), Ratio(0)),
        # Means 2 and 2; together 1·1 + 0·(−1) + … = 3, spreads 2 and 6: 3 / √12 = 0.8660.
        (series(1, 2, 3), series(1, 1, 4), Ratio("0.8660")),
        (series(5, 5, 5), series(1, 2, 3), None),
        (series(1, 2), series(1, 2), None),
    ],
)
def test_correlation_by_hand(one: list[Money], other: list[Money], expected: Ratio | None) -> None:
    assert correlation(one, other) == expected


def test_a_day_s_profit_is_that_of_what_was_closed_on_it() -> None:
    found = daily(trips(CASE, LOST), ["2026-05-31", "2026-06-01"], eastern_day)

    assert found == {"": [D("0"), D("48.23")]}
