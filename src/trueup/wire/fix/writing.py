"""From a typed block to the texts of its fields, by plans that are made once per shape.

A shape is the sequence of the types of a block's values: it says which fields are there
and how each is written.  What depends on it alone is decided the first time it is seen and
kept as a `Plan`; a block of a known shape fills a template.  A group is one place of it,
which its entries' own plans fill.

Nothing is sent that could not be read again: a missing required field, an empty value or
one with a delimiter inside is the caller's mistake and raises `CallerError` before
anything leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import msgspec

from trueup.core.errors import CallerError, TrueupError
from trueup.wire.fix.dictionary import Layout, Member
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.message import Block, Sender
from trueup.wire.fix.reading import label

PLANS_MAX: Final = 512
"""How many shapes one writer remembers before it starts over."""

_REFUSALS: Final = (TrueupError, ValueError, KeyError, AttributeError, TypeError)
_as_tuple = msgspec.structs.astuple

Write = Callable[[Any], str]
Shape = tuple[type, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the values of one shape become text.

    `choose` takes a block to the values that are there (of a quantity its units), which fill
    the places of `template`: after those of `made` were written, and those of `free`, text
    that may be anything, were looked at.
    """

    template: str
    choose: Callable[[Block], tuple[Any, ...]]
    made: tuple[tuple[int, Write], ...]
    free: tuple[int, ...]


class BlockWriter:
    """Writes the blocks of one layout for one side."""

    def __init__(self, layout: Layout, sender: Sender) -> None:
        self._layout = layout
        self._plans: dict[Shape, Plan] = {}
        self._demanded = tuple(
            member for member in layout.members if member.required_of in {Sender.BOTH, sender}
        )
        self._writers = tuple(_writer(member, sender) for member in layout.members)

    def write(self, block: Block) -> str:
        """The text of a block, a SOH after every field; raises `CallerError`."""
        shape = tuple(map(type, _as_tuple(block)))
        plan = self._plans.get(shape) or self._planned(shape)
        parts = list(plan.choose(block))
        try:
            for number, write in plan.made:
                parts[number] = write(parts[number])
        except _REFUSALS as error:
            raise self._refusal(block, error) from error
        for number in plan.free:
            text = parts[number]
            if not text or SOH in text:
                raise self._unfit(block, text)
        return plan.template % tuple(parts)

    def _planned(self, shape: Shape) -> Plan:
        members = self._layout.members
        there = [place for place, kind in enumerate(shape) if kind is not type(None)]
        for member in self._demanded:
            if shape[members.index(member)] is type(None):
                raise CallerError(f"{self._layout.block.__name__} must have {label(member.tag)}")
        chosen = [members[place] for place in there]
        plan = Plan(
            template="".join(map(_place, chosen)),
            choose=_chooser([_path(members[place], shape[place]) for place in there]),
            made=tuple(
                (number, write)
                for number, place in enumerate(there)
                if (write := self._writers[place](shape[place])) is not None
            ),
            free=tuple(
                number
                for number, member in enumerate(chosen)
                if member.kind.is_text and not member.field.length_tag
            ),
        )
        if len(self._plans) >= PLANS_MAX:
            self._plans.clear()
        self._plans[shape] = plan
        return plan

    def _unfit(self, block: Block, text: str) -> CallerError:
        """The error of a text that no field can hold."""
        name = self._layout.block.__name__
        if text:
            return CallerError(f"a value of {name} contains a delimiter (SOH)")
        empty = next(each for each in self._layout.members if getattr(block, each.name) == "")
        return CallerError(f"{name}: {label(empty.tag)} has no value")

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


def _place(member: Member) -> str:
    """The place of a member in a template.  A group and a data field bring their numbers."""
    if member.entry is not None:
        return "%s"
    return f"%s{SOH}" if member.field.length_tag else f"{member.tag}=%s{SOH}"


def _path(member: Member, kind: type) -> str:
    """Where a value is found in its block; of a quantity its units, which are all of it."""
    return f"{member.name}.units" if kind is member.kind.quantity else member.name


def _chooser(paths: list[str]) -> Callable[[Block], tuple[Any, ...]]:
    if len(paths) > 1:
        return attrgetter(*paths)
    return lambda block: tuple([attrgetter(path)(block) for path in paths])


def _writer(member: Member, sender: Sender) -> Callable[[type], Write | None]:
    """How a member's values of some type are written; `None` for those that are text already,
    or whole numbers.
    """
    own = member.kind
    if member.entry is not None:
        group = _group(member.tag, BlockWriter(member.entry, sender))
        return lambda _: group
    if member.field.length_tag:
        counted = _counted(member)
        return lambda _: counted

    def writer(kind: type) -> Write | None:
        if kind is own.quantity and own.write_units is not None:
            return own.write_units
        is_itself = (own.is_text and kind is str) or (own.is_integer and kind is int)
        return None if is_itself else own.write

    return writer


def _group(tag: str, writer: BlockWriter) -> Write:
    one = f"{tag}=1{SOH}"

    def write(entries: tuple[Block, ...]) -> str:
        if not entries:
            return ""
        if len(entries) == 1:
            return one + writer.write(entries[0])
        return f"{tag}={len(entries)}{SOH}" + "".join(map(writer.write, entries))

    return write


def _counted(member: Member) -> Callable[[str], str]:
    """A data field with the length field that must stand before it."""

    def write(text: str) -> str:
        size = len(text.encode("utf-8", "surrogateescape"))
        return f"{member.field.length_tag}={size}{SOH}{member.tag}={member.kind.write(text)}"

    return write
