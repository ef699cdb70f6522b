"""The outer form of a message: begin, length, checksum; bytes in, whole messages out.

    8=FIXT.1.1 SOH 9=<bytes of the body> SOH 35=… SOH … 10=<sum of all before, mod 256> SOH

`open_frame` checks one message completely.  `Framer` cuts messages out of a stream of
bytes with a bounded buffer: what is not the beginning of a message is skipped and
reported, a length beyond the bound ends the stream, since nothing after it could be
trusted.

The sum of the bytes is taken from Adler-32, whose lower half is 1 + the sum as long
as that stays below its modulus of 65521: 512 ASCII bytes cannot reach it, 256 bytes
of any kind neither.
"""

from __future__ import annotations

import zlib
from typing import Final

from trueup.wire.fix.errors import (
    Garbled,
    MalformedField,
    OverLong,
    Truncated,
    WrongBodyLength,
    WrongChecksum,
)

SOH: Final = "\x01"
BEGIN_STRING: Final = "FIXT.1.1"

BODY_BYTES_MAX: Final = 1 << 20
"""The longest body that is accepted: a page of thousands of parties fits in."""

_BEGIN: Final = b"8=FIXT.1.1\x019="
_SOH: Final = b"\x01"
_TRAILER_LENGTH: Final = len(b"10=000\x01")
_LENGTH_DIGITS_MAX: Final = 9
_PREFIX_MAX: Final = len(_BEGIN) + _LENGTH_DIGITS_MAX + 1
_EVIDENCE_BYTES: Final = 300
_ANY_BYTES: Final = 256
_ASCII_BYTES: Final = 512
_LOWER_HALF: Final = 0xFFFF
_TRAILERS: Final = tuple(b"10=%03d\x01" % total for total in range(256))


def checksum(content: bytes) -> int:
    """The sum of all bytes modulo 256."""
    step = _ASCII_BYTES if content.isascii() else _ANY_BYTES
    if len(content) <= step:
        return ((zlib.adler32(content) & _LOWER_HALF) - 1) & 0xFF
    view = memoryview(content)
    total = 0
    for start in range(0, len(content), step):
        total += (zlib.adler32(view[start : start + step]) & _LOWER_HALF) - 1
    return total & 0xFF


def close_frame(body: bytes) -> bytes:
    """The whole message around a body (from ``35=`` to the last SOH)."""
    content = b"8=FIXT.1.1\x019=%d\x01%b" % (len(body), body)
    return content + _TRAILERS[checksum(content)]


def close_text(body: str) -> bytes:
    """The same around a body of text; surrogates stand for bytes that are not UTF-8."""
    if not body.isascii():
        return close_frame(body.encode("utf-8", "surrogateescape"))
    content = f"8=FIXT.1.1\x019={len(body)}\x01{body}".encode()
    if len(content) > _ASCII_BYTES:
        return content + _TRAILERS[checksum(content)]
    return content + _TRAILERS[(zlib.adler32(content) - 1) & 0xFF]


def open_frame(raw: bytes) -> bytes:
    """The body of one whole message; raises a kind of `Garbled` when anything is wrong."""
    start, length = _measure(raw)
    end = start + length
    whole = end + _TRAILER_LENGTH
    if whole > len(raw):
        raise Truncated(
            f"the message ends after {len(raw)} bytes, by its length it has {whole}",
            tag=9,
            evidence=shown(raw),
        )
    trailer = raw[end:]
    if raw[end - 1 : end] != _SOH or not trailer.startswith(b"10="):
        raise WrongBodyLength(
            f"BodyLength says {length}, but the body does not end there",
            tag=9,
            evidence=shown(raw),
        )
    if whole < len(raw):
        raise WrongBodyLength(
            f"{len(raw) - whole} bytes follow the end of the message", tag=9, evidence=shown(raw)
        )
    stated = trailer[3:6]
    if not (stated.isdigit() and trailer[6:] == _SOH):
        raise WrongChecksum("CheckSum is not three digits", tag=10, evidence=shown(raw))
    found = checksum(raw[:end])
    if found != int(stated):
        raise WrongChecksum(
            f"CheckSum says {int(stated):03d}, the bytes add up to {found:03d}",
            tag=10,
            evidence=shown(raw),
        )
    return raw[start:end]


def shown(raw: bytes) -> str:
    """A message as people write it, with bars, cut to a reasonable length."""
    return raw[:_EVIDENCE_BYTES].decode("utf-8", "replace").replace(SOH, "|")


def _measure(raw: bytes) -> tuple[int, int]:
    """Where the body starts and how long it says it is."""
    if not raw.startswith(_BEGIN):
        raise MalformedField(
            "a message begins with 8=FIXT.1.1 and its length (9)", tag=8, evidence=shown(raw)
        )
    stop = raw.find(_SOH, len(_BEGIN), _PREFIX_MAX)
    digits = raw[len(_BEGIN) : stop]
    if stop < 0 or not digits.isdigit():
        raise WrongBodyLength("BodyLength is not a number", tag=9, evidence=shown(raw))
    length = int(digits)
    if length > BODY_BYTES_MAX:
        raise OverLong(
            f"a body of {length} bytes is more than the {BODY_BYTES_MAX} that are accepted",
            tag=9,
            evidence=shown(raw),
        )
    return stop + 1, length


class Framer:
    """Cuts a stream of bytes into messages.

    Feed it bytes, then take messages until there is none.  `next_frame` returns the
    bytes of one message, not yet checked beyond its length; `Garbled` values stand
    for bytes that were skipped; None means that more bytes are needed.  It never
    holds more than one message and what was fed after it.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """How many bytes wait for their message to be whole."""
        return len(self._buffer)

    def feed(self, received: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += received

    def next_frame(self) -> bytes | Garbled | None:
        """The next message, or what was skipped; raises `OverLong` for an absurd length."""
        buffer = self._buffer
        if not buffer.startswith(_BEGIN):
            return None if _BEGIN.startswith(buffer) else self._skipped(0)
        end = self._end_of_body()
        if end is None:
            return None
        if end < 0 or not b"\x0110=".startswith(buffer[end - 1 : end + 3]):
            return self._skipped(len(_BEGIN))
        whole = end + _TRAILER_LENGTH
        if len(buffer) < whole:
            return None
        frame = bytes(buffer[:whole])
        del buffer[:whole]
        return frame

    def _end_of_body(self) -> int | None:
        """Where the body ends; None when that is not known yet, −1 when it never will be."""
        buffer = self._buffer
        stop = buffer.find(_SOH, len(_BEGIN), _PREFIX_MAX)
        digits = bytes(buffer[len(_BEGIN) : stop if stop >= 0 else _PREFIX_MAX])
        if stop < 0 and len(buffer) < _PREFIX_MAX and (not digits or digits.isdigit()):
            return None
        if stop < 0 or not digits.isdigit():
            return -1
        length = int(digits)
        if length > BODY_BYTES_MAX:
            raise OverLong(
                f"the other side announces a body of {length} bytes; "
                f"no more than {BODY_BYTES_MAX} are accepted",
                tag=9,
                evidence=shown(bytes(buffer[:_EVIDENCE_BYTES])),
            )
        return stop + 1 + length

    def _skipped(self, start: int) -> Garbled:
        """Drop everything up to what may be the next message."""
        buffer = self._buffer
        found = buffer.find(_BEGIN, start)
        if found < 0:
            # Its first bytes may be the last that came so far.
            found = len(buffer)
            for length in range(min(len(_BEGIN) - 1, len(buffer) - start), 0, -1):
                if _BEGIN.startswith(buffer[-length:]):
                    found = len(buffer) - length
                    break
        dropped = bytes(buffer[:found])
        del buffer[:found]
        return MalformedField(
            f"{len(dropped)} bytes that are no message were skipped", evidence=shown(dropped)
        )


__all__ = [
    "BEGIN_STRING",
    "BODY_BYTES_MAX",
    "SOH",
    "Framer",
    "checksum",
    "close_frame",
    "close_text",
    "open_frame",
    "shown",
]
