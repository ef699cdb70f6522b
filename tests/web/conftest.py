"""One dashboard on a living world for all tests that need a browser.

It is served below a path prefix and behind a password, so that every page is tested there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from trueup.run.sandbox.companions import LivingWorldForPage
from trueup.web.security import hash_password

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))

from browser_tab import LIMIT_MS, PASSWORD, PREFIX, TOKEN, Dashboard, Tab

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def dashboard() -> Iterator[Dashboard]:
    with LivingWorldForPage(os.environ) as living:
        environment = {
            **living.environment,
            "TRUEUP_WEB_PASSWORD_HASH": hash_password(PASSWORD),
            "TRUEUP_API_TOKEN": TOKEN,
            "PYTHONUNBUFFERED": "1",
        }
        command = "from trueup.cli.main import main; main()"
        arguments = ("web", "--port", "0", "--path-prefix", PREFIX, "--db", str(living.bot_table))
        process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Dashboard(_origin(process), living, process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _origin(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    told: list[str] = []
    for line in process.stdout:
        told.append(line)
        if "The dashboard is at " in line:
            return line.split()[4].removesuffix(f"{PREFIX}/")
    raise AssertionError(f"the dashboard did not start: {''.join(told)}")


# The library keeps an event loop running in this thread for as long as it is open, and no other
# test could run one of its own: so it is closed at the end of each file.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; its tests are skipped, saying why, where none can be had."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        opened = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=LIMIT_MS
        )
    except PlaywrightError as error:
        pytest.skip(f"no Chromium can be started (make .venv/browser): {str(error)[:200]}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cookies(browser: Browser, dashboard: Dashboard) -> str:
    """Logged in once, by the form."""
    context = browser.new_context()
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto(dashboard.url("/positions"))
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").inner_text() == "That is not the password."
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(dashboard.url("/"))
    cookie = next(each for each in context.cookies() if each.get("name") == "trueup-session")
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Strict"
    context.close()
    return cookie.get("value", "")


@pytest.fixture
def tab(browser: Browser, dashboard: Dashboard, cookies: str) -> Iterator[Tab]:
    """A tab of a desktop in the dark; a console error fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    context.set_default_timeout(LIMIT_MS)
    context.add_cookies([{"name": "trueup-session", "value": cookies, "url": dashboard.url("/")}])
    page = context.new_page()
    opened = Tab(page, dashboard, [])
    page.on("pageerror", lambda error: opened.troubles.append(str(error)))
    page.on(
        "console",
        lambda message: opened.troubles.append(message.text) if message.type == "error" else None,
    )
    page.on("dialog", lambda dialog: opened.troubles.append(f"dialog: {dialog.message}"))
    yield opened
    context.close()
    assert opened.troubles == []
