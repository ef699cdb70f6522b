"""Monthly releases: larger positions, taken as taker or as patient maker.

Here the fees change: one series gets maker fees on a day in the middle, one
event has an override, one market a fee waiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant, to_datetime
from trueup.core.orders import Side
from trueup.core.units import Count, Price, Ratio
from trueup.sim import commands as c
from trueup.sim.chance import between, happens, identifier, pick
from trueup.sim.worlds.plan import MANUAL, MONTHS, Placed, Plan, yes_or_no

PREFIX: Final = "econ"

_WHOLE: Final = Ratio(1)

MAKER_FEES: Final = "quadratic_with_maker_fees"


@dataclass(frozen=True, slots=True)
class _Release:
    series: str
    title: str
    question: str
    strikes: tuple[str, ...]
    day_of_month: int
    fee_type: str = "quadratic"


_RELEASES: Final = (
    _Release("KXCPI", "Consumer prices", "rise more than {}%", ("0.1", "0.2", "0.3", "0.4"), 12),
    _Release("KXU3", "Unemployment", "be above {}%", ("4.1", "4.2", "4.3", "4.4"), 4),
    _Release("KXPAYROLLS", "Jobs", "exceed {}", ("50000", "75000", "100000", "125000"), 5),
    _Release(
        "KXFED", "Federal funds rate", "be above {}%", ("3.50", "3.75", "4.00"), 18, MAKER_FEES
    ),
)


def economics(plan: Plan) -> None:
    """Add the whole trading of releases."""
    for release in _RELEASES:
        series = plan.series(
            release.series,
            release.title,
            category="Economics",
            tags=("Releases",),
            fee_type=release.fee_type,
        )
        _first_terms(plan, series, release.fee_type)
        for months_back in range(plan.days // 30, -2, -1):
            _trade_release(plan, release, series, months_back=months_back)
    _change_fees(plan, SeriesTicker("KXCPI"), days_before_end=64)
    _change_fees(plan, SeriesTicker("KXU3"), days_before_end=-12)


def _first_terms(plan: Plan, series: SeriesTicker, fee_type: str) -> None:
    """The change by which the series got its first terms: a history begins with one."""
    _schedule(plan, series, fee_type, Instant(plan.start - 200 * DAY), announced=plan.start)


def _change_fees(plan: Plan, series: SeriesTicker, *, days_before_end: int) -> None:
    """Makers pay from some midnight on; past or still to come."""
    effective = Instant(plan.end - plan.end % DAY - days_before_end * DAY)
    announced = Instant(min(effective, plan.end) - 7 * DAY)
    _schedule(plan, series, MAKER_FEES, effective, announced=announced)


def _schedule(
    plan: Plan,
    series: SeriesTicker,
    fee_type: str,
    effective: Instant,
    *,
    announced: Instant,
    event: EventTicker | None = None,
    multiplier: Ratio = _WHOLE,
) -> None:
    change = catalog.FeeChange(
        change_id=identifier(plan.chance),
        series_ticker=series,
        event_ticker=event,
        fee_type=fee_type,
        fee_multiplier=multiplier,
        effective_at=effective,
    )
    plan.say(c.ScheduleFeeChange(at=announced, change=change))


def _trade_release(
    plan: Plan, release: _Release, series: SeriesTicker, *, months_back: int
) -> None:
    chance = plan.chance
    # Thirty-day months counted back from the end keep the story the same for any end.
    day = plan.days - 30 * months_back - 30 + release.day_of_month
    closes = plan.day(day, 12, 25)
    opens = Instant(closes - 40 * DAY)
    if opens < plan.start:
        opens = Instant(plan.start + 3 * HOUR)
    if closes < opens + 12 * DAY:
        return
    month = _month(plan, months_back)
    event = plan.event(
        series,
        f"{release.series}-{month}",
        f"{release.title} in {month}",
        at=Instant(opens - 2 * HOUR),
    )
    if _is(release, "KXFED", months_back, 2):
        _schedule(
            plan,
            series,
            "quadratic",
            Instant(opens + DAY),
            announced=opens,
            event=event,
            multiplier=Ratio(1, 2),
        )
    first = between(chance, 0, len(release.strikes) - 2)
    for strike in release.strikes[first : first + between(chance, 1, 2)]:
        waived = _is(release, "KXU3", months_back, 1)
        ticker = plan.market(
            event,
            f"T{strike}",
            f"{release.title}: will it {release.question.format(strike)} in {month}?",
            opens=opens,
            closes=closes,
            waiver_until=Instant(closes - 5 * DAY) if waived else None,
        )
        likely = between(chance, 25, 75)
        _trade(plan, ticker, likely, closes=closes)
        plan.determine(ticker, plan.soon(closes, 600, 1_800), yes_or_no(chance, likely))


def _month(plan: Plan, months_back: int) -> str:
    """The month that a release is about, the one before it comes out: ``26JUN``."""
    now = to_datetime(plan.end)
    year, month = divmod(now.year * 12 + now.month - 2 - months_back, 12)
    return f"{year % 100:02}{MONTHS[month]}"


def _is(release: _Release, series: str, months_back: int, wanted: int) -> bool:
    return release.series == series and months_back == wanted


def _trade(plan: Plan, ticker: Ticker, likely: int, *, closes: Instant) -> None:
    chance = plan.chance
    side = pick(chance, (Side.YES, Side.NO))
    fair = likely if side is Side.YES else 100 - likely
    own = max(4, min(95, fair - between(chance, 2, 8))) * 100
    count = Count.of_contracts(between(chance, 20, 90))
    at = plan.soon(Instant(closes - 9 * DAY), 0, 6 * 86_400)
    if happens(chance, 55):
        _rest(plan, at, ticker, side, own=own, count=count)
    else:
        plan.sweep(at, ticker, side, own=own, count=count, prefix=PREFIX)
    yes = Price(own) if side is Side.YES else Price(own).complement()
    plan.quote(Instant(at + 3 * MINUTE), ticker, yes)
    plan.drift(plan.soon(at, 100_000, 150_000), ticker, yes)
    if happens(chance, 30):
        sold = Count(count.units // 400 * 100)
        worth = max(200, min(9_700, own + between(chance, -6, 12) * 100))
        plan.sweep(
            plan.soon(at, 40_000, 80_000),
            ticker,
            side.opposite(),
            own=10_000 - worth,
            count=sold,
            prefix=pick(chance, (PREFIX, MANUAL)),
        )
        plan.quote(
            plan.soon(at, 81_000, 90_000),
            ticker,
            Price(worth) if side is Side.YES else Price(worth).complement(),
        )


def _rest(plan: Plan, at: Instant, ticker: Ticker, side: Side, *, own: int, count: Count) -> Placed:
    """A patient order: filled in lots over half a day, its rest sometimes cancelled."""
    chance = plan.chance
    order = plan.place(at, ticker, side, own=own, count=count, prefix=PREFIX)
    left, moment = count.units, at
    cancelled = happens(chance, 25)
    for _ in range(between(chance, 2, 4)):
        moment = plan.soon(moment, 900, 8_000)
        lot = min(left, between(chance, 5, 30) * 100)
        if lot:
            plan.fill(order, moment, Count(lot), taker=False)
            left -= lot
    if left and cancelled:
        plan.cancel(order, plan.soon(moment, 900, 2_000))
    elif left:
        plan.fill(order, plan.soon(moment, 900, 2_000), Count(left), taker=False)
    return order
