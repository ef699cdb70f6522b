"""The first hours with real money: smaller orders, until the first day went well.

They begin with the first bot that starts on the production exchange with all gates
open.  The time is kept in a file; without the file (or with one from the future, after
a clock was set back) they begin now.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from trueup.core.instant import HOUR, Instant
from trueup.engine.limits import FirstHours
from trueup.net.venues import Venue
from trueup.run.desk import DeskSettings
from trueup.run.private_files import write_private_file


class _Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: int


def since_path(settings: DeskSettings) -> Path:
    """Where it is kept since when an account has traded real money."""
    return settings.home / f"live-since-{settings.config.venue}-{settings.config.account}.json"


def begin_first_hours(settings: DeskSettings, now: Instant) -> FirstHours | None:
    """The caps of a bot that starts now; `None` on other venues, and once the hours are over."""
    wanted = settings.config.first_hours
    if settings.venue is not Venue.PROD or not wanted.hours:
        return None
    since = live_since(settings, now)
    if since is None:
        since = now
        since_path(settings).unlink(missing_ok=True)
        write_private_file(since_path(settings), msgspec.json.encode(_Since(now)))
    until = Instant(since + wanted.hours * HOUR)
    return None if now >= until else wanted.caps(until)


def live_since(settings: DeskSettings, now: Instant) -> Instant | None:
    """When the account began to trade real money; `None`: not yet, or nobody knows."""
    try:
        kept = msgspec.json.decode(since_path(settings).read_bytes(), type=_Since)
    except (OSError, msgspec.MsgspecError):
        return None
    return Instant(kept.since) if 0 < kept.since <= now else None
