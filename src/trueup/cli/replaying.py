"""What commands that replay a recording have in common: their options, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGINT, Signals, default_int_handler, getsignal, signal
from types import FrameType
from typing import Annotated, Final

import typer

from trueup.cli.archive import SinceOption, UntilOption
from trueup.cli.output import Output, moment
from trueup.core.errors import ConfigError, NotANumber
from trueup.core.instant import SECOND, parse_length
from trueup.core.units import Count, Money, Ratio
from trueup.run.archive.backtest import BacktestOptions, Progress
from trueup.run.archive.signal_files import SignalWish
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_choice import TapeWish
from trueup.run.bot.feeding import topics_of
from trueup.run.config import archive_path
from trueup.run.desk import DeskSettings
from trueup.sim.conditions import CALM, Span

TradesOption = Annotated[
    Path | None, typer.Option("--trades", help="A Parquet file of public trades.")
]
QuotesOption = Annotated[
    Path | None, typer.Option("--quotes", help="Instead: a file of best bids and asks over time.")
]
MarketsOption = Annotated[
    Path | None, typer.Option("--markets", help="A Parquet file of their markets and results.")
]
ArchiveOption = Annotated[
    Path | None, typer.Option("--archive", help="A market archive (default: this venue's own).")
]
TickersOption = Annotated[
    list[str] | None, typer.Option("--ticker", help="Only these markets of an archive.")
]
CategoryOption = Annotated[
    str, typer.Option("--category", help="The category of markets that do not say theirs.")
]
SignalsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--signals",
        help="Probabilities, another venue's quotes, or news; each is given when it was known.",
    ),
]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="Which markets of another venue settle alike.")
]
SignalDelayOption = Annotated[
    str, typer.Option("--signal-delay", help="How much later than its file says a signal arrives.")
]
UpperNowOption = Annotated[
    int | None,
    typer.Option("--upper-now", help="The Fed's upper bound in basis points, all the time."),
]
AssumedSizeOption = Annotated[
    str, typer.Option("--assumed-size", help="Contracts at a quote whose file has no sizes.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter of the strategy: name=value.")
]
CapitalOption = Annotated[str, typer.Option("--capital", help="Dollars to begin with.")]
ReachOption = Annotated[
    float,
    typer.Option(
        "--reach", help="Seconds before a trade in which its contracts count as offered.", min=0
    ),
]
AheadOption = Annotated[
    str, typer.Option("--ahead", help="Contracts to assume ahead where no book was recorded.")
]
LatencyOption = Annotated[
    int, typer.Option("--latency", help="Milliseconds to the exchange, and back again.", min=0)
]
SeedOption = Annotated[int, typer.Option("--seed", help="Another run of chance.")]

_MILLISECOND: Final = 1_000
_TENTHS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOptions:
    """The options that say what is replayed."""

    trades: TradesOption = None
    quotes: QuotesOption = None
    markets: MarketsOption = None
    archive: ArchiveOption = None
    since: SinceOption = ""
    until: UntilOption = ""
    ticker: TickersOption = None
    category: CategoryOption = ""
    signals: SignalsOption = None
    mapping: MappingOption = None
    signal_delay: SignalDelayOption = "1s"
    upper_now: UpperNowOption = None
    assumed_size: AssumedSizeOption = "1"

    def wish(self, settings: DeskSettings) -> TapeWish:
        """The recording that these options mean, its signals understood as ``[feeds]`` says.

        Without files it is the archive that is named, or the venue's own.  Raises `ConfigError`.
        """
        config, archive = settings.config, self.archive
        return TapeWish(
            archive=archive_path(settings.home, config) if archive is None else archive,
            trades=self.trades,
            quotes=self.quotes,
            markets=self.markets,
            category=self.category,
            tickers=tuple(self.ticker or ()),
            since=self.since,
            until=self.until,
            assumed_size=Count.parse(self.assumed_size),
            signals=self._signals(settings),
        )

    def _signals(self, settings: DeskSettings) -> SignalWish:
        feeds, mapping, upper_now = settings.config.feeds, self.mapping, self.upper_now
        if mapping is None and feeds.polymarket is not None:
            mapping = settings.home / Path(feeds.polymarket.mapping).expanduser()
        if upper_now is None and feeds.fedwatch is not None:
            upper_now = feeds.fedwatch.upper_now
        try:
            delay = parse_length(self.signal_delay)
        except NotANumber as error:
            raise ConfigError(
                f"--signal-delay: {error}", remedy='Write it like "1s" or "15m".'
            ) from None
        return SignalWish(
            files=tuple(self.signals or ()),
            mapping=mapping if self.signals else None,
            delay=delay,
            assumed_size=Ratio(Count.parse(self.assumed_size).units, 100),
            upper_now=upper_now,
            topics=topics_of(feeds),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingOptions:
    """The options that say how a recording is traded against."""

    capital: CapitalOption = "1000"
    reach: ReachOption = 30
    ahead: AheadOption = ""
    latency: LatencyOption = 50
    seed: SeedOption = 1

    def wish(self, settings: DeskSettings) -> BacktestOptions:
        """The backtest that these options mean."""
        way = Span(self.latency * _MILLISECOND // 2, self.latency * _MILLISECOND * 3 // 2)
        return BacktestOptions(
            deposit=Money.parse(self.capital),
            reach=int(self.reach * SECOND),
            assumed_ahead=Count.parse(self.ahead) if self.ahead else None,
            conditions=replace(CALM, way=way),
            precision=settings.precision,
            seed=self.seed,
        )


# -- how far it is -----------------------------------------------------------------------------


@contextmanager
def replaying(output: Output, tape: Tape) -> Generator[Callable[[Progress], None]]:
    """Shows how far a replay is: a moving line on a terminal, a line for each tenth elsewhere."""
    total = len(tape.trades) or None
    with output.progress("replaying", total=total) as line:
        before = tenths = 0

        def told(progress: Progress) -> None:
            nonlocal before, tenths
            part = progress.share(100)
            line.step(f"replaying, {part} %, at {moment(progress.at)}", progress.told - before)
            before = progress.told
            # By time: nobody knows how many messages an archive has before they are read.
            done = progress.share(_TENTHS)
            if done > tenths and not line.is_shown:
                tenths = done
                output.notice(f"replaying: {done * 10} %, at {moment(progress.at)}")

        yield told


@contextmanager
def stoppable(stop: Callable[[], None]) -> Generator[None]:
    """Ctrl-C ends the work in good order; pressed a second time it ends the command."""
    before = getsignal(SIGINT)

    def once(_number: int, _frame: FrameType | None) -> None:
        signal(Signals.SIGINT, default_int_handler)
        stop()

    signal(SIGINT, once)
    try:
        yield
    finally:
        signal(SIGINT, before)
