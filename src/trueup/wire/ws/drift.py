"""Fields of messages that this version does not know.

The exchange announces new fields for all messages of a type at once, and the
search costs more than the decoding, so a session looks at the first message of
a type and then at one in a thousand.
"""

from __future__ import annotations

from typing import Final, TypeGuard, get_args, get_type_hints

import msgspec

from trueup.wire.ws.messages import TYPES, Message

_Fields = dict[str, msgspec.Raw]

_fields: Final = msgspec.json.Decoder(_Fields)
_type: Final = msgspec.json.Decoder(str)
_OBJECT: Final = b"{"


def unknown_fields(frame: bytes | str) -> tuple[str, ...]:
    """Names of fields that nobody here knows: ``name`` outside, ``msg.name`` inside.

    Empty for a frame of a type that is unknown as a whole, or that is no object.
    """
    try:
        outside = _fields.decode(frame)
        kind = TYPES.get(_type.decode(outside.get("type", b'""')))
        if kind is None:
            return ()
        inside = outside.get("msg", msgspec.Raw(b"null"))
        names = _fields.decode(inside) if bytes(inside).startswith(_OBJECT) else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
    known_outside, known_inside = _KNOWN[kind]
    return (
        *sorted(outside.keys() - known_outside),
        *(f"msg.{name}" for name in sorted(names.keys() - known_inside)),
    )


def _known(kind: type[Message]) -> tuple[frozenset[str], frozenset[str]]:
    outside = frozenset(kind.__struct_encode_fields__) | {"type"}
    hint = get_type_hints(kind).get("msg")
    bodies = [one for one in (hint, *get_args(hint)) if _is_struct(one)]
    return outside, frozenset(name for one in bodies for name in one.__struct_encode_fields__)


def _is_struct(one: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(one, type) and issubclass(one, msgspec.Struct)


_KNOWN: Final = {kind: _known(kind) for kind in TYPES.values()}
