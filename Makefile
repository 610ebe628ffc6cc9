# Everything a new machine needs is Python 3.11+ and make: each target sets up .venv by itself, and a second run is fast.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

unexport PYTHONDONTWRITEBYTECODE # compiled once, not by each of the thousand processes that the tests start

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts unit cases bench long faults simulate docs clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group dev 2>/dev/null \
	  || { $(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1' && \
	       $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group dev; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade \
	  --target $(VENV)/telemetry --group telemetry
	@touch $@

demo: $(STAMP) ## two agent versions, a simulated venue and the console attached
	@$(BIN)/agent-console demo $(ARGS)

test: lint types contracts unit ## everything that must hold before a commit lands

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m tests.generate.blocking --check
	@$(BIN)/python -m tests.generate.vectors --check
	@$(BIN)/python -m tests.generate.declared --check

types: $(STAMP)
	@$(BIN)/mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports

unit: $(STAMP)
	@$(BIN)/pytest -n 5 --dist worksteal -m "not long"

cases: $(STAMP) ## the situations from public reports, each with its right value (part of test)
	@$(BIN)/pytest -n 2 --dist worksteal tests/cases $(ARGS)

bench: $(STAMP) ## every budget beside its floor, measured now
	@$(BIN)/python -m tests.bench $(ARGS)

long: $(STAMP) ## the tests that take too long for every change
	@$(BIN)/pytest -n 4 --dist worksteal -m long $(ARGS)

faults: $(STAMP) ## the long fault suite: kill -9, partitions, failovers
	@$(BIN)/python -m tests.faults $(ARGS)

simulate: $(STAMP) ## how often the canary's verdicts are wrong, and how soon right
	@$(BIN)/python -m tests.simulate $(ARGS)

docs: $(STAMP) ## the documents' pictures, tables and vectors, made by the program itself
	@$(BIN)/python -m tests.generate.declared
	@$(BIN)/python -m tests.screens.pictures
	@$(BIN)/python -m tests.generate.tables
	@$(BIN)/python -m tests.generate.metrics
	@$(BIN)/python -m tests.generate.vectors

clean: ## remove what was built
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
