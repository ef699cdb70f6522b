"""Views for people: dollars instead of integers, and the two layouts bots know.

Every table with amounts has a twin `<table>_in_dollars`, derived from the units
in the schema.  `kalshi_orders` and `kalshi_snapshots` have the columns that
home-made bots keep.  PostgreSQL shows exact decimals; SQLite has no decimal
type and shows the nearest binary fraction, which is for reading only.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from trueup.store.schema import COUNT, DURABLE, INSTANT, MONEY, PRICE
from trueup.store.schema_projections import PROJECTED

SHOWN: Final = (
    *("fills", "settlements", "orders", "banking", "transfers", "openings", "balances"),
    *("positions", "position_statements", "markets", "trades", "snapshots", "breaks", "quotes"),
)
"""The tables that have a twin in dollars."""

_HIDDEN: Final = frozenset({"book", "id", "sequence", "version", "observed_at", "number"})
_DECIMALS: Final = {MONEY: 6, PRICE: 4, COUNT: 2}


def create_views(dialect: str) -> list[str]:
    """The statements that make every view."""
    tables = {**DURABLE.tables, **PROJECTED.tables}
    views = {"postings": _postings(dialect)}
    views |= {f"{name}_in_dollars": _in_dollars(tables[name], dialect) for name in SHOWN}
    views["ledger_in_dollars"] = _ledger(dialect)
    views["kalshi_orders"] = _kalshi_orders(dialect)
    views["kalshi_snapshots"] = _kalshi_snapshots(dialect)
    return [f"CREATE VIEW {name} AS {text}" for name, text in views.items()]


def drop_views() -> list[str]:
    """The statements that drop every view that is there."""
    names = [f"{name}_in_dollars" for name in SHOWN]
    names += ["ledger_in_dollars", "kalshi_orders", "kalshi_snapshots", "postings"]
    return [f"DROP VIEW IF EXISTS {name}" for name in names]


def unit_of(comment: str) -> str:
    """The unit that a column's comment names; empty where it has none."""
    for unit in (MONEY, PRICE, COUNT, INSTANT):
        if unit in comment:
            return unit
    return ""


def _in_dollars(table: Table, dialect: str) -> str:
    columns = [
        f"{_shown(column.name, unit_of(column.comment or ''), dialect)} AS {column.name}"
        for column in table.columns
        if column.name not in _HIDDEN
    ]
    return f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608  # our own names


def _shown(expression: str, unit: str, dialect: str) -> str:
    if unit == INSTANT:
        return _moment(expression, dialect)
    if unit not in _DECIMALS:
        return expression
    return _decimal(expression, _DECIMALS[unit], dialect)


def _decimal(expression: str, decimals: int, dialect: str) -> str:
    if dialect == "sqlite":
        return f"round({expression} / {10**decimals}.0, {decimals})"
    return f"round({expression}::numeric / {10**decimals}, {decimals})"


def _moment(expression: str, dialect: str) -> str:
    """UTC to the second as text."""
    if dialect == "sqlite":
        return f"strftime('%Y-%m-%dT%H:%M:%SZ', {expression} / 1000000, 'unixepoch')"
    moment = f"to_timestamp({expression} / 1000000) AT TIME ZONE 'UTC'"
    return f"""to_char({moment}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def _cents(expression: str) -> str:
    """Micro-dollars as whole cents, halves away from zero."""
    return f"CAST(round(({expression}) / 10000.0) AS INTEGER)"


def _postings(dialect: str) -> str:
    """One row for each leg of each entry: of one entry they sum to zero."""
    if dialect == "sqlite":
        return (
            "SELECT e.book, e.number, l.key + 1 AS leg, "
            "json_extract(l.value, '$[0]') AS account, json_extract(l.value, '$[1]') AS money, "
            "json_extract(l.value, '$[2]') AS contracts FROM entries AS e, json_each(e.legs) AS l"
        )
    return (
        "SELECT e.book, e.number, l.leg, l.value ->> 0 AS account, "
        "CAST(l.value ->> 1 AS BIGINT) AS money, CAST(l.value ->> 2 AS BIGINT) AS contracts "
        "FROM entries AS e, json_array_elements(CAST(e.legs AS json)) "
        "WITH ORDINALITY AS l (value, leg)"
    )


def _ledger(dialect: str) -> str:
    money = _decimal("p.money", 6, dialect)
    contracts = _decimal("p.contracts", 2, dialect)
    return (
        f"SELECT {_moment('e.at', dialect)} AS at, e.kind, e.subaccount, e.shard, e.ticker, "  # noqa: S608
        f"e.strategy, p.account, {money} AS money, {contracts} AS contracts, e.stream, e.key, "
        "e.version, e.evidence FROM entries AS e "
        "JOIN postings AS p ON p.book = e.book AND p.number = e.number"
    )


def _kalshi_orders(dialect: str) -> str:
    real = "REAL" if dialect == "sqlite" else "DOUBLE PRECISION"
    slash = "instr(key, '/')" if dialect == "sqlite" else "strpos(key, '/')"
    price = "CASE WHEN f.filled > 0 THEN f.value * 1.0 / f.filled ELSE o.price END / 10000.0"
    return (
        "WITH filled AS (SELECT order_id, min(ticker) AS ticker, min(side) AS side, "  # noqa: S608
        "sum(count) AS filled, sum(count * price) AS value, max(at) AS at "
        "FROM fills GROUP BY order_id), "
        f"gained AS (SELECT substr(key, {slash} + 1) AS order_id, sum(profit) AS profit "
        "FROM entries WHERE stream = 'fills' GROUP BY 1), "
        "named AS (SELECT order_id FROM orders UNION SELECT order_id FROM filled) "
        "SELECT n.order_id AS id, coalesce(o.ticker, f.ticker) AS ticker, "
        "CASE coalesce(o.side, f.side) WHEN 'yes' THEN 'BUY' ELSE 'SELL' END AS side, "
        "CAST(round(coalesce(f.filled, o.initial_count) / 100.0) AS INTEGER) AS quantity, "
        f"CAST({price} AS {real}) AS price, {_moment('f.at', dialect)} AS filled_at, "
        "coalesce(o.status, 'executed') AS status, "
        f"{_cents('coalesce(g.profit, 0)')} AS pnl_cents "
        "FROM named AS n LEFT JOIN orders AS o ON o.order_id = n.order_id "
        "LEFT JOIN filled AS f ON f.order_id = n.order_id "
        "LEFT JOIN gained AS g ON g.order_id = n.order_id"
    )


def _kalshi_snapshots(dialect: str) -> str:
    gained = "realized + coalesce(unrealized, 0) - fees"
    return (
        f"SELECT at AS id, {_moment('at', dialect)} AS taken_at, "  # noqa: S608
        f"{_cents('balance')} AS balance_cents, "
        f"{_cents('portfolio_value')} AS portfolio_value_cents, "
        f"{_cents('equity')} AS equity_cents, positions AS open_positions, "
        f"{_cents('realized')} AS realized_pnl_cents, "
        f"{_cents('unrealized')} AS unrealized_pnl_cents, "
        f"{_cents('fees')} AS fees_cents, {_cents(gained)} AS pnl_cents FROM snapshots"
    )
