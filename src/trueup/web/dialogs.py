"""Dialogs: a question before anything is done, and what came of it after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from nicegui import ui
from nicegui.element import Element

from trueup.core.errors import TrueupError
from trueup.web.values.shown import sentences
from trueup.web.widgets import Field, Words, attribute, box, button, hear


class Dialog:
    """A dialog on the page; what is made inside `sheet` is its content."""

    def __init__(self, title: str) -> None:
        self._dialog = ui.dialog().props("persistent")
        with self._dialog:
            self._sheet = box("sheet", role="dialog", aria_label=title)
            with self._sheet:
                Words(title, tag="h2")
        self._dialog.open()

    @contextmanager
    def sheet(self) -> Generator[Element]:
        """Its content."""
        with self._sheet:
            yield self._sheet

    def close(self) -> None:
        """Take it away."""
        self._dialog.close()


def ask(
    title: str,
    words: str,
    *,
    verb: str,
    do: Callable[[str], Awaitable[str]],
    reason: str = "",
    typed: str = "",
    danger: bool = False,
) -> None:
    """Ask before something is done, then say what came of it.

    `reason` is the label of a line to fill in, whose text `do` gets.  With `typed` the button
    works only when that word stands in the line.
    """
    dialog = Dialog(title)
    with dialog.sheet():
        Words(words, tag="p")
        field = None
        if reason or typed:
            label = reason or f"Type {typed} to confirm"
            Words(label, tag="label")
            field = Field(label)
        told = Words("", tag="p")
        attribute(told, "role", "status")
        with box("actions-row"):
            go = button(verb, None, f"button {'danger' if danger else 'first'}")
            leave = button("Back", dialog.close)

    def enable(text: str) -> None:
        fits = text.strip() == typed if typed else bool(text.strip())
        attribute(go, "disabled", None if fits else True)

    async def act() -> None:
        attribute(go, "disabled", True)
        told.say("Working …")
        try:
            told.say(await do("" if field is None else field.value.strip()))
        except TrueupError as error:
            told.say(f"Not done. {sentences(error, error.remedy)}")
            attribute(go, "disabled", None)
            return
        go.set_visibility(False)
        leave.say("Close")

    hear(go, "click", lambda _: act())
    if field is not None:
        field.typed = enable
        enable("")


def tell(words: str, *, bad: bool = False) -> None:
    """A short notice at the edge of the page."""
    ui.notify(words, type="negative" if bad else "info", position="bottom", multi_line=True)
