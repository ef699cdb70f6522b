"""What a request asks, once it was let in, and whoever can answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from trueup.core.instant import Instant
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.paging import Listing, Query
from trueup.wire.rest import encode
from trueup.wire.spelling import Record

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that was let in: who asks what, and when.

    `at` is the exchange's time; reads of the account are answered as of
    `read_at`, which may lie behind it.
    """

    operation: str
    path: Mapping[str, str]
    query: Query
    given: Mapping[str, str]
    caller: Caller
    at: Instant
    read_at: Instant
    body: bytes = b""


class Answers(Protocol):
    """Whoever can answer: a simulated exchange, or a recording."""

    def answer(self, question: Question) -> Content | Reply:
        """The answer, or the refusal."""
        ...


Answer = Callable[[Question], Content | Reply]


def page(key: str, listing: Listing[T], write: Callable[[T], Record]) -> Content:
    """One page of a listing."""
    rows = [write(one) for one in listing.items]
    return Content(encode.page(key, rows, listing.cursor), rows=key)
