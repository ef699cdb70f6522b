"""Reconciliation: is every cent explained, and what is to be done where it is not?"""

from __future__ import annotations

from nicegui import ui

from trueup.web.frame import frame
from trueup.web.site import Site


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/reconciliation")
    async def reconciliation() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Reconciliation", "/reconciliation"):
            pass
