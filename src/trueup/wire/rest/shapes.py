"""A record of the exchange described once: read, written, and checked from one place.

A `Shape` is made of a frozen class whose fields say by their types how they are
spelled on the wire (a `Price` is dollar text, a `Count` fixed-point text).
Where the type does not say enough, a `Wire` note does, in the annotation:

    class Rfq(msgspec.Struct, frozen=True, kw_only=True):
        rfq_id: Annotated[str, Wire("id")]
        contracts: Annotated[Count, Wire("contracts_fp", old=(("contracts", WHOLE_COUNT),))]
        created_at: Annotated[Instant, Wire("created_ts", TIME)]

or, for a class that must not know the exchange's spelling, next to the shape.
From that one description come the reading of answers (lenient: bare numbers,
nulls, older names), the strict reading of request bodies, the writing of both,
and the names of all fields, against which unknown ones are noticed.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from trueup.core.errors import InvariantBroken, ProtocolBroken
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.rest import codecs
from trueup.wire.rest.call import Page
from trueup.wire.rest.codecs import Codec, JsonType
from trueup.wire.rest.reading import Answer, list_of, page_of, record_of
from trueup.wire.spelling import Record

R = TypeVar("R")

_EXACT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ABSENT: Final = object()

_BY_TYPE: Final[Mapping[object, Codec[Any]]] = {
    str: codecs.TEXT,
    int: codecs.WHOLE,
    bool: codecs.FLAG,
    Decimal: codecs.EXACT,
    Price: codecs.PRICE,
    Count: codecs.COUNT,
    Money: codecs.DOLLARS,
    Ratio: codecs.AVERAGE,
    object: codecs.ANYTHING,
}


@dataclass(frozen=True, slots=True)
class Wire:
    """How a field is spelled where its name and type do not say it.

    `name` is the exchange's name of the field (empty: the same).  `codec`
    replaces the one of the type.  `required` says that the exchange demands
    the field of a request, or always sends it, even where the class has a
    default.  `old` are names, with their codecs, under which earlier versions
    of the exchange sent it.  `absent` is what a missing field means where the
    class has no default.  `null` writes a missing value as null instead of
    leaving it out.  `shape` describes a record, or each record of a list, whose
    class says too little by itself.  A field `of_path` belongs to a request's
    path or query: it is not part of the body.
    """

    name: str = ""
    codec: Codec[Any] | None = None
    required: bool | None = None
    old: tuple[tuple[str, Codec[Any]], ...] = ()
    absent: object = _ABSENT
    null: bool = False
    shape: Shape[Any] | None = None
    of_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a shape: `attribute` in Python, `name` on the wire."""

    attribute: str
    name: str
    codec: Codec[Any]
    shape: Shape[Any] | None
    required: bool
    absent: object
    old: tuple[tuple[str, Codec[Any]], ...]
    null: bool
    of_path: bool


class Shape(Generic[R]):
    """The description of one kind of record; see the module's docstring.

    `title` is the exchange's name of the record.  `ignored` are names of
    fields that are known and not read.  `brief` records leave out what equals
    the default when they are written (requests do).
    """

    def __init__(
        self,
        made: type[R],
        title: str,
        notes: Mapping[str, Wire] | None = None,
        *,
        ignored: str = "",
        brief: bool = False,
    ) -> None:
        self.made = made
        self.title = title
        self.brief = brief
        self.fields: tuple[Field, ...] = tuple(_fields(made, notes or {}))
        self._written = tuple(field for field in self.fields if not field.of_path)
        self.ignored = frozenset(ignored.split())
        old = {name for field in self.fields for name, _ in field.old}
        self.known = frozenset(field.name for field in self.fields) | old | self.ignored
        self.codec: Codec[R] = Codec(self.of_tree, self.write, JsonType.OBJECT, title)

    # -- reading ---------------------------------------------------------------------------

    def read(self, raw: bytes) -> R:
        """The record in `raw`; raises one of `trueup.wire.rest.reading.UNREADABLE`."""
        return self.of_tree(_EXACT.decode(raw))

    def of_tree(self, tree: object) -> R:
        """The record from decoded JSON, numbers with decimal places as `Decimal`."""
        if not isinstance(tree, dict):
            raise ProtocolBroken(f"{self.title}: an object was expected, not {tree!r:.40}")
        record = cast("dict[str, object]", tree)
        return self.made(**{field.attribute: _value(field, record) for field in self.fields})

    def unknown(self, tree: object) -> Iterator[str]:
        """Names of fields, and words, that this version does not know, at any depth.

        Fields are named with their path (``legs.weight``), words with their
        field (``status=odd``).
        """
        if not isinstance(tree, dict):
            return
        record = cast("dict[str, object]", tree)
        yield from sorted(record.keys() - self.known)
        for field in self.fields:
            for part in parts(record.get(field.name)):
                if field.shape is not None:
                    yield from (f"{field.name}.{name}" for name in field.shape.unknown(part))
                elif field.codec.words and isinstance(part, str) and part not in field.codec.words:
                    yield f"{field.name}={part}"

    # -- writing ---------------------------------------------------------------------------

    def write(self, value: R) -> Record:
        """The record in the exchange's field names."""
        record: Record = {}
        for field in self._written:
            held = getattr(value, field.attribute)
            if held is None:
                if field.null:
                    record[field.name] = None
            elif field.required or not self.brief or held != field.absent:
                record[field.name] = field.codec.write(held)
        return record

    # -- answers ---------------------------------------------------------------------------

    def answer(self, key: str | None = None) -> Answer[R]:
        """An answer that is one such record: the value of `key`, or the whole body."""
        return record_of(key, self.read, self.known, self.unknown)

    def answers(self, key: str) -> Answer[tuple[R, ...]]:
        """An answer ``{key: [record, …]}`` that is one reading."""
        return list_of(key, self.read, self.known, self.unknown)

    def pages(self, key: str, *, cursor: str = "cursor") -> Answer[Page[R]]:
        """An answer ``{key: [record, …], cursor: …}``; see `trueup.wire.rest.call.Page`."""
        return page_of(key, self.read, self.known, unknown=self.unknown, cursor_key=cursor)


def _value(field: Field, record: Mapping[str, object]) -> object:
    held = record.get(field.name)
    if held is not None:
        return field.codec.read(held)
    for name, codec in field.old:
        held = record.get(name)
        if held is not None:
            return codec.read(held)
    if field.absent is _ABSENT:
        raise ProtocolBroken(f"the record has no {field.name!r}")
    return field.absent


def parts(value: object) -> Iterator[object]:
    """A value by itself, or the items of a list."""
    if isinstance(value, list):
        yield from cast("list[object]", value)
    elif value is not None:
        yield value


def _fields(made: type[Any], notes: Mapping[str, Wire]) -> Iterator[Field]:
    hints = get_type_hints(made, include_extras=True)
    defaults = dict(_defaults(made))
    if notes.keys() - hints.keys():
        raise InvariantBroken(f"{made.__name__} has no {sorted(notes.keys() - hints.keys())}")
    for attribute, hint in hints.items():
        if attribute not in defaults:
            continue
        bare, note = _unwrap(hint)
        note = notes.get(attribute, note)
        if note.codec is None:
            codec, shape, optional = _codec_of(bare, note.shape)
        else:
            codec, shape, optional = note.codec, None, type(None) in get_args(bare)
        default = defaults[attribute]
        absent = note.absent if note.absent is not _ABSENT else default
        if absent is _ABSENT and codec is not None and codec.json_type is JsonType.ARRAY:
            absent = ()
        if absent is _ABSENT and optional:
            absent = None
        if codec is None:
            raise InvariantBroken(f"{made.__name__}.{attribute}: no codec for {bare}")
        yield Field(
            attribute=attribute,
            name=note.name or attribute,
            codec=codec,
            shape=shape,
            required=absent is _ABSENT if note.required is None else note.required,
            absent=absent,
            old=note.old,
            null=note.null,
            of_path=note.of_path,
        )


def _defaults(made: type[Any]) -> Iterator[tuple[str, object]]:
    """The fields of a struct or a dataclass with their defaults."""
    if issubclass(made, msgspec.Struct):
        for field in msgspec.structs.fields(made):
            yield field.name, _ABSENT if field.default is msgspec.NODEFAULT else field.default
        return
    for each in dataclasses.fields(made):
        yield each.name, _ABSENT if each.default is dataclasses.MISSING else each.default


def _unwrap(hint: object) -> tuple[object, Wire]:
    if get_origin(hint) is Annotated:
        bare, *extras = get_args(hint)
        return bare, next((extra for extra in extras if isinstance(extra, Wire)), Wire())
    return hint, Wire()


def _codec_of(
    hint: object, given: Shape[Any] | None = None
) -> tuple[Codec[Any] | None, Shape[Any] | None, bool]:
    """The codec of a type, the shape inside it, and whether it may be missing."""
    while hasattr(hint, "__supertype__"):
        hint = cast("Any", hint).__supertype__
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        alone = [each for each in inner if each is not type(None)]
        codec, shape, _ = _codec_of(alone[0], given) if len(alone) == 1 else (None, None, True)
        return codec, shape, len(alone) < len(inner)
    if origin is tuple:
        codec, shape, _ = _codec_of(_unwrap(inner[0])[0], given)
        return None if codec is None else codecs.list_of(codec), shape, False
    if origin in {dict, Mapping}:
        codec, _, _ = _codec_of(inner[1], given)
        return None if codec is None else codecs.map_of(codec), None, False
    return *_plain_codec(hint, given), False


def _plain_codec(
    hint: object, given: Shape[Any] | None
) -> tuple[Codec[Any] | None, Shape[Any] | None]:
    if given is not None:
        return given.codec, given
    found = _BY_TYPE.get(hint)
    if found is not None:
        return found, None
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return codecs.word_of(hint), None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        shape = Shape(cast("type[Any]", hint), hint.__name__)
        return shape.codec, shape
    return None, None
