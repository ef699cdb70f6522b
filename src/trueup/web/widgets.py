"""The few elements of which every page is made, with types of our own around the library's.

Whatever is shown is text: nothing that comes from outside is ever read as HTML.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from trueup.core.instant import Instant
from trueup.web.values.shown import Shown, Tone

Pressed = Callable[[], Awaitable[None] | None]


class Words(TextElement):
    """Some text under any tag."""

    def __init__(self, text: str, classes: str = "", *, tag: str = "span") -> None:
        super().__init__(tag=tag, text=text)
        if classes:
            self.classes(classes)

    def say(self, text: str) -> None:
        """Other text."""
        if self.text != text:
            self.text = text


class Figure(Words):
    """A figure that is shown anew when it changes: text, tone and title."""

    def __init__(self, shown: Shown, classes: str = "", *, tag: str = "span") -> None:
        super().__init__(shown.text, classes, tag=tag)
        self._tone = Tone.PLAIN
        self.show(shown)

    def show(self, shown: Shown) -> None:
        """Show another figure."""
        self.say(shown.text)
        if self._tone is not shown.tone:
            swap_class(self, _class_of(self._tone), _class_of(shown.tone))
            self._tone = shown.tone
        attribute(self, "title", shown.title or None)


class Age(Element, component="components/age.js"):
    """How old something is; ticks in the browser, and says when it is stale."""

    def __init__(self, at: Instant | None, *, stale_after: int = 0, prefix: str = "") -> None:
        super().__init__()
        self._props["stale-after"] = stale_after
        self._props["prefix"] = prefix
        self._props["at"] = at

    def show(self, at: Instant | None) -> None:
        """Another moment."""
        attribute(self, "at", at)


def box(classes: str = "", *, tag: str = "div", **attributes: str) -> Element:
    """An element that others are put into (use it with `with`); `_` in a name is a hyphen."""
    element = ui.element(tag)
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        attribute(element, name.strip("_").replace("_", "-"), value)
    return element


def link(text: str, href: str, classes: str = "") -> Words:
    """A link."""
    element = Words(text, classes, tag="a")
    attribute(element, "href", href)
    return element


def button(
    text: str, pressed: Pressed | None, classes: str = "button", *, label: str = ""
) -> Words:
    """A button."""
    element = Words(text, classes, tag="button")
    attribute(element, "type", "button")
    if label:
        attribute(element, "aria-label", label)
    if pressed is not None:
        hear(element, "click", lambda _: pressed())
    return element


def hear(element: Element, event: str, heard: Callable[[Any], Awaitable[None] | None]) -> None:
    """Call `heard` with the event's arguments."""

    def told(arguments: GenericEventArguments) -> Awaitable[None] | None:
        return heard(arguments.args)

    element.on(event, told, args=[] if event == "click" else None)


class Field(Element):
    """One line to type into; `value` is what stands there."""

    def __init__(
        self, label: str, *, placeholder: str = "", typed: Callable[[str], None] | None = None
    ) -> None:
        super().__init__("input")
        self.value = ""
        self.typed = typed
        self.classes("field")
        for name, value in (("type", "text"), ("aria-label", label), ("placeholder", placeholder)):
            attribute(self, name, value)
        attribute(self, "autocomplete", "off")
        self.on("input", self._heard, js_handler="(event) => emit(event.target.value)")

    def _heard(self, arguments: GenericEventArguments) -> None:
        self.value = str(arguments.args)[:1_000]
        if self.typed is not None:
            self.typed(self.value)


class Choice(Element):
    """One of several words; empty is the first, which is called `all_words`."""

    def __init__(self, label: str, *, all_words: str, chosen: Callable[[str], None]) -> None:
        super().__init__("select")
        self.value = ""
        self._all_words = all_words
        self._options: tuple[str, ...] | None = None
        self._chosen = chosen
        self.classes("field")
        attribute(self, "aria-label", label)
        self.on("change", self._heard, js_handler="(event) => emit(event.target.value)")
        self.offer(())

    def offer(self, options: tuple[str, ...]) -> None:
        """What can be chosen; what was chosen stays."""
        if options == self._options:
            return
        self._options = options
        self.clear()
        with self:
            for option in ("", *options):
                word = Words(option or self._all_words, tag="option")
                attribute(word, "value", option)
                if option == self.value:
                    attribute(word, "selected", "")

    def _heard(self, arguments: GenericEventArguments) -> None:
        value = str(arguments.args)
        if value in {"", *(self._options or ())}:
            self.value = value
            self._chosen(value)


@contextmanager
def panel(title: str, note: str = "", classes: str = "panel grid") -> Generator[None]:
    """A panel under its heading; `note` stands softly beside it."""
    with box(classes):
        if note:
            with box("head"):
                Words(title, tag="h2")
                Words(note, "soft")
        else:
            Words(title, tag="h2")
        yield


def facts(pairs: Mapping[str, Shown], *, long: Collection[str] = frozenset()) -> dict[str, Figure]:
    """Names and their figures, side by side; returns the figures by name.

    Those of `long` are given more room.
    """
    shown: dict[str, Figure] = {}
    with box("facts", tag="dl"):
        for name, figure in pairs.items():
            with box("long" if name in long else ""):
                Words(name, tag="dt")
                if figure.href:
                    with box(tag="dd"):
                        link(figure.text, figure.href)
                else:
                    shown[name] = Figure(figure, tag="dd")
    return shown


def attribute(element: Element, name: str, value: object) -> None:
    """Set an attribute of an element, or take it away with `None`; tells the browser of changes only."""
    props = cast("dict[str, object]", element.props)
    if props.get(name) == value:
        return
    if value is None:
        props.pop(name, None)
    else:
        props[name] = value


def swap_class(element: Element, old: str, new: str) -> None:
    """One class instead of another; either may be empty."""
    if old != new:
        element.classes(add=new or None, remove=old or None)


def _class_of(tone: Tone) -> str:
    return f"tone-{tone.value}" if tone.value else ""
