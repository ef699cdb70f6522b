"""Which recording is traded against, as a plain value that another process can be given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from trueup.core.errors import ConfigError
from trueup.core.units import Count
from trueup.run.archive.signal_files import SignalWish, read_signals
from trueup.run.archive.tape import Tape
from trueup.run.archive.tape_files import load_quotes_tape, load_tape
from trueup.run.archive.tape_of_archive import archive_tape
from trueup.store.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeWish:
    """Where the tape is, and what of it is wanted.

    `trades` or `quotes` come with their `markets`; without either the `archive` is
    replayed.  `since` and `until` are UTC days, both included.  `assumed_size` is for
    quotes whose file has no sizes, `category` for markets that do not say theirs.
    """

    archive: Path
    trades: Path | None = None
    quotes: Path | None = None
    markets: Path | None = None
    category: str = ""
    tickers: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    assumed_size: Count = Count.of_contracts(1)  # noqa: RUF009  # an exact number
    signals: SignalWish = field(default_factory=SignalWish)

    def files(self) -> tuple[Path, ...]:
        """The files that it is read from, where it is read from files."""
        named = (self.trades, self.quotes, self.markets, self.signals.mapping)
        return (*(each for each in named if each is not None), *self.signals.files)


def open_tape(wish: TapeWish) -> Tape:
    """Read the tape and its signals.  Raises `ConfigError` that says what is missing."""
    tape = _tape(wish)
    read = read_signals(wish.signals)
    words = tape.words
    if read.signals:
        words += f", {len(read.signals):,} signals"
    return replace(tape, signals=tuple(read.signals), words=words, notes=(*tape.notes, *read.notes))


def _tape(wish: TapeWish) -> Tape:
    if wish.trades is not None and wish.quotes is not None:
        raise ConfigError(
            "trades and quotes were both named, and either is a tape of its own",
            remedy="Name --trades or --quotes.",
        )
    prices = wish.trades or wish.quotes
    if (prices is None) is not (wish.markets is None):
        raise ConfigError(
            "prices and their markets come in two files, and one was named",
            remedy="Name both: --trades FILE (or --quotes FILE) and --markets FILE.",
        )
    if wish.markets is not None and wish.trades is not None:
        return load_tape(
            wish.trades,
            wish.markets,
            category=wish.category,
            since=wish.since,
            until=wish.until,
        )
    if wish.markets is not None and wish.quotes is not None:
        return load_quotes_tape(
            wish.quotes,
            wish.markets,
            assumed_size=wish.assumed_size,
            category=wish.category,
            since=wish.since,
            until=wish.until,
        )
    tape = archive_tape(
        Archive(wish.archive), since=wish.since, until=wish.until, tickers=wish.tickers
    )
    if not tape.markets:
        raise ConfigError(
            f"{wish.archive} holds nothing that could be replayed",
            remedy="Record something (`trueup record`), download it (`trueup history download`), "
            "or name files: --trades (or --quotes) and --markets.",
        )
    return tape
