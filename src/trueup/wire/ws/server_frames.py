"""The text of the frames that the server sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.instant import Instant

_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Framer:
    """Writes frames at one instant.  `is_stamped` is whether they carry ``sending_ts_ms``.

    A `command_id`, `sid` or `seq` of 0 stands for "not there".
    """

    is_stamped: bool

    def frame(
        self,
        kind: str,
        now: Instant,
        command_id: int = 0,
        *,
        sid: int = 0,
        seq: int = 0,
        msg: object = None,
    ) -> bytes:
        """A whole frame, with its newline."""
        head = self.head(kind.encode(), now, command_id, sid=sid, seq=seq)
        return head + b"}\n" if msg is None else b'%b,"msg":%b}\n' % (head, _encoder.encode(msg))

    def head(self, kind: bytes, now: Instant, command_id: int, *, sid: int, seq: int) -> bytes:
        """The outside of a frame, still open."""
        head = b'{"type":"%b"' % kind
        if command_id:
            head += b',"id":%d' % command_id
        if sid:
            head += b',"sid":%d' % sid
        if seq:
            head += b',"seq":%d' % seq
        return head + b',"sending_ts_ms":%d' % (now // 1000) if self.is_stamped else head
