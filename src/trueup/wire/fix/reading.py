"""From numbers and values to a typed block, by plans that are made once per shape.

A shape is the sequence of numbers in a block.  Everything that depends on it alone
(repeated tags, missing ones, unknown ones, which entries a group has, where which value
goes) is decided the first time it is seen and kept as a `Plan`; for a message of a known
shape only counts are compared and values converted.  A long message (a page of fifty
parties) is cut into its entries first, each with a plan of its own, so that fifty
parties of one shape cost one plan.

A plan is carried out on two roads.  `Plan.build` goes through its fields one by one, and
says what is wrong with which.  A shape that comes a second time gets a function whose source
is written out from its plans (`fast_reader`): it makes the blocks in one expression, and
leaves whatever is not as it should be to the other road, which finds the error.

The number of plans is bounded, since the other side chooses the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple, NoReturn, cast

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

PLANS_MAX: Final = 128
"""How many shapes one reader remembers before it starts over."""

SHAPE_MAX: Final = 96
"""Longer shapes are cut into the entries of their groups, or not remembered."""

_REFUSALS: Final = (TrueupError, ValueError, KeyError, OverflowError)
_COUNT_DIGITS_MAX: Final = 7

Unknown = tuple[str, str]
"""Number and value of a field that the dictionary does not have."""

Shape = tuple[str, ...]
Values = list[str]


Read = Callable[[Values], list[Any]]
"""The values of a shape to its blocks."""


class PlannedField(NamedTuple):
    """Where a field stands in its shape, and which attribute it becomes."""

    place: int
    member: Member


@dataclass(frozen=True, slots=True)
class Plan:
    """How the values of one shape become one block.

    `counts` are places of group counts with the text they must hold, `lengths` pairs of
    places: a length and the data that it counts.  All places are within the same list.
    """

    block: Callable[..., Any]
    fields: tuple[PlannedField, ...]
    counts: tuple[tuple[int, str, str], ...]
    groups: tuple[tuple[str, tuple[Plan, ...]], ...]
    lengths: tuple[tuple[int, int], ...]

    def build(self, values: Values, cut: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """The block; `cut` are groups that were read already."""
        attributes: dict[str, Any] = {}
        for place, member in self.fields:
            try:
                attributes[member.name] = member.kind.read(values[place])
            except _REFUSALS as error:
                raise _wrong(member.tag, values[place], error) from error
        for place, text, tag in self.counts:
            if values[place] != text:
                _refuse_count(tag, values[place], text)
        for name, entries in self.groups:
            attributes[name] = tuple([entry.build(values) for entry in entries])
        if self.lengths:
            _check_lengths(self.lengths, values)
        if cut:
            attributes.update(cut)
        return self.block(**attributes)


def read_plainly(plans: tuple[Plan, ...], values: Values) -> list[Any]:
    """One block for each plan; raises a kind of `Unusable`."""
    return [plan.build(values) for plan in plans]


def fast_reader(plans: tuple[Plan, ...], size: int) -> Read:
    """A function that reads what `read_plainly` does from `size` values."""
    plain = partial(read_plainly, plans)
    if any(plan.lengths for plan in plans):
        return plain
    names: dict[str, Any] = {"plain": plain, "refusals": _REFUSALS}
    # Made of the attributes' names in our own table and of places, of nothing else.
    exec(source_of(plans, size, names), names)  # noqa: S102
    return cast("Read", names["read"])


def source_of(plans: tuple[Plan, ...], size: int, names: dict[str, Any]) -> str:
    """The source of `fast_reader`'s function.  What it calls is added to `names`."""
    counts: list[str] = []
    blocks = "".join(f"        {_expression(plan, names, counts)},\n" for plan in plans)
    odd = " or ".join(counts)
    check = f"        if {odd}: return plain(values)\n" if odd else ""
    return f"""\
def read(values):
    [{", ".join(f"value_{place}" for place in range(size))}] = values
    try:
{check}        return [
{blocks}        ]
    except refusals:
        return plain(values)
"""


def _expression(plan: Plan, names: dict[str, Any], counts: list[str]) -> str:
    """A block, made of the values of a shape."""
    block = f"Block_{len(names)}"
    names[block] = plan.block
    attributes: list[str] = []
    for place, member in plan.fields:
        value = f"value_{place}"
        if not member.kind.is_text:
            names[f"read_{place}"] = member.kind.read
            value = f"read_{place}({value})"
        attributes.append(f"{member.name}={value}")
    counts += [f"value_{place} != '{text}'" for place, text, _ in plan.counts]
    for name, entries in plan.groups:
        made = "".join(f"{_expression(entry, names, counts)}," for entry in entries)
        attributes.append(f"{name}=({made})")
    return f"{block}({', '.join(attributes)})"


class BlockReader:
    """Reads blocks that stand in one row of fields: header, body and trailer, or one entry."""

    def __init__(self, layouts: tuple[Layout, ...], around: frozenset[str] = frozenset()) -> None:
        """`around` are the numbers of the blocks around these; they end a group."""
        self._layouts = layouts
        self._outside = around | _plain_tags(layouts)
        self._known = _joined(layout.reach for layout in layouts)
        self._plans: dict[Shape, tuple[tuple[Plan, ...], tuple[int, ...]]] = {}
        self._fast: dict[Shape, tuple[Read, tuple[int, ...]]] = {}
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
        if cut is not None:
            plans, strangers = self._plans.get(shape) or self._planned(shape)
            unknown.extend([(tags[index], values[index]) for index in strangers])
            return [
                plan.build(values, cut if layout.groups else None)
                for layout, plan in zip(self._layouts, plans, strict=True)
            ]
        read, strangers = self._fast.get(shape) or self._reader(shape)
        if strangers:
            unknown.extend([(tags[index], values[index]) for index in strangers])
        return read(values)

    def _reader(self, shape: Shape) -> tuple[Read, tuple[int, ...]]:
        """The plain reader of a shape, and from its second time on the fast one."""
        known = self._plans.get(shape)
        if known is None:
            plans, strangers = self._planned(shape)
            return partial(read_plainly, plans), strangers
        plans, strangers = known
        found = self._fast[shape] = fast_reader(plans, len(shape)), strangers
        return found

    def _planned(self, shape: Shape) -> tuple[tuple[Plan, ...], tuple[int, ...]]:
        strangers: list[int] = []
        planner = _Planner(shape, strangers)
        found = planner.plans(self._layouts, self._outside, range(len(shape))), tuple(strangers)
        if len(shape) <= SHAPE_MAX:
            if len(self._plans) >= PLANS_MAX:
                self._plans.clear()
                self._fast.clear()
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
            fields=tuple(PlannedField(places[member.tag], member) for member in found),
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
