"""The reference of the tables, derived from the schema.

    python -m trueup.store.table_docs docs/reference/tables.md

replaces the part of the page below its marker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import MetaData, Table

from trueup.store.schema import DURABLE
from trueup.store.schema_projections import PROJECTED

MARKER: Final = "<!-- From here on derived from the schema: python -m trueup.store.table_docs -->"

_FOR_PEOPLE: Final = (
    *("fills", "settlements", "orders", "positions", "trades", "snapshots", "balances"),
    *("banking", "transfers", "openings", "position_statements", "markets", "breaks", "quotes"),
)
"""The tables that people ask first; the others follow in the schema's order."""


def describe_tables() -> str:
    """The derived part of the page, with its marker."""
    return "\n".join([MARKER, "", *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    tables = {**PROJECTED.tables, **DURABLE.tables}
    names = [*_FOR_PEOPLE, *(name for name in tables if name not in _FOR_PEOPLE)]
    for name in names:
        yield from _section(tables[name], PROJECTED if name in PROJECTED.tables else DURABLE)


def _section(table: Table, metadata: MetaData) -> Iterator[str]:
    kind = "projection" if metadata is PROJECTED else "durable"
    yield from (f"### `{table.name}`", "", f"{table.comment} ({kind})", "")
    yield from ("| column | type | meaning |", "|---|---|---|")
    for column in table.columns:
        kind = {"Text": "text", "LargeBinary": "bytes"}.get(type(column.type).__name__, "integer")
        null = ", may be null" if column.nullable else ""
        key = ", key" if column.primary_key else ""
        yield f"| `{column.name}` | {kind}{key}{null} | {column.comment} |"
    yield ""


def main() -> None:
    """Write the derived part of a page anew."""
    path = Path(sys.argv[1])
    head = path.read_text(encoding="utf-8").partition(MARKER)[0]
    path.write_text(head + describe_tables(), encoding="utf-8")


if __name__ == "__main__":
    main()
