# Two commands on a fresh machine (Python >= 3.11, git, make): `make demo` and `make test`.
# Each sets up what it needs in .venv; nothing is installed outside this folder.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
VENV ?= .venv
MINUTES ?= 6
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := src tests benchmarks examples

.DEFAULT_GOAL := help
.PHONY: help demo case-study test check lint types architecture format bench million sim kill9 judges fuzz clean

help:
	@echo 'make demo    the whole story on the built-in sandbox, about a minute, no keys'
	@echo 'make case-study  90 simulated days of two strategies, two outages; some minutes, no keys'
	@echo 'make test    all tests (recorded cases run when TRUEUP_TEST_DATA names their folder)'
	@echo 'make check   lint, types, architecture, tests: what CI runs'
	@echo 'make bench   the benchmarks, as ratios against a peer measured in the same run'
	@echo 'make million a million random commands to the exchange machine and to a naive second one'
	@echo 'make sim SEEDS=100 FIRST=1  the seeded world: trader, exchange, faults, crashes, auditor'
	@echo 'make judges  FIX engines of other people against ours (builds QuickFIX the first time)'
	@echo 'make fuzz    MINUTES=6: any bytes into FIX codec, framer and session; sessions of 30,000 messages'
	@echo 'make kill9 RUNS=100  kill -9 of the real bot at recorded moments, all compared after each'
	@echo 'make format  rewrite the sources in the house format'
	@echo 'make clean   remove what the other targets made'

$(VENV)/pip:
	@test -n '$(PYTHON)' || { echo 'trueup needs Python 3.11 or newer; none was found on PATH.'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'Could not make a virtual environment (on Debian: apt install python3-venv).'; exit 1; }
	@$(PIP) install --constraint constraints.txt pip
	@touch $@

$(VENV)/installed: $(VENV)/pip pyproject.toml constraints.txt
	@echo 'Setting up trueup in $(VENV) ...'
	@$(PIP) install --constraint constraints.txt --editable '.[alerts,archive,postgres,web]'
	@touch $@

$(VENV)/developer: $(VENV)/installed
	@echo 'Setting up the developer tools in $(VENV) ...'
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@

# A Chromium for the tests of the page: the system's, else one that can be installed.
$(VENV)/browser: $(VENV)/developer
	@BIN=$(BIN) .ci/browser
	@touch $@

demo: $(VENV)/installed
	@$(BIN)/trueup tour

case-study: $(VENV)/installed
	@$(BIN)/trueup case-study

test: $(VENV)/developer
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: lint types architecture test

lint: $(VENV)/developer
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

types: $(VENV)/developer
	@$(BIN)/pyright

architecture: $(VENV)/developer
	@$(BIN)/lint-imports

format: $(VENV)/developer
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true

bench: $(VENV)/developer
	@$(BIN)/python -m benchmarks

million: $(VENV)/developer
	@$(BIN)/python tests/sim/random_trading.py 1000000

SEEDS ?= 100
FIRST ?= 1
sim: $(VENV)/developer
	@$(BIN)/python tests/simulation/many_seeds.py $(SEEDS) --first $(FIRST)

judges: $(VENV)/developer
	@echo 'Two FIX engines that nobody here wrote. QuickFIX is built from its source the first time: about five minutes.'
	@$(PIP) install --constraint constraints.txt --group judges
	@$(BIN)/python -m pytest tests/judges

fuzz: $(VENV)/developer
	@$(PIP) install --constraint constraints.txt --group fuzz
	@nice -n 19 $(BIN)/python tests/wire/fix/fuzz_fix.py $(MINUTES)

RUNS ?= 100
kill9: $(VENV)/developer
	@$(BIN)/python tests/run/kill_bot_often.py $(RUNS)

clean:
	@rm -rf $(VENV) .fuzz .pytest_cache .ruff_cache .hypothesis .demo build dist
