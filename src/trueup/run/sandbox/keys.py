"""A further key on a running sandbox, for a listener or another process of the same account.

A FIX key may have one connection, so a listener beside a bot needs a key of its own.  The
sandbox makes it as the exchange does: its private half is in the answer and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trueup.core.errors import CallerError, ConfigError
from trueup.core.ids import Subaccount
from trueup.net.client import open_client
from trueup.net.venues import Venue
from trueup.run.clock import unseeded
from trueup.run.desk import Desk
from trueup.run.private_files import write_private_file
from trueup.wire.rest import api_keys

READ = "read"
WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """A key to make: its name, the file for its private half, and what it may do.

    `subaccount` locks it to one.
    """

    name: str
    file: Path
    read_only: bool = False
    subaccount: int | None = None


@dataclass(frozen=True, slots=True)
class KeyMade:
    """A key that the sandbox made, and the file that its private half is in."""

    key_id: str
    file: Path
    scopes: tuple[str, ...]


def make_key(desk: Desk, wish: KeyWish) -> KeyMade:
    """Let the sandbox that is served make a key, and keep its private half in a file.

    Raises `CallerError` when the file is there already, `ConfigError` where no sandbox is
    served, and what the sandbox answers.
    """
    if desk.settings.venue is not Venue.SANDBOX or desk.settings.is_embedded:
        raise ConfigError(
            "a key can be made on a sandbox that is served, and on nothing else",
            remedy="Start one with `trueup sandbox serve`, and set what it says: TRUEUP_BASE_URL, "
            "KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH.",
        )
    if wish.file.exists():
        raise CallerError(
            f"{wish.file} is there already", remedy="Name another file with --file, or delete it."
        )
    scopes = (READ,) if wish.read_only else (READ, WRITE)
    subaccount = None if wish.subaccount is None else Subaccount(wish.subaccount)
    wanted = api_keys.WantedKey(
        name=wish.name, key_type=api_keys.KeyType.ED25519, scopes=scopes, subaccount=subaccount
    )
    endpoint, signer = desk.reach()
    # The desk's own client keeps books and only reads.
    with open_client(
        endpoint, signer, clock=desk.clock.now, sleep=desk.clock.sleep, chance=unseeded()
    ) as client:
        made = client.send(api_keys.generate(wanted))
    try:
        write_private_file(wish.file, made.private_key.encode())
    except OSError as error:
        raise ConfigError(
            f"{wish.file} cannot be written: {error.strerror}",
            remedy="Name another file with --file. The key that was made is lost: make another.",
        ) from error
    return KeyMade(made.key_id, wish.file.resolve(), scopes)
