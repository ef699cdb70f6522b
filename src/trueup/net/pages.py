"""Following a cursor to its end, and noticing when there is none.

The last page has an empty cursor.  A listing that never gets there would be
fetched for ever and booked as progress, so `PageGuard` stops at a cursor that
came before, at a page that came before, at several empty pages in a row and at
bounds on the number of pages and the time spent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Final, TypeVar

from trueup.core.errors import ProtocolBroken
from trueup.core.instant import SECOND
from trueup.net.request import Reply
from trueup.net.session import Session, Step
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

EMPTY_PAGES_MAX: Final = 3
"""Empty pages in a row that are still believed to lead on."""

_REMEDY: Final = (
    "What was fetched before is kept. Run it again; if it stays, report the operation and the "
    "evidence to the exchange."
)


def list_pages(session: Session, call: Call[Page[T]]) -> Generator[Step | Page[T], Reply | None]:
    """The course of a whole listing: the steps of every call, and between them its pages.

    Nothing is to be sent back for a page.
    """
    guard = PageGuard(
        call.operation,
        first_cursor=dict(call.query).get("cursor", ""),
        pages_max=session.options.pages_max,
        time_max=session.options.fetching_max,
    )
    while True:
        started = session.now()
        page = yield from session.flow(call)
        session.note_page()
        guard.accept(page, microseconds=session.now() - started)
        yield page
        if not page.cursor:
            return
        call = call.with_cursor(page.cursor)


class PageGuard:
    """Watches one listing.  Feed it every page; it raises `ProtocolBroken` on an endless one."""

    def __init__(self, operation: str, *, first_cursor: str, pages_max: int, time_max: int) -> None:
        self._operation = operation
        self._pages_max = pages_max
        self._time_max = time_max
        self._pages = 0
        self._time = 0
        self._empty_in_a_row = 0
        self._cursors = {first_cursor} if first_cursor else set[str]()
        self._contents: set[bytes] = set()

    def accept(self, page: Page[T], *, microseconds: int) -> None:
        """Check a page that took `microseconds` to fetch."""
        self._pages += 1
        self._time += max(0, microseconds)
        if not page.cursor:
            return
        if page.cursor in self._cursors:
            self._stop("the same cursor came twice", page.cursor)
        self._cursors.add(page.cursor)
        self._check_contents(page)
        if self._pages >= self._pages_max:
            self._stop(f"{self._pages} pages and still more announced", page.cursor)
        if self._time > self._time_max:
            self._stop(
                f"{self._time // SECOND} s of fetching and still more announced", page.cursor
            )

    def _check_contents(self, page: Page[T]) -> None:
        raws = (*page.raws, *(record.raw for record in page.unreadable))
        if not raws:
            self._empty_in_a_row += 1
            if self._empty_in_a_row > EMPTY_PAGES_MAX:
                self._stop(f"{self._empty_in_a_row} empty pages in a row", page.cursor)
            return
        self._empty_in_a_row = 0
        digest = hashlib.blake2b(digest_size=16)
        for raw in raws:
            digest.update(len(raw).to_bytes(8, "big"))
            digest.update(raw)
        content = digest.digest()
        if content in self._contents:
            self._stop("a page came again and brought nothing new", page.cursor)
        self._contents.add(content)

    def _stop(self, why: str, cursor: str) -> None:
        raise ProtocolBroken(
            f"{self._operation}: a cursor that never ends: {why} (page {self._pages})",
            evidence=f"cursor {cursor[:200]}",
            remedy=_REMEDY,
        )
