"""The numbers of a FIX session on disk, so that they survive a restart.

One file for one session (venue, host, session, key): a line that says whose it is, then
two slots of fixed size that are written in turn, each with a counter and a checksum.
Whatever moment the process dies, one slot is whole; the whole one with the higher counter
counts.  A file of another session is refused, and so is one that another process uses:
the exchange allows one connection for a key.

With the numbers stands up to when a listener has put everything that came into its books.
That is only true while nobody else uses the session: numbers go on, or begin anew, for a
bot or a log as well, and what they took the listener never hears.  So whoever opens the
session and is no listener takes it away, and so do a reset that is asked for and messages
that will never come, all with the very numbers that go with it.  Only this machine is seen:
the same key used elsewhere is not.

A power failure may lose the last writes.  A number that is too low is noticed by the
exchange, which then refuses the session until it is reset.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, Self

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant
from trueup.net.fix.endpoints import FixEndpoint
from trueup.wire.fix.numbering import Sequences

_FORMAT: Final = "trueup-fix-session-1"
_HEADER_BYTES: Final = 512
_SLOT_BYTES: Final = 64
_SLOTS: Final = 2
_NUMBERS: Final = 4

NOT_HEARD: Final = Instant(0)
"""No listener heard everything in order up to the stored numbers."""


class _Slot(NamedTuple):
    """What one slot holds."""

    counter: int = 0
    sequences: Sequences = Sequences()
    heard_until: Instant = NOT_HEARD


class SessionStore:
    """An open file with the numbers of one session.  Close it, or use it in a `with`."""

    def __init__(self, path: Path, handle: int, slot: _Slot, *, listens: bool) -> None:
        self.path = path
        self.sequences = slot.sequences
        self.heard_until = slot.heard_until if listens else NOT_HEARD
        """Up to when a listener heard everything that came before these numbers."""
        self._handle = handle
        self._stored = slot

    @classmethod
    def open(
        cls, folder: Path, endpoint: FixEndpoint, key_id: str, *, listens: bool = False
    ) -> Self:
        """The store of this session, made if there is none.

        Who `listens` puts everything that comes into the books, or takes nothing.  Raises
        `ConfigError` when the file is another session's, is damaged or in use.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{endpoint.venue}-{endpoint.kind}-{key_id}.fix"
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ConfigError(
                f"the FIX session {endpoint.kind} of this key is in use by another process",
                remedy="A key may have one connection: stop the other one, or use another key.",
            ) from error
        try:
            slot = _load(path, handle, _identity(endpoint, key_id))
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle, slot, listens=listens)

    def hear(self, until: Instant) -> None:
        """A listener's books hold everything up to here, or (`NOT_HEARD`) not any more; stored
        with the next `save`.
        """
        self.heard_until = until

    def save(self, sequences: Sequences, *, is_in_order: bool = True) -> None:
        """Remember the numbers; does nothing when nothing changed.

        Not `is_in_order` while something that will never come is still to be told.
        """
        heard_until = self.heard_until if is_in_order else NOT_HEARD
        if (sequences, heard_until) == self._stored[1:]:
            return
        self._stored = slot = _Slot(self._stored.counter + 1, sequences, heard_until)
        text = f"{slot.counter} {sequences.next_out} {sequences.next_in} {heard_until}"
        line = f"{text} {zlib.crc32(text.encode()):08x}".ljust(_SLOT_BYTES - 1) + "\n"
        os.pwrite(self._handle, line.encode(), _place(slot.counter))
        self.sequences = sequences

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _identity(endpoint: FixEndpoint, key_id: str) -> dict[str, str]:
    return {
        "format": _FORMAT,
        "venue": endpoint.venue.value,
        "host": endpoint.host,
        "session": endpoint.kind.value,
        "key": key_id,
    }


def _place(counter: int) -> int:
    return _HEADER_BYTES + counter % _SLOTS * _SLOT_BYTES


def _load(path: Path, handle: int, expected: dict[str, str]) -> _Slot:
    content = os.pread(handle, _HEADER_BYTES + _SLOTS * _SLOT_BYTES, 0)
    if not content:
        header = json.dumps(expected).encode()
        os.pwrite(handle, header.ljust(_HEADER_BYTES - 1) + b"\n", 0)
        return _Slot()
    try:
        found: object = json.loads(content[:_HEADER_BYTES])
    except ValueError as error:
        raise _damaged(path) from error
    if found != expected:
        raise ConfigError(
            f"{path} belongs to another FIX session: {_differences(found, expected)}",
            remedy="Give each venue, session and key a folder of its own, or move the file away: "
            "without it the numbers begin at 1.",
        )
    slots = [
        _slot(content[_HEADER_BYTES + number * _SLOT_BYTES :][:_SLOT_BYTES])
        for number in range(_SLOTS)
    ]
    whole = [slot for slot in slots if slot is not None]
    if not whole:
        if content[_HEADER_BYTES:].strip():
            raise _damaged(path)
        return _Slot()
    return max(whole, key=itemgetter(0))


def _slot(content: bytes) -> _Slot | None:
    *numbers, checksum = content.decode("ascii", "replace").split() or [""]
    # Earlier versions did not store what was heard.
    if len(numbers) not in {_NUMBERS, _NUMBERS - 1} or not all(map(str.isdecimal, numbers)):
        return None
    if f"{zlib.crc32(' '.join(numbers).encode()):08x}" != checksum:
        return None
    counter, next_out, next_in, *heard = map(int, numbers)
    return _Slot(counter, Sequences(next_out, next_in), Instant(*heard or [0]))


def _differences(found: object, expected: dict[str, str]) -> str:
    if not isinstance(found, dict):
        return "it is no session file"
    told: list[str] = []
    for name, value in expected.items():
        stated: object = found.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if stated != value:
            told.append(f"{name} is {stated}, not {value}")
    return ", ".join(told)


def _damaged(path: Path) -> ConfigError:
    return ConfigError(
        f"the session file {path} is damaged",
        remedy="Move it away. The numbers then begin at 1: log on once with a reset, and fetch "
        "what was missed by REST.",
    )
