"""What is around every page: the header with its badges, the navigation, the states of trouble."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from pathlib import Path
from typing import Final

from nicegui import ui
from nicegui.element import Element

from trueup.core.instant import SECOND
from trueup.run.arming import closed_gates
from trueup.run.books.account import Account
from trueup.run.books.proving import Reconciliation
from trueup.web.kill import kill_dialog
from trueup.web.live import Moved
from trueup.web.reading import Answer, BooksState
from trueup.web.site import Site
from trueup.web.values.badges import Badge, books_badge, bot_badge, orders_badge, venue_badge
from trueup.web.widgets import Age, Words, attribute, box, button, link

STATIC: Final = Path(__file__).parent / "static"

_PLACES: Final = (
    ("/", "Overview", "o"),
    ("/positions", "Positions", "p"),
    ("/orders", "Orders & fills", "f"),
    ("/settlements", "Settlements", "s"),
    ("/reconciliation", "Reconciliation", "r"),
    ("/markets", "Markets", "m"),
    ("/arbitrage", "Arbitrage", "a"),
    ("/bot", "Bot", "b"),
    ("/reports", "Reports", "w"),
    ("/system", "System", "y"),
)
_KEYS: Final = (
    *((f"g {key}", f"go to {name}") for _, name, key in _PLACES),
    ("/", "filter the first table"),
    ("t", "light or dark"),
    ("?", "this help"),
    ("Esc", "leave a field or a dialog"),
)


def asset_version() -> str:
    """Changes whenever one of our own assets does, so that a browser never keeps an old one."""
    digest = blake2b(digest_size=6)
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_VERSION: Final = asset_version()


def judged(site: Site) -> Answer[Reconciliation] | None:
    """The newest judgement of the books, `None` before the first."""
    return site.reader.latest("judgement", Account.judge)


class BadgeView:
    """A badge that changes."""

    def __init__(self, badge: Badge, *, href: str = "") -> None:
        self._element = box("badge", tag="a" if href else "span")
        if href:
            attribute(self._element, "href", href)
        self._tone = ""
        with self._element:
            self._shape = Words("", "shape")
            attribute(self._shape, "aria-hidden", "true")
            self._words = Words("")
            self._age = Age(None)
        self.show(badge)

    def show(self, badge: Badge) -> None:
        """Show another one."""
        self._shape.say(badge.shape)
        self._words.say(badge.words)
        if badge.tone != self._tone:
            self._element.classes(remove=self._tone or None, add=badge.tone or None)
            self._tone = badge.tone
        attribute(self._element, "title", badge.title or None)
        self._age.show(badge.at)
        self._age.set_visibility(badge.at is not None)


@dataclass(slots=True)
class Frame:
    """The frame of one open page."""

    site: Site
    main: Element
    title: Element

    def follow(
        self,
        refresh: Callable[[], Awaitable[None]],
        *,
        moved: frozenset[Moved] = frozenset({Moved.BOOKS}),
    ) -> None:
        """Have `refresh` called whenever one of `moved` moves, as long as the page is open."""
        client = ui.context.client

        async def told() -> None:
            if client.has_socket_connection:
                with client:
                    await refresh()

        client.on_delete(  # pyright: ignore[reportUnknownMemberType]
            self.site.hub.follow(told, moved, page=client.id)
        )

    def reload_when_books_come(self) -> None:
        """Load the page again as soon as there is something to show."""

        async def look() -> None:
            if self.site.reader.condition.state is BooksState.FINE:
                ui.navigate.reload()

        self.follow(look)


@contextmanager
def frame(site: Site, title: str, path: str) -> Generator[Frame]:
    """The frame around a page; what is made inside the block is the page's content."""
    _head(site, title)
    with box("lost", role="alert"):
        Words("No connection to the server. All figures are as they were ")
        attribute(Words("0 s"), "id", "lost-since")
        Words(" ago; it comes back by itself.")
    attribute(link("Skip to the content", "#content", "skip"), "accesskey", "0")
    refresh_header = _header(site)
    with box("frame"):
        _navigation(site, path)
        main = box(tag="main", id="content", tabindex="-1")
        with main:
            with box("title") as heading:
                Words(title, tag="h1")
            framed = Frame(site, main, heading)
            yield framed
    framed.follow(refresh_header, moved=frozenset({Moved.BOOKS, Moved.BOT}))


def _head(site: Site, title: str) -> None:
    prefix = escape(site.options.path_prefix, quote=True)
    ui.page_title(f"{title} · {site.venue} · trueup")
    ui.add_head_html(
        f'<link rel="stylesheet" href="{prefix}/static/trueup.css?{_VERSION}">'
        f'<script src="{prefix}/static/trueup.js?{_VERSION}" data-prefix="{prefix}" '
        f'data-now="{site.reader.now()}"></script>'
    )


def _header(site: Site) -> Callable[[], Awaitable[None]]:
    head = box("top", tag="header")
    if site.venue == "prod":
        head.classes("real")
    with head:
        with box("brand", tag="a", href=site.url("/")):
            Words("true")
            Words("up", tag="b")
        BadgeView(venue_badge(site.venue))
        orders = BadgeView(_orders(site))
        Words(site.account, "soft")
        books = BadgeView(_books(site), href=site.url("/reconciliation"))
        bot = BadgeView(_bot(site), href=site.url("/bot"))
        box("gap")
        if not site.options.read_only:
            button("Kill", lambda: kill_dialog(site), "danger", label="Kill switch")
        if site.safety.asks_for_password:
            with box(tag="form", method="post", action=site.url("/logout")):
                attribute(Words("Log out", tag="button"), "type", "submit")
        attribute(button("?", _help, "not-phone", label="Keyboard shortcuts"), "data-help", "")
        attribute(button("◐", None, label="Light or dark"), "data-theme-button", "")

    async def refresh() -> None:
        shown = site.hub.once("badges", None, lambda: (_books(site), _orders(site), _bot(site)))
        for view, badge in zip((books, orders, bot), shown, strict=True):
            view.show(badge)

    return refresh


def _orders(site: Site) -> Badge:
    gates_open = not closed_gates(site.settings, live=site.options.live)
    return orders_badge(
        venue=site.venue,
        read_only=site.options.read_only,
        bot_is_live=site.bot.status is not None and site.bot.status.live,
        gates_open=gates_open,
    )


def _bot(site: Site) -> Badge:
    status = site.bot.status
    return bot_badge(
        None if status is None else status.state,
        is_killed=site.bot.is_killed,
        why=site.bot.why,
        heard_at=None if status is None else site.bot.heard_at,
    )


def _books(site: Site) -> Badge:
    return books_badge(
        site.reader.condition,
        judged(site),
        as_of=site.reader.asked_at,
        now=site.reader.now(),
        stale_after=stale_after(site),
    )


def stale_after(site: Site) -> int:
    """After how many microseconds without asking the exchange the books are stale."""
    return 2 * site.settings.config.max_age_seconds * SECOND


def _navigation(site: Site, path: str) -> None:
    with box("side", tag="nav", aria_label="Pages"):
        for place, name, key in _PLACES:
            item = box(tag="a", href=site.url(place))
            if place == path:
                attribute(item, "aria-current", "page")
            with item:
                Words(name)
                attribute(Words(f"g {key}", tag="kbd"), "aria-hidden", "true")


def _help() -> None:
    with ui.dialog() as dialog, box("sheet", role="dialog", aria_label="Keyboard shortcuts"):
        Words("Keyboard", tag="h2")
        with box(tag="table"), box(tag="tbody"):
            for keys, words in _KEYS:
                with box(tag="tr"):
                    Words(keys, "mono", tag="th")
                    Words(words, tag="td")
        button("Close", dialog.close)
    dialog.open()


def explain_condition(site: Site) -> bool:
    """Say why there is nothing to show; whether the books can be read."""
    condition = site.reader.condition
    if condition.state is BooksState.FINE:
        return True
    with box("empty"):
        if condition.state is BooksState.ABSENT:
            Words("There are no books of this account yet", tag="h2")
            Words("They are made the first time the exchange is asked.", tag="p")
            with box(tag="p"):
                Words(
                    f"trueup backfill --full --venue {site.venue} --account {site.account}",
                    tag="code",
                )
        else:
            Words("These books cannot be shown", tag="h2")
            Words(condition.words, tag="p")
            Words(condition.remedy, tag="p")
        Words("This page shows them by itself as soon as they are there.", tag="p")
    return False
