"""Settings of order entry: by which road a bot's orders go out, and how FIX is reached."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from trueup.core.errors import ConfigError


class OrderEntry(StrEnum):
    """By which road orders go out.  Everything else is the same."""

    REST = "rest"
    FIX = "fix"


class FixSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[fix]` in `config.toml`: the session by which a bot's orders go out."""

    session: str = "NR"
    """``NR`` (one message cancels everything) or ``RT`` (sends again what was missed)."""
    address: str = ""
    """Another host or host:port than the venue's own, e.g. a sandbox on another port."""
    certificate: str = ""
    """The file with the certificate that a sandbox wrote."""
    cancel_on_disconnect: bool = True
    """Whether the exchange takes back what the session placed when it ends, in whatever way."""

    @property
    def certificate_path(self) -> Path | None:
        """The certificate to trust beside the usual ones."""
        return Path(self.certificate).expanduser() if self.certificate else None


SESSIONS = ("NR", "RT")
"""The sessions by which orders can be sent."""


def order_entry(name: str) -> OrderEntry:
    """The road of that name.  Raises `ConfigError`."""
    try:
        return OrderEntry(name)
    except ValueError:
        raise ConfigError(
            f"orders cannot go out by {name!r}", remedy=f"Use one of {', '.join(OrderEntry)}."
        ) from None


def check_fix(settings: FixSettings) -> None:
    """Raise `ConfigError` for what no session could be opened with."""
    if settings.session not in SESSIONS:
        raise ConfigError(
            f"[fix] session is {settings.session!r}, which takes no orders",
            remedy=f"Use one of {', '.join(SESSIONS)}.",
        )
