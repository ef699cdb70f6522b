"""A real bot process, and the operator who watches it from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
import urllib3

COMMAND = [sys.executable, "-c", "from trueup.cli.main import main; main()"]
PLANTED = "planted-hunter2-planted"

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


def received(systemd: socket.socket) -> Iterator[str]:
    """Everything that a service has told."""
    systemd.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            yield systemd.recv(2_000).decode()


def wait_until_healthy(address: str, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, process.communicate()
        with suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request("GET", f"{address}/health", timeout=5, retries=False)
            if answer.status == 200:
                return
        time.sleep(0.1)
    pytest.fail("never healthy")


def test_watched_bot_shows_its_figures_tells_its_fills_and_keeps_its_secrets(
    tmp_path: Path, messenger: tuple[str, Queue[str]]
) -> None:
    target, heard = messenger
    home = tmp_path / "home"
    (tmp_path / "buyer.py").write_text(BUYER, encoding="utf-8")
    environment = os.environ | {
        "TRUEUP_HOME": str(home),
        "TRUEUP_ALERT_URLS": target,
        "SMTP_PASSWORD": PLANTED,
    }
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(str(tmp_path / "notify"))
    environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    port = free_port()
    run = ["bot", "run", "buyer.py", "--world", "temperatures", "--metrics-port", str(port)]
    process = subprocess.Popen(
        [*COMMAND, *run, "--log-json"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_healthy(f"http://127.0.0.1:{port}", process)
    assert heard.get(timeout=60) == "trueup sandbox main: fill"
    page = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=10).data.decode()
    notes = list(received(systemd))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    notes += received(systemd)
    systemd.close()
    assert [each.partition("\n")[0] for each in notes if "READY" in each] == ["READY=1"]
    assert any(each.startswith("WATCHDOG=1\nSTATUS=trading") for each in notes)
    assert notes[-1] == "STOPPING=1"
    assert 'trueup_fills_total{strategy="buyer"}' in page
    assert 'trueup_orders_total{outcome="accepted"}' in page
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
