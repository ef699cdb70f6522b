"""News from feeds, files and a webhook: each story once, while it is fresh, whatever it holds."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from small_web import SmallWeb

from trueup.core.errors import ConfigError, ProtocolBroken, Unreachable
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, format_instant, parse_instant
from trueup.core.units import Ratio
from trueup.engine.headlines import Classified, Topic
from trueup.engine.signals import Direction, NewsSignal, OtherLegTaken
from trueup.net.feeds.language_model import LanguageModel
from trueup.net.feeds.source import Heard, Reader
from trueup.net.feeds.sources import Judge, NewsSource, Sent, lines_of, told_of
from trueup.net.feeds.stories import FeedPage, LinesFile, Stories, Story, parse_feed
from trueup.net.feeds.webhook import PATH, Webhook
from trueup.net.secret import Secret

NOON = parse_instant("2026-10-06T16:00:00Z")
TOKEN = "secret-token"
HOT = Ticker("KXCPI-26OCT-T0.3")
TOPIC = Topic(
    tickers=(HOT,),
    about=("CPI", "inflation"),
    positive=("rises", "hotter", "more than expected"),
    negative=("falls", "cools"),
)
JUDGE = Judge(topics=(TOPIC,), age_max=10 * MINUTE)


def rss(*stories: tuple[str, str, Instant | None]) -> str:
    """An RSS feed of (guid, headline, published)."""
    items = "".join(
        f"<item><guid>{guid}</guid><title>{title}</title>"
        + ("" if at is None else f"<pubDate>{formatdate(at / SECOND)}</pubDate>")
        + "</item>"
        for guid, title, at in stories
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{items}</channel></rss>'
    )


async def nothing() -> None:
    """Nothing to close."""


def source_of(sent: Sequence[list[Sent]], *, judge: Judge = JUDGE, **more: Any) -> NewsSource:
    """A source that was told these things, one list a look."""
    left = list(sent)

    async def fetch(now: Instant) -> Sequence[Sent]:
        del now
        return left.pop(0) if left else []

    return NewsSource("wire", 30 * SECOND, fetch, judge, NOON, nothing, **more)


def story(headline: str, at: Instant | None = NOON, **more: Any) -> Story:
    return Story(story_id=headline, headline=headline, text="", source="wire", at=at, **more)


def look(source: NewsSource, now: Instant = NOON) -> Heard:
    return asyncio.run(source.read(now))


def headlines(heard: Heard) -> list[str]:
    return [each.headline for each in heard.signals if isinstance(each, NewsSignal)]


# -- what is read ------------------------------------------------------------------------------


def test_rss_and_atom_are_read() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><id>a1</id>'
        "<title>CPI rises</title><updated>2026-10-06T12:00:00-04:00</updated>"
        "<summary>hotter</summary></entry></feed>"
    )

    (one,) = parse_feed(rss(("g1", "CPI falls &amp; cools", NOON)).encode(), "wire").stories
    (two,) = parse_feed(atom.encode(), "wire").stories

    assert (one.headline, one.at) == ("CPI falls & cools", NOON)
    assert (two.headline, two.text, two.at) == ("CPI rises", "hotter", NOON)
    assert one.story_id != two.story_id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Please enable cookies</body></html>",
        b"/etc/passwd",
        b"https://example.com/feed",
        b"\x00\xff" * 100,
        b"{}",
        b"<rss version='2.0'><channel>",
    ],
)
def test_what_is_no_feed_is_told(body: bytes) -> None:
    """A body that names a file or an address is not opened: it is no feed."""
    with pytest.raises(ProtocolBroken, match="cannot be understood"):
        parse_feed(body, "wire")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_with_entities_of_its_own_is_not_read(encoding: str) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>'
        '<rss version="2.0"><channel><item><title>&b;</title></item></channel></rss>'
    )

    with pytest.raises(ProtocolBroken, match="entities"):
        parse_feed(bomb.encode(encoding), "wire")


def test_an_unchanged_feed_is_not_sent_again() -> None:
    web = SmallWeb()
    web.page("/feed", rss(("g", "CPI rises", NOON)), headers={"ETag": '"1"'})

    async def twice(reader: Reader) -> tuple[int, int, int]:
        page = FeedPage("wire", f"{web.url}/feed", reader)
        first, second = len(await page.stories()), len(await page.stories())
        web.page("/feed", rss(("h", "CPI falls", NOON)), headers={"ETag": '"2"'})
        return first, second, len(await page.stories())

    assert web.run(twice) == (1, 0, 1)
    assert [each.headers.get("If-None-Match") for each in web.asked] == [None, '"1"', '"1"']


@pytest.mark.parametrize(
    ("status", "words"), [(404, "answered 404"), (500, "answered 500"), (429, "answered 429")]
)
def test_a_feed_that_is_down_is_told(status: int, words: str) -> None:
    web = SmallWeb()
    web.page("/feed", b"no", status=status)

    with pytest.raises(Unreachable, match=words):
        web.run(lambda reader: FeedPage("wire", f"{web.url}/feed?key=hidden", reader).stories())


def test_a_feed_without_end_and_a_packed_bomb_are_cut_off() -> None:
    web = SmallWeb()
    packed = gzip.compress(b"<" * 5_000_000)
    web.page("/huge", b"x" * 300_000)
    web.page("/bomb", packed, headers={"Content-Encoding": "gzip"})
    assert len(packed) < 10_000

    for path in ("/huge", "/bomb"):
        with pytest.raises(ProtocolBroken, match="larger than 200,000 bytes"):
            web.run(lambda reader, path=path: reader.get(web.url + path), body_bytes_max=200_000)


def test_redirects_have_an_end() -> None:
    web = SmallWeb()
    web.page("/loop", b"", status=302, headers={"Location": "/loop"})
    web.page("/moved", b"", status=301, headers={"Location": "/feed"})
    web.page("/feed", rss(("g", "CPI rises", NOON)))

    stories = web.run(lambda reader: FeedPage("wire", f"{web.url}/moved", reader).stories())

    assert len(stories) == 1
    with pytest.raises(Unreachable, match="cannot be read"):
        web.run(lambda reader: reader.get(f"{web.url}/loop"))


# -- what becomes a signal ---------------------------------------------------------------------


def test_a_fresh_story_becomes_one_signal_however_often_it_is_served() -> None:
    served = story("CPI rises more than expected")
    source = source_of([[], [served], [served, served]])

    looks = [look(source) for _ in range(3)]

    assert [len(each.signals) for each in looks] == [0, 1, 0]
    (signal,) = looks[1].signals
    assert isinstance(signal, NewsSignal)
    assert (signal.ticker, signal.direction, signal.at) == (HOT, Direction.POSITIVE, NOON)
    assert signal.confidence > Ratio(7, 10)


def test_the_first_look_takes_only_what_came_after_the_start() -> None:
    """Otherwise every restart would trade this morning's news again."""
    before = story("CPI rises hotter", Instant(NOON - MINUTE))
    undated = story("CPI cools and falls", None)
    after = story("CPI falls", Instant(NOON + SECOND))
    late = story("inflation cools", None)
    source = source_of([[before, undated, after], [before, undated, late]])

    first = look(source, Instant(NOON + MINUTE))
    second = look(source, Instant(NOON + 2 * MINUTE))

    assert headlines(first) == ["CPI falls"]
    assert headlines(second) == ["inflation cools"]
    assert first.refused == second.refused == ()


OLD = ("g1", "CPI rises hotter", None)
OLDER = ("g2", "CPI cools and falls", None)
WHOLE = rss(OLD, OLDER)
MARKUP = WHOLE.replace("<title>x</title>", "<title>x & y</title>")
DAMAGED = MARKUP.replace("<guid>g2</guid>", "<guid g2</guid>")


@pytest.mark.parametrize(
    "first",
    [
        *(WHOLE[: WHOLE.index(part) + 3] for part in ("<guid>g2", "g2", "CPI cools", "</item>")),
        *(WHOLE[:-1], WHOLE[:60], MARKUP, DAMAGED, rss(), ""),
    ],
)
def test_a_page_that_does_not_show_everything_is_no_first_look(first: str) -> None:
    """Else a story of last week that it did not show would be traded as news."""
    web = SmallWeb()
    late = rss(("g3", "inflation cools", None), OLD, OLDER)

    async def looks(reader: Reader) -> list[str]:
        page = FeedPage("wire", f"{web.url}/feed", reader)

        async def fetch(now: Instant) -> Sequence[Sent]:
            del now
            return await page.stories()

        source = NewsSource("wire", 30 * SECOND, fetch, JUDGE, NOON, nothing)
        found: list[str] = []
        # The server calls the cut page and the whole one the same version.
        for body, tag in ((first, "1"), (WHOLE, "1"), (WHOLE, "2"), (late, "3")):
            web.page("/feed", body, headers={"ETag": tag})
            with suppress(ProtocolBroken):
                found += headlines(await source.read(NOON))
        return found

    assert web.run(looks) == ["inflation cools"]


def test_of_a_page_with_faults_only_stories_with_id_and_date_are_used() -> None:
    page = rss(OLD, ("g2", "AT&T falls", NOON), ("", "CPI falls", NOON)).encode()

    shown = parse_feed(page, "wire")

    assert [each.headline for each in shown.stories] == ["AT&T; falls"]
    assert "its XML has faults" in shown.trouble


def test_a_first_look_that_takes_too_long_has_learnt_all_the_same() -> None:
    """A model that answers late must not turn the rest of the page into news."""

    class Late:
        async def classify(self, story: Story, ticker: Ticker, now: Instant) -> Classified | None:
            del story, ticker, now
            raise TimeoutError

    old = story("CPI cools and falls", None)
    judge = Judge(topics=(TOPIC,), age_max=10 * MINUTE, model=Late())
    source = source_of([[story("CPI falls", Instant(NOON + SECOND)), old], [old]], judge=judge)
    with pytest.raises(TimeoutError):
        look(source, Instant(NOON + MINUTE))

    assert look(source, Instant(NOON + 2 * MINUTE)) == Heard()


def test_stale_and_future_news_is_refused_with_words() -> None:
    old = story("CPI rises hotter", Instant(NOON - 11 * MINUTE))
    older = story("CPI rises", Instant(NOON - HOUR))
    future = story("CPI falls", Instant(NOON + HOUR))
    source = source_of([[story("Cats sleep")], [old, older, future]])
    look(source)

    heard = look(source)

    assert heard.signals == ()
    assert heard.refused == (
        "wire: 2 stories not used, older than 10 min: 'CPI rises hotter'",
        "wire: a story not used, dated in the future: 'CPI falls'",
    )


def test_a_story_about_nothing_is_no_signal_and_no_trouble() -> None:
    source = source_of([[story("Cats are hotter")]], is_live=True)

    assert look(source) == Heard()


def test_seen_stories_are_remembered_within_bounds() -> None:
    seen = Stories()

    assert len(list(seen.new(story(f"{n}") for n in range(6_000)))) == 6_000
    assert list(seen.new([story("5999")])) == []
    assert len(list(seen.new([story("1")]))) == 1, "the oldest were let go"


# -- a file that grows -------------------------------------------------------------------------


def file_source(path: Path) -> tuple[NewsSource, LinesFile]:
    file = LinesFile(path)
    source = NewsSource("file", SECOND, lines_of(file, "file"), JUDGE, NOON, nothing, is_live=True)
    return source, file


def test_a_file_is_followed_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text(json.dumps({"headline": "CPI rises, before"}) + "\n")
    source, file = file_source(path)
    look(source)

    with path.open("a") as out:
        out.write(json.dumps({"headline": "CPI falls"}) + "\nnonsense\n")
        out.write(json.dumps({"headline": "CPI cools"})[:10])
    heard = look(source)
    with path.open("a") as out:
        out.write(json.dumps({"headline": "CPI cools"})[10:] + "\n")
    rest = look(source)
    path.write_text(json.dumps({"headline": "CPI rises"}) + "\n")
    replaced = look(source)
    file.close()

    assert headlines(heard) == ["CPI falls"]
    assert len(heard.refused) == 1
    assert "file: JSON is malformed" in heard.refused[0]
    assert headlines(rest) == ["CPI cools"], "half a line waits for its end"
    assert headlines(replaced) == ["CPI rises"], "a file that was cut short is read anew"


def test_a_file_that_comes_later_is_read_whole(tmp_path: Path) -> None:
    source, file = file_source(tmp_path / "later.jsonl")
    assert look(source) == Heard()
    (tmp_path / "later.jsonl").write_text(json.dumps({"headline": "CPI cools"}) + "\n")

    assert headlines(look(source)) == ["CPI cools"]
    file.close()


def test_a_line_without_end_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    source, file = file_source(path)
    look(source)
    path.write_bytes(b"x" * 200_000)

    with pytest.raises(ProtocolBroken, match="a line of more than"):
        look(source)
    file.close()


# -- the webhook -------------------------------------------------------------------------------


def post(*bodies: object, token: str = TOKEN) -> tuple[list[int], Heard]:
    """What a program sends, and what the source makes of it."""

    async def talk() -> tuple[list[int], Heard]:
        hook = Webhook(Secret(TOKEN), host="127.0.0.1", port=0, clock=lambda: NOON)
        await hook.open()
        answers: list[int] = []
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            for body in bodies:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                url = f"http://127.0.0.1:{hook.port}{PATH}"
                async with session.post(url, data=content) as answer:
                    answers.append(answer.status)
        source = NewsSource("hook", SECOND, told_of(hook), JUDGE, NOON, hook.close, is_live=True)
        heard = await source.read(NOON)
        await source.close()
        return answers, heard

    return asyncio.run(talk())


def test_a_webhook_takes_news_and_judged_news_and_legs() -> None:
    answers, heard = post(
        {"headline": "CPI rises"},
        {
            "headline": "We think so",
            "ticker": "KXFED-26DEC-T3.50",
            "direction": "negative",
            "confidence": "0.9",
            "at": format_instant(NOON),
        },
        {"other_leg": HOT, "venue": "polymarket", "count": "12"},
    )

    assert answers == [202, 202, 202]
    leg, first, second = heard.signals
    assert isinstance(leg, OtherLegTaken)
    assert (leg.ticker, leg.count.units) == (HOT, 1_200)
    assert isinstance(first, NewsSignal)
    assert isinstance(second, NewsSignal)
    assert first.confidence == Ratio(1, 2)
    assert (second.ticker, second.direction) == ("KXFED-26DEC-T3.50", Direction.NEGATIVE)
    assert second.confidence == Ratio(9, 10)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        {"headline": ""},
        {"title": "x"},
        {"headline": "x", "confidence": 0.5},
        {"headline": "x", "ticker": "KX", "direction": "up", "confidence": 0.5},
        {"headline": "x", "ticker": "KX", "direction": "positive", "confidence": 2},
        {"headline": "x", "ticker": "KX", "direction": "positive", "confidence": "nan"},
        {"headline": "x", "at": "yesterday"},
        {"other_leg": "KX", "venue": "polymarket", "count": "many"},
    ],
)
def test_a_webhook_says_what_is_wrong(body: object) -> None:
    answers, heard = post(body)

    assert answers == [400]
    assert heard == Heard()


def test_a_webhook_hears_nobody_without_the_token() -> None:
    answers, heard = post({"headline": "CPI rises"}, token="guess")

    assert answers == [401]
    assert heard == Heard()


def test_a_webhook_bounds_what_it_takes() -> None:
    answers, heard = post(*([{"headline": "CPI rises"}] * 1_001), b"x" * 100_000)

    assert answers[:1000] == [202] * 1000
    assert answers[1000:] == [503, 413]
    assert len(heard.signals) == 1


def test_a_port_that_is_taken_is_told() -> None:
    async def twice() -> None:
        one = Webhook(Secret("t"), host="127.0.0.1", port=0, clock=lambda: NOON)
        await one.open()
        two = Webhook(Secret("t"), host="127.0.0.1", port=one.port, clock=lambda: NOON)
        try:
            with pytest.raises(ConfigError, match="cannot listen"):
                await two.open()
        finally:
            await one.close()

    asyncio.run(twice())


# -- a language model --------------------------------------------------------------------------


def chat(content: str) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def judged(answer: str, *, key: str = "sk-1", **more: Any) -> tuple[Classified | None, SmallWeb]:
    web = SmallWeb()
    web.page("/v1/chat/completions", answer)

    async def ask(reader: Reader) -> Classified | None:
        model = LanguageModel(reader, f"{web.url}/v1", "small", Secret(key), {HOT: "CPI?"}, **more)
        return await model.classify(story("Prices leap"), HOT, NOON)

    return web.run(ask), web


def test_a_model_judges_where_it_is_configured() -> None:
    found, web = judged(chat('```json\n{"direction": "negative", "confidence": 0.85}\n```'))

    assert found == Classified(Direction.NEGATIVE, Ratio("0.85"))
    (asked,) = web.asked
    assert asked.headers["Authorization"] == "Bearer sk-1"
    sent = json.loads(web.bodies[0])
    assert json.loads(sent["messages"][1]["content"])["headline"] == "Prices leap"


def test_a_model_is_never_asked_without_a_key_nor_beyond_its_budget() -> None:
    without, web = judged(chat("{}"), key="")
    beyond, other = judged(chat("{}"), calls_per_hour=0)

    assert (without, beyond) == (None, None)
    assert web.asked == other.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        chat("I would buy everything"),
        chat('{"direction": "positive", "confidence": 7}'),
        chat('{"direction": "sideways", "confidence": 0.7}'),
        json.dumps({"choices": []}),
    ],
)
def test_a_model_that_says_nonsense_gives_no_signal(answer: str) -> None:
    with pytest.raises(ProtocolBroken, match="language model"):
        judged(answer)


def test_a_model_that_is_not_sure_of_any_direction_says_none() -> None:
    assert judged(chat('{"direction": "none", "confidence": 0.2}'))[0] is None
