"""What words mean that a person types above a table: which markets, or which order or trade.

A database finds the beginning of a ticker by an index; a part of one it has to look for in
all tickers, of which there are far fewer than fills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.instant import Instant
from trueup.store.driver import Reading
from trueup.store.statement import Statement

MARKETS_MAX: Final = 1_000
"""When more markets have the words, rows are looked at one by one: most of them will do."""

_ID_LENGTH_MIN: Final = 6
"""Shorter words, and words without a digit, are nobody's id: no history is read for them."""

_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Where the tickers of a table are looked up, and which of its columns they lead to."""

    table: str
    key: str
    column: str
    ticker: str


@dataclass(frozen=True, slots=True)
class _Condition:
    """`counted` stands for it where rows are only counted, up to a bound."""

    text: str
    values: tuple[object, ...] = ()
    counted: _Condition | None = None


class Conditions:
    """A WHERE clause under way.  All words are ours, all values are parameters."""

    def __init__(self) -> None:
        self._all: list[_Condition] = []

    def add(self, text: str, *values: object) -> None:
        """One more, which must also be met."""
        self._all.append(_Condition(text, values))

    @property
    def is_cut(self) -> bool:
        """Whether more rows meet the conditions than are counted."""
        return any(each.counted is not None for each in self._all)

    def clause(self, *, counting: bool = False) -> tuple[str, list[object]]:
        """The clause, empty or with a space in front, and its parameters."""
        chosen = [(each.counted or each) if counting else each for each in self._all]
        text = " AND ".join(each.text for each in chosen)
        return f" WHERE {text}" if text else "", [v for each in chosen for v in each.values]

    def between(self, column: str, *, since: Instant | None, until: Instant | None) -> None:
        """From a time on, and before another one."""
        if since is not None:
            self.add(f"{column} >= ?", since)
        if until is not None:
            self.add(f"{column} < ?", until)

    def search(self, reading: Reading, where: Searched, words: str) -> bool:
        """Only markets whose ticker begins with the words, or has them; whether there is one."""
        begin = words.upper()
        found, pattern = (
            _find(reading, where, "ticker >= ? AND ticker < ?", begin, begin + _LAST),
            "",
        )
        if not found:
            pattern = f"%{_escaped(begin)}%"
            found = _find(reading, where, "ticker LIKE ? ESCAPE '\\'", pattern)
        if not found:
            return False
        first = _Condition(f"{where.column} {{among}}", (reading.among(found[:MARKETS_MAX]),))
        if len(found) <= MARKETS_MAX:
            self._all.append(first)
        else:
            by_row = pattern or f"{_escaped(begin)}%"
            text = f"{where.ticker} LIKE ? ESCAPE '\\'"
            self._all.append(_Condition(text, (by_row,), counted=first))
        return True

    def fills_of_id(self, reading: Reading, words: str) -> None:
        """Only fills of an order or a trade.  There is no index of them: an order leads to its market."""
        books = reading.rows(
            Statement(
                "SELECT k.book FROM orders AS o JOIN market_keys AS k "
                "ON k.ticker = o.ticker AND k.subaccount = o.subaccount WHERE o.order_id = ?"
            ),
            (words,),
        )
        if books:
            self.add("f.book = ? AND f.order_id = ?", books[0][0], words)
        elif _may_be_id(words):
            self.add("(f.order_id = ? OR f.trade_id = ?)", words, words)
        else:
            self.add("1 = 0")

    def orders_of_name(self, words: str) -> None:
        """Only the order of an id, and those that have the words in our own name for them."""
        self.add(
            "(o.order_id = ? OR o.client_order_id LIKE ? ESCAPE '\\')",
            words,
            f"%{_escaped(words)}%",
        )


def _find(reading: Reading, where: Searched, condition: str, *values: object) -> list[object]:
    """The markets that meet a condition, one more than are told apart."""
    statement = Statement(
        f"SELECT DISTINCT {where.key} FROM {where.table} WHERE {condition} LIMIT ?"  # noqa: S608
    )
    return [row[0] for row in reading.rows(statement, (*values, MARKETS_MAX + 1))]


def _may_be_id(words: str) -> bool:
    return len(words) >= _ID_LENGTH_MIN and any(each.isdigit() for each in words)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
