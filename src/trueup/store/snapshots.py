"""Snapshots: one row of figures per stored sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.store.driver import Reading
from trueup.store.session import Session
from trueup.store.statement import Statement

COLUMNS: Final = (
    *("at", "balance", "portfolio_value", "equity", "positions", "realized", "unrealized"),
    "fees",
)
_ALL: Final = Statement(
    f"SELECT {', '.join(COLUMNS)} FROM snapshots WHERE at >= ? ORDER BY at"  # noqa: S608
)
_NEWEST: Final = Statement(
    f"SELECT {', '.join(COLUMNS)} FROM snapshots ORDER BY at DESC LIMIT 1"  # noqa: S608
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The account at one moment.  `None` where a figure was not to be had.

    `realized` is before `fees`, over all time; `unrealized` is at the marks.
    """

    at: Instant
    balance: Money
    portfolio_value: Money | None
    equity: Money | None
    positions: int
    realized: Money
    unrealized: Money | None
    fees: Money


def save(session: Session, snapshot: Snapshot) -> None:
    """Store a snapshot; one of the same instant is replaced."""
    row = (
        snapshot.at,
        snapshot.balance.units,
        _units(snapshot.portfolio_value),
        _units(snapshot.equity),
        snapshot.positions,
        snapshot.realized.units,
        _units(snapshot.unrealized),
        snapshot.fees.units,
    )
    with session.writing() as transaction:
        transaction.upsert("snapshots", COLUMNS, [row], identity=("at",))


def load(reading: Reading, *, since: Instant) -> list[Snapshot]:
    """Snapshots from `since` on, oldest first."""
    return [_snapshot(row) for row in reading.rows(_ALL, (since,))]


def newest(reading: Reading) -> Snapshot | None:
    """The last snapshot."""
    rows = reading.rows(_NEWEST)
    return _snapshot(rows[0]) if rows else None


def _units(money: Money | None) -> int | None:
    return None if money is None else money.units


def _money(units: int | None) -> Money | None:
    return None if units is None else Money(units)


def _snapshot(row: tuple[int, int, int | None, int | None, int, int, int | None, int]) -> Snapshot:
    at, balance, value, equity, positions, realized, unrealized, fees = row
    return Snapshot(
        at=Instant(at),
        balance=Money(balance),
        portfolio_value=_money(value),
        equity=_money(equity),
        positions=positions,
        realized=Money(realized),
        unrealized=_money(unrealized),
        fees=Money(fees),
    )
