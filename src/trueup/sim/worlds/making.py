"""Market making: both sides quoted, small maker fills, pairs closed at $1.

Its client ids begin with ``mm-``.  Two of its markets end in a fraction: a
match that is called off pays a fair price, a game that ends level pays half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price, Ratio
from trueup.sim.chance import between, happens, pick
from trueup.sim.worlds.economics import MAKER_FEES
from trueup.sim.worlds.plan import Placed, Plan, date_code, yes_or_no

PREFIX: Final = "mm"

_ROUND: Final = 2 * HOUR

FAIR_PRICE: Final = Price(3_060)
FAIR_PRICE_IN_CENTS: Final = Price(3_100)
TIE: Final = Price(5_000)

_TEAMS: Final = ("NYY", "BOS", "LAD", "CHC", "HOU", "ATL", "SEA", "PHI")
_PLAYERS: Final = ("GAUFF", "RYBAKI", "PEGULA", "SWIATE", "ANDREE", "KEYS")


@dataclass(frozen=True, slots=True)
class _Game:
    ticker: Ticker
    opens: Instant
    closes: Instant
    likely: int


def making(plan: Plan) -> None:
    """Add the whole market making."""
    index = plan.series(
        "KXINX",
        "S&P 500 close",
        category="Financials",
        tags=("S&P",),
        fee_type=MAKER_FEES,
        multiplier=Ratio(1, 2),
    )
    games = plan.series("KXMLBGAME", "Baseball game", category="Sports", fee_type=MAKER_FEES)
    matches = plan.series("KXWTAMATCH", "Tennis match", category="Sports", fee_type=MAKER_FEES)
    for turn, number in enumerate(range(6, plan.days, 6)):
        if turn % 3 == 0:
            _make(plan, _index_market(plan, index, number))
        elif turn % 3 == 1:
            tie = turn == plan.days // 12
            game = _duel(plan, games, number, names=_TEAMS)
            _make(plan, game, value=TIE if tie or turn == 1 else None)
        else:
            match = _duel(plan, matches, number, names=_PLAYERS)
            called_off = turn in {5, plan.days // 6 - 2}
            fair = FAIR_PRICE_IN_CENTS if plan.whole else FAIR_PRICE
            _make(plan, match, value=fair if called_off else None)


def _index_market(plan: Plan, series: SeriesTicker, number: int) -> _Game:
    opens, closes = plan.day(number, 13, 30), plan.day(number, 20)
    day = date_code(closes)
    event = plan.event(
        series, f"{series}-{day}H1600", f"S&P 500 close on {day}", at=Instant(opens - 3 * HOUR)
    )
    level = 6_600 + 25 * between(plan.chance, 0, 20)
    ticker = plan.market(
        event, f"T{level}", f"Will the S&P 500 close above {level}?", opens=opens, closes=closes
    )
    return _Game(ticker, opens, closes, between(plan.chance, 35, 65))


def _duel(plan: Plan, series: SeriesTicker, number: int, *, names: tuple[str, ...]) -> _Game:
    opens, closes = plan.day(number, 11), plan.day(number, 23)
    home = pick(plan.chance, names)
    away = pick(plan.chance, tuple(name for name in names if name != home))
    event = plan.event(
        series,
        f"{series}-{date_code(opens)}{away}{home}",
        f"{away} against {home}",
        at=Instant(opens - 3 * HOUR),
        exclusive=True,
    )
    ticker = plan.market(
        event, home, f"Will {home} win against {away}?", opens=opens, closes=closes
    )
    return _Game(ticker, opens, closes, between(plan.chance, 30, 70))


def _make(plan: Plan, game: _Game, *, value: Price | None = None) -> None:
    """Quote both sides for some rounds, then let the market end."""
    chance = plan.chance
    moment, middle = plan.soon(game.opens, 600, 3_600), game.likely
    for _ in range(between(chance, 2, 4)):
        if moment + _ROUND > game.closes:
            break
        orders = [
            plan.place(
                moment,
                game.ticker,
                Side.YES,
                own=(middle - 2) * 100,
                count=_lot(plan),
                prefix=PREFIX,
            ),
            plan.place(
                moment,
                game.ticker,
                Side.NO,
                own=(98 - middle) * 100,
                count=_lot(plan),
                prefix=PREFIX,
            ),
        ]
        for order in orders:
            # A market that ends in a fraction must end with something held.
            _meet(plan, order, least=0 if value is None else 1)
        moment = plan.soon(moment, 5_000, 7_000)
        for order in orders:
            plan.cancel(order, moment)
        middle = max(20, min(80, middle + between(chance, -3, 3)))
        moment = Instant(moment + MINUTE)
    plan.quote(moment, game.ticker, Price(middle * 100))
    determined = plan.soon(game.closes, 900, 3_600)
    if value is None:
        plan.determine(game.ticker, determined, yes_or_no(chance, game.likely))
    else:
        plan.determine_scalar(game.ticker, Instant(determined + DAY // 2), value)


def _lot(plan: Plan) -> Count:
    return Count.of_contracts(between(plan.chance, 20, 50))


def _meet(plan: Plan, order: Placed, *, least: int) -> None:
    """Let the rest of the world take parts of an order, some of them fractional."""
    chance = plan.chance
    left, moment = order.count.units, order.at
    for _ in range(between(chance, least, 3)):
        moment = plan.soon(moment, 200, 1_400)
        lot = between(chance, 3, 15) * 100
        if happens(chance, 25) and not plan.whole:
            lot += between(chance, 1, 99)
        if lot >= left:
            # The order must still rest when it is cancelled.
            return
        plan.fill(order, moment, Count(lot), taker=False)
        left -= lot
