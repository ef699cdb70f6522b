"""What moves reaches every page within a beat, is worked out once, and no page waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from trueup.run.desk import read_desk_settings
from trueup.web.live import Hub, Moved
from trueup.web.reading import BooksReader

TOPS = frozenset({Moved.TOPS})


def with_hub(folder: Path, work: Callable[[Hub], Awaitable[None]]) -> None:
    """Run on a hub over books that are not there."""

    async def run() -> None:
        environment = {"TRUEUP_HOME": str(folder), "TRUEUP_DATABASE": str(folder / "books.db")}
        reader = BooksReader(read_desk_settings(environment))
        hub = Hub(reader)
        hub.start()
        try:
            async with asyncio.timeout(90):
                await work(hub)
        finally:
            await hub.stop()
            reader.close()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  (nothing rings)
        await asyncio.sleep(0.01)


def test_only_those_who_mind_hear_what_moved(tmp_path: Path) -> None:
    heard: list[str] = []

    async def tops() -> None:
        heard.append("tops")

    async def bot() -> None:
        heard.append("bot")

    async def work(hub: Hub) -> None:
        hub.follow(tops, TOPS, page="one")
        hub.follow(bot, frozenset({Moved.BOT, Moved.DECISIONS}), page="one")
        hub.note(Moved.TOPS)
        await until(lambda: bool(heard))
        hub.note(Moved.DECISIONS)
        await until(lambda: len(heard) == 2)

    with_hub(tmp_path, work)
    assert heard == ["tops", "bot"]


def test_a_page_that_waits_keeps_no_other_waiting_and_hears_of_the_rest_later(
    tmp_path: Path,
) -> None:
    times = {"slow": 0, "quick": 0}

    async def work(hub: Hub) -> None:
        may_go_on = asyncio.Event()

        async def slow() -> None:
            times["slow"] += 1
            await may_go_on.wait()

        async def quick() -> None:
            times["quick"] += 1

        hub.follow(slow, TOPS, page="one")
        hub.follow(quick, TOPS, page="two")
        for beat in (1, 2, 3):
            hub.note(Moved.TOPS)
            await until(lambda beat=beat: times["quick"] == beat)
        assert times["slow"] == 1
        may_go_on.set()
        await until(lambda: times["slow"] == 2)

    with_hub(tmp_path, work)
    assert times == {"slow": 2, "quick": 3}


def test_trouble_on_one_page_is_not_the_others(tmp_path: Path) -> None:
    heard: list[str] = []

    async def broken() -> None:
        raise ZeroDivisionError

    async def fine() -> None:
        heard.append("fine")

    async def work(hub: Hub) -> None:
        hub.follow(broken, TOPS, page="one")
        hub.follow(fine, TOPS, page="two")
        for beat in (1, 2):
            hub.note(Moved.TOPS)
            await until(lambda beat=beat: len(heard) == beat)

    with_hub(tmp_path, work)


def test_what_moves_is_worked_out_once_in_a_beat_for_all_pages(tmp_path: Path) -> None:
    made: list[object] = []
    shown: list[object] = []

    def make() -> int:
        made.append(None)
        return len(made)

    async def work(hub: Hub) -> None:
        basis = object()

        async def show() -> None:
            shown.append(hub.once("positions", basis, make))

        for page in ("one", "two", "three"):
            hub.follow(show, TOPS, page=page)
        for beat in (1, 2):
            hub.note(Moved.TOPS)
            await until(lambda beat=beat: len(shown) == 3 * beat)
        assert hub.once("positions", object(), make) == 3, "other holdings are another figure"
        assert hub.pages == 3

    with_hub(tmp_path, work)
    assert shown == [1, 1, 1, 2, 2, 2]


def test_who_has_left_hears_nothing(tmp_path: Path) -> None:
    heard: list[str] = []

    async def gone() -> None:
        heard.append("gone")

    async def here() -> None:
        heard.append("here")

    async def work(hub: Hub) -> None:
        hub.follow(gone, TOPS, page="one")()
        hub.follow(here, TOPS, page="two")
        hub.note(Moved.TOPS)
        await until(lambda: bool(heard))
        assert hub.pages == 1

    with_hub(tmp_path, work)
    assert heard == ["here"]
