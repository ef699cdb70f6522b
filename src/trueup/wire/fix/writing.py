"""From a typed block to the texts of its fields.

Nothing is sent that could not be read again: a missing required field, an empty value or
one with a delimiter inside is the caller's mistake and raises `CallerError` before
anything leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from trueup.core.errors import CallerError, TrueupError
from trueup.wire.fix.dictionary import Layout, Member
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.message import Block, Sender
from trueup.wire.fix.reading import label

_REFUSALS: Final = (TrueupError, ValueError, KeyError, AttributeError, TypeError)
_EMPTY: Final = re.compile(r"(?:^|\x01)(\d+)=(?=\x01|\Z)")
_NO_ENTRIES: Final[tuple[Block, ...]] = ()
_as_tuple = msgspec.structs.astuple


@dataclass(frozen=True, slots=True)
class _Run:
    """Fields in a row without a group between them: attributes `start` to `stop`."""

    start: int
    stop: int
    prefixes: tuple[str, ...]
    writers: tuple[Callable[[Any], str], ...]


class BlockWriter:
    """Writes the blocks of one layout for one side."""

    def __init__(self, layout: Layout, sender: Sender) -> None:
        self._layout = layout
        members = layout.members
        places = [index for index, member in enumerate(members) if member.entry is not None]
        self._first, *rest = _runs(members, places)
        (self._whole,) = _runs(members, [])
        self._groups = tuple(
            (index, f"{members[index].tag}=", BlockWriter(entry, sender), run)
            for index, run in zip(places, rest, strict=True)
            if (entry := members[index].entry) is not None
        )
        self._demanded = tuple(
            (index, member.tag)
            for index, member in enumerate(members)
            if not member.required and member.required_of in {Sender.BOTH, sender}
        )
        self._has_data = any(member.field.length_tag for member in members)

    def write(self, block: Block) -> str:
        """The text of a block, a SOH after every field; raises `CallerError`."""
        out: list[str] = []
        try:
            self._collect(block, out)
        except _REFUSALS as error:
            raise self._refusal(block, error) from error
        if not out:
            return ""
        text = SOH.join(out) + SOH
        if text.count(SOH) != len(out) or "=\x01" in text:
            self._check(block, out)
        return text

    def _collect(self, block: Block, out: list[str]) -> None:
        """Append ``tag=value`` of every field that is there."""
        values = _as_tuple(block)
        for index, tag in self._demanded:
            if values[index] is None:
                raise CallerError(f"{type(block).__name__} must have {label(tag)}")
        for index, _, _, _ in self._groups:
            if values[index]:
                break
        else:
            whole = self._whole
            out += [
                prefix + write(value)
                for prefix, write, value in zip(whole.prefixes, whole.writers, values, strict=True)
                if value is not None and value is not _NO_ENTRIES
            ]
            return
        _write_run(self._first, values, out)
        for index, prefix, writer, following in self._groups:
            entries = values[index]
            if entries:
                out.append(f"{prefix}{len(entries)}")
                for entry in entries:
                    writer._collect(entry, out)  # noqa: SLF001  # of the same class
            if following.prefixes:
                _write_run(following, values, out)

    def _check(self, block: Block, out: list[str]) -> None:
        """Only a data field may hold a delimiter, since its length is stated; none may be empty."""
        for part in out:
            is_data = self._has_data and part.startswith(("95=", "93="))
            if not is_data and SOH in part:
                raise CallerError(f"a value of {type(block).__name__} contains a delimiter (SOH)")
            if not is_data and (empty := _EMPTY.match(part)):
                raise CallerError(f"{type(block).__name__}: {label(empty[1])} has no value")

    def _refusal(self, block: Block, error: Exception) -> CallerError:
        """What cannot be written, by name."""
        if isinstance(error, CallerError) and not isinstance(error, ValueError):
            return error
        for member, value in zip(self._layout.members, _as_tuple(block), strict=True):
            if value is None or member.entry is not None:
                continue
            try:
                member.kind.write(value)
            except _REFUSALS:
                return CallerError(
                    f"{type(block).__name__}: {value!r} does not fit {label(member.tag)}"
                )
        return CallerError(f"{type(block).__name__} cannot be written: {error}")


def _write_run(run: _Run, values: tuple[Any, ...], out: list[str]) -> None:
    own = values[run.start : run.stop]
    out += [
        prefix + write(value)
        for prefix, write, value in zip(run.prefixes, run.writers, own, strict=True)
        if value is not None
    ]


def _runs(members: Sequence[Member], places: Sequence[int]) -> list[_Run]:
    """The runs before, between and after the groups at `places`."""
    starts = [0, *(place + 1 for place in places)]
    stops = [*places, len(members)]
    return [
        _Run(
            start,
            stop,
            tuple("" if each.field.length_tag else f"{each.tag}=" for each in members[start:stop]),
            tuple(_writer(each) for each in members[start:stop]),
        )
        for start, stop in zip(starts, stops, strict=True)
    ]


def _writer(member: Member) -> Callable[[Any], str]:
    if member.field.length_tag:
        return _counted(member)
    return str if member.kind.is_text else member.kind.write


def _counted(member: Member) -> Callable[[str], str]:
    """A data field with the length field that must stand before it."""

    def write(text: str) -> str:
        size = len(text.encode("utf-8", "surrogateescape"))
        return f"{member.field.length_tag}={size}{SOH}{member.tag}={member.kind.write(text)}"

    return write
