"""A world made from a scenario file: its events, markets, traders, accounts and faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.errors import TrueupError
from trueup.core.fees import Precision
from trueup.core.grid import GRIDS
from trueup.core.ids import EventTicker, SeriesTicker, Shard, Ticker
from trueup.core.instant import HOUR, MINUTE, Instant
from trueup.core.units import Ratio
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.faults import Fault, fault
from trueup.sim.living.built_in import WORLDS, programmes_of
from trueup.sim.living.hidden import Range, Walk
from trueup.sim.living.planned import ChanceSource, PlannedEvent, PlannedMarket, Programme
from trueup.sim.living.questions import Foretold, InRange, Question, outcome_of
from trueup.sim.living.scenario_file import (
    AccountTable,
    EventTable,
    MarketTable,
    ScenarioText,
    TraderTable,
)
from trueup.sim.living.traders import Crowd, Informed, Maker, Roster, Share, Trader, usual_roster
from trueup.sim.living.world import USER, GivenAccount, LivingWorld, Opening

_PRECISIONS: Final = {"direct": Precision.DIRECT, "non_direct": Precision.NON_DIRECT}
_KINDS: Final = ("maker", "crowd", "informed")
_SHARDS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario ready to run: the world, how its clock runs, and what goes wrong."""

    name: str
    seed: int
    speed: int
    world: LivingWorld
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class Listed:
    """A calendar that is written down: events in the order of their listing."""

    series: tuple[catalog.Series, ...]
    events: list[PlannedEvent]

    @property
    def next_at(self) -> Instant | None:
        """When the next event is listed."""
        return self.events[0].listed_at if self.events else None

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The next event."""
        return (self.events.pop(0),)


def scenario_of(
    text: ScenarioText,
    now: Instant,
    chance_source: Callable[[int], ChanceSource],
    *,
    seed: int | None = None,
) -> Scenario:
    """The scenario with its start at `now` unless it names another, and its own seed unless told.

    Raises `ConfigError` that names line and key of what cannot be.
    """
    tables = text.tables
    start = now
    if tables.clock.start != "now":
        start = text.instant(tables.clock.start, now, "clock", "start")
    if not 0 <= tables.clock.speed <= _SPEED_MAX:
        text.fail(f"a clock runs at 0 to {_SPEED_MAX} times normal speed", "clock", "speed")
    seed = tables.seed if seed is None else seed
    chances = chance_source(seed)
    opening = Opening(
        start=start,
        accounts=tuple(_account(text, place) for place in range(len(tables.accounts))),
        density=tables.density,
        mishap_rate=tables.mishaps,
        warm_up=text.length(tables.warm_up, "warm_up"),
    )
    begin = Instant(start - opening.warm_up)
    programmes: list[Programme] = [_Reader(text, start, begin, chances).listed()]
    for place, table in enumerate(tables.worlds):
        text.choice(table.name, WORLDS, "worlds", place, "name")
        programmes += programmes_of(table.name, chances, begin)
    return Scenario(
        name=tables.name,
        seed=seed,
        speed=tables.clock.speed,
        world=LivingWorld(
            Exchange(),
            programmes,
            _roster(text),
            chances=chances,
            opening=opening,
            script=_steps(text, start),
        ),
        faults=tuple(_fault(text, place, start) for place in range(len(tables.faults))),
    )


_SPEED_MAX: Final = 1_000_000


# -- accounts, traders, faults, steps ----------------------------------------------------------


def _account(text: ScenarioText, place: int) -> GivenAccount:
    table: AccountTable = text.tables.accounts[place]
    text.choice(table.precision, _PRECISIONS, "accounts", place, "precision")
    deposit = text.money(table.deposit, "accounts", place, "deposit")
    if deposit.units < 0:
        text.fail("a deposit cannot be negative", "accounts", place, "deposit")
    if place and not table.name:
        text.fail("a further account needs a name", "accounts", place)
    if table.name and not table.name.replace("-", "").replace("_", "").isalnum():
        text.fail("a name has letters, digits, hyphens and underscores", "accounts", place, "name")
    return GivenAccount(
        member=c.Member(table.name) if place else USER,
        precision=_PRECISIONS[table.precision],
        deposit=deposit,
    )


def _roster(text: ScenarioText) -> Roster:
    tables = text.tables.traders
    if not tables:
        return usual_roster()
    shares: list[Share] = []
    for place, table in enumerate(tables):
        text.choice(table.kind, dict.fromkeys(_KINDS), "traders", place, "kind")
        if table.turns < 1:
            text.fail("a trader needs at least one turn", "traders", place, "turns")
        shares.append(Share(_trader(table, place), table.turns))
    return Roster(shares)


def _trader(table: TraderTable, place: int) -> Trader:
    member = c.Member(table.name or f"{table.kind}-{place + 1}")
    if table.kind == "maker":
        maker = Maker(member)
        maker.half_spread = maker.half_spread if table.half_spread is None else table.half_spread
        maker.levels = maker.levels if table.levels is None else table.levels
        maker.size = maker.size if table.size is None else max(1, table.size)
        return maker
    if table.kind == "crowd":
        return Crowd(member) if table.takes is None else Crowd(member, takes=table.takes)
    informed = Informed(member)
    informed.edge = informed.edge if table.edge is None else max(1, table.edge)
    informed.size = informed.size if table.size is None else max(4, table.size)
    return informed


def _fault(text: ScenarioText, place: int, start: Instant) -> Fault:
    table = text.tables.faults[place]
    here = ("faults", place)
    try:
        return fault(
            table.name,
            amount=table.amount,
            percent=table.percent,
            starts=text.instant(table.starts, start, *here, "starts") if table.starts else None,
            stops=text.instant(table.stops, start, *here, "stops") if table.stops else None,
            times=table.times,
            tickers=table.tickers,
        )
    except TrueupError as error:
        text.fail(f"{error}. {error.remedy}".removesuffix(". "), *here, "name")


def _steps(text: ScenarioText, start: Instant) -> tuple[c.MarketCommand, ...]:
    known = {market.ticker for market in text.tables.markets}
    commands: list[c.MarketCommand] = []
    for place, table in enumerate(text.tables.steps):
        here = ("steps", place)
        text.choice(table.do, _STEPS, *here, "do")
        if known and table.ticker not in known and not text.tables.worlds:
            text.choice(table.ticker, dict.fromkeys(known), *here, "ticker")
        at, ticker = text.instant(table.at, start, *here, "at"), Ticker(table.ticker)
        if table.do in {"determine", "amend"}:
            if table.pays == "":
                text.fail("say what one YES contract pays: pays = 1, 0 or between", *here)
            ends = outcome_of(text.price(table.pays, *here, "pays"))
            build = c.DetermineMarket if table.do == "determine" else c.AmendMarket
            commands.append(build(at=at, ticker=ticker, result=ends.result, value=ends.value))
        else:
            commands.append(_STEPS[table.do](at=at, ticker=ticker))
    return tuple(commands)


_STEPS: Final[dict[str, Callable[..., c.MarketCommand]]] = {
    "pause": c.PauseMarket,
    "resume": c.ResumeMarket,
    "close": c.CloseMarket,
    "dispute": c.DisputeMarket,
    "determine": c.DetermineMarket,
    "amend": c.AmendMarket,
}


# -- events and markets ------------------------------------------------------------------------


class _Reader:
    """Turns the tables of series, events and markets into a calendar."""

    def __init__(
        self, text: ScenarioText, start: Instant, begin: Instant, chances: ChanceSource
    ) -> None:
        self._text = text
        self._tables = text.tables
        self._start = start
        self._begin = begin
        self._chances = chances

    def listed(self) -> Listed:
        """All events, in the order of their listing."""
        self._refuse_twins("series", [table.ticker for table in self._tables.series])
        self._refuse_twins("events", [table.ticker for table in self._tables.events])
        self._refuse_twins("markets", [table.ticker for table in self._tables.markets])
        series = {
            table.ticker: self._series(place) for place, table in enumerate(self._tables.series)
        }
        places = {table.ticker: place for place, table in enumerate(self._tables.events)}
        markets: dict[str, list[int]] = {ticker: [] for ticker in places}
        for place, market in enumerate(self._tables.markets):
            self._text.choice(market.event, places, "markets", place, "event")
            markets[market.event].append(place)
        planned: list[PlannedEvent] = []
        for ticker, place in places.items():
            table = self._tables.events[place]
            name = table.series or ticker.partition("-")[0]
            if table.series and table.series not in series:
                self._text.choice(table.series, series, "events", place, "series")
            series.setdefault(name, _plain_series(name))
            if not markets[ticker]:
                self._text.fail(f"no market belongs to {ticker}", "events", place)
            planned.append(self._event(place, name, markets[ticker]))
        planned.sort(key=lambda one: one.listed_at)
        return Listed(tuple(series.values()), planned)

    def _refuse_twins(self, tables: str, tickers: list[str]) -> None:
        for place, ticker in enumerate(tickers):
            if ticker in tickers[:place]:
                self._text.fail(f"{ticker} is listed twice", tables, place, "ticker")

    def _series(self, place: int) -> catalog.Series:
        table = self._tables.series[place]
        multiplier = self._text.hundredths(table.fee_multiplier, "series", place, "fee_multiplier")
        return catalog.Series(
            ticker=SeriesTicker(table.ticker),
            title=table.title or table.ticker,
            category=table.category,
            tags=table.tags,
            fee_type=table.fee_type,
            fee_multiplier=Ratio(multiplier, 100),
        )

    def _event(self, place: int, series: str, markets: list[int]) -> PlannedEvent:
        table, text, here = self._tables.events[place], self._text, ("events", place)
        listed = text.instant(table.listed, self._start, *here, "listed")
        listed = Instant(max(self._begin, listed))
        decided = text.instant(table.decided, self._start, *here, "decided")
        if decided <= listed:
            text.fail("an event is decided after it is listed", *here, "decided")
        determined = Instant(decided + MINUTE)
        if table.determined:
            determined = text.instant(table.determined, self._start, *here, "determined")
        if determined < decided:
            text.fail("an event is determined after it is decided", *here, "determined")
        walk = self._walk(table, place, begins=listed, ends=decided)
        return PlannedEvent(
            listed_at=listed,
            event=catalog.Event(
                ticker=EventTicker(table.ticker),
                series_ticker=SeriesTicker(series),
                title=table.title or table.ticker,
                mutually_exclusive=table.mutually_exclusive,
                fee_type_override=None,
                fee_multiplier_override=None,
            ),
            markets=tuple(
                self._market(one, listed=listed, decided=decided, walk=walk) for one in markets
            ),
            decided_at=decided,
            determined_at=determined,
            busy=max(1, table.busy),
        )

    def _walk(
        self, table: EventTable, place: int, *, begins: Instant, ends: Instant
    ) -> Walk | None:
        number, here = table.number, ("events", place, "number")
        if number is None:
            return None
        every = self._text.length(number.every, *here, "every")
        swing = self._text.hundredths(number.swing, *here, "swing")
        if every <= 0 or swing < 0:
            self._text.fail("a number moves by zero or more, at intervals above zero", *here)
        return Walk(
            self._chances(table.ticker),
            self._text.hundredths(number.start, *here, "start"),
            swing=swing,
            every=every,
            begins=begins,
            ends=ends,
        )

    def _market(
        self, place: int, *, listed: Instant, decided: Instant, walk: Walk | None
    ) -> PlannedMarket:
        table, text, here = self._tables.markets[place], self._text, ("markets", place)
        text.choice(table.grid, GRIDS, *here, "grid")
        if not 0 <= table.shard < _SHARDS:
            text.fail(f"shards are 0 to {_SHARDS - 1}", *here, "shard")
        opens = text.instant(table.opens, self._start, *here, "opens") if table.opens else listed
        closes = decided
        if table.closes:
            closes = text.instant(table.closes, self._start, *here, "closes")
        if closes <= opens:
            text.fail("a market closes after it opens", *here, "closes")
        return PlannedMarket(
            market=catalog.Market(
                ticker=Ticker(table.ticker),
                event_ticker=EventTicker(table.event),
                title=table.title or table.ticker,
                open_at=opens,
                close_at=closes,
                expected_expiration_at=Instant(closes + HOUR),
                fee_waiver_until=None,
                shard=Shard(table.shard),
            ),
            question=self._question(table, place, begins=listed, ends=decided, walk=walk),
            grid=GRIDS[table.grid],
            settlement_timer=text.length(table.settlement_timer, *here, "settlement_timer"),
        )

    def _question(
        self, table: MarketTable, place: int, *, begins: Instant, ends: Instant, walk: Walk | None
    ) -> Question:
        text, here = self._text, ("markets", place)
        if table.pays != "":
            fair = text.price(table.fair, *here, "fair").units if table.fair != "" else _EVEN
            return Foretold(fair, text.price(table.pays, *here, "pays"), begins, ends)
        if table.low is None and table.high is None:
            text.fail("say how it ends: low or high of the event's number, or what it pays", *here)
        if walk is None:
            text.fail(f"{table.event} has no number that this could be about", *here)
        return InRange(walk, Range(table.low, table.high))


_EVEN: Final = 5_000


def _plain_series(ticker: str) -> catalog.Series:
    return catalog.Series(
        ticker=SeriesTicker(ticker),
        title=ticker,
        category="Scenario",
        tags=(),
        fee_type="quadratic",
        fee_multiplier=Ratio(1),
    )
