"""What is going on at the end: orders that rest, one of them partly filled.

They rest where nothing is held, so what they tie up is simply what they cost.
"""

from __future__ import annotations

from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.sim.worlds import economics, making, weather
from trueup.sim.worlds.plan import Plan


def present(plan: Plan) -> None:
    """Add the orders that rest at the end."""
    ticker = _open_market(plan)
    quoted = Instant(plan.end - 3 * HOUR)
    plan.quote(Instant(quoted - MINUTE), ticker, Price(4_400))
    plan.place(
        quoted, ticker, Side.YES, own=4_200, count=Count.of_contracts(40), prefix=making.PREFIX
    )
    plan.place(
        quoted, ticker, Side.NO, own=5_300, count=Count.of_contracts(40), prefix=making.PREFIX
    )
    partly = plan.place(
        Instant(quoted + 20 * MINUTE),
        _open_market(plan, "2.5"),
        Side.YES,
        own=2_800,
        count=Count.of_contracts(60),
        prefix=economics.PREFIX,
    )
    plan.fill(partly, plan.soon(partly.at, 600, 1_200), Count.of_contracts(25), taker=False)
    plan.quote(Instant(plan.end - HOUR), partly.ticker, Price(3_100))
    plan.place(
        Instant(plan.end - 2 * HOUR),
        _open_market(plan, "3.0"),
        Side.NO,
        own=1_500,
        count=Count.of_contracts(12) if plan.whole else Count(12_34),
        prefix=weather.PREFIX,
    )


def _open_market(plan: Plan, strike: str = "2.0") -> Ticker:
    """A market that closes some weeks after the end."""
    opens = Instant(plan.end - 12 * DAY)
    series = plan.series_once("KXGDP", "Gross domestic product", category="Economics")
    event = plan.event(
        series, "KXGDP-NEXT", "Growth in the next release", at=Instant(opens - 2 * HOUR)
    )
    return plan.market(
        event,
        f"T{strike}",
        f"Will growth exceed {strike}%?",
        opens=opens,
        closes=Instant(plan.end + 20 * DAY),
    )
