"""What is to be booked: whole markets of a subaccount, with all that is recorded of them.

Nearly every market is plain: each fact was told in one way only, and what it paid is
known from a settlement row or not at all yet.  Its facts are handed out as steps in
bare units, ready to be booked.  For every other market all versions are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Filled, Settled, Source, Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.market import is_settled
from trueup.core.observations import Recorded
from trueup.core.statements import MarketStated
from trueup.ledger.bare import (
    FILL,
    SETTLEMENT,
    SIGN_OF,
    BareFill,
    BareSettlement,
    BareStep,
    bare_step,
)
from trueup.ledger.booking import home_shard
from trueup.store import sql
from trueup.store.driver import AnyRow, Reading
from trueup.store.journal_index import versions_of
from trueup.store.records import KINDS
from trueup.store.session import MarketKey, Session

FACTS_MAX: Final = 20_000
"""`unbooked` stops handing out more markets when these hold so many facts."""

_MARKETS_AT_A_TIME: Final = 200


@dataclass(slots=True, kw_only=True)
class UnbookedMarket:
    """A market of a subaccount whose book is to be made again.

    `market` is the latest statement about it.  `shard` is where the market lives
    (`trueup.ledger.booking.home_shard`); each fact moves cash on its own.
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    market: MarketStated | None
    steps: Sequence[BareStep] | None
    """The facts in their order, ready for `book_steps`; `None`: `facts` must be looked at."""
    rows: Sequence[tuple[Stream, AnyRow]] = ()
    """What the typed tables hold of facts that were told in one way only."""
    retold: list[Recorded] = field(default_factory=list[Recorded])
    """All versions of the others, and what was ever said about the final outcome."""

    @property
    def facts(self) -> list[Recorded]:
        """All versions of its fills and settlements in time order, and then, where no
        settlement row is known, what was ever said about its final outcome.
        """
        facts = [_recorded(stream, row) for stream, row in self.rows]
        facts += [each for each in self.retold if not isinstance(each.value, MarketStated)]
        facts.sort(key=bare_step)
        return facts + [each for each in self.retold if isinstance(each.value, MarketStated)]


def unbooked(session: Session, limit: int, *, facts_max: int = FACTS_MAX) -> list[UnbookedMarket]:
    """Up to `limit` markets to be booked; fewer when they hold many facts."""
    found: list[UnbookedMarket] = []
    facts, after = 0, 0
    driver = session.driver
    while len(found) < limit and facts < facts_max:
        wanted = min(limit - len(found), _MARKETS_AT_A_TIME)
        marked: dict[int, int] = dict(driver.rows(sql.DIRTY_MARKETS, (after, wanted)))
        if not marked:
            break
        after = max(marked)
        session.handed_out.update(marked)
        markets = _with_facts(driver, marked)
        found.extend(markets)
        facts += sum(len(market.rows) + len(market.retold) for market in markets)
    return found


@dataclass(slots=True)
class _Gathered:
    """What was found of one book."""

    key: MarketKey
    steps: list[BareStep] = field(default_factory=list[BareStep])
    rows: list[tuple[Stream, AnyRow]] = field(default_factory=list[tuple[Stream, AnyRow]])
    retold: list[Recorded] = field(default_factory=list[Recorded])
    plain: bool = True


def _with_facts(reading: Reading, books: Iterable[int]) -> list[UnbookedMarket]:
    among = reading.among(books)
    gathered: dict[int, _Gathered] = {
        book: _Gathered((subaccount, ticker))
        for book, subaccount, ticker in reading.rows(sql.KEYS_OF_BOOKS, (among,))
    }
    for stream, statement, bare in _FACTS:
        retold = _gather(stream, reading.rows(statement, (among,)), bare, gathered)
        if retold:
            _add_versions(gathered, versions_of(reading, stream, retold), retold)
    kind = KINDS[Stream.MARKETS]
    tickers = reading.among({each.key[1] for each in gathered.values()})
    markets: dict[str, MarketStated] = {
        row[2]: kind.value_of(row[2:]) for row in reading.rows(sql.MARKETS_BY_TICKER, (tickers,))
    }
    _add_outcomes(reading, gathered.values(), markets)
    return [_handed(gathered[book], markets) for book in sorted(gathered)]


def _handed(found: _Gathered, markets: Mapping[str, MarketStated]) -> UnbookedMarket:
    subaccount, ticker = found.key
    market = markets.get(ticker)
    steps = found.steps
    steps.sort()
    facts = [*steps, *map(bare_step, _of_market(found.retold))] if found.retold else steps
    return UnbookedMarket(
        subaccount=subaccount,
        shard=home_shard(facts, market),
        ticker=ticker,
        market=market,
        steps=steps if found.plain else None,
        rows=found.rows,
        retold=found.retold,
    )


def _of_market(recorded: Iterable[Recorded]) -> list[Recorded]:
    return [each for each in recorded if isinstance(each.value, Filled | Settled)]


def _gather(
    stream: Stream,
    rows: Iterable[AnyRow],
    bare: Callable[[AnyRow], BareStep],
    gathered: Mapping[int, _Gathered],
) -> dict[str, int]:
    """Note the facts that were told in one way only; returns the others' books by key."""
    retold: dict[str, int] = {}
    for row in rows:
        if row[2] > 1:
            retold[KINDS[stream].key_of(row[_KEPT:])] = row[0]
            continue
        found = gathered[row[0]]
        found.steps.append(bare(row))
        found.rows.append((stream, row))
    return retold


def _add_versions(
    gathered: Mapping[int, _Gathered], versions: Iterable[Recorded], retold: Mapping[str, int]
) -> None:
    """Note all versions of the facts that were told otherwise."""
    for recorded in versions:
        found, value = gathered[retold[recorded.key]], recorded.value
        found.plain = False
        # A version that named another subaccount was never a fact of this book.
        if isinstance(value, Filled | Settled) and (value.subaccount, value.ticker) == found.key:
            found.retold.append(recorded)


_KEPT: Final = 5
"""The columns before the record's own: book, sequence, version, source, observed_at."""


def _recorded(stream: Stream, row: AnyRow) -> Recorded:
    kind = KINDS[stream]
    _, sequence, version, source, observed_at = row[:_KEPT]
    content = row[_KEPT:]
    return Recorded(
        sequence,
        kind.key_of(content),
        version,
        kind.value_of(content),
        Source(source),
        observed_at,
    )


def _fill_step(row: AnyRow) -> BareFill:
    (_, _, version, _, _, trade_id, order_id, ticker, side, count, price, fee, _, at) = row[:14]
    return BareFill(
        at,
        FILL,
        f"{trade_id}/{order_id}",
        version,
        row[14],
        ticker,
        order_id,
        SIGN_OF[side],
        count,
        price,
        fee,
        row[15],
    )


def _settlement_step(row: AnyRow) -> BareSettlement:
    subaccount, ticker = row[16], row[5]
    return BareSettlement(
        row[15],
        SETTLEMENT,
        f"{subaccount}/{ticker}/0",
        row[2],
        subaccount,
        ticker,
        row[6],
        row[7],
        row[12],
        row[14],
        row[17],
    )


_FACTS: Final = (
    (Stream.FILLS, sql.FILLS_OF_BOOKS, _fill_step),
    (Stream.SETTLEMENTS, sql.SETTLEMENTS_OF_BOOKS, _settlement_step),
)


def _add_outcomes(
    reading: Reading, gathered: Iterable[_Gathered], markets: Mapping[str, MarketStated]
) -> None:
    """What was ever said about the outcome of settled markets that have no settlement row."""
    served: defaultdict[str, list[_Gathered]] = defaultdict(list)
    for found in gathered if markets else ():
        market = markets.get(found.key[1])
        if market is None or not is_settled(market.status):
            continue
        if any(stream is Stream.SETTLEMENTS for stream, _ in found.rows):
            continue
        if not any(isinstance(each.value, Settled) for each in found.retold):
            found.plain = False
            served[market.ticker].append(found)
    if not served:
        return
    for recorded in versions_of(reading, Stream.MARKETS, served):
        if not isinstance(recorded.value, MarketStated):
            raise InvariantBroken(f"{recorded.key} is no statement about a market")
        for found in served[recorded.key]:
            found.retold.append(recorded)
