"""The decision log: every wish with what became of it, every alert, every operator's command.

One JSON object a line, oldest first, in a file that is only ever added to.  A
line's `n` is where it ends in the file: whoever read up to there goes on from
there, whether the bot runs or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import msgspec

from trueup.core.errors import BooksError
from trueup.core.instant import format_instant
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.engine import effects as f
from trueup.engine.refusals import Refusal
from trueup.engine.wishes import Order, Tell, Wish
from trueup.store.private_folder import log_trouble, open_log

Line = Mapping[str, Any]

_NAME: Final = "the decision log"
_BLOCK: Final = 64 << 10
_BACK_MAX: Final = 64 << 20
"""How far back the newest lines are looked for at most."""


class DecisionLog:
    """Adds lines to the file.  A context manager.

    Raises `BooksError` when the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_log(path, name=_NAME)
        try:
            self._end = os.lseek(self._file, 0, os.SEEK_END)
            self._mend()
        except OSError as error:
            raise self._trouble(error) from error

    def write(self, line: Line) -> dict[str, Any]:
        """Add a line; returns it with its `n`."""
        content = msgspec.json.encode(line) + b"\n"
        try:
            written = os.write(self._file, content)
            if written < len(content):
                # The disk is full: half a line helps nobody.
                os.ftruncate(self._file, self._end)
                raise self._trouble(OSError(28, os.strerror(28)))
        except OSError as error:
            raise self._trouble(error) from error
        self._end += written
        return {"n": self._end, **line}

    def fileno(self) -> int:
        """The descriptor of the file."""
        return self._file

    def close(self) -> None:
        """Let go of the file."""
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

    def _mend(self) -> None:
        """End the line that a crash has torn."""
        if self._end and os.pread(self._file, 1, self._end - 1) != b"\n":
            self._end += os.write(self._file, b"\n")

    def _trouble(self, error: OSError) -> BooksError:
        return log_trouble(self.path, error, name=_NAME)


def read_decisions(path: Path, *, after: int | None = None, limit: int = 100) -> list[Line]:
    """The newest `limit` lines of the log, or the first ones after the line that ends at `after`.

    Oldest first, each with its `n`.  Torn lines are left out; an absent file is empty.
    """
    try:
        with path.open("rb") as file:
            if after is None:
                after = _newest(file.fileno(), limit)
            file.seek(after)
            return list(_lines(file, after, limit))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BooksError(f"the decision log {path} cannot be read: {error.strerror}") from error


def _lines(file: Iterator[bytes], begin: int, limit: int) -> Iterator[Line]:
    end = begin
    for content in file:
        if limit <= 0 or not content.endswith(b"\n"):
            return
        end += len(content)
        try:
            line: object = msgspec.json.decode(content)
        except msgspec.MsgspecError:
            continue
        if isinstance(line, dict):
            limit -= 1
            yield {"n": end, **cast("dict[str, Any]", line)}


def _newest(descriptor: int, limit: int) -> int:
    """Where the last `limit` lines begin."""
    size = begin = os.fstat(descriptor).st_size
    found = 0
    while begin > max(0, size - _BACK_MAX):
        start = max(0, begin - _BLOCK)
        block = os.pread(descriptor, begin - start, start)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if start + at + 1 == size:
                continue
            found += 1
            if found == limit:
                return start + at + 1
        begin = start
    return begin


# -- what is written ---------------------------------------------------------------------------


def line_of(told: f.Decision | f.Alert) -> dict[str, Any]:
    """A decision or an alert as a line."""
    if isinstance(told, f.Alert):
        line: dict[str, Any] = {
            "at": format_instant(told.at),
            "alert": told.kind,
            "strategy": told.strategy,
            "words": told.words,
        }
        if told.kind is f.AlertKind.FILL:
            # By its trade and order: the stream and REST date one fill differently.
            line["key"] = told.key
        if told.by:
            line |= {"by": told.by, "command": told.command}
        return line
    wish = told.wish
    return {
        "at": format_instant(told.at),
        "strategy": told.strategy,
        "verdict": told.verdict,
        "ticker": None if isinstance(wish, str) else _text(wish.ticker),
        "wish": wish_words(wish),
        "reason": wish if isinstance(wish, str) else _text(wish.reason),
        "client_order_id": told.client_order_id,
        "reference": _reference(wish),
        "refusals": [refusal_line(each) for each in told.refusals],
        "figures": dict(told.figures),
        **({"parameters": told.parameters} if told.parameters else {}),
    }


def _reference(wish: Wish | str) -> str | None:
    """The price that an order was decided at; slippage is measured from there."""
    reference = wish.reference if isinstance(wish, Order) else None
    return str(reference) if isinstance(reference, Price) else None


def refusal_line(refusal: Refusal) -> dict[str, Any]:
    """A refusal as part of a line: its code, its scope, and the figures it looked at."""
    return {"code": refusal.code, "scope": refusal.scope, **refusal.figures}


def wish_words(wish: Wish | str) -> str:
    """A wish in a few words."""
    if isinstance(wish, str):
        return wish
    if isinstance(wish, Order):
        reducing = ", only to reduce" if wish.only_reduce else ""
        # A limit is a YES price; of an order for NO that has to be said.
        of_yes = "" if wish.side is Side.YES else " (YES price)"
        told = f"{wish.style} {wish.side} {wish.count} {wish.ticker} at {wish.limit}"
        return f"{told}{of_yes}{reducing}"
    if isinstance(wish, Tell):
        return f"tell of {wish.ticker}"
    return f"withdraw {wish.ticker} {wish.slot or ''}".rstrip()


def line_words(line: Line) -> str:
    """A line of the log as a person reads it, without its time."""
    if "alert" in line:
        return f"{line['alert']:<9} {line['strategy']:<14} {line['words']}"
    words = f"{line['verdict']:<9} {line['strategy']:<14} {line['wish']}"
    if not line["refusals"]:
        return f"{words}: {line['reason']}"
    return f"{words}: {'; '.join(_refusal_words(each) for each in line['refusals'])}"


def _refusal_words(told: Mapping[str, str]) -> str:
    figures = ", ".join(f"{k} {v}" for k, v in told.items() if k not in {"code", "scope"})
    scope = f" ({told['scope']})" if told["scope"] else ""
    return f"{told['code']}{scope}: {figures}" if figures else f"{told['code']}{scope}"


def _text(value: object) -> str:
    """A strategy is other people's code: what should be text may be anything."""
    return value if isinstance(value, str) else repr(value)[:200]
