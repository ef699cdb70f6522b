"""The trader's machine: `step(input) → effects`.

It knows no clock and does nothing itself.  Whoever drives it feeds inputs in
time order and carries effects out in theirs; a `Place` only after every earlier
`Persist` is durable.  Backtest, sandbox, paper and live are different drivers
of the same machine, and starting up is feeding it `Recovered`.

A strategy that raises is paused, not the machine: its wishes of that call are
dropped and the operator hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final, assert_never

from trueup.core.errors import CallerError
from trueup.core.facts import Filled
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.units import Count
from trueup.engine import asking, closing, comparing, flattening, operating, placing
from trueup.engine import inputs as i
from trueup.engine.desk import MachineDesk
from trueup.engine.effects import Alert, AlertKind, Effect
from trueup.engine.following import Follower, fill_alert, settle_market
from trueup.engine.market import PublicTrade, Top
from trueup.engine.portfolio import FOREIGN
from trueup.engine.records import HaltCode, HaltRaised
from trueup.engine.rolling import RollingMean
from trueup.engine.state import IdSource, Running, Settings, State
from trueup.engine.strategy import Mandate, Strategy
from trueup.engine.wishes import Wish

_LOSSES_EVERY: Final = SECOND
"""Losses are looked at after every fill and settlement, and at most this often between."""

_WISHES_MAX: Final = 1_000
"""More wishes than this from one call are a loop that does not end."""

_UNIVERSE_EVERY: Final = HOUR
"""How often the busiest markets are chosen again."""


class Machine:
    """Strategies, risk and orders of one account.

    `strategies` are pairs of a strategy and its mandate; names must be unique.
    """

    def __init__(
        self, strategies: Sequence[tuple[Strategy, Mandate]], settings: Settings, ids: IdSource
    ) -> None:
        names = [strategy.name for strategy, _ in strategies]
        if len(set(names)) < len(names) or FOREIGN in names:
            raise CallerError(
                f"strategies need different names, got {', '.join(map(repr, names))}",
                remedy="Set `name` on each strategy.",
            )
        running = [Running(strategy, mandate) for strategy, mandate in strategies]
        self.state = State(running, settings, ids)
        self._follower = Follower(self.state)
        self._losses_at = Instant(0)
        self._universe_at = Instant(0)

    def step(self, given: i.Input) -> list[Effect]:
        """Take one input; returns what is to be done about it.

        An input that is older than the last one is taken at the last one's time:
        a clock that jumps back must not undo anything.
        """
        out: list[Effect] = []
        self.state.now = Instant(max(self.state.now, given.at))
        self._take(given, out)
        if self.state.flattener.is_active:
            flattening.go_on(self.state, out)
        return out

    def _take(self, given: i.Input, out: list[Effect]) -> None:  # noqa: C901, PLR0912, PLR0915 (a table)
        state = self.state
        match given:
            case i.MarketsMoved():
                self._moved(given, out)
            case i.PastPrices():
                _remember(state, given)
            case i.FillSeen():
                self._fills(self._follower.filled(given, out), out)
            case i.OrderSeen():
                self._fills(self._follower.ordered(given, out), out)
            case i.OrderUnreadable():
                operating.distrust(state, given, out)
            case i.SendEnded():
                self._fills(self._follower.sent(given, out), out)
                self._not_after_a_pause(given, out)
            case i.CancelEnded():
                self._follower.canceled(given, out)
            case i.AmendEnded():
                self._follower.amended(given, out)
            case i.Asked():
                self._fills(self._follower.asked(given, out), out)
            case i.TimerFired():
                self._woken(out)
            case i.SignalSeen():
                self._signal(given, out)
            case i.BalanceRead():
                state.portfolio.read_balance(given.balance, given.as_of)
            case i.PositionsRead():
                comparing.compare(state, given, out)
            case i.ExchangeStated():
                closing.stated(state, given, out)
            case i.ClosingsPlanned():
                closing.planned(state, given, out)
            case i.MarketsListed():
                for listing in given.listings:
                    state.list(listing)
                self._choose_universes()
            case i.MarketSettled():
                settle_market(state, given, out)
                self._look_at_losses(out, at_once=True)
            case i.StorageFailed() | i.KeyRefused():
                is_key = isinstance(given, i.KeyRefused)
                code = HaltCode.KEY if is_key else HaltCode.STORAGE
                halt = HaltRaised(code=code, words=given.words, at=state.now)
                state.halts.raise_(halt, out)
            case i.SweepEnded() | i.RestingRead() | i.CallEnded() | i.BooksProven():
                operating.heard(state, given, out)
            case i.OperatorSaid():
                operating.obey(state, given, out)
            case i.Recovered():
                operating.recover(state, given, out)
                closing.set_alarms(state, out)
                self._start_timers(out)
            case _:
                assert_never(given)

    # -- market data -----------------------------------------------------------------------

    def _moved(self, given: i.MarketsMoved, out: list[Effect]) -> None:
        state = self.state
        for top in given.tops:
            state.tops[top.ticker] = top
        trades: dict[Ticker, list[PublicTrade]] = {}
        for each in given.trades:
            trades.setdefault(each.ticker, []).append(each)
        if state.now - self._universe_at >= _UNIVERSE_EVERY:
            self._choose_universes()
        self._look_at_losses(out, at_once=False)
        tickers = {top.ticker: None for top in given.tops} | dict.fromkeys(trades)
        for running in state.running.values():
            for top in given.tops:
                _see(running, top)
            moved = [each for each in tickers if each in running.member]
            if moved and not running.paused:
                desk = MachineDesk(state, running, trades)
                self._consult(running, partial(running.strategy.on_markets, desk, moved), out)

    def _choose_universes(self) -> None:
        state = self.state
        self._universe_at = state.now
        for running in state.running.values():
            running.universe = _universe(state, running)
            running.member = frozenset(running.universe)

    # -- what strategies are told ----------------------------------------------------------

    def _fills(self, found: Iterable[tuple[str, Filled]], out: list[Effect]) -> None:
        for strategy, fill in found:
            running = self.state.running.get(strategy)
            self._look_at_losses(out, at_once=True)
            if strategy != FOREIGN:
                out.append(fill_alert(strategy, fill))
            if running is None or running.paused:
                continue
            desk = MachineDesk(self.state, running)
            self._consult(running, partial(running.strategy.on_fill, desk, fill), out)

    def _not_after_a_pause(self, given: i.SendEnded, out: list[Effect]) -> None:
        """An order that came to rest after its strategy was paused is taken back."""
        order = self.state.inflight.get(given.client_order_id)
        running = None if order is None else self.state.running.get(order.intent.strategy)
        if order is not None and running is not None and running.paused:
            placing.cancel(self.state, order, out)

    def _signal(self, given: i.SignalSeen, out: list[Effect]) -> None:
        for running in self.state.running.values():
            if running.paused:
                continue
            desk = MachineDesk(self.state, running)
            self._consult(running, partial(running.strategy.on_signal, desk, given.signal), out)

    def _woken(self, out: list[Effect]) -> None:
        state = self.state
        state.alarms_due()
        state.sweeper.wake(state.now, out)
        asking.wake(state, out)
        closing.wake(state, out)
        self._look_at_losses(out, at_once=False)
        for running in state.running.values():
            every = running.strategy.every
            if every is None or running.timer_at is None or state.now < running.timer_at:
                continue
            running.timer_at = Instant(state.now + every)
            state.alarm(running.timer_at, out)
            if not running.paused:
                desk = MachineDesk(state, running)
                self._consult(running, partial(running.strategy.on_timer, desk), out)

    def _start_timers(self, out: list[Effect]) -> None:
        for running in self.state.running.values():
            if running.strategy.every is not None:
                running.timer_at = Instant(self.state.now + running.strategy.every)
                self.state.alarm(running.timer_at, out)

    def _consult(
        self, running: Running, ask: Callable[[], Iterable[Wish]], out: list[Effect]
    ) -> None:
        """Collect a strategy's wishes, then grant them.  Whatever it raises stays here."""
        self.state.consulting = running.name
        try:
            wishes = list(islice(ask(), _WISHES_MAX + 1))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (other people's code)
            self._pause(running, f"it raised {type(error).__name__}: {error}", out)
            return
        if len(wishes) > _WISHES_MAX:
            self._pause(running, f"it wished for more than {_WISHES_MAX} things at once", out)
            return
        self.state.consulting = ""
        for wish in wishes:
            placing.grant(self.state, running, wish, out)

    def _pause(self, running: Running, words: str, out: list[Effect]) -> None:
        operating.pause(self.state, running, words, out)
        out.append(
            Alert(
                at=self.state.now,
                kind=AlertKind.STRATEGY,
                words=f"strategy {running.name} is paused: {words}",
                strategy=running.name,
            )
        )

    # -- losses ----------------------------------------------------------------------------

    def _look_at_losses(self, out: list[Effect], *, at_once: bool) -> None:
        state = self.state
        if not at_once and state.now - self._losses_at < _LOSSES_EVERY:
            return
        self._losses_at = state.now
        limits = {each.name: each.mandate.limits for each in state.running.values()}
        limits[""] = state.settings.limits
        state.losses.look(
            state.now, state.portfolio, state.marks(), limits=limits, halts=state.halts, out=out
        )


def _see(running: Running, top: Top) -> None:
    if not running.strategy.windows or (price := top.mark) is None:
        return
    for rolling in _means(running, top.ticker):
        rolling.see(top.at, price)


def _remember(state: State, given: i.PastPrices) -> None:
    for running in state.running.values():
        for rolling in _means(running, given.ticker):
            for at, price in given.prices:
                rolling.see(at, price)


def _means(running: Running, ticker: Ticker) -> Iterator[RollingMean]:
    for window in running.strategy.windows:
        rolling = running.means.get((ticker, window))
        if rolling is None:
            rolling = running.means[ticker, window] = RollingMean(window)
        yield rolling


def _universe(state: State, running: Running) -> tuple[Ticker, ...]:
    """The markets that fit, the busiest first, and those in which something is held."""
    universe, limits = running.strategy.universe, state.settings.limits
    fits = [
        ticker
        for ticker, listing in state.unsettled.items()
        if limits.names(ticker, listing.event.series_ticker)
        and universe.fits(listing, state.tops.get(ticker))
    ]
    if universe.busiest is not None:

        def volume(ticker: Ticker) -> Count:
            top = state.tops.get(ticker)
            return Count(0) if top is None else top.volume_24h

        fits = sorted(fits, key=volume, reverse=True)[: universe.busiest]
    held = [ticker for _, ticker, _ in state.portfolio.held(running.name)]
    return tuple(dict.fromkeys((*fits, *held)))
