"""The intent log: what a bot must remember before it acts.

One line a record, each with its own checksum, in a file of its own beside the
books.  `submit` returns at once; a writer thread puts everything that waits
into the file, makes it durable with one `fdatasync`, and only then says so, so
many orders share the price of one.  No database stands on the way of an order.

A crash may leave a torn last line: it was never acknowledged and is dropped.  A
bad line anywhere else is damage, and the log refuses to be used.  One process
at a time may write; a second bot on the same log is told so.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, cast, get_args
from zlib import crc32

import msgspec

from trueup.core.errors import BooksError
from trueup.core.ids import Ticker
from trueup.core.units import Count, Money, Price
from trueup.engine.inflight import Intent
from trueup.engine.records import OrderEnded, Record
from trueup.store.private_folder import open_log

_KINDS: Final[dict[str, Any]] = {kind.__name__: kind for kind in get_args(Record)}
_LOCK_TRIES: Final = 5
_LOCK_SECONDS: Final = 0.05
_CHECK: Final = 8
"""Hexadecimal digits of the checksum in front of each line."""


class IntentLog:
    """The intent log in one file.  A context manager.

    Raises `BooksError` when another process writes it, when it is damaged, or
    when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._failure: OSError | None = None
        self._file = open_log(path, name="the intent log")
        self._lock()
        try:
            self._records = tuple(self._read())
        except BooksError:
            os.close(self._file)
            raise
        self._writer = Thread(target=self._write, name="trueup-intents", daemon=True)
        self._writer.start()

    @property
    def records(self) -> tuple[Record, ...]:
        """What was in the log when it was opened, oldest first."""
        return self._records

    def submit(self, records: Sequence[Record]) -> Future[None]:
        """Write records; the future is done once they are durable.

        It fails with `BooksError` when they cannot be: then nothing that hangs on
        them may happen.
        """
        done: Future[None] = Future()
        self._queue.put(_Waiting(b"".join(map(encode_line, records)), done))
        return done

    def compact(self, needs: Callable[[Ticker], bool]) -> int:
        """Drop intents of ended orders in markets that nobody needs any more.

        Only for a log that was just opened.  The new file takes the old one's
        place in one step.  Returns how many records were dropped.
        """
        kept = list(_needed(self._records, needs))
        dropped = len(self._records) - len(kept)
        if not dropped:
            return 0
        fresh = self._path.with_suffix(".fresh")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(descriptor, b"".join(map(encode_line, kept)))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        replaced = self._file
        self._file = os.open(fresh, os.O_RDWR | os.O_APPEND)
        self._lock()
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        os.close(replaced)
        self._records = tuple(kept)
        return dropped

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._queue.put(None)
        self._writer.join()
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        # Who only looks at the log lets go of it at once.
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_LOCK_SECONDS)
            else:
                return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise BooksError(
                f"another bot is using {self._path}",
                remedy="Stop it first: two bots on one account would not know of each other.",
            ) from error

    def _read(self) -> Iterable[Record]:
        content = _read_all(self._file)
        lines = content.split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                yield decode_line(line)
            except (ValueError, msgspec.MsgspecError) as error:
                raise BooksError(
                    f"line {number} of the intent log {self._path} is damaged",
                    remedy="Restore it from a backup; do not trade before every open order "
                    "has been compared with the exchange.",
                ) from error
        if lines[-1]:
            # The crash came between the write and its acknowledgement.
            os.ftruncate(self._file, len(content) - len(lines[-1]))

    def _write(self) -> None:
        while True:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            waiting = [each for each in batch if each is not None]
            if waiting:
                self._make_durable(waiting)
            if len(waiting) < len(batch):
                return

    def _make_durable(self, waiting: Sequence[_Waiting]) -> None:
        # Whoever waits may have given up; the record is written all the same.
        awaited = [each for each in waiting if each.done.set_running_or_notify_cancel()]
        if self._failure is None:
            try:
                _write_all(self._file, b"".join(each.content for each in waiting))
                os.fdatasync(self._file)
            except OSError as error:
                # After a failed sync nobody knows what is on the disk: nothing more is
                # acknowledged until the log has been opened, and so read, again.
                self._failure = error
        for each in awaited:
            if self._failure is None:
                each.done.set_result(None)
                continue
            words = f"the intent log {self._path} cannot be written: {self._failure.strerror}"
            remedy = "Free the disk or mend the folder, then stop the bot and start it again."
            each.done.set_exception(BooksError(words, remedy=remedy))


class _Waiting:
    """Lines on their way to the disk, and who waits for them."""

    __slots__ = ("content", "done")

    def __init__(self, content: bytes, done: Future[None]) -> None:
        self.content = content
        self.done = done


# -- lines -------------------------------------------------------------------------------------


def encode_line(record: Record) -> bytes:
    """A record as a line: checksum, kind, fields."""
    body = _encode((type(record).__name__, record))
    return b"%08x %s\n" % (crc32(body), body)


def decode_line(line: bytes) -> Record:
    """The record of a line without its end.  Raises `ValueError` when it is damaged."""
    body = line[_CHECK + 1 :]
    if line[:_CHECK] != b"%08x" % crc32(body):
        message = "the checksum does not fit"
        raise ValueError(message)
    name, plain = msgspec.json.decode(body)
    kind = _KINDS.get(name)
    if kind is None:
        message = f"there is no record {name!r}"
        raise ValueError(message)
    record: Record = msgspec.convert(plain, kind, dec_hook=_from_units)
    return record


def _to_units(value: object) -> int:
    if isinstance(value, Price | Count | Money):
        return value.units
    message = f"{type(value).__name__} has no place in the intent log"
    raise NotImplementedError(message)


_encode = msgspec.json.Encoder(enc_hook=_to_units).encode


def _from_units(kind: type, value: object) -> object:
    if kind in {Price, Count, Money}:
        return kind(cast("int", value))
    message = f"{kind.__name__} has no place in the intent log"
    raise NotImplementedError(message)


def _needed(records: Sequence[Record], needs: Callable[[Ticker], bool]) -> Iterable[Record]:
    ended = {each.client_order_id for each in records if isinstance(each, OrderEnded)}
    gone = {
        each.client_order_id
        for each in records
        if isinstance(each, Intent) and each.client_order_id in ended and not needs(each.ticker)
    }
    for each in records:
        if isinstance(each, Intent | OrderEnded) and each.client_order_id in gone:
            continue
        yield each


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts: list[bytes] = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
