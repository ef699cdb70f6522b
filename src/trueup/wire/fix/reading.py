"""From numbers and values to a typed block, by plans that are made once per shape.

A shape is the sequence of numbers in a block.  Everything that depends on it alone
(repeated tags, missing ones, unknown ones, which entries a group has, where which value
goes) is decided the first time it is seen and kept as a `Plan`; for a message of a known
shape only counts are compared and values converted.  A long message (a page of fifty
parties) is cut into its entries first, each with a plan of its own, so that fifty
parties of one shape cost one plan.

The number of plans is bounded, since the other side chooses the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import call, itemgetter
from typing import Any, Final, NoReturn, cast

from trueup.core.errors import InvariantBroken, TrueupError
from trueup.wire.fix.dictionary import FRAME_TAGS, Layout, Member
from trueup.wire.fix.errors import (
    EmptyValue,
    GroupBroken,
    MalformedField,
    MissingTag,
    RepeatedTag,
    WrongValue,
)
from trueup.wire.fix.fields import FIELDS
from trueup.wire.fix.message import Block
from trueup.wire.fix.pairs import is_tag

PLANS_MAX: Final = 512
"""How many shapes one reader remembers before it starts over."""

SHAPE_MAX: Final = 96
"""Longer shapes are cut into the entries of their groups, or not remembered."""

_REFUSALS: Final = (TrueupError, ValueError, KeyError, OverflowError)
_COUNT_DIGITS_MAX: Final = 7

_call = cast("Callable[[Callable[[str], Any], str], Any]", call)

Unknown = tuple[str, str]
"""Number and value of a field that the dictionary does not have."""

Shape = tuple[str, ...]
Values = list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the values of one shape become one block.

    `choose` takes the values to a tuple in the order of `names`, `readers` convert them.
    `counts` are places of group counts with the text they must hold, `lengths` pairs of
    places: a length and the data that it counts.  All places are within the same list.
    """

    block: Callable[..., Any]
    names: tuple[str, ...]
    choose: Callable[[Values], tuple[str, ...]]
    readers: tuple[Callable[[str], Any], ...]
    tags: tuple[str, ...]
    counts: tuple[tuple[int, str, str], ...]
    groups: tuple[tuple[str, tuple[Plan, ...]], ...]
    lengths: tuple[tuple[int, int], ...]

    def build(self, values: Values, cut: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """The block; `cut` are groups that were read already."""
        try:
            attributes = dict(
                zip(self.names, map(_call, self.readers, self.choose(values)), strict=True)
            )
        except _REFUSALS as error:
            self._refuse(values, error)
        for index, text, tag in self.counts:
            if values[index] != text:
                _refuse_count(tag, values[index], text)
        for name, entries in self.groups:
            attributes[name] = tuple([entry.build(values) for entry in entries])
        if self.lengths:
            _check_lengths(self.lengths, values)
        if cut:
            attributes.update(cut)
        return self.block(**attributes)

    def _refuse(self, values: Values, error: Exception) -> NoReturn:
        """Find the value at fault and raise what is wrong with it."""
        for tag, read, value in zip(self.tags, self.readers, self.choose(values), strict=True):
            try:
                read(value)
            except _REFUSALS as reason:
                raise _wrong(tag, value, reason) from reason
        raise InvariantBroken("a value was refused once and not again") from error


class BlockReader:
    """Reads blocks that stand in one row of fields: header, body and trailer, or one entry."""

    def __init__(self, layouts: tuple[Layout, ...], around: frozenset[str] = frozenset()) -> None:
        """`around` are the numbers of the blocks around these; they end a group."""
        self._layouts = layouts
        self._outside = around | _plain_tags(layouts)
        self._known = _joined(layout.reach for layout in layouts)
        self._plans: dict[Shape, tuple[tuple[Plan, ...], tuple[int, ...]]] = {}
        self._groups = tuple(
            GroupReader(member, self._outside) for layout in layouts for member in layout.groups
        )

    def read(self, tags: list[str], values: Values, unknown: list[Unknown]) -> list[Any]:
        """One block for each layout.  What none of them knows is added to `unknown`."""
        cut: dict[str, Any] | None = None
        if len(tags) > SHAPE_MAX:
            cut = {}
            for group in self._groups:
                if group.tag in tags:
                    tags, values = group.take(tags, values, cut, unknown)
        if "" in values:
            _refuse_empty(tags, values, self._known)
        shape = tuple(tags)
        plans, strangers = self._plans.get(shape) or self._planned(shape)
        if strangers:
            unknown.extend([(tags[index], values[index]) for index in strangers])
        if cut is None:
            return [plan.build(values) for plan in plans]
        return [
            plan.build(values, cut if layout.groups else None)
            for layout, plan in zip(self._layouts, plans, strict=True)
        ]

    def _planned(self, shape: Shape) -> tuple[tuple[Plan, ...], tuple[int, ...]]:
        strangers: list[int] = []
        planner = _Planner(shape, strangers)
        found = planner.plans(self._layouts, self._outside, range(len(shape))), tuple(strangers)
        if len(shape) <= SHAPE_MAX:
            if len(self._plans) >= PLANS_MAX:
                self._plans.clear()
            self._plans[shape] = found
        return found


class GroupReader:
    """Cuts the entries of one repeating group out of a long row of fields."""

    def __init__(self, member: Member, around: frozenset[str]) -> None:
        entry = entry_of(member)
        self.tag = member.tag
        self._name = member.name
        self._delimiter = entry.delimiter
        self._outside = around - entry.reach
        self._reader = BlockReader((entry,), self._outside)

    def take(
        self, tags: list[str], values: Values, cut: dict[str, Any], unknown: list[Unknown]
    ) -> tuple[list[str], Values]:
        """Read the group into `cut`; the rest of the row is returned."""
        if self._name in cut:
            raise InvariantBroken(f"two blocks have a group {self._name}")
        begin = tags.index(self.tag)
        entries: list[Block] = []
        start = stop = begin + 1
        for start, stop in entry_spans(tags, begin + 1, self._delimiter, self._outside):
            entries.extend(self._reader.read(tags[start:stop], values[start:stop], unknown))
        if values[begin] != str(len(entries)):
            _refuse_count(self.tag, values[begin], str(len(entries)))
        cut[self._name] = tuple(entries)
        return tags[:begin] + tags[stop:], values[:begin] + values[stop:]


def entry_spans(
    tags: list[str] | Shape, start: int, delimiter: str, outside: frozenset[str]
) -> list[tuple[int, int]]:
    """Where the entries of a group stand, that begins at `start`.

    An entry begins with the delimiter and ends before the next one or before a number
    of an outer block.  A number that nobody knows belongs to the entry it stands in.
    """
    spans: list[tuple[int, int]] = []
    size = len(tags)
    while start < size and tags[start] == delimiter:
        stop = start + 1
        while stop < size and tags[stop] != delimiter and tags[stop] not in outside:
            stop += 1
        spans.append((start, stop))
        start = stop
    return spans


def entry_of(member: Member) -> Layout:
    """The layout of a group's entries."""
    if member.entry is None:
        raise InvariantBroken(f"{member.name} is not a group")
    return member.entry


class _Planner:
    """Makes the plans of one shape.  Places in nested entries count from the same start."""

    def __init__(self, shape: Shape, strangers: list[int]) -> None:
        self._shape = shape
        self._strangers = strangers

    def plans(
        self, layouts: tuple[Layout, ...], outside: frozenset[str], span: range
    ) -> tuple[Plan, ...]:
        """One plan for each layout that shares the fields of `span`."""
        groups: dict[str, tuple[int, tuple[Plan, ...]]] = {}
        inside: set[int] = set()
        for member in chain.from_iterable(layout.groups for layout in layouts):
            places = [index for index in span if self._shape[index] == member.tag]
            if places and places[0] not in inside:
                groups[member.tag] = places[0], self._entries(member, outside, places[0], inside)
        places = self._places(layouts, [index for index in span if index not in inside])
        return tuple(self._plan(layout, places, groups) for layout in layouts)

    def _entries(
        self, member: Member, outside: frozenset[str], begin: int, inside: set[int]
    ) -> tuple[Plan, ...]:
        entry = entry_of(member)
        ends = outside - entry.reach
        plans: list[Plan] = []
        for start, stop in entry_spans(self._shape, begin + 1, entry.delimiter, ends):
            span = range(start, stop)
            inside.update(span)
            plans.extend(self.plans((entry,), ends | _plain_tags((entry,)), span))
        return tuple(plans)

    def _places(self, layouts: tuple[Layout, ...], indexes: list[int]) -> Mapping[str, int]:
        plain = _plain_tags(layouts)
        reach = _joined(layout.reach for layout in layouts)
        places: dict[str, int] = {}
        for index in indexes:
            tag = self._shape[index]
            if tag in plain:
                if tag in places:
                    raise RepeatedTag(f"{label(tag)} appears more than once", tag=int(tag))
                places[tag] = index
            elif tag in reach:
                raise GroupBroken(
                    f"{label(tag)} stands outside of its group: a count is wrong, or the order",
                    tag=int(tag),
                )
            elif tag in FRAME_TAGS:
                raise RepeatedTag(f"{label(tag)} stands inside of the message", tag=int(tag))
            elif not is_tag(tag):
                raise MalformedField(f"{tag[:20]!r} is not a field number")
            else:
                self._strangers.append(index)
        return places

    @staticmethod
    def _plan(
        layout: Layout,
        places: Mapping[str, int],
        groups: Mapping[str, tuple[int, tuple[Plan, ...]]],
    ) -> Plan:
        for member in layout.members:
            if member.required and member.tag not in places:
                raise MissingTag(f"{label(member.tag)} is missing", tag=member.field.tag)
        found = [each for each in layout.members if each.tag in places and each.entry is None]
        own = [each for each in layout.groups if each.tag in groups]
        return Plan(
            block=layout.block,
            names=tuple(member.name for member in found),
            choose=_chooser([places[member.tag] for member in found]),
            readers=tuple(str if member.kind.is_text else member.kind.read for member in found),
            tags=tuple(member.tag for member in found),
            counts=tuple((groups[m.tag][0], str(len(groups[m.tag][1])), m.tag) for m in own),
            groups=tuple((member.name, groups[member.tag][1]) for member in own),
            lengths=tuple(
                (places[length], places[text])
                for length, text in layout.lengths.items()
                if length in places and text in places
            ),
        )


def _plain_tags(layouts: tuple[Layout, ...]) -> frozenset[str]:
    return _joined(chain(layout.by_tag, layout.lengths) for layout in layouts)


def _joined(parts: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(chain.from_iterable(parts))


def _chooser(indexes: list[int]) -> Callable[[Values], tuple[str, ...]]:
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda values: tuple([values[index] for index in indexes])


def label(tag: str) -> str:
    """``Symbol (55)``: a field by name and number."""
    own = FIELDS.get(int(tag))
    return f"{own.name} ({tag})" if own else f"field {tag}"


def _wrong(tag: str, text: str, error: Exception) -> WrongValue:
    why = f"{text[:40]!r} is not on its list" if isinstance(error, KeyError) else str(error)
    return WrongValue(f"{label(tag)}: {why}", tag=int(tag))


def _refuse_count(tag: str, stated: str, found: str) -> NoReturn:
    if not (stated.isascii() and stated.isdigit() and len(stated) <= _COUNT_DIGITS_MAX):
        raise WrongValue(f"{label(tag)} is {stated[:40]!r}, not a number", tag=int(tag))
    raise GroupBroken(f"{label(tag)} announces {stated} entries, {found} were found", tag=int(tag))


def _refuse_empty(tags: list[str], values: Values, known: frozenset[str]) -> None:
    for tag, value in zip(tags, values, strict=True):
        if not value and tag in known:
            raise EmptyValue(f"{label(tag)} has no value", tag=int(tag))


def _check_lengths(lengths: tuple[tuple[int, int], ...], values: Values) -> None:
    for length, text in lengths:
        size = len(values[text].encode("utf-8", "surrogateescape"))
        if values[length] != str(size):
            raise WrongValue(f"a data field of {size} bytes is said to have {values[length][:20]}")
