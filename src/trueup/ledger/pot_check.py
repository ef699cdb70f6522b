"""Was every pot of cash looked at, and does an opening balance fit the books?

A pot is the cash of one subaccount on one shard.  The cash proof judges what was
read at least twice; what nobody read is not proven, however quiet it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trueup.core.facts import Opened, Stream
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant, format_instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedOpening:
    """An opening balance, and what the books know of its pot before it.

    `earlier` facts are booked before it, and `booked` is their cash.
    """

    opened: Opened
    earlier: int
    booked: Money

    @property
    def difference(self) -> Money:
        """What the operator says more than earlier facts explain; zero where there are none."""
        return self.opened.cash - self.booked if self.earlier else ZERO_MONEY


def check_openings(stated: Iterable[StatedOpening], *, whole: bool) -> Iterator[Break]:
    """Openings that contradict earlier facts.

    Red where the time before is known whole (`whole`); else amber: what is not
    known of that time may be what differs, but nobody can say.
    """
    for each in stated:
        if not each.difference:
            continue
        opened = each.opened
        yield Break(
            identity=break_identity(
                BreakKind.UNATTRIBUTED_CASH, opened.subaccount, opened.shard, "opening"
            ),
            kind=BreakKind.UNATTRIBUTED_CASH,
            severity=Severity.RED if whole else Severity.AMBER,
            subaccount=opened.subaccount,
            shard=opened.shard,
            ticker=None,
            amount=each.difference,
            occurred_at=opened.at,
            summary=(
                f"the opening balance says {opened.cash}, earlier facts add up to {each.booked}"
            ),
            evidence=(
                f"opening balance as of {format_instant(opened.at)}: {opened.note}",
                f"{each.earlier} earlier facts are booked; the opening moves no cash",
            ),
        )


def check_pots(
    named: Iterable[tuple[Subaccount, Instant]],
    judged: Iterable[Subaccount | None],
    read_once: Iterable[tuple[Subaccount | None, Shard | None, Instant]],
) -> Iterator[Break]:
    """Pots that nothing was proven about: one amber break each.

    `named` are the subaccounts that facts belong to, with the time of one;
    `judged` those with at least one interval (`None`: all of them at once);
    `read_once` the pots with readings and no interval.
    """
    seen = set(judged)
    waiting: set[Subaccount | None] = set()
    for subaccount, shard, at in read_once:
        waiting.add(subaccount)
        yield _gap(subaccount, shard, at, "its cash was read once: nothing to compare yet")
    for subaccount, at in named:
        if None not in seen and subaccount not in seen | waiting:
            yield _gap(subaccount, None, at, "its cash was never read, but facts belong to it")


def _gap(subaccount: Subaccount | None, shard: Shard | None, at: Instant, words: str) -> Break:
    whose = "all subaccounts" if subaccount is None else f"subaccount {subaccount}"
    where = "" if shard is None else f" on shard {shard}"
    return Break(
        identity=break_identity(
            BreakKind.COVERAGE_GAP, subaccount, Stream.BALANCES, "all" if shard is None else shard
        ),
        kind=BreakKind.COVERAGE_GAP,
        severity=Severity.AMBER,
        subaccount=subaccount,
        shard=shard,
        ticker=None,
        amount=ZERO_MONEY,
        occurred_at=at,
        summary=f"{whose}{where}: {words}",
        remedy="Run `trueup sync` with a key that may read its balance.",
    )
