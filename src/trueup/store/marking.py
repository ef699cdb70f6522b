"""Noting what is to be booked again."""

from __future__ import annotations

from trueup.store.driver import Transaction


def mark(transaction: Transaction, marked: dict[int, int]) -> None:
    """Note that books (negative: cash facts) are to be made again, since a sequence."""
    transaction.upsert("dirty", ("book", "marked"), list(marked.items()), identity=("book",))
