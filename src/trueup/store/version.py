"""Which shape of the books this program knows."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 2
"""Of the durable tables: the number of the newest migration."""

PROJECTION_VERSION: Final = 5
"""Of the projections: raised when their shape or their meaning changes."""
