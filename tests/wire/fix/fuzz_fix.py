"""Fuzzing by coverage, for as long as you like: python tests/wire/fix/fuzz_fix.py MINUTES

`atheris` chooses the bytes by what they reach in codec, framer and session; `fix_fuzz.py`
says what must hold.  Inputs that reached something new are kept in `.fuzz`, and so is one
that failed (`.fuzz/…/crash-…`): make it a case of `test_fix_fuzz.py`.  An input that takes ten
seconds, or memory beyond a gigabyte, is a failure, too.

Last come whole lives (`fix_life.py`): sessions of thousands of messages over a bad line, one seed
after the other.  A seed that fails is printed, and so is the most memory that was used.
"""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

FOLDER = Path(".fuzz")
SHARES = {"codec": 0.35, "framer": 0.1, "session": 0.35, "lives": 0.2}
"""How the time is divided: a session takes longest."""
STEPS = 10_000
"""Of one life: some 30,000 messages and 800 connections."""


def main() -> int:
    if len(sys.argv) == 3:
        name, seconds = sys.argv[1], int(sys.argv[2])
        return lives(seconds) if name == "lives" else fuzz(name, seconds)
    minutes = float(sys.argv[1]) if len(sys.argv) == 2 else 1
    failed = 0
    for name, share in SHARES.items():
        seconds = max(1, int(minutes * 60 * share))
        say(f"{name} for {seconds} s")
        run = [sys.executable, __file__, name, str(seconds)]
        failed += subprocess.run(run, check=False).returncode != 0
    say("nothing failed" if not failed else f"{failed} failed: see {FOLDER}")
    return failed


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def lives(seconds: int) -> int:
    """Life after life, on every kind of session in turn; seeds begin with the second of the day."""
    import resource  # noqa: PLC0415  # not on every system

    from fix_life import Life  # noqa: PLC0415  # before the instrumented import of the others

    from trueup.wire.fix.session_kinds import SessionKind  # noqa: PLC0415  # the same

    first, end = int(time.time()), time.monotonic() + seconds
    lived = messages = failed = 0
    while time.monotonic() < end:
        seed, kind = first + lived, tuple(SessionKind)[lived % len(SessionKind)]
        lived += 1
        try:
            messages += Life(seed, kind).live(STEPS).messages
        except Exception:  # noqa: BLE001  # whatever it is, the seed is what counts
            failed += 1
            say(f"Life({seed}, {kind}).live({STEPS}) failed:\n{traceback.format_exc()}")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(f"{lived} lives, {messages} messages, at most {most} MiB, {failed} failed")
    return failed


def fuzz(name: str, seconds: int) -> int:
    """One check, in a process of its own, since the fuzzer ends its process."""
    import atheris  # noqa: PLC0415  # an extra that few need

    importlib.import_module("trueup.core.facts")  # what lies below is not what is tried

    fuzzer: Any = atheris
    with fuzzer.instrument_imports(include=["trueup.wire.fix"]):
        import fix_fuzz  # noqa: PLC0415  # instrumented as it is loaded

    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in fix_fuzz.seeds()[name]:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = FOLDER / "words.txt"
    words.write_text(dictionary_words(), encoding="utf-8")
    fuzzer.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-dict={words}",
            f"-artifact_prefix={corpus}/",
            f"-max_total_time={seconds}",
            "-max_len=8192",
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
        ],
        fix_fuzz.CHECKS[name],
    )
    fuzzer.Fuzz()
    return 0


def dictionary_words() -> str:
    """The field numbers, and what a lie is made of."""
    from trueup.wire.fix.fields import FIELDS  # noqa: PLC0415  # after the instrumented import

    tags = [f'"\\x01{tag}="' for tag in FIELDS] + [f'"|{tag}="' for tag in FIELDS]
    return "\n".join([*tags, '"43=Y|"', '"123=Y|"', '"=0|"', '"=-1|"', '"=2|"', '"=99999999|"'])


if __name__ == "__main__":
    sys.exit(main())
