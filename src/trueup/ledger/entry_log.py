"""The entries of one market, kept as numbers and made when they are looked at.

A million fills on one market must fit into memory, and an entry with its
postings takes a kilobyte.  So the log keeps four integers per fill and the
fill itself, from which the same entry is made again at any time.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from trueup.core.facts import Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.ledger.accounts import Account
from trueup.ledger.bare import BareFill
from trueup.ledger.entries import Entry, EntryKind
from trueup.ledger.lines import Leg, Line, balanced, entry_of, line_of
from trueup.ledger.strategy import StrategyOf

FEE_UNKNOWN = "fee unknown"
"""The evidence of a fill whose fee nobody reported: booked without one."""

_WIDTH = 4

# Looking a member up on its enum costs as much as making a posting.
_CASH = Account.CASH
_TRADING_FEES = Account.TRADING_FEES
_POSITIONS = Account.POSITIONS
_REALIZED = Account.REALIZED
_EXCHANGE_CONTRACTS = Account.EXCHANGE_CONTRACTS
_FILLS = Stream.FILLS
_FILL = EntryKind.FILL


class EntryLog(Sequence[Entry]):
    """An append-only sequence of the entries of one market."""

    __slots__ = ("_numbers", "_rows", "_strategy_of", "_where")

    def __init__(self, where: tuple[Subaccount, Shard, Ticker], *, strategy_of: StrategyOf) -> None:
        self._where = where
        self._strategy_of = strategy_of
        self._rows: list[BareFill | Line] = []
        self._numbers = array("q")

    def append_fill(self, fill: BareFill, numbers: tuple[int, int, int, int]) -> None:
        """Add the entry of a fill; for `numbers` see `fill_line`."""
        self._rows.append(fill)
        self._numbers.extend(numbers)

    def append(self, line: Line) -> None:
        """Add an entry that is not a fill's."""
        self._rows.append(line)
        self._numbers.extend((0,) * _WIDTH)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Entry]:
        for index in range(len(self._rows)):
            yield self._made(index)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        if isinstance(index, slice):
            return tuple(self._made(each) for each in range(*index.indices(len(self._rows))))
        return self._made(range(len(self._rows))[index])

    def __eq__(self, other: object) -> bool:
        """Logs are equal when their entries are."""
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        others: Sequence[object] = other  # pyright: ignore[reportUnknownVariableType]
        return len(self) == len(others) and all(
            mine == theirs for mine, theirs in zip(self, others, strict=True)
        )

    def __hash__(self) -> int:
        return hash((self._where, len(self._rows)))

    def __repr__(self) -> str:
        return f"EntryLog({len(self)} entries)"

    def lines(self) -> Iterator[Line]:
        """The entries in bare units."""
        return map(self._line, range(len(self._rows)))

    def _made(self, index: int) -> Entry:
        return entry_of(self._line(index))

    def _line(self, index: int) -> Line:
        row = self._rows[index]
        if isinstance(row, Line):
            return row
        numbers = self._numbers[index * _WIDTH : index * _WIDTH + _WIDTH]
        return fill_line(row, numbers, self._where, strategy_of=self._strategy_of)


def fill_line(
    fill: BareFill,
    numbers: Sequence[int],
    where: tuple[Subaccount, Shard, Ticker],
    *,
    strategy_of: Callable[..., str],
) -> Line:
    """The entry of a fill: `numbers` are cost in, cost out, realised, contracts closed.

    Cash and fee against position and gain; a trade through zero has one leg
    that closes and one that opens.  Contracts stand against the exchange.  Cash
    moves on the fill's own shard, or where it names none on the market's.
    """
    cost_in, cost_out, realized, closed = numbers
    at, _, key, version, _, _, order_id, sign, count, _, fee, named = fill
    charged = fee or 0
    cash = cost_out + realized - cost_in - charged
    legs: list[Leg] = [(_CASH, cash, 0)]
    if charged:
        legs.append((_TRADING_FEES, charged, 0))
    if closed:
        legs.append((_POSITIONS, -cost_out, sign * closed))
    if closed != count:
        legs.append((_POSITIONS, cost_in, sign * (count - closed)))
    if realized:
        legs.append((_REALIZED, -realized, 0))
    legs.append((_EXCHANGE_CONTRACTS, 0, -sign * count))
    subaccount, home, ticker = where
    return Line(
        _FILLS,
        key,
        version,
        _FILL,
        at,
        subaccount,
        home if named is None else named,
        ticker,
        strategy_of(order_id, ticker),
        FEE_UNKNOWN if fee is None else "",
        balanced(legs),
        cash,
        realized,
        charged,
        sign * count,
    )


def lines_of(entries: Iterable[Entry]) -> Iterable[Line]:
    """Entries in bare units, without making them first where they are a log."""
    return entries.lines() if isinstance(entries, EntryLog) else map(line_of, entries)
