"""The first minutes of a home: its folder, its settings, its `.gitignore`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError
from trueup.net.credentials import explicit_settings, load_credentials, read_settings
from trueup.net.venues import Venue
from trueup.run.config import CONFIG_NAME, home_directory, load_config, save_config

_GITIGNORE: Final = """\
# Books, keys and exports do not belong into a repository.
*
!.gitignore
"""


def begin(
    environment: Mapping[str, str],
    *,
    venue: str,
    account: str,
    key_id: str,
    private_key_path: str,
) -> Path:
    """Make the home and its settings; returns the path of the settings.

    The key is loaded once before anything is written, so a wrong one leaves no
    trace.  The settings name the key's id and its file, never the key.  Running
    it again with the same answers changes nothing.
    """
    if venue not in {each.value for each in Venue}:
        raise ConfigError(f"there is no venue {venue!r}", remedy="Use sandbox, demo or prod.")
    if venue != Venue.SANDBOX.value:
        given = explicit_settings(
            key_id=key_id, private_key_path=private_key_path, base=read_settings(environment)
        )
        if load_credentials(given, Venue(venue)) is None:
            raise ConfigError(
                f"no API key is given for {venue}",
                remedy="Give --key-id and --private-key-path, or set KALSHI_API_KEY_ID and "
                "KALSHI_PRIVATE_KEY_PATH.",
            )
    home = home_directory(environment)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text(_GITIGNORE, encoding="utf-8")
    path = home / CONFIG_NAME
    wanted = {
        "venue": venue,
        "account": account,
        "key_id": key_id,
        "private_key_path": str(Path(private_key_path).expanduser().resolve())
        if private_key_path
        else "",
    }
    if path.exists():
        present = load_config(home)
        same = all(getattr(present, name) == value for name, value in wanted.items() if value)
        if not same:
            raise ConfigError(
                f"{path} exists already and says otherwise.",
                remedy="Edit it, or move it away and run `trueup init` again.",
            )
        return path
    return save_config(home, wanted)
