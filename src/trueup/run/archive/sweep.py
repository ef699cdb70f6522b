"""A strategy's parameters tried against a recording, each exactly as a backtest would.

The recording is cut in two by a day.  Every combination is run on both parts, each
time from the beginning with the whole capital: on the first part one chooses, on the
second one sees what the choice was worth.  A run is known by a key made of all that
it depends on, and its result is written down as soon as it is there: a sweep that is
stopped and started again, or gets more values to try, runs only what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from multiprocessing import TimeoutError as PoolTimeout
from multiprocessing import active_children, get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import IO, Any, Final

import msgspec

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import to_datetime
from trueup.core.units import Money, Ratio
from trueup.core.version import VERSION
from trueup.run.archive.backtest import BacktestOptions
from trueup.run.archive.backtest_report import TROUBLE, BacktestReport, run_backtest
from trueup.run.archive.sweep_grid import Parameters
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_choice import TapeWish, open_tape
from trueup.run.bot.strategy_files import STRATEGIES, load_strategies
from trueup.run.plain_values import Plain
from trueup.store.archive import Archive

_UNPROVEN_MAX: Final = 3
_LOOKS_EVERY: Final = 2.0
"""Seconds without a result after which the processes are looked at."""


class Part(StrEnum):
    """Which part of the recording: the one to choose on, or the one to be judged on."""

    IN_SAMPLE = "in_sample"
    OUT_OF_SAMPLE = "out_of_sample"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to: the figures of its backtest."""

    profit: Money
    deposit: Money
    fees: Money
    drawdown: Money
    orders: int
    fills: int
    trades: int
    winners: int
    open_positions: int
    unproven: tuple[str, ...] = ()
    """Where its books do not close."""
    trouble: str = ""
    """Why the strategy was paused, or could not be run at all."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the results file."""

    key: str
    part: Part
    parameters: dict[str, Plain]
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One backtest of a sweep: everything that it depends on."""

    key: str
    part: Part
    strategy: str
    parameters: Parameters
    tape: TapeWish
    options: BacktestOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is tried, and on what.  `split` is the first UTC day of the second part."""

    strategy: str
    tape: TapeWish
    options: BacktestOptions
    combinations: Sequence[Parameters]
    split: str

    @property
    def name(self) -> str:
        """What its results file is called: the strategy, and a mark of the recording."""
        mark = sha256(f"{self.strategy}\n{self.tape!r}".encode()).hexdigest()[:8]
        return f"{Path(self.strategy).stem}-{mark}"

    def parts(self) -> Mapping[Part, TapeWish]:
        """The two parts of the recording."""
        before = (_day(self.split) - timedelta(days=1)).isoformat()
        return {
            Part.IN_SAMPLE: replace(self.tape, until=before),
            Part.OUT_OF_SAMPLE: replace(self.tape, since=self.split),
        }

    def runs(self) -> list[Run]:
        """All backtests, those of one part after the other.  Raises `ConfigError`."""
        for parameters in self.combinations:
            load_strategies(self.strategy, parameters)
        found: list[Run] = []
        for part, tape in self.parts().items():
            same = _identity(self.strategy, tape, self.options)
            for parameters in self.combinations:
                ordered = repr(sorted(parameters.items()))
                key = sha256(f"{same}\n{ordered}".encode()).hexdigest()[:24]
                found.append(
                    Run(
                        key=key,
                        part=part,
                        strategy=self.strategy,
                        parameters=parameters,
                        tape=tape,
                        options=self.options,
                    )
                )
        return found


def _identity(strategy: str, tape: TapeWish, options: BacktestOptions) -> str:
    """All that a run depends on besides its parameters."""
    source = strategy
    if strategy not in STRATEGIES:
        source = sha256(Path(strategy).expanduser().read_bytes()).hexdigest()
    files = [(str(each), *_stamp(each)) for each in tape.files()]
    if not tape.files():
        archive = Archive(tape.archive)
        files = [
            (part.name, part.bytes, 0)
            for kind in archive.kinds()
            for part in archive.parts(kind, since=tape.since, until=tape.until)
        ]
    return f"{VERSION}\n{source}\n{files}\n{tape!r}\n{options!r}"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", remedy="Check the path."
        ) from error
    return stat.st_size, stat.st_mtime_ns


# -- where the recording is cut ----------------------------------------------------------------


def split_of(wish: TapeWish, asked: str, tape: Tape | None) -> str:
    """The first day of the second part: as asked, or when two thirds of the days are over.

    `tape` is what files hold; `None` for an archive.  Raises `ConfigError` when a part
    would be empty.
    """
    first, last = _days(wish, tape)
    if not asked:
        days = (last - first).days + 1
        asked = (first + timedelta(days=max(1, days * 2 // 3))).isoformat()
    split = _day(asked)
    if not first < split <= last:
        raise ConfigError(
            f"cut at {asked} one part of the recording would be empty: it goes from {first} to {last}",
            remedy="Name a day between them: --split 2024-10-15.",
        )
    return asked


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no day", remedy="Write it like 2024-10-15.") from None


def _days(wish: TapeWish, tape: Tape | None) -> tuple[date, date]:
    """The first and the last day of a recording: of its markets' ends, or of its files."""
    if tape is None:
        archive = Archive(wish.archive)
        days = sorted(
            date.fromisoformat(part.day)
            for kind in archive.kinds()
            for part in archive.parts(kind, since=wish.since, until=wish.until)
        )
    else:
        traded = {each.ticker for each in (*tape.trades, *tape.books)}
        closes = (tape.markets[each].market.close_at for each in traded if each in tape.markets)
        days = sorted(to_datetime(each).date() for each in closes if each is not None)
    if not days:
        raise ConfigError(
            "there is nothing to replay", remedy="Name a recording that holds prices."
        )
    return days[0], days[-1]


# -- running -----------------------------------------------------------------------------------


def run_all(runs: Sequence[Run], *, processes: int) -> Iterator[Result]:
    """The results as they come.  With several processes a stop ends them at once.

    Raises `TrueupError` when one of the processes was ended from outside: its run would
    be waited for in vain.
    """
    if processes <= 1 or len(runs) <= 1:
        yield from map(run_one, runs)
        return
    # Children begin anew: a fork would copy threads that are not there any more.  Ctrl-C in a
    # terminal reaches them as well: they leave it to us from their first moment on.
    before = signal(SIGINT, SIG_IGN)
    try:
        pool = get_context("spawn").Pool(min(processes, len(runs)), initializer=_leave_stops)
    finally:
        signal(SIGINT, before)
    with pool:
        workers = {each.pid for each in active_children()}
        results = pool.imap_unordered(run_one, runs)
        while True:
            # Who died is asked before the wait: what it had finished is there by then.
            is_one_gone = not workers <= {each.pid for each in active_children()}
            try:
                result = results.next(timeout=_LOOKS_EVERY)
            except StopIteration:
                return
            except PoolTimeout:
                if is_one_gone:
                    raise _killed() from None
                continue
            yield result


def _killed() -> TrueupError:
    return TrueupError(
        "a process of the sweep was ended from outside before its backtest was done; most often "
        "the machine had no memory left",
        remedy="Type the same command again with fewer --processes: what was done is kept.",
    )


def _leave_stops() -> None:
    """Ctrl-C is for the process that started us."""
    signal(SIGINT, SIG_IGN)


_tapes: dict[TapeWish, Tape] = {}
"""What this process has read: the two parts of one recording at most."""


def run_one(run: Run) -> Result:
    """One backtest."""
    try:
        strategies = load_strategies(run.strategy, run.parameters)
        figures = figures_of(run_backtest(_tape_of(run.tape), run.options, strategies))
    except TrueupError as error:
        zero = Money(0)
        figures = Figures(
            profit=zero,
            deposit=run.options.deposit,
            fees=zero,
            drawdown=zero,
            orders=0,
            fills=0,
            trades=0,
            winners=0,
            open_positions=0,
            trouble=str(error),
        )
    return Result(key=run.key, part=run.part, parameters=run.parameters, figures=figures)


def _tape_of(wish: TapeWish) -> Tape:
    known = _tapes.get(wish)
    if known is not None:
        return known
    tape = open_tape(wish)
    if isinstance(tape.books, tuple):
        # An archive's books can be gone through once only.
        while len(_tapes) > 1:
            _tapes.pop(next(iter(_tapes)))
        _tapes[wish] = tape
    return tape


def figures_of(done: BacktestReport) -> Figures:
    """The figures of a backtest that a sweep compares."""
    return Figures(
        profit=done.profit,
        deposit=done.deposit,
        fees=done.fees,
        drawdown=done.drawdown,
        orders=done.sent,
        fills=done.fills,
        trades=sum(each.trades for each in done.strategies),
        winners=sum(each.winners for each in done.strategies),
        open_positions=done.open_positions,
        unproven=done.unproven[:_UNPROVEN_MAX],
        trouble=next((each.words for each in done.alerts if each.kind in TROUBLE), ""),
    )


# -- what was run before -----------------------------------------------------------------------


def _to_text(value: object) -> str:
    return str(value)


def _of_text(kind: type, value: Any) -> object:  # noqa: ANN401  # whatever JSON holds
    if kind is Money:
        return Money.parse(value)
    message = f"{kind.__name__} is not in a results file"
    raise NotImplementedError(message)


_RESULT: Final = msgspec.json.Decoder(Result, dec_hook=_of_text)


def read_results(path: Path) -> dict[str, Result]:
    """The results of a file by key.  A last line that was cut off is left out.

    Raises `ConfigError` for a file that is something else.
    """
    if not path.exists():
        return {}
    found: dict[str, Result] = {}
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            result = _RESULT.decode(line)
        except msgspec.MsgspecError as error:
            if number == len(lines):
                continue
            raise ConfigError(
                f"{path}, line {number}, is no result of a sweep: {error}",
                remedy="Move the file away, or name another one: --results FILE.",
            ) from error
        found[result.key] = result
    return found


def begin_results(path: Path) -> IO[bytes]:
    """The file, opened to add to it; what was cut off at its end is taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+b")
    file.seek(0)
    whole = file.read().rfind(b"\n") + 1
    file.truncate(whole)
    return file


def write_result(file: IO[bytes], result: Result) -> None:
    """Add a result, so that it is there whatever happens next."""
    file.write(msgspec.json.encode(result, enc_hook=_to_text) + b"\n")
    file.flush()


# -- which is the best -------------------------------------------------------------------------


class Measure(StrEnum):
    """By what combinations are put in order; more is better, but of a fall less."""

    PROFIT = "profit"
    PROFIT_TO_DRAWDOWN = "profit-to-drawdown"
    WIN_RATE = "win-rate"
    DRAWDOWN = "drawdown"

    def of(self, figures: Figures) -> Ratio:
        """The measure of a run: the higher the better."""
        profit, fall = figures.profit.units, figures.drawdown.units
        match self:
            case Measure.PROFIT:
                return Ratio(profit)
            case Measure.PROFIT_TO_DRAWDOWN:
                # Who never fell by a cent is measured against a cent.
                return Ratio(profit, max(fall, Money.of_cents(1).units))
            case Measure.WIN_RATE:
                return Ratio(figures.winners, max(1, figures.trades))
            case Measure.DRAWDOWN:
                return Ratio(-fall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One combination on both parts, with its rank on each (`None`: not run there yet)."""

    parameters: Parameters
    in_sample: Figures | None
    out_of_sample: Figures | None
    rank_in: int | None
    rank_out: int | None


def ranked(sweep: Sweep, runs: Sequence[Run], done: Mapping[str, Result], by: Measure) -> list[Row]:
    """The combinations, the best on the first part first: the order in which one would choose.

    Those that are not run there yet come last.
    """
    half = len(sweep.combinations)
    found = [None if (each := done.get(run.key)) is None else each.figures for run in runs]
    first, second = found[:half], found[half:]
    ranks_in, ranks_out = _ranks(first, by), _ranks(second, by)
    rows = [
        Row(
            parameters=parameters,
            in_sample=first[place],
            out_of_sample=second[place],
            rank_in=ranks_in.get(place),
            rank_out=ranks_out.get(place),
        )
        for place, parameters in enumerate(sweep.combinations)
    ]
    return sorted(rows, key=lambda row: half + 1 if row.rank_in is None else row.rank_in)


def _ranks(figures: Sequence[Figures | None], by: Measure) -> dict[int, int]:
    """Of each run that is there its rank; equal ones share the better rank."""
    values = {place: by.of(each) for place, each in enumerate(figures) if each is not None}
    return {
        place: 1 + sum(other > value for other in values.values())
        for place, value in values.items()
    }
