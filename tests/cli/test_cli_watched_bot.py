"""A real bot process, and the operator who watches it from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
import urllib3

COMMAND = [sys.executable, "-c", "from trueup.cli.main import main; main()"]
PLANTED = "planted-hunter2-planted"
FIGURES = {'trueup_fills_total{strategy="buyer"}', 'trueup_orders_total{outcome="accepted"}'}

BUYER = """
from trueup import Count, Strategy, buy_yes

class Buyer(Strategy):
    name = "buyer"

    def on_markets(self, desk, moved):
        for ticker in moved:
            top = desk.top(ticker)
            if top.ask and not desk.net(ticker):
                yield buy_yes(ticker, Count.of_contracts(1), top.ask, reason="one of each")
"""


@pytest.fixture
def messenger() -> Iterator[tuple[str, Queue[str]]]:
    """A messenger on this machine: its address, and the titles that it hears."""
    heard: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.put(json.loads(body)["title"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/{PLANTED}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        port: int = here.getsockname()[1]
        return port


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Where a service tells how it is, and everything that it told.

    Somebody listens all the time: few such messages may wait, and more are dropped.
    """
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.bind(str(tmp_path / "notify"))

        def listen() -> None:
            while told := here.recv(2_000).decode():
                heard.append(told)

        thread = Thread(target=listen)
        thread.start()
        yield str(tmp_path / "notify"), heard
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(tmp_path / "notify"))
        thread.join()


def until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 150
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


def names_in(page: str) -> set[str]:
    """The figures of a page of metrics."""
    return {line.rpartition(" ")[0] for line in page.splitlines()}


def read(address: str) -> str:
    """A page, once it is served and all is well."""
    with suppress(urllib3.exceptions.HTTPError):
        answer = urllib3.request("GET", address, timeout=60, retries=False)
        return answer.data.decode() if answer.status == 200 else ""
    return ""


def test_watched_bot_shows_its_figures_tells_its_fills_and_keeps_its_secrets(
    tmp_path: Path, messenger: tuple[str, Queue[str]], systemd: tuple[str, list[str]]
) -> None:
    (target, heard), (notify, notes) = messenger, systemd
    home = tmp_path / "home"
    (tmp_path / "buyer.py").write_text(BUYER, encoding="utf-8")
    environment = os.environ | {
        "TRUEUP_HOME": str(home),
        "TRUEUP_ALERT_URLS": target,
        "SMTP_PASSWORD": PLANTED,
        "NOTIFY_SOCKET": notify,
    }
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    run = ["bot", "run", "buyer.py", "--world", "temperatures", "--metrics-port", str(port)]
    process = subprocess.Popen(
        [*COMMAND, *run, "--log-json"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: bool(read(f"{address}/health")), process)
    while heard.get(timeout=150) != "trueup sandbox main: fill":
        pass
    until(lambda: names_in(read(f"{address}/metrics")) >= FIGURES, process)
    page = read(f"{address}/metrics")
    until(lambda: any(each.startswith("WATCHDOG=1\nSTATUS=trading") for each in notes), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=150)

    assert process.returncode == 0, err
    while notes[-1] != "STOPPING=1":
        time.sleep(0.01)
    assert [each.partition("\n")[0] for each in notes if "READY" in each] == ["READY=1"]
    lines = [json.loads(line) for line in err.splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["started", "ended"]
    assert all(line["at"].endswith("Z") for line in lines)
    sessions = {line["event"] for line in lines if line.get("connection") == "websocket"}
    assert {"connected", "subscribed"} <= sessions
    told = subprocess.run(
        [*COMMAND, "logs", "orders", "--limit", "1000", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    steps = json.loads(told.stdout)["order_events"]
    first = steps[0]["client_order_id"]
    own = [each["event"] for each in steps if each["client_order_id"] == first]
    assert own[:3] == ["intended", "sent", "accepted"]
    assert {each["strategy"] for each in steps if each["client_order_id"]} == {"buyer"}
    kept = b"".join(each.read_bytes() for each in home.rglob("*") if each.is_file())
    assert PLANTED not in out + err + page
    assert PLANTED.encode() not in kept
