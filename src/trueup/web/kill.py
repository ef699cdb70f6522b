"""The kill switch: typed confirmation, the cancels as they happen, and the proof that nothing rests."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from trueup.core.errors import TrueupError
from trueup.core.ids import PRIMARY, Subaccount
from trueup.run.books.account import Account
from trueup.run.bot.killing import Killed
from trueup.web.dialogs import Dialog
from trueup.web.reading import BooksState
from trueup.web.site import Site
from trueup.web.values import shown
from trueup.web.widgets import Field, Words, attribute, box, button, hear

CONFIRMATION: Final = "KILL"


def kill_dialog(site: Site) -> None:
    """Ask, do, prove."""
    dialog = Dialog(f"Kill everything on {site.venue} · {site.account}?")
    with dialog.sheet():
        Words(
            "This stops every bot of the account and cancels every resting order, then reads the "
            "exchange until it says that nothing rests. Positions stay as they are. The account "
            "stays off until it is switched on again.",
            tag="p",
        )
        label = f"Type {CONFIRMATION} to confirm"
        Words(label, tag="label")
        field = Field(label)
        progress = box("progress mono", role="log", aria_live="polite")
        verdict = Words("", tag="p")
        attribute(verdict, "role", "status")
        with box("actions-row"):
            go = button("Kill", None, "button danger")
            leave = button("Back", dialog.close)
    attribute(go, "disabled", True)
    client = ui.context.client

    def told(line: str) -> None:
        with client, progress:
            Words(line, tag="div")

    async def act() -> None:
        attribute(go, "disabled", True)
        try:
            places = await _subaccounts(site)
            done = await site.actions.kill(places, "on the dashboard", told)
        except TrueupError as error:
            verdict.classes("tone-bad")
            verdict.say(f"NOT proven that nothing rests. {shown.sentences(error, error.remedy)}")
            attribute(go, "disabled", None)
            return
        go.set_visibility(done.proven is False)
        attribute(go, "disabled", None)
        leave.say("Close")
        verdict.classes("tone-good" if done.proven else "tone-bad")
        verdict.say(killed_words(done))

    def typed(text: str) -> None:
        attribute(go, "disabled", None if text.strip() == CONFIRMATION else True)

    field.typed = typed
    hear(go, "click", lambda _: act())


def killed_words(done: Killed) -> str:
    """What the kill has proven."""
    if done.proven:
        count = "1 order was" if done.seen == 1 else f"{done.seen} orders were"
        rested = f" {count} still resting at first." if done.seen else ""
        return f"Nothing rests any more: read at {shown.moment(done.read_at).title}.{rested}"
    left = ", ".join(f"{each.order_id} in {each.ticker}" for each in done.left[:5])
    still = f" Still resting: {left}." if left else ""
    still += f" May still trade: {done.quoting.words()}." if done.quoting else ""
    return (
        f"NOT proven that nothing rests. {done.trouble}{still} Try again; orders in paused or "
        "closed markets cannot be cancelled now."
    )


async def _subaccounts(site: Site) -> tuple[Subaccount, ...]:
    """Every subaccount that the books know; at least the primary one."""
    found = {PRIMARY}
    if site.reader.condition.state is BooksState.FINE:
        found |= set(await site.reader.ask("subaccounts", _known))
    return tuple(sorted(found))


def _known(account: Account) -> list[Subaccount]:
    scopes = account.books.balance_scopes()
    return [subaccount for subaccount, _ in scopes if subaccount is not None]
