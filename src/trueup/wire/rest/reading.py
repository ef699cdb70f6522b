"""How an answer becomes values: pages of records, single records, and what to
do with a record that cannot be read.

A page is opened without touching its rows; every row is then decoded on its
own, so that one bad row costs one row: it becomes an `Unreadable` with its raw
payload and the reason, and the page goes on.  An answer that is no JSON, is
cut short or lacks its list is `ProtocolBroken`: nothing may take it for an
empty page.

Only the first record of a page is searched for unknown field names, because
the exchange announces new fields for all records at once and the search costs
more than the decoding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Generic, Protocol, TypeVar, cast, get_args, overload

import msgspec

from trueup.core.errors import FinerThanUnit, NotANumber, ProtocolBroken, UnknownWord
from trueup.wire.rest.call import Page, Unreadable

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R", bound=msgspec.Struct)

Reader = Callable[[bytes], T]
"""Decodes one record.  Raises one of `UNREADABLE` when it cannot."""

Search = Callable[[object], Iterable[str]]
"""Names in a decoded record what this version does not know; looks deeper than the names."""

BROKEN_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding bytes can fail with: no JSON or another shape, no UTF-8, nested too deep."""

UNREADABLE: Final = (ProtocolBroken, NotANumber, FinerThanUnit, *BROKEN_JSON)
"""What a record can fail with."""

_EVIDENCE_BYTES: Final = 300
_TRY_AGAIN: Final = "Try again; if it stays, report it with the evidence. Nothing was booked."
_LARGEST_FIRST_ROW: Final = 1 << 16
_NUL: Final = rb"\u0000"
_SCANNER: Final = json.JSONDecoder()

_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EXACT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def field_names(text: str) -> frozenset[str]:
    """Field names from text with blanks between them."""
    return frozenset(text.split())


class RecordDecoder(Generic[R]):
    """Decodes one JSON object into the struct `R`, numbers exactly.

    The struct's fields of type ``str | int`` are numbers that belong in a
    string.  When the exchange sends such a one as a JSON number with decimal
    places, the row is decoded a second time with the number's own text, which
    never passes through a binary float.
    """

    def __init__(self, struct: type[R]) -> None:
        self._struct = struct
        self._decoder = msgspec.json.Decoder(struct)
        self._numbers = frozenset(
            field.encode_name
            for field in msgspec.structs.fields(struct)
            if {str, int} <= set(get_args(field.type))
        )

    def __call__(self, raw: bytes) -> R:
        """The record; raises one of `UNREADABLE`."""
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError:
            # Rare: only where a number came bare, or the record is really broken.
            record = _EXACT.decode(raw)
        texts = {
            name: str(value) if isinstance(value, Decimal) and name in self._numbers else value
            for name, value in record.items()
        }
        return msgspec.convert(texts, self._struct)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """How to read the body of one kind of answer (see `Call`)."""

    decode: Callable[[bytes], T]
    unknown_fields: Callable[[bytes], tuple[str, ...]]

    def then(self, make: Callable[[T], S]) -> Answer[S]:
        """The same answer, made into something else."""
        decode = self.decode
        return Answer(lambda body: make(decode(body)), self.unknown_fields)


def nothing() -> Answer[None]:
    """An answer that says no more than its status: 204, or an empty object."""
    return Answer(lambda _body: None, lambda _body: ())


def page_of(
    key: str,
    read: Reader[T],
    known: frozenset[str],
    *,
    read_all: Callable[[bytes], tuple[Sequence[T], str]] | None = None,
    unknown: Search | None = None,
    cursor_key: str = "cursor",
) -> Answer[Page[T]]:
    """An answer ``{key: [record, …], "cursor": …}``.  `unknown` searches a record deeper.

    The last page has an empty, null or absent cursor.  `read_all`, where there
    is one, gives all records of a body and the cursor at once; it is a quicker
    way to the same items and may raise one of `UNREADABLE`, then every row is
    read on its own.  The raw rows are then cut out only if they are asked for.
    """

    def decode(body: bytes) -> Page[T]:
        holds_nul = b"\\" in body and _NUL in body
        if read_all is not None and not holds_nul:
            with suppress(*UNREADABLE):
                everything, cursor = read_all(body)
                strange = _unknown(_first_row(key, body), known, unknown) if everything else ()
                return Page(tuple(everything), _Rows(key, body), cursor, (), strange)
        rows, cursor = _page(key, body, cursor_key)
        strange = _unknown(rows[0], known, unknown) if rows else ()
        items: list[T] = []
        raws: list[bytes] = []
        unreadable: list[Unreadable] = []
        for raw in rows:
            try:
                if holds_nul:
                    _refuse_nul(raw)
                items.append(read(raw))
            except UNREADABLE as error:
                word = error.drift if isinstance(error, UnknownWord) else ""
                unreadable.append(Unreadable(raw, str(error), word))
            else:
                raws.append(raw)
        return Page(
            tuple(items),
            tuple(raws),
            cursor,
            tuple(unreadable),
            strange,
        )

    return Answer(decode, _first_of(key, known, unknown))


def _refuse_nul(raw: bytes) -> None:
    if _NUL in raw:
        raise ProtocolBroken("the record holds the character NUL, which no database column takes")


def bulk_of(
    key: str, struct: type[S], read: Callable[[S], T]
) -> Callable[[bytes], tuple[list[T], str]]:
    """The quick way of `page_of`: all records of a body as `struct`, then one by one."""
    answer = msgspec.defstruct(
        "Answer",
        [("rows", list[struct], msgspec.field(name=key)), ("cursor", str | None, None)],
    )
    decoder = msgspec.json.Decoder(cast("type[_Records[S]]", answer))

    def read_all(body: bytes) -> tuple[list[T], str]:
        decoded = decoder.decode(body)
        return list(map(read, decoded.rows)), decoded.cursor or ""

    return read_all


class _Records(Protocol[S]):
    rows: list[S]
    cursor: str | None


def list_of(
    key: str, read: Reader[T], known: frozenset[str], unknown: Search | None = None
) -> Answer[tuple[T, ...]]:
    """An answer ``{key: [record, …]}`` that is one reading: all of it or nothing.

    Raises `ProtocolBroken` when any record cannot be read.
    """

    def decode(body: bytes) -> tuple[T, ...]:
        return tuple(_read(raw, read) for raw in _page(key, body)[0])

    return Answer(decode, _first_of(key, known, unknown))


def record_of(
    key: str | None, read: Reader[T], known: frozenset[str], unknown: Search | None = None
) -> Answer[T]:
    """An answer that is one record: the value of `key`, or the whole body.

    Raises `ProtocolBroken` when it cannot be read.
    """

    def record(body: bytes) -> bytes:
        if key is None:
            return body
        envelope = _open(body)
        if key not in envelope:
            raise _broken(f"the answer has no {key!r}", body)
        return bytes(envelope[key])

    def unknown_fields(body: bytes) -> tuple[str, ...]:
        try:
            return _unknown(record(body), known, unknown)
        except UNREADABLE:
            return ()

    return Answer(lambda body: _read(record(body), read), unknown_fields)


def _read(raw: bytes, read: Reader[T]) -> T:
    try:
        _refuse_nul(raw)
        return read(raw)
    except UnknownWord as error:
        raise UnknownWord(
            f"the exchange's answer could not be read: {error}",
            field=error.field,
            word=error.word,
            evidence=_shown(raw),
            remedy=_TRY_AGAIN,
        ) from error
    except UNREADABLE as error:
        raise _broken(f"the exchange's answer could not be read: {error}", raw) from error


def _open(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _FIELDS.decode(body)
    except BROKEN_JSON as error:
        raise _broken(
            f"the exchange's answer is not the JSON that was expected ({error})", body
        ) from error


def _page(key: str, body: bytes, cursor_key: str = "cursor") -> tuple[list[bytes], str]:
    """The rows, each as its own bytes, and the cursor."""
    try:
        envelope = _envelope(key, cursor_key).decode(body)
    except BROKEN_JSON as error:
        raise _broken(f"the exchange's answer has no list of {key} ({error})", body) from error
    # An empty Go slice is written as null.
    return list(map(bytes, envelope.rows or ())), envelope.cursor or ""


def _first_row(key: str, body: bytes) -> bytes:
    """The first row of a list that is not empty, without going through all of it."""
    found = re.search(rb'"%b"\s*:\s*\[\s*' % key.encode(), body)
    if found is None:
        return b"{}"
    start = found.end()
    text = body[start : start + _LARGEST_FIRST_ROW].decode("utf-8", "replace")
    try:
        end = _SCANNER.raw_decode(text)[1]
    except ValueError:
        return _page(key, body)[0][0]
    return text[:end].encode()


class _Rows(Sequence[bytes]):
    """The rows of a page, cut out of its body at the first use."""

    __slots__ = ("_body", "_cut", "_key")

    def __init__(self, key: str, body: bytes) -> None:
        self._key = key
        self._body = body
        self._cut: list[bytes] | None = None

    def _rows(self) -> list[bytes]:
        if self._cut is None:
            self._cut = _page(self._key, self._body)[0]
        return self._cut

    def __len__(self) -> int:
        return len(self._rows())

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return self._rows()[index]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._rows())


class _Envelope(Protocol):
    rows: list[msgspec.Raw] | None
    cursor: str | None


@lru_cache(maxsize=64)
def _envelope(key: str, cursor_key: str = "cursor") -> msgspec.json.Decoder[_Envelope]:
    """A decoder of ``{key: [...], "cursor": ...}`` that scans the body once."""
    struct = msgspec.defstruct(
        "Envelope",
        [
            ("rows", list[msgspec.Raw] | None, msgspec.field(name=key)),
            ("cursor", str | None, msgspec.field(name=cursor_key, default=None)),
        ],
    )
    return msgspec.json.Decoder(cast("type[_Envelope]", struct))


def _first_of(
    key: str, known: frozenset[str], search: Search | None
) -> Callable[[bytes], tuple[str, ...]]:
    def unknown_fields(body: bytes) -> tuple[str, ...]:
        try:
            rows = _page(key, body)[0]
        except ProtocolBroken:
            return ()
        return _unknown(rows[0], known, search) if rows else ()

    return unknown_fields


def _unknown(raw: bytes, known: frozenset[str], search: Search | None) -> tuple[str, ...]:
    try:
        if search is not None:
            return tuple(search(msgspec.json.decode(raw)))
        record = _FIELDS.decode(raw)
    except BROKEN_JSON:
        return ()
    return tuple(sorted(record.keys() - known))


def _broken(message: str, evidence: bytes) -> ProtocolBroken:
    return ProtocolBroken(message, evidence=_shown(evidence), remedy=_TRY_AGAIN)


def _shown(evidence: bytes) -> str:
    return evidence[:_EVIDENCE_BYTES].decode("utf-8", "backslashreplace")
