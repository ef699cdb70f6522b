"""Fuzzing by coverage, for as long as you like: python tests/wire/fix/fuzz_fix.py MINUTES

`atheris` chooses the bytes by what they reach in codec, framer and session; `fix_fuzz.py`
says what must hold.  Inputs that reached something new are kept in `.fuzz`, and so is one
that failed (`.fuzz/…/crash-…`): make it a case of `test_fix_fuzz.py`.  An input that takes ten
seconds, or memory beyond a gigabyte, is a failure, too.
"""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

FOLDER = Path(".fuzz")
SHARES = {"codec": 0.4, "framer": 0.1, "session": 0.5}
"""How the time is divided: a session takes longest."""


def main() -> int:
    if len(sys.argv) == 3:
        fuzz(sys.argv[1], int(sys.argv[2]))
        return 0
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


def fuzz(name: str, seconds: int) -> None:
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


def dictionary_words() -> str:
    """The field numbers, and what a lie is made of."""
    from trueup.wire.fix.fields import FIELDS  # noqa: PLC0415  # after the instrumented import

    tags = [f'"\\x01{tag}="' for tag in FIELDS] + [f'"|{tag}="' for tag in FIELDS]
    return "\n".join([*tags, '"43=Y|"', '"123=Y|"', '"=0|"', '"=-1|"', '"=2|"', '"=99999999|"'])


if __name__ == "__main__":
    sys.exit(main())
