"""The text of a scenario: TOML in, checked values out, every mistake with its line and key.

    [clock]
    speed = 60

    [[events]]
    ticker = "KXRAIN-TODAY"
    decided = "+8h"

    [[markets]]
    ticker = "KXRAIN-TODAY-YES"
    event = "KXRAIN-TODAY"
    fair = "0.40"

Times are RFC 3339 (or TOML's own) or count from the start: ``"+90m"``,
``"-2h"``.  Lengths are ``"15m"``.  Amounts and prices are dollars, as strings
or plain decimals.  `docs/reference/scenarios.md` lists all keys.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Any, Final, NoReturn, cast

import msgspec

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import Instant, parse_instant, parse_length
from trueup.core.toml_lines import TomlLines
from trueup.core.toml_mistakes import mistake, shown_key
from trueup.core.units import Money, Price

Number = str | int
"""A decimal: quoted, or as TOML writes it; decimals are kept as text, never as floats."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: every key is known."""


class ClockTable(_Table, frozen=True, kw_only=True):
    """How time passes.  `start` is ``now`` unless told."""

    start: str = "now"
    speed: int = 1
    """How many times normal; 0 is stepped."""


class AccountTable(_Table, frozen=True, kw_only=True):
    """An account beside the traders.  The first one is the user's own."""

    name: str = ""
    deposit: Number = 10_000
    """Dollars on every shard."""
    precision: str = "direct"


class BuiltInTable(_Table, frozen=True, kw_only=True):
    """A built-in world that runs in this scenario too."""

    name: str


class SeriesTable(_Table, frozen=True, kw_only=True):
    """A series."""

    ticker: str
    title: str = ""
    category: str = "Scenario"
    tags: tuple[str, ...] = ()
    fee_type: str = "quadratic"
    fee_multiplier: Number = 1


class NumberTable(_Table, frozen=True, kw_only=True):
    """A hidden number that wanders: up or down by up to `swing` every `every`."""

    start: Number
    swing: Number
    every: str = "10m"


class EventTable(_Table, frozen=True, kw_only=True):
    """An event.  Its series is made if the file has none of that ticker."""

    ticker: str
    series: str = ""
    title: str = ""
    mutually_exclusive: bool = False
    listed: str = "+0s"
    decided: str
    determined: str = ""
    """A minute after the decision unless told."""
    number: NumberTable | None = None
    busy: int = 100


class MarketTable(_Table, frozen=True, kw_only=True):
    """A market: it ends by the event's number (`low`, `high`), or as `pays` says, from `fair`."""

    ticker: str
    event: str
    title: str = ""
    opens: str = ""
    closes: str = ""
    shard: int = 0
    grid: str = "linear_cent"
    settlement_timer: str = "1h"
    low: int | None = None
    high: int | None = None
    fair: Number = ""
    pays: Number = ""


class TraderTable(_Table, frozen=True, kw_only=True):
    """A trader of the scenario's own floor; a file without any has the usual ones."""

    kind: str
    name: str = ""
    turns: int = 10
    """How often it is its turn, compared with the others."""
    half_spread: int | None = None
    levels: int | None = None
    size: int | None = None
    takes: int | None = None
    edge: int | None = None


class FaultTable(_Table, frozen=True, kw_only=True):
    """A fault that is switched on, perhaps for a while."""

    name: str
    amount: int | None = None
    percent: int | None = None
    starts: str = ""
    stops: str = ""
    times: int | None = None
    tickers: tuple[str, ...] = ()


class StepTable(_Table, frozen=True, kw_only=True):
    """Something the exchange does at a time: ``pause``, ``resume``, ``close``, ``dispute`` and so on."""

    at: str
    do: str
    ticker: str
    pays: Number = ""


class ScenarioTables(_Table, frozen=True, kw_only=True):
    """The whole file."""

    name: str = "scenario"
    seed: int = 58
    density: int = 12
    mishaps: int = 0
    warm_up: str = "0s"
    clock: ClockTable = ClockTable()
    accounts: tuple[AccountTable, ...] = (AccountTable(),)
    worlds: tuple[BuiltInTable, ...] = ()
    series: tuple[SeriesTable, ...] = ()
    events: tuple[EventTable, ...] = ()
    markets: tuple[MarketTable, ...] = ()
    traders: tuple[TraderTable, ...] = ()
    faults: tuple[FaultTable, ...] = ()
    steps: tuple[StepTable, ...] = ()


_HUNDREDTHS: Final = re.compile(r"(-?)(\d{1,9})(?:\.(\d{1,2}))?\Z")


class ScenarioText:
    """A scenario that was read: its tables, and where each of its keys stands.

    Raises `ConfigError` that names the file, the line and the key.
    """

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        try:
            tree = tomllib.loads(text, parse_float=str)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{source} is not TOML: {error}", remedy=_REMEDY) from error
        self._lines = TomlLines(text)
        self._tree = cast("Mapping[str, object]", _plain(tree))
        try:
            self.tables = msgspec.convert(self._tree, ScenarioTables, strict=True)
        except msgspec.ValidationError as error:
            self._explain(error)

    # -- reading values --------------------------------------------------------------------

    def instant(self, text: str, start: Instant, *path: str | int) -> Instant:
        """A time, or a length counted from `start`."""
        if text[:1] in {"+", "-"}:
            length = self.length(text[1:], *path)
            return Instant(start + length if text[0] == "+" else start - length)
        try:
            return parse_instant(text)
        except TrueupError:
            self.fail(f'{text!r} is no time: write one like 2026-10-18T17:00:00Z, or "+90m"', *path)

    def length(self, text: str, *path: str | int) -> int:
        """A length of time in microseconds."""
        try:
            return parse_length(text)
        except TrueupError as error:
            self.fail(str(error), *path)

    def price(self, number: Number, *path: str | int) -> Price:
        """A price in dollars from 0 to 1."""
        try:
            return Price.parse(str(number))
        except TrueupError as error:
            self.fail(str(error), *path)

    def money(self, number: Number, *path: str | int) -> Money:
        """Dollars."""
        try:
            return Money.parse(str(number))
        except TrueupError as error:
            self.fail(str(error), *path)

    def hundredths(self, number: Number, *path: str | int) -> int:
        """A number with up to two decimals, in 1/100."""
        match = _HUNDREDTHS.match(str(number))
        if match is None:
            self.fail(f"{number!r} is no number with at most two decimals", *path)
        size = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
        return -size if match[1] else size

    def choice(self, text: str, known: Mapping[str, Any], *path: str | int) -> None:
        """Fail unless `text` is one of the known words."""
        if text not in known:
            near = get_close_matches(text, list(known), 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
            self.fail(f"{text!r} is not known{hint}", *path)

    # -- mistakes --------------------------------------------------------------------------

    def fail(self, words: str, *path: str | int) -> NoReturn:
        """Raise `ConfigError` about the key at `path`."""
        where = f"{self._source}, line {self._lines.line(path)}"
        shown = shown_key(path)
        raise ConfigError(f"{where}{', ' + shown if shown else ''}: {words}", remedy=_REMEDY)

    def _explain(self, error: Exception) -> NoReturn:
        found = mistake(str(error), kind=ScenarioTables, tree=self._tree, convert=msgspec.convert)
        try:
            self.fail(found.words, *found.path)
        except ConfigError as told:
            raise told from error


_REMEDY: Final = "Correct the file; docs/reference/scenarios.md lists every key."


def _plain(value: object) -> object:
    """The tree with TOML's own times as RFC 3339 text."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return value
