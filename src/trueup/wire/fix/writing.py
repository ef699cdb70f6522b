"""From a typed block to the texts of its fields, by the table that its `Layout` is.

There are two roads, and what one writes the other writes, byte for byte:

- `write_plainly` walks over the members of a layout one by one.  It says what can be written
  and, when something cannot, what and why.
- `fast_writer` makes a function whose source is written out from the same members, as
  `dataclasses` makes an ``__init__``: no loop, no look-up, one text.  Whatever is not exactly
  what it expects (another class, an empty text, a missing field, an error of any kind) it
  leaves to the plain road, so that it decides nothing and has no errors of its own.

Nothing is sent that could not be read again: a missing required field, an empty value or
one with a delimiter inside is the caller's mistake and raises `CallerError` before
anything leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, cast

from trueup.core.errors import CallerError, TrueupError
from trueup.wire.fix.dictionary import Layout, Member
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.message import Block, Sender
from trueup.wire.fix.reading import label

_REFUSALS: Final = (TrueupError, ValueError, KeyError, AttributeError, TypeError)

Write = Callable[[Any], str]


def write_plainly(layout: Layout, sender: Sender, block: Block) -> str:
    """The text of a block as `sender` writes it, a SOH after every field.

    Raises `CallerError` for what cannot be sent.
    """
    name = layout.block.__name__
    if type(block) is not layout.block:
        raise CallerError(f"{type(block).__name__} stands where a {name} belongs")
    parts: list[str] = []
    for member in layout.members:
        value: Any = getattr(block, member.name)
        if value is None:
            if member.required_of in {Sender.BOTH, sender}:
                raise CallerError(f"{name} must have {label(member.tag)}")
        elif member.entry is None:
            parts.append(_field(member, value, name))
        elif type(value) not in {tuple, list}:
            raise CallerError(
                f"{name}: {label(member.tag)} needs a tuple of entries, not {value!r}"
            )
        elif value:
            parts.append(f"{member.tag}={len(value)}{SOH}")
            parts += [write_plainly(member.entry, sender, each) for each in value]
    return "".join(parts)


def _field(member: Member, value: object, block: str) -> str:
    """One field; a data field with the length field that must stand before it."""
    try:
        text = member.kind.write(value)
    except _REFUSALS as error:
        if value == "":
            raise CallerError(f"{block}: {label(member.tag)} has no value") from error
        raise CallerError(f"{block}: {value!r} does not fit {label(member.tag)}") from error
    if member.field.length_tag:
        size = len(text.encode("utf-8", "surrogateescape"))
        return f"{member.field.length_tag}={size}{SOH}{member.tag}={text}{SOH}"
    if SOH in text:
        raise CallerError(f"{block}: the value of {label(member.tag)} contains a delimiter (SOH)")
    return f"{member.tag}={text}{SOH}"


def fast_writer(layout: Layout, sender: Sender) -> Write:
    """A function that writes what `write_plainly` does for this layout and side."""
    names: dict[str, Any] = {
        "Block": layout.block,
        "plain": partial(write_plainly, layout, sender),
        "refusals": _REFUSALS,
        "SOH": SOH,
    }
    for member in layout.members:
        names[f"write_{member.tag}"] = _value_writer(member, sender)
        names[f"Quantity_{member.tag}"] = member.kind.quantity
    # Made of the attributes' names and the fields' numbers in our own table, of nothing else.
    exec(source_of(layout, sender), names)  # noqa: S102
    return cast("Write", names["write"])


def _value_writer(member: Member, sender: Sender) -> Callable[[Any], str]:
    if member.entry is not None:
        return fast_writer(member.entry, sender)
    if member.field.length_tag:
        return partial(_field, member, block="")
    return member.kind.write_units or member.kind.write


def source_of(layout: Layout, sender: Sender) -> str:
    """The source of `fast_writer`'s function, for whoever wants to read it.

    Fields that must be there are written together, the others one by one as they come.
    """
    lines = ["text = ''"]
    together: list[Member] = []
    for member in layout.members:
        if member.entry is None and member.required_of in {Sender.BOTH, sender}:
            together.append(member)
            continue
        lines += _together(together)
        together.clear()
        lines += _optional(member) if member.entry is None else _group(member)
    lines += _together(together)
    body = "\n".join(f"        {line}" for line in lines)
    return f"""\
def write(block):
    if type(block) is not Block:
        return plain(block)
    try:
{body}
    except refusals:
        return plain(block)
    return text
"""


def _together(members: Sequence[Member]) -> list[str]:
    lines: list[str] = []
    for member in members:
        lines += [f"value_{member.tag} = block.{member.name}", *_look(member)]
    if members:
        lines.append(f"text += f'{''.join(map(_place, members))}'")
    return lines


def _optional(member: Member) -> list[str]:
    written = [*_look(member), f"text += f'{_place(member)}'"]
    return [
        f"value_{member.tag} = block.{member.name}",
        f"if value_{member.tag} is not None:",
        *(f"    {line}" for line in written),
    ]


def _group(member: Member) -> list[str]:
    """Most groups have one entry."""
    value, write = f"value_{member.tag}", f"write_{member.tag}"
    return [
        f"{value} = block.{member.name}",
        f"if type({value}) is not tuple: return plain(block)",
        f"if len({value}) == 1:",
        f"    text += f'{member.tag}=1\\x01{{{write}({value}[0])}}'",
        f"elif {value}:",
        f"    text += f'{member.tag}={{len({value})}}\\x01' + ''.join(map({write}, {value}))",
    ]


def _look(member: Member) -> list[str]:
    """What must hold for a value to be written as `_place` does."""
    value = f"value_{member.tag}"
    if member.field.length_tag:
        return []
    if member.kind.is_text:
        odd = f"type({value}) is not str or not {value} or SOH in {value}"
    elif member.kind.is_integer:
        odd = f"type({value}) is not int"
    elif member.kind.write_units is not None:
        odd = f"type({value}) is not Quantity_{member.tag}"
    else:
        return []
    return [f"if {odd}: return plain(block)"]


def _place(member: Member) -> str:
    """One field, as a part of an f-string."""
    value, write = f"value_{member.tag}", f"write_{member.tag}"
    if member.field.length_tag:
        return f"{{{write}({value})}}"
    if member.kind.is_text or member.kind.is_integer:
        written = value
    elif member.kind.write_units is not None:
        written = f"{write}({value}.units)"
    else:
        written = f"{write}({value})"
    return f"{member.tag}={{{written}}}\\x01"
