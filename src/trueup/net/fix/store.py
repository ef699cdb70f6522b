"""The numbers of a FIX session on disk, so that they survive a restart.

One file for one session (venue, host, session, key): a line that says whose it is, then
two slots of fixed size that are written in turn, each with a counter and a checksum.
Whatever moment the process dies, one slot is whole; the whole one with the higher counter
counts.  A file of another session is refused, and so is one that another process uses:
the exchange allows one connection for a key.

A power failure may lose the last writes.  A number that is too low is noticed by the
exchange, which then refuses the session until it is reset.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from pathlib import Path
from typing import Final, Self

from trueup.core.errors import ConfigError
from trueup.net.fix.endpoints import FixEndpoint
from trueup.wire.fix.numbering import Sequences

_FORMAT: Final = "trueup-fix-session-1"
_HEADER_BYTES: Final = 512
_SLOT_BYTES: Final = 64
_SLOTS: Final = 2
_PARTS: Final = 4


class SessionStore:
    """An open file with the numbers of one session.  Close it, or use it in a `with`."""

    def __init__(self, path: Path, handle: int, sequences: Sequences, counter: int) -> None:
        self.path = path
        self.sequences = sequences
        self._handle = handle
        self._counter = counter

    @classmethod
    def open(cls, folder: Path, endpoint: FixEndpoint, key_id: str) -> Self:
        """The store of this session, made if there is none.

        Raises `ConfigError` when the file is another session's, is damaged or in use.
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
            sequences, counter = _load(path, handle, _identity(endpoint, key_id))
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle, sequences, counter)

    def save(self, sequences: Sequences) -> None:
        """Remember the numbers; does nothing when they did not change."""
        if sequences == self.sequences:
            return
        self._counter += 1
        text = f"{self._counter} {sequences.next_out} {sequences.next_in}"
        slot = f"{text} {zlib.crc32(text.encode()):08x}".ljust(_SLOT_BYTES - 1) + "\n"
        os.pwrite(self._handle, slot.encode(), _place(self._counter))
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


def _load(path: Path, handle: int, expected: dict[str, str]) -> tuple[Sequences, int]:
    content = os.pread(handle, _HEADER_BYTES + _SLOTS * _SLOT_BYTES, 0)
    if not content:
        header = json.dumps(expected).encode()
        os.pwrite(handle, header.ljust(_HEADER_BYTES - 1) + b"\n", 0)
        return Sequences(), 0
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
        return Sequences(), 0
    counter, sequences = max(whole, key=lambda slot: slot[0])
    return sequences, counter


def _slot(content: bytes) -> tuple[int, Sequences] | None:
    parts = content.decode("ascii", "replace").split()
    if len(parts) != _PARTS or not all(part.isdecimal() for part in parts[:3]):
        return None
    if f"{zlib.crc32(' '.join(parts[:3]).encode()):08x}" != parts[3]:
        return None
    counter, next_out, next_in = map(int, parts[:3])
    return counter, Sequences(next_out, next_in)


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
