# Everything a person or a CI machine runs. Needs make and Python 3.11 or newer, nothing else.
# `make demo` and `make test` set themselves up: every package by its hash, into .venv, once per lock file.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Half as many again as there are cores: many tests wait for processes, disks and time-outs.
WORKERS ?= $(shell expr \( $$(nproc) \* 3 + 1 \) / 2)

.DEFAULT_GOAL := help
.PHONY: help demo test lint check rows proof proof-shops soak bench-hooks bench bench-quick bench-million lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## see it work: two shops, a stand-in for GoSweetSpot, no account needed
	@$(BIN)/connector demo

test: $(READY) ## all quick tests, with branch coverage and its floor
	@mkdir -p build
	@$(BIN)/pytest -n $(WORKERS) -m "not slow" --cov --cov-report=term:skip-covered --cov-report=json:build/coverage.json
	@$(BIN)/python -m scripts.coverage_floor build/coverage.json

lint: $(READY) ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

rows: $(READY) ## which faults we promise to survive have no test yet
	@$(BIN)/python -m scripts.failure_rows

check: lint test rows ## what must pass before a commit

proof: $(READY) ## the long proofs: kill loops, many random histories, memory over many orders
	@$(BIN)/pytest -m slow --hypothesis-profile=search --ignore=tests/live
	@$(BIN)/pytest --hypothesis-profile=search tests/ledger/test_state_machine.py tests/gosweetspot/test_answers.py

proof-shops: $(READY) ## live shops in step with GSS: 200 histories of 2,000 orders for each; takes an hour or two and adds each to build/proof-shops.txt
	@$(BIN)/pytest -m slow -n auto -rP tests/live

soak: $(READY) ## two hundred stores on one daemon for half an hour
	@$(BIN)/python -m tests.proofs.soak

bench-hooks: $(READY) ## deliveries a second, and from a signed delivery to GoSweetSpot
	@$(BIN)/python -m benchmarks.receiver
	@$(BIN)/python -m benchmarks.webhook

bench: $(READY) ## speed and memory beside a hand-written script, judged against our bounds
	@$(BIN)/python -m benchmarks.run

bench-quick: $(READY) ## the same with 10,000 orders only
	@$(BIN)/python -m benchmarks.run --quick

bench-million: $(READY) ## memory at a million orders; takes minutes
	@$(BIN)/python -m benchmarks.run --million

lock: ## write requirements.lock anew from pyproject.toml
	@PYTHON="$(PYTHON)" scripts/lock.sh

clean: ## remove what make made; config and state stay
	rm -rf .venv .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is touched last, so a set-up that was interrupted is done again. --no-deps: the lock names all there is, and a
# resolver in front of it may fall over a release that came out since (pip 23.2 does, where an extra is asked for).
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up .venv: the packages of requirements.lock, each checked by its hash. Once, about a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip --disable-pip-version-check check >/dev/null || { echo "requirements.lock misses something: make lock" >&2; exit 1; }
	@touch $@
