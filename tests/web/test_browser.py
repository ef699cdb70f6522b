"""The dashboard as a person uses it, on Chromium, on a living world with a bot at work."""

from __future__ import annotations

import csv
import os
import re
import signal
import sqlite3
from contextlib import closing
from typing import Any

import msgspec
import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from browser_tab import LIMIT_MS, TOKEN, Dashboard, Tab
from playwright.sync_api import Browser, Page, expect

from trueup.core.orders import OrderStatus
from trueup.core.units import Money
from trueup.run.clients import open_client
from trueup.sim.bot_database import SCHEMA

PAGES = (
    "/",
    "/positions",
    "/orders",
    "/settlements",
    "/reports",
    "/reconciliation",
    "/markets",
    "/arbitrage",
    "/bot",
)
expect.set_options(timeout=LIMIT_MS)
HOSTILE = '<img src=x onerror="alert(1)"><script>window.pwned=1</script>'


def fetch(dashboard: Dashboard, path: str) -> bytes:
    answer = urllib3.request(
        "GET", dashboard.url(path), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=90
    )
    assert answer.status == 200
    return answer.data


def ask(dashboard: Dashboard, path: str) -> Any:
    return msgspec.json.decode(fetch(dashboard, path))


def violations(page: Page) -> list[str]:
    """What the accessibility checker calls serious.

    Without its server a page turns grey on purpose, as it may for a moment on a busy machine:
    colours are judged as they are with one.
    """
    page.add_style_tag(content="body.disconnected #content { filter: none; opacity: 1; }")
    found: Any = Axe().run(page)  # pyright: ignore[reportUnknownMemberType]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:150]}"
        for each in found.response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_reads_well_for_everybody_and_fits_a_phone(tab: Tab, path: str) -> None:
    page = tab.open(path)
    expect(page.locator("header .badge.sandbox")).to_contain_text("sandbox")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)

    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_the_header_says_where_we_are_and_that_the_books_close(tab: Tab) -> None:
    page = tab.open("/")

    expect(page.locator("header")).to_contain_text("books close")
    expect(page.locator("header")).to_contain_text("play money")
    expect(page.locator("header")).to_contain_text("bot trading")
    equity = page.locator(".tile").filter(has_text="Equity").locator(".value")
    expect(equity).to_have_text(re.compile(r"^\$[\d,]+\.\d\d$"))
    # The market moves between the two readings.
    on_page = Money.parse(equity.inner_text().replace("$", "").replace(",", ""))
    told = Money.parse(ask(tab.dashboard, "/api/portfolio")["equity"])
    assert abs(on_page - told) < Money.parse("100")


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_browser_whose_clock_is_wrong_shows_true_ages(tab: Tab, hours: int) -> None:
    page = tab.open("/").context.new_page()
    shift = f"const right = Date.now; Date.now = () => right() + {hours} * 3600000;"
    page.add_init_script(shift)
    page.goto(tab.dashboard.url("/"))

    age = page.locator("header time.age").first
    expect(age).to_have_text(re.compile(r"\b([1-9]|[1-5]\d) s ago"), timeout=LIMIT_MS)
    expect(age).not_to_have_class(re.compile("stale"))


def test_an_order_that_somebody_places_appears_without_a_reload(tab: Tab) -> None:
    page = tab.open("/orders")
    page.get_by_label("Filter by market, order id or client id").fill("by-a-test")
    expect(page.get_by_text("No orders.")).to_be_visible()

    with open_client(venue="sandbox", environment=tab.dashboard.living.environment) as client:
        market = next(
            each
            for each in client.markets.list(status="open")
            if each.yes_bid.units > 2_000 and "15M" not in each.ticker
        )
        client.orders.buy(
            market.ticker, "yes", count=1, price="0.01", client_order_id="by-a-test-1"
        )
    row = page.locator(".panel").first.locator("tr").filter(has_text="by-a-test-1")
    expect(row).to_contain_text("resting")

    row.get_by_role("button", name=re.compile("Cancel")).click()
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".sheet [role=status]")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Close").click()
    expect(row).to_contain_text("canceled")


def test_a_cent_is_followed_from_the_day_to_the_raw_payload(tab: Tab) -> None:
    days = ask(tab.dashboard, "/api/portfolio/pnl?by=day")["rows"]
    # A day that is over: today's figures move on, and midnight may be near.
    names = sorted(each["name"] for each in days if each["name"][:2] == "20")[:-2]
    day = next(each for each in days if each["name"] in names and each["net"] != "0.00")
    page = tab.open(f"/day/{day['name']}")
    net = page.locator("dt", has_text="Net").locator("+ dd")
    rounded = f"{abs(float(day['net'])):.2f}"
    expect(net).to_contain_text(rounded)

    page.locator("table").last.locator("tbody tr th a").first.click()
    page.locator("pre.raw").first.wait_for()
    expect(page.locator("pre.raw").first).to_contain_text('"')
    expect(page.get_by_role("heading", name="As the exchange sent it")).to_be_visible()
    expect(page.locator("table")).not_to_have_count(0)


ON_THE_CURVE = """() => {
    const chart = document.querySelector('[aria-label="Equity over time"] svg');
    const curve = [...chart.querySelectorAll('path')].find(
        (path) => path.getAttribute('fill') === 'none' && path.getTotalLength() > 700
            && Number(path.getAttribute('stroke-width')) > 1);
    if (!curve) return null;
    const { x, y } = curve.getPointAtLength(curve.getTotalLength() * 0.3);
    const at = curve.getScreenCTM();
    return [x * at.a + at.e, y * at.d + at.f];
}"""


def test_a_point_of_the_equity_curve_opens_its_day(tab: Tab) -> None:
    page = tab.open("/")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator('[aria-label="Equity over time"] svg path').first.wait_for(state="attached")

    page.mouse.click(*page.wait_for_function(ON_THE_CURVE).json_value())

    page.wait_for_url(re.compile(r"/day/20\d\d-\d\d-\d\d"))
    expect(page.locator("dt", has_text="Net").first).to_be_visible()


def test_a_market_is_found_by_the_scanner_and_shows_its_book_and_its_trades(tab: Tab) -> None:
    page = tab.open("/markets")
    page.get_by_label("Filter by market, title or category").fill("KXFED-")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("KXFED-")
    row.locator("a").first.click()
    page.locator("dt", has_text="Spread").wait_for()

    expect(page.locator("dt", has_text="Status").locator("+ dd")).to_contain_text("active")
    trades = page.locator("table").filter(has_text="Taker bought").locator("tbody tr")
    expect(trades.first).to_contain_text(re.compile("YES|NO"))
    expect(page.get_by_label("Contracts that can be sold")).to_be_visible()
    assert violations(page) == []


def test_what_strangers_write_is_text_and_never_markup(tab: Tab) -> None:
    held = ask(tab.dashboard, "/api/portfolio/positions")["positions"]
    ticker = next(each["ticker"] for each in held if "15M" not in each["ticker"])
    books = tab.dashboard.home / "books" / "sandbox-live-main.db"
    renamed = f"UPDATE market_details SET title = '{HOSTILE}' WHERE ticker = '{ticker}'"  # noqa: S608
    with closing(sqlite3.connect(books, timeout=90)) as connection, connection:
        # The sync beside the page asks for the title again and again.
        connection.execute(
            "CREATE TRIGGER stranger AFTER UPDATE OF title ON market_details "
            f"WHEN NEW.ticker = '{ticker}' AND NEW.title <> '{HOSTILE}' BEGIN {renamed}; END"
        )
        connection.execute(renamed)

    page = tab.open("/positions")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    page = tab.open(f"/position/0/{ticker}")
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    assert page.evaluate("window.pwned") is None


def test_the_keyboard_goes_everywhere_and_the_theme_stays(tab: Tab) -> None:
    page = tab.open("/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    # Two keys belong together for a second and a half, which a stall may take.
    page.clock.set_fixed_time("2026-10-20T12:00:00Z")
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url(re.compile("/positions$"))
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.locator(".filter").first.wait_for()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.className") == "filter"


def test_a_page_without_its_server_says_so(tab: Tab) -> None:
    page = tab.open("/")
    expect(page.locator(".lost")).to_be_hidden()
    page.evaluate("window.socket.io.reconnection(false); window.socket.disconnect()")

    expect(page.locator(".lost")).to_be_visible()
    expect(page.locator(".lost")).to_contain_text("No connection to the server")
    faded = (
        "(one) => [...Array(12)].reduce((all) => all.concat(all.at(-1).parentElement ?? []), [one])"
    )
    filters = (
        f"(one) => ({faded})(one).filter((each) => getComputedStyle(each).filter !== 'none').length"
    )
    assert page.locator(".lost").evaluate(filters) == 0, "the warning itself is in full colour"
    assert page.locator(".tile").first.evaluate(filters) == 1, "the figures are grey, once"


def test_an_address_that_is_none_leads_back(tab: Tab) -> None:
    tab.page.goto(tab.dashboard.url("/nothing"))
    expect(tab.page.locator("h1")).to_have_text("There is no such page")
    tab.page.get_by_role("link", name="Overview").click()
    expect(tab.page.locator("header")).to_contain_text("sandbox")
    assert [each for each in tab.troubles if "404" not in each] == []
    tab.troubles.clear()


def test_the_equity_curve_stays_under_the_pointer(tab: Tab) -> None:
    page = tab.open("/")
    line = page.locator(".chart").first.locator('path[stroke="var(--accent)"]').first
    expect(line).to_be_attached()
    page.locator(".chart").first.hover()
    page.wait_for_function(
        "[...document.querySelectorAll('.chart div')].some((e) => e.innerText.includes('equity at cost'))"
    )
    expect(line).to_be_attached()


def test_a_break_is_acknowledged_with_a_name_and_a_reason(tab: Tab) -> None:
    page = tab.open("/reconciliation")
    page.get_by_role("button", name="All", exact=True).click()
    row = page.locator("tr[data-key*='missing_settlement']").first
    key = row.get_attribute("data-key")
    row.get_by_role("button").click()
    expect(page.locator(".sheet")).to_contain_text("What it means")
    page.get_by_role("button", name="Acknowledge").click()
    confirm = page.locator(".sheet").last
    expect(confirm.get_by_role("button", name="Acknowledge")).to_be_disabled()
    confirm.get_by_label("Reason").fill("looked at in a test")
    confirm.get_by_role("button", name="Acknowledge").click()
    expect(confirm.locator("[role=status]")).to_contain_text("acknowledged, by")
    confirm.get_by_role("button", name="Close").click()

    expect(page.locator(f"tr[data-key='{key}']")).to_contain_text("acknowledged")


def test_a_bots_table_is_repaired_after_a_dry_run_and_a_second_yes(tab: Tab) -> None:
    assert "trades" in SCHEMA
    before = statuses(tab.dashboard)
    page = tab.open("/reconciliation")
    page.get_by_role("button", name="Check (dry run)").click()
    expect(page.get_by_text("Nothing was written.")).to_be_visible()
    assert statuses(tab.dashboard) == before
    other = page.context.new_page()
    other.goto(tab.dashboard.url("/reconciliation"))
    other.get_by_role("button", name="Check (dry run)").click()
    expect(other.get_by_text("Nothing was written.")).to_be_visible()

    page.get_by_role("button", name="Repair …").click()
    sheet = page.locator(".sheet").last
    go = sheet.get_by_role("button", name="Repair")
    expect(go).to_be_disabled()
    sheet.get_by_role("textbox").fill("REPAIR")
    go.click()
    expect(sheet.locator("[role=status]")).to_contain_text("in one transaction")
    after = statuses(tab.dashboard)
    assert after != before
    undo = sorted((tab.dashboard.home / "undo").iterdir())
    assert undo

    # The other tab saw the table as it was; its repair finds nothing left to do.
    other.get_by_role("button", name="Repair …").click()
    late = other.locator(".sheet").last
    late.get_by_role("textbox").fill("REPAIR")
    late.get_by_role("button", name="Repair").click()
    expect(late.locator("[role=status]")).to_contain_text("Nothing was written.")
    assert statuses(tab.dashboard) == after
    assert sorted((tab.dashboard.home / "undo").iterdir()) == undo


def statuses(dashboard: Dashboard) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(dashboard.living.bot_table)) as connection:
        return connection.execute(
            "SELECT status, count(*) FROM trades GROUP BY status ORDER BY status"
        ).fetchall()


def test_two_tabs_see_the_same_pause_and_the_bot_goes_on(tab: Tab, browser: Browser) -> None:
    page = tab.open("/bot")
    expect(page.get_by_text("▶ trading").first).to_be_visible()
    other = page.context.new_page()
    other.goto(tab.dashboard.url("/bot"))
    expect(other.get_by_text("▶ trading").first).to_be_visible()

    page.get_by_role("button", name="Pause all").click()
    expect(other.get_by_text("⏸ paused").first).to_be_visible()
    expect(other.locator("header")).to_contain_text("bot paused")
    other.get_by_role("button", name="Resume all").click()
    expect(page.get_by_text("▶ trading").first).to_be_visible()
    assert browser.is_connected()


def test_the_kill_switch_proves_that_nothing_rests_and_can_be_taken_back(tab: Tab) -> None:
    page = tab.open("/bot")
    expect(page.locator("header")).to_contain_text("bot trading")
    page.get_by_role("button", name="Kill switch").click()
    sheet = page.locator(".sheet").last
    go = sheet.get_by_role("button", name="Kill", exact=True)
    expect(go).to_be_disabled()
    other = page.context.new_page()
    other.goto(tab.dashboard.url("/bot"))
    other.get_by_role("button", name="Kill switch").click()
    others = other.locator(".sheet").last
    for each in (sheet, others):
        each.get_by_role("textbox").fill("KILL")
        each.get_by_role("button", name="Kill", exact=True).click()
    for each in (sheet, others):
        expect(each.locator("[role=status]")).to_contain_text("Nothing rests any more: read at")
    expect(sheet.locator("[role=log]")).to_contain_text("cancel-all was taken")
    sheet.get_by_role("button", name="Close").click()
    expect(page.locator("header")).to_contain_text(re.compile("halted|killed"))
    with open_client(venue="sandbox", environment=tab.dashboard.living.environment) as client:
        assert list(client.orders.list(status=OrderStatus.RESTING)) == []
    log = (tab.dashboard.home / "actions-sandbox-main.jsonl").read_text()
    assert '"what":"kill"' in log
    assert "nothing rests any more" in log

    page.get_by_role("button", name="Switch on again").click()
    sheet = page.locator(".sheet").last
    sheet.get_by_role("textbox").fill("a test, all is well")
    sheet.get_by_role("button", name="Switch on").click()
    expect(sheet.locator("[role=status]")).to_contain_text("Switched on again")
    sheet.get_by_role("button", name="Close").click()
    start = page.get_by_role("button", name="Start the bot")
    if start.count() and start.is_enabled():
        start.click()
    expect(page.locator("header")).to_contain_text("bot trading")


def test_a_bot_that_is_killed_by_force_is_seen_to_be_gone_and_seen_to_come_back(tab: Tab) -> None:
    page = tab.open("/bot")
    header = page.locator("header")
    expect(header).to_contain_text("bot trading")
    (control,) = tab.dashboard.home.glob("control-*.json")
    os.kill(msgspec.json.decode(control.read_bytes())["pid"], signal.SIGKILL)

    expect(header).to_contain_text("no bot")
    expect(page.locator("#content")).to_contain_text("stopped by force")
    expect(page.get_by_role("button", name="Pause all")).to_be_disabled()
    expect(page.locator("dt", has_text="Value").locator("+ dd")).to_have_text("–")

    tab.dashboard.living.companions.start_bot()
    expect(header).to_contain_text("bot trading")
    expect(page.get_by_role("button", name="Pause all")).to_be_enabled()


def test_programs_get_json_with_a_token_and_nothing_without(dashboard: Dashboard) -> None:
    portfolio = ask(dashboard, "/api/portfolio")
    assert portfolio["venue"] == "sandbox"
    assert set(ask(dashboard, "/api/openapi.json")["paths"]) >= {
        "/api/portfolio",
        "/api/orders",
        "/api/portfolio/pnl",
        "/api/portfolio/positions",
    }
    assert {each["name"] for each in ask(dashboard, "/api/portfolio/pnl")["rows"]} >= {"weather"}
    assert urllib3.request("GET", dashboard.url("/api/portfolio"), timeout=90).status == 401


def test_an_export_of_positions_has_what_the_filter_leaves(dashboard: Dashboard) -> None:
    def markets(words: str) -> set[str]:
        text = fetch(dashboard, f"/export/positions.csv?words={words}").decode()
        return {row["Market"] for row in csv.DictReader(text.splitlines())}

    held = markets("")
    one = min(held)
    assert markets(one) == {each for each in held if one in each} != held
