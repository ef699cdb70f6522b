"""A bot's table of trades: where its columns are, and what the mapping says of them.

A mapping names the table and its columns; what it does not name is found by the
usual names.  Columns that a patch writes are only ever found by the first
seed's names or by the mapping: nothing is written into a guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.types import TypeEngine

from trueup.core.errors import ForeignDatabaseError
from trueup.ledger.status_words import StatusWords


class Unit(StrEnum):
    """The unit of a column of amounts."""

    DOLLARS = "dollars"
    CENTS = "cents"


USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": (),
    "ticker": ("market_ticker", "ticker", "market", "contract_ticker"),
    "status": ("status",),
    "settled_price": ("settled_price", "settled_price_cents", "settled_price_dollars"),
    "profit_loss": ("profit_loss", "profit_loss_cents", "profit_loss_dollars"),
    "updated_at": ("updated_at",),
    "side": ("side", "outcome_side", "contract_side", "position_side", "outcome"),
    "quantity": ("quantity", "qty", "count", "contracts", "num_contracts", "size"),
    "entry_price": (
        *("entry_price", "entry_price_cents", "entry_price_dollars", "avg_entry_price"),
        *("avg_price", "average_price", "fill_price", "buy_price", "price"),
        *("price_cents", "price_dollars"),
    ),
    "exit_price": (
        *("exit_price", "exit_price_cents", "exit_price_dollars", "avg_exit_price"),
        *("sell_price", "close_price"),
    ),
    "fees": (
        *("fees", "fee", "total_fees", "fees_paid", "fees_cents", "fee_cents"),
        *("fees_dollars", "fee_dollars", "total_fees_cents", "total_fees_dollars"),
    ),
    "opened_at": ("opened_at", "entry_ts", "entry_time", "created_at", "placed_at", "timestamp"),
    "closed_at": ("closed_at", "exit_ts", "exit_time"),
}
"""For each of our words the column names that bots use, the most telling first.
`id` has none: rows are told apart by the table's primary key."""

REQUIRED: Final = ("ticker", "status", "settled_price", "profit_loss")
WRITTEN: Final = ("status", "settled_price", "profit_loss")
"""Our words for the columns that a patch may change (and `updated_at` with them)."""

_LIKELY: Final[Mapping[str, tuple[str, ...]]] = {
    "status": ("state", "trade_status", "outcome"),
    "settled_price": ("settlement_price", "settle_price", "result_price", "settlement_value"),
    "profit_loss": (
        "pnl",
        "pnl_cents",
        "profit",
        "net_pnl",
        "realized_pnl",
        "pnl_dollars",
        "net_pnl_dollars",
    ),
}
"""What an error proposes to map."""

_WITH_UNIT: Final = re.compile(r"(.+?) +in +(\S+)\Z")
_USUAL_WORDS: Final = StatusWords()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """One column: its name and declared type, and what the mapping or its name says of it.

    `unit` is `None` while nobody has said it; `zone` is that of times without one.
    """

    name: str
    type: TypeEngine[Any]
    unit: Unit | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table as it was found: columns by our words, and the columns that identify a row."""

    name: str
    schema: str | None
    columns: Mapping[str, TableColumn]
    key: tuple[TableColumn, ...]
    is_rowid: bool = False
    """Whether the key is SQLite's own row number, as the table declares none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTable:
    """Where the trades are and what the words mean; empty parts stand for the usual.

    `columns` maps our words (`USUAL_NAMES`) to the table's columns.  A column may
    be followed by its unit, ``"price in cents"`` or ``"price in dollars"``, or by the
    zone of its times, ``"entry_ts in America/New_York"`` (default UTC); an empty
    name says that the table has no such column (`settled_price` may be one: what
    the market paid is then neither checked nor written).  The words are those of the
    status column.  Written is the first of `won_words` or of `lost_words`, by the
    outcome; without them the first of `settled_words`.
    """

    name: str = "trades"
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    open_words: Collection[str] = ()
    settled_words: Collection[str] = ()
    closed_words: Collection[str] = ()
    won_words: Sequence[str] = ()
    lost_words: Sequence[str] = ()
    layout: Layout | None = field(default=None, compare=False, repr=False)

    @property
    def words(self) -> StatusWords:
        """The usual status words with those of this table, which go first.

        Raises `ForeignDatabaseError` when it is not clear which word is to be written.
        """
        opened, settled, closed, won, lost = (
            frozenset(word.strip().lower() for word in words)
            for words in (
                *(self.open_words, self.settled_words, self.closed_words),
                *(self.won_words, self.lost_words),
            )
        )
        elsewhere = opened | closed
        won_word, lost_word = self._outcome_words()
        return StatusWords(
            open=opened | (_USUAL_WORDS.open - settled - closed - won - lost),
            settled=settled | won | lost | (_USUAL_WORDS.settled - elsewhere),
            closed=closed | (_USUAL_WORDS.closed - opened - settled - won - lost),
            won=won | (_USUAL_WORDS.won - elsewhere - lost),
            lost=lost | (_USUAL_WORDS.lost - elsewhere - won),
            settled_word="" if won_word else self._settled_word(),
            won_word=won_word,
            lost_word=lost_word,
            chosen=bool(settled or won_word),
        )

    def _outcome_words(self) -> tuple[str, str]:
        """The words for won and lost that were named, if there is one of each."""
        if self.won_words and self.lost_words:
            return self.won_words[0], self.lost_words[0]
        if self.won_words or self.lost_words:
            raise ForeignDatabaseError(
                "the mapping names words for won or for lost, but not for both.",
                remedy='[bot_database] won_words = ["won"], lost_words = ["lost"].',
            )
        words = sorted(self.settled_words, key=str.lower)
        if isinstance(self.settled_words, Sequence):
            words = list(self.settled_words)
        won = [word for word in words if word.strip().lower() in _USUAL_WORDS.won]
        lost = [word for word in words if word.strip().lower() in _USUAL_WORDS.lost]
        if won and lost and len(won) + len(lost) == len(words):
            return won[0], lost[0]
        return "", ""

    def _settled_word(self) -> str:
        words = self.settled_words
        if isinstance(words, Sequence) and words:
            telling = _USUAL_WORDS.won | _USUAL_WORDS.lost
            neutral = (word for word in words if word.strip().lower() not in telling)
            return next(neutral, words[0])
        if not words or _USUAL_WORDS.settled_word in words:
            return _USUAL_WORDS.settled_word
        if len(words) == 1:
            return next(iter(words))
        raise ForeignDatabaseError(
            f"which of the words {', '.join(sorted(words))} should a settled row get?",
            remedy='Add one that fits all: [bot_database] settled_words = ["settled", …].',
        )


def map_columns(
    table: ForeignTable, there: Mapping[str, TypeEngine[Any]], *, place: str
) -> dict[str, tuple[TableColumn, ...]]:
    """For each of our words its column; for guessed ones all that are there, the likeliest first.

    Raises `ForeignDatabaseError` when a needed or a named one is missing.
    """
    _check_words(table)
    by_name = {name.lower(): name for name in there}
    found: dict[str, tuple[TableColumn, ...]] = {}
    absent: list[str] = []
    named = {
        word: _named(text, there, by_name) for word, text in table.columns.items() if text.strip()
    }
    taken = {column.name for column in named.values() if column is not None}
    for word, usual in USUAL_NAMES.items():
        if word in table.columns:
            column = named.get(word)
            if column is not None:
                found[word] = (column,)
            elif word in named or (word in REQUIRED and word != "settled_price"):
                absent.append(word)
            continue
        names = [by_name[name] for name in usual if name in by_name]
        free = [name for name in names if name not in taken]
        if free:
            found[word] = tuple(_column(name, there[name]) for name in free)
        elif word in REQUIRED:
            absent.append(word)
    if absent:
        raise _missing(table, absent, list(there), place=place)
    return found


def _check_words(table: ForeignTable) -> None:
    unknown = sorted(set(table.columns) - set(USUAL_NAMES))
    if unknown:
        raise ForeignDatabaseError(
            f"the mapping of {table.name!r} names {', '.join(unknown)}, which means nothing here.",
            remedy=f"Our words are: {', '.join(USUAL_NAMES)}.",
        )


def _named(
    text: str, there: Mapping[str, TypeEngine[Any]], by_name: Mapping[str, str]
) -> TableColumn | None:
    """The column that a mapping names, with its unit or zone; `None` if it does not exist."""
    plain = by_name.get(text.strip().lower())
    if plain is not None:
        return _column(plain, there[plain])
    match = _WITH_UNIT.match(text.strip())
    name = by_name.get(match[1].lower()) if match else None
    if match is None or name is None:
        return None
    column = _column(name, there[name])
    unit = match[2].lower()
    if unit in {Unit.CENTS, Unit.DOLLARS}:
        return TableColumn(name=name, type=column.type, unit=Unit(unit))
    try:
        zone = ZoneInfo(match[2])
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ForeignDatabaseError(
            f"{text!r} names {match[2]!r}, which is neither a unit nor a time zone.",
            remedy=f"Write {name!r}, followed by `in cents`, `in dollars` or a zone such as "
            "`in America/New_York`.",
        ) from error
    return TableColumn(name=name, type=column.type, unit=column.unit, zone=zone)


def _column(name: str, kind: TypeEngine[Any]) -> TableColumn:
    parts = set(re.split(r"[^a-z]+", name.lower()))
    cents, dollars = bool(parts & {"cents", "cent"}), bool(parts & {"dollars", "usd"})
    unit = None if cents == dollars else Unit.CENTS if cents else Unit.DOLLARS
    return TableColumn(name=name, type=kind, unit=unit)


def _missing(
    table: ForeignTable, absent: Iterable[str], there: Sequence[str], *, place: str
) -> ForeignDatabaseError:
    lines: list[str] = []
    words = list(absent)
    by_name = {name.lower(): name for name in there}
    for word in words:
        likely = next((by_name[name] for name in _LIKELY.get(word, ()) if name in by_name), "…")
        none = '   # or "" where there is none' if word == "settled_price" else ""
        lines.append(f'{word} = "{likely}"{none}')
    asked = [
        f"{word} (as {table.columns[word]!r})" if table.columns.get(word) else word
        for word in words
    ]
    return ForeignDatabaseError(
        f"the table {table.name!r} of {place} has no column for {', '.join(asked)}; "
        f"its columns: {', '.join(there) or 'none'}.",
        remedy="Say in config.toml which it is (or add the column):\n"
        "[bot_database.columns]\n" + "\n".join(lines),
    )
