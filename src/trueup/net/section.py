"""Sections of a client: every call described once, for the sync and the async client alike.

A section's methods are descriptors around the functions of `trueup.wire.rest`.
On a blocking client ``client.orders.create(order)`` is an `OrderPlaced`, on an
async one something to await; the type checker knows which, because a section
carries the manner of its client as a type parameter.
"""

from __future__ import annotations

import functools
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from trueup.core.errors import ProtocolBroken
from trueup.net.request import Reply
from trueup.net.session import Session, Step
from trueup.wire.rest.call import Call, Page

P = ParamSpec("P")
T = TypeVar("T")
M_co = TypeVar("M_co", covariant=True)


class Blocking:
    """The manner of a client whose methods return when they are done."""


class Awaiting:
    """The manner of a client whose methods are awaited."""


class Carrier(Protocol):
    """What a section needs of its client."""

    def send(self, call: Call[Any]) -> Any:  # noqa: ANN401
        """Send a call."""
        ...

    def run(self, flow: Callable[[Session], Generator[Step, Reply | None, Any]]) -> Any:  # noqa: ANN401
        """Follow a course of several calls."""
        ...

    def listing(self, call: Call[Page[Any]]) -> Any:  # noqa: ANN401
        """A listing to walk through."""
        ...


class Section(Generic[M_co]):
    """A part of the API on one client."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier


class Listing(Generic[T]):
    """All records of a listing, fetched page by page while they are walked through.

    Iterating gives the records.  A record that cannot be read raises
    `ProtocolBroken`, since leaving it out in silence would be a lie; `pages`
    gives such records beside the others.
    """

    def __init__(self, pages: Callable[[], Iterator[Page[T]]]) -> None:
        self._pages = pages

    def pages(self) -> Iterator[Page[T]]:
        """The pages, from the first on."""
        return self._pages()

    def __iter__(self) -> Iterator[T]:
        for page in self._pages():
            yield from readable(page)


class AsyncListing(Generic[T]):
    """`Listing` for an event loop: ``async for``."""

    def __init__(self, pages: Callable[[], AsyncIterator[Page[T]]]) -> None:
        self._pages = pages

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, from the first on."""
        return self._pages()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self._pages():
            for item in readable(page):
                yield item


def readable(page: Page[T]) -> Iterable[T]:
    """The records of a page.  Raises `ProtocolBroken` where one could not be read."""
    if page.unreadable:
        first = page.unreadable[0]
        raise ProtocolBroken(
            f"{len(page.unreadable)} records of a page could not be read: {first.reason}",
            evidence=first.raw[:300].decode("utf-8", "replace"),
            remedy="Walk the listing's pages() to get the others and these ones raw.",
        )
    return page.items


class Sends(Generic[P, T]):
    """One call."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, section: None, owner: type[Any]) -> Sends[P, T]: ...
    @overload
    def __get__(self, section: Section[Blocking], owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, section: Section[Awaiting], owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, section: Section[Any] | None, owner: type[Any]) -> Any:
        if section is None:
            return self
        carrier, build = section.carrier, self.build

        @functools.wraps(build)
        def send(*args: P.args, **kwargs: P.kwargs) -> object:
            return carrier.send(build(*args, **kwargs))

        return send


class Lists(Generic[P, T]):
    """One listing."""

    def __init__(self, build: Callable[P, Call[Page[T]]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, section: None, owner: type[Any]) -> Lists[P, T]: ...
    @overload
    def __get__(self, section: Section[Blocking], owner: type[Any]) -> Callable[P, Listing[T]]: ...
    @overload
    def __get__(
        self, section: Section[Awaiting], owner: type[Any]
    ) -> Callable[P, AsyncListing[T]]: ...
    def __get__(self, section: Section[Any] | None, owner: type[Any]) -> Any:
        if section is None:
            return self
        carrier, build = section.carrier, self.build

        @functools.wraps(build)
        def walk(*args: P.args, **kwargs: P.kwargs) -> object:
            return carrier.listing(build(*args, **kwargs))

        return walk


class Follows(Generic[P, T]):
    """A course of several calls, written once as a generator of steps."""

    def __init__(
        self,
        course: Callable[Concatenate[Session, P], Generator[Step, Reply | None, T]],
    ) -> None:
        self.course = course
        self.__doc__ = course.__doc__

    @overload
    def __get__(self, section: None, owner: type[Any]) -> Follows[P, T]: ...
    @overload
    def __get__(self, section: Section[Blocking], owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, section: Section[Awaiting], owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, section: Section[Any] | None, owner: type[Any]) -> Any:
        if section is None:
            return self
        carrier, course = section.carrier, self.course

        @functools.wraps(course)
        def follow(*args: P.args, **kwargs: P.kwargs) -> object:
            return carrier.run(lambda session: course(session, *args, **kwargs))

        return follow
