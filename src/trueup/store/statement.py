"""SQL by name, written once for both databases.

Statements use ``?`` for a parameter and ``{among}`` for "is one of the values of
this parameter": SQLite reads such a list as one JSON text, PostgreSQL as one
array, so that a list of any length is one parameter of one prepared statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Row = tuple[object, ...]
"""A row of a table: integers, texts, bytes and None only, in both databases."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its text for each database."""

    text: str
    sqlite: str = field(init=False)
    postgresql: str = field(init=False)

    def __post_init__(self) -> None:
        sqlite = self.text.replace("{among}", "IN (SELECT value FROM json_each(?))")
        postgresql = self.text.replace("{among}", "= ANY(?)").replace("%", "%%")
        object.__setattr__(self, "sqlite", sqlite)
        object.__setattr__(self, "postgresql", postgresql.replace("?", "%s"))


def insert_text(table: str, columns: tuple[str, ...]) -> str:
    """``INSERT INTO table (columns) VALUES (?, …)``; names are ours, never input."""
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608


def conflict_text(columns: tuple[str, ...], identity: tuple[str, ...]) -> str:
    """What an upsert does with a row that is there: take over every other column."""
    others = [name for name in columns if name not in identity]
    action = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}"
    return f" ON CONFLICT ({', '.join(identity)}) DO {action if others else 'NOTHING'}"
