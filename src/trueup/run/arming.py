"""The three gates in front of real money, and the file that opens the last one.

An order goes to the production exchange only when all three are open: the
command says ``--live``, the configuration says ``live = true``, and somebody
has armed this account with `trueup arm` not long ago.  The arming expires by
itself.  Demo and sandbox have no gates: there is no money behind them.

The file holds no secret.  It arms one account at one venue on this machine; a
file that is damaged, of another account, or armed for longer than allowed (a
clock that was set back) arms nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import ConfigError, writing_remedy
from trueup.core.instant import HOUR, MINUTE, Instant, format_instant
from trueup.net.venues import Venue
from trueup.run.clock import Clock, SystemClock
from trueup.run.config import CONFIG_NAME, make_home
from trueup.run.desk import DeskSettings

ARMED_FOR: Final = HOUR
"""How long an arming lasts unless another time is asked for."""

ARMED_MAX: Final = 24 * HOUR


class _Armed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    venue: str
    account: str
    armed_at: int
    until: int


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition for live orders: whether it holds, and what to do where it does not."""

    name: str
    is_open: bool
    words: str
    remedy: str = ""


def arming_path(settings: DeskSettings) -> Path:
    """Where the arming of this account lies."""
    config = settings.config
    return settings.home / f"armed-{config.venue}-{config.account}.json"


def arm(
    settings: DeskSettings, *, microseconds: int = ARMED_FOR, machine: Clock | None = None
) -> Instant:
    """Arm the account for so long; returns until when.

    Raises `ConfigError` where the configuration does not allow live orders, and
    for a time that is not between a minute and a day.
    """
    if settings.venue is not Venue.PROD:
        raise ConfigError(
            f"there is nothing to arm on {settings.venue.value}: no real money is behind it",
            remedy="Orders there need no arming. For the real exchange: --venue prod.",
        )
    if not settings.config.live:
        raise ConfigError(
            "the configuration does not allow live orders",
            remedy=f"Write live = true into {settings.home / CONFIG_NAME}, then arm again.",
        )
    if not MINUTE <= microseconds <= ARMED_MAX:
        raise ConfigError("an arming lasts from a minute to a day", remedy="Give e.g. --for 1h.")
    now = (machine or SystemClock()).now()
    until = Instant(now + microseconds)
    armed = _Armed(
        venue=settings.config.venue,
        account=settings.config.account,
        armed_at=now,
        until=until,
    )
    make_home(settings.home)
    path = arming_path(settings)
    part = path.with_suffix(".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(armed))
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy=writing_remedy(error),
        ) from error
    return until


def disarm(settings: DeskSettings) -> bool:
    """Take the arming back; says whether there was one."""
    path = arming_path(settings)
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def armed_until(settings: DeskSettings, *, machine: Clock | None = None) -> Instant | None:
    """Until when the account is armed; `None` where it is not."""
    try:
        armed = msgspec.json.decode(arming_path(settings).read_bytes(), type=_Armed)
    except (OSError, msgspec.MsgspecError):
        return None
    now = (machine or SystemClock()).now()
    is_ours = (armed.venue, armed.account) == (settings.config.venue, settings.config.account)
    is_sound = armed.armed_at <= now < armed.until <= armed.armed_at + ARMED_MAX
    return Instant(armed.until) if is_ours and is_sound else None


def gates(settings: DeskSettings, *, live: bool, machine: Clock | None = None) -> tuple[Gate, ...]:
    """The gates in front of this account; none where no real money is behind it."""
    if settings.venue is not Venue.PROD:
        return ()
    until = armed_until(settings, machine=machine)
    return (
        Gate("command", live, "--live", "Add --live to the command."),
        Gate(
            "configuration",
            settings.config.live,
            "live = true in the configuration",
            f"Write live = true into {settings.home / CONFIG_NAME}.",
        ),
        Gate(
            "arming",
            until is not None,
            "armed" if until is None else f"armed until {format_instant(until)}",
            "Run: trueup arm --venue prod",
        ),
    )


def closed_gates(settings: DeskSettings, *, live: bool) -> tuple[Gate, ...]:
    """The gates that keep an order from being sent."""
    return tuple(gate for gate in gates(settings, live=live) if not gate.is_open)
