"""The first minutes of a home: its folder, its settings, its `.gitignore`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import ConfigError
from trueup.net.venues import Venue, venue_from_environment
from trueup.run.config import CONFIG_NAME, home_directory, load_config, save_config
from trueup.run.desk import Desk, read_desk_settings
from trueup.wire.rest import portfolio

_GITIGNORE: Final = """\
# Books, keys and exports do not belong into a repository.
*
!.gitignore
"""


def usual_venue(environment: Mapping[str, str]) -> str:
    """The venue of a set-up that names none: as the environment or the settings say."""
    asked = venue_from_environment(environment)
    return load_config(home_directory(environment)).venue if asked is None else asked.value


def begin(
    environment: Mapping[str, str],
    *,
    venue: str,
    account: str,
    key_id: str,
    private_key_path: str,
) -> Path:
    """Make the home and its settings; returns the path of the settings.

    The key is tried with a read-only call before anything is written, so a wrong
    one leaves no trace.  The settings name the key's id and its file, never the
    key.  Running it again with the same answers changes nothing.  Raises
    `ConfigError` and what the call raises.
    """
    if venue not in {each.value for each in Venue}:
        raise ConfigError(f"there is no venue {venue!r}", remedy="Use sandbox, demo or prod.")
    if not account:
        account = load_config(home_directory(environment)).account
    wanted = {
        "venue": venue,
        "account": account,
        "key_id": key_id,
        "private_key_path": str(Path(private_key_path).expanduser().resolve())
        if private_key_path
        else "",
    }
    home = home_directory(environment)
    path = home / CONFIG_NAME
    is_new = not path.exists()
    if not is_new:
        present = load_config(home)
        if any(getattr(present, name) != value for name, value in wanted.items() if value):
            raise ConfigError(
                f"{path} exists already and says otherwise.",
                remedy="Edit it, or move it away and run `trueup init` again.",
            )
    _try_key(environment, wanted)
    if is_new:
        path = save_config(home, wanted)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text(_GITIGNORE, encoding="utf-8")
    return path


def _try_key(environment: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Ask for the balance with the key that the settings will name."""
    settings = read_desk_settings(environment, venue=wanted["venue"], account=wanted["account"])
    if settings.is_embedded:
        return
    named = {name: value for name, value in wanted.items() if value and name.endswith(_OF_KEYS)}
    config = msgspec.structs.replace(settings.config, **named)
    with Desk(replace(settings, config=config)) as desk:
        desk.client().send(portfolio.balance())


_OF_KEYS: Final = ("key_id", "key_path")
