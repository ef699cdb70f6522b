"""The log of a paper account: the commands that make it again, one a line, each durable.

A line is the name of a command and its fields as JSON.  The last line may be cut
off by a crash: nobody was told of it, so it did not happen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from trueup.core.errors import BooksError
from trueup.core.units import Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.store.private_folder import log_trouble, open_log

_KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        c.OpenAccount,
        c.Deposit,
        c.ConcludeBanking,
        c.TransferShard,
        c.ConcludeTransfer,
        c.ListSeries,
        c.ListEvent,
        c.ListMarket,
        c.ChangeCloseTime,
        c.PauseMarket,
        c.ResumeMarket,
        c.CloseMarket,
        c.DetermineMarket,
        c.SettleMarket,
        c.TellOrder,
        c.AmendOrder,
        c.DecreaseOrder,
        c.CancelOrder,
        c.Trade,
    )
}
_NAME: Final = "the paper account's log"
_UNITS: Final = (Price, Count, Money)


def encode(command: c.Command) -> bytes:
    """A command as a line, without its end."""
    body = msgspec.json.encode(command, enc_hook=_plain)
    return type(command).__name__.encode() + b" " + body


def decode(line: bytes) -> c.Command:
    """The command of a line.  Raises `ValueError` or `msgspec.MsgspecError` for anything else."""
    name, _, body = line.partition(b" ")
    kind = _KINDS.get(name.decode())
    if kind is None:
        raise ValueError(f"there is no command {name.decode()!r}")
    return msgspec.json.decode(body, type=kind, dec_hook=_made)


def _plain(value: object) -> object:
    if isinstance(value, _UNITS):
        return value.units
    if isinstance(value, Ratio):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a paper log")


def _made(kind: type[Any], value: Any) -> Any:  # noqa: ANN401  # JSON is any
    return kind(value)


class PaperLog:
    """One account's log.  One process writes it; any may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.fdopen(open_log(path, name=_NAME), "ab")
        self._mend()

    def keep(self, command: c.Command) -> None:
        """Make a command durable.  Raises `BooksError` where the disk refuses it."""
        try:
            self._file.write(encode(command) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise log_trouble(self._path, error, name=_NAME) from error

    def _mend(self) -> None:
        """Cut off a line that a crash left unfinished."""
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            with suppress(OSError):
                os.truncate(self._path, whole)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_paper_log(path: Path) -> Iterator[c.Command]:
    """What was kept, oldest first; nothing where there is no log.  Raises `BooksError`."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield decode(line[:-1])
            except (ValueError, TypeError, msgspec.MsgspecError) as error:
                raise BooksError(
                    f"{path}, line {number} cannot be read: {error}",
                    remedy="Restore the file from a backup, or move it away to begin anew.",
                ) from error
