"""Cents or dollars?  What the values of a column tell where neither its name nor the mapping does.

A contract is worth between 0 and 1 dollar, or 0 and 100 cents: a price above 1 is
in cents, one between 0 and 1 in dollars, and both in one column contradict each
other.  A profit can have any size: only a column of whole numbers is in doubt.
In doubt nobody guesses: the error shows which values it was, and what to write
into the mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction as Ratio
from typing import Final

from sqlalchemy.types import Integer

from trueup.core.errors import ForeignDatabaseError, NotANumber
from trueup.store.foreign_table import TableColumn, Unit
from trueup.store.foreign_values import Raw, raw_text, read_number

AMOUNTS: Final = ("settled_price", "profit_loss", "entry_price", "exit_price", "fees")
"""Our words for columns of amounts."""


@dataclass(slots=True)
class _Seen:
    """What kinds of values a column holds, each with the first example."""

    above_one: str = ""
    fraction_of_one: str = ""
    one: str = ""
    whole: str = ""
    fractional: str = ""

    def add(self, raw: Raw) -> None:
        try:
            value = read_number(raw)
        except NotANumber:
            return
        if not value:
            return
        text = raw_text(raw)
        size = abs(value)
        if size > 1:
            self.above_one = self.above_one or text
        elif size == 1:
            self.one = self.one or text
        else:
            self.fraction_of_one = self.fraction_of_one or text
        if _is_whole(value):
            self.whole = self.whole or text
        else:
            self.fractional = self.fractional or text


def _is_whole(value: Ratio) -> bool:
    return value.denominator == 1


def settle_units(
    columns: Mapping[str, TableColumn], rows: Iterable[Mapping[str, Raw]], *, table: str
) -> dict[str, Unit]:
    """The unit of each column of amounts: as said, else by its values.

    `rows` need hold only the columns whose unit nobody has said; they are read
    through once.  Raises `ForeignDatabaseError` when the values do not tell.
    """
    units = {word: columns[word].unit for word in AMOUNTS if word in columns and columns[word].unit}
    open_words = [word for word in AMOUNTS if word in columns and word not in units]
    seen = {word: _Seen() for word in open_words}
    if open_words:
        for row in rows:
            for word in open_words:
                seen[word].add(row[word])
    told = {word: unit for word, unit in units.items() if unit is not None}
    doubts: dict[str, str] = {}
    for word in open_words:
        judge = _judge_money if word in {"profit_loss", "fees"} else _judge_price
        unit, doubt = judge(word, columns[word], seen[word])
        if unit is None:
            doubts[word] = doubt
        else:
            told[word] = unit
    # Both prices of a trade are written by the same code.
    for word, twin in (("entry_price", "exit_price"), ("exit_price", "entry_price")):
        if word in doubts and twin in told and not seen[word].above_one:
            told[word] = told[twin]
            del doubts[word]
    if doubts:
        raise _in_doubt(columns, doubts, table=table)
    return told


def _judge_price(word: str, _: TableColumn, seen: _Seen) -> tuple[Unit | None, str]:
    """The unit that the values of a column of prices show, or why they do not."""
    if seen.above_one and seen.fraction_of_one:
        both = f"{seen.above_one} (cents?) as well as {seen.fraction_of_one} (dollars?)"
        return None, f"it holds {both}"
    if seen.above_one:
        return Unit.CENTS, ""
    if seen.fraction_of_one:
        return Unit.DOLLARS, ""
    if word == "settled_price":
        # A market that pays one cent is all but unheard of; one that pays a dollar is not.
        return (Unit.DOLLARS if seen.one else Unit.CENTS), ""
    if seen.one:
        return None, "its only price is 1: a cent or a dollar?"
    return Unit.DOLLARS, ""


def _judge_money(word: str, column: TableColumn, seen: _Seen) -> tuple[Unit | None, str]:
    if seen.fractional:
        return Unit.DOLLARS, ""
    if isinstance(column.type, Integer) and (word == "profit_loss" or seen.whole):
        return None, "it is a column of whole numbers"
    if word == "fees" and seen.whole:
        return None, f"all its values are whole, such as {seen.whole}"
    return Unit.DOLLARS, ""


def _in_doubt(
    columns: Mapping[str, TableColumn], doubts: Mapping[str, str], *, table: str
) -> ForeignDatabaseError:
    said = "; ".join(f"{columns[word].name!r}: {doubt}" for word, doubt in doubts.items())
    lines = [
        f'{word} = "{columns[word].name} in cents"   # or "{columns[word].name} in dollars"'
        for word in doubts
    ]
    return ForeignDatabaseError(
        f"the table {table!r} does not tell cents from dollars in {said}.",
        remedy="Say in config.toml which it is:\n[bot_database.columns]\n" + "\n".join(lines),
    )
