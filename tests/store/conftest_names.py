"""Whose books the store's tests keep."""

from __future__ import annotations

from typing import Final

VENUE: Final = "sandbox"
MODE: Final = "live"
ACCOUNT: Final = "main"
