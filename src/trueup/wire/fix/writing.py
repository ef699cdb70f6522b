"""From a typed block to the text of its fields.

Which attributes are set decides the text around the values, so that text is made once
per combination and the values are put into it.  Nothing is sent that could not be read
again: a missing required field, an empty value or one with a delimiter inside is the
caller's mistake and raises `CallerError` before anything leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from operator import call, is_, itemgetter
from typing import Any, Final, cast

import msgspec

from trueup.core.errors import CallerError, TrueupError
from trueup.wire.fix.dictionary import Layout, Member
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.message import Block, Sender
from trueup.wire.fix.reading import label

FORMS_MAX: Final = 512
"""How many combinations one writer remembers before it starts over."""

_REFUSALS: Final = (TrueupError, ValueError, KeyError, AttributeError, TypeError)
_EMPTY: Final = re.compile(r"(?:^|\x01)(\d+)=(?=\x01)")
_NONES: Final = repeat(None)
_call = cast("Callable[[Callable[[Any], str], Any], str]", call)
_as_tuple = msgspec.structs.astuple


@dataclass(frozen=True, slots=True)
class _Form:
    """The text for one combination of attributes, and how their values are written."""

    text: str
    choose: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    writers: tuple[Callable[[Any], str], ...]
    groups: tuple[tuple[int, str, BlockWriter], ...]
    fields: int


class BlockWriter:
    """Writes the blocks of one layout for one side."""

    def __init__(self, layout: Layout, sender: Sender) -> None:
        self._layout = layout
        self._sender = sender
        self._entries = tuple(
            (index, f"{member.tag}=", BlockWriter(member.entry, sender))
            for index, member in enumerate(layout.members)
            if member.entry is not None
        )
        self._has_data = any(member.field.length_tag for member in layout.members)
        self._is_open = not all(member.required for member in layout.members)
        self._forms: dict[tuple[object, ...], _Form] = {}

    def write(self, block: Block) -> str:
        """The text of a block, a SOH after every field; raises `CallerError`."""
        text, fields = self._text(block)
        if not self._has_data:
            if text.count(SOH) != fields:
                raise CallerError(f"a value of {type(block).__name__} contains a delimiter (SOH)")
            if "=\x01" in text and (empty := _EMPTY.search(text)):
                raise CallerError(f"{type(block).__name__}: {label(empty[1])} has no value")
        return text

    def _text(self, block: Block) -> tuple[str, int]:
        values = _as_tuple(block)
        absent: tuple[object, ...] = ()
        if self._is_open:
            absent = tuple(map(is_, values, _NONES))
            if self._entries:
                absent += tuple([bool(values[index]) for index, _, _ in self._entries])
        form = self._forms.get(absent) or self._formed(absent)
        try:
            text = form.text % tuple(map(_call, form.writers, form.choose(values)))
        except _REFUSALS as error:
            raise self._refusal(block) from error
        if not form.groups:
            return text, form.fields
        parts, fields = [text], form.fields + len(form.groups)
        for index, prefix, writer in form.groups:
            entries = values[index]
            parts.append(f"{prefix}{len(entries)}{SOH}")
            for entry in entries:
                text, number = writer._text(entry)  # noqa: SLF001  # of the same class
                parts.append(text)
                fields += number
        return "".join(parts), fields

    def _formed(self, absent: tuple[object, ...]) -> _Form:
        parts: list[str] = []
        places: list[int] = []
        writers: list[Callable[[Any], str]] = []
        for index, member in enumerate(self._layout.members):
            if member.entry is not None:
                continue
            if absent and absent[index]:
                if member.required_of in {Sender.BOTH, self._sender}:
                    raise CallerError(
                        f"{self._layout.block.__name__} must have {label(member.tag)}"
                    )
                continue
            is_data = bool(member.field.length_tag)
            parts.append(f"%s{SOH}" if is_data else f"{member.tag}=%s{SOH}")
            places.append(index)
            writers.append(_counted(member) if is_data else _plain(member))
        counts = absent[len(self._layout.members) :]
        groups = [entry for entry, there in zip(self._entries, counts, strict=True) if there]
        form = _Form("".join(parts), _chooser(places), tuple(writers), tuple(groups), len(places))
        if len(self._forms) >= FORMS_MAX:
            self._forms.clear()
        self._forms[absent] = form
        return form

    def _refusal(self, block: Block) -> CallerError:
        for member, value in zip(self._layout.members, _as_tuple(block), strict=True):
            if value is None or member.entry is not None:
                continue
            try:
                member.kind.write(value)
            except _REFUSALS:
                return CallerError(
                    f"{type(block).__name__}: {value!r} does not fit {label(member.tag)}"
                )
        return CallerError(f"{type(block).__name__} cannot be written")


def _plain(member: Member) -> Callable[[Any], str]:
    return str if member.kind.is_text else member.kind.write


def _chooser(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


def _counted(member: Member) -> Callable[[str], str]:
    """A data field with the length field that must stand before it."""

    def write(text: str) -> str:
        size = len(text.encode("utf-8", "surrogateescape"))
        return f"{member.field.length_tag}={size}{SOH}{member.tag}={member.kind.write(text)}"

    return write
