# Everything a newcomer needs: make run, make test, make dev, make check. Each makes the environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help run test test-fast soak fuzz browser dev scale cluster check lint types imports scan audit definitions format generate lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Podium needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@echo "Making the environment in $(VENV): about two minutes, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

run: $(READY) ## Do the main job for sp500: real prices to a printed leaderboard and a published DuckDB file
	@$(BIN)/podium run sp500

dev: $(READY) ## Open the Dagster UI
	@$(BIN)/podium dev

# One more than there are cores, up to four: tests that wait for servers, browsers and children leave a core to others.
AT_ONCE = $(shell $(PYTHON) -c 'import os; print(min(4, 1 + len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0))))')
TEST = $(BIN)/python -m pytest --numprocesses $(AT_ONCE) --dist loadfile --no-loadscope-reorder

test: $(READY) ## Run all tests
	@$(TEST)

test-fast: $(READY) ## Run the tests without the heavy proofs
	@$(TEST) -m "not slow"

soak: $(READY) ## Tell twenty times as many random stories as make test does, and kill a hundred processes
	@STORIES=20 $(TEST) pipeline_tests/components pipeline_tests/operation -k "any_sequence or any_order or whatever_happens"
	@KILLS=100 $(BIN)/python -m pytest pipeline_tests/operation/test_kills.py

fuzz: $(READY) ## Give every reader made-up files, 50,000 in all: each is read, or refused with a reason
	@$(BIN)/python -m pipeline_tests.fuzz $(FUZZ)

browser: ## Install Debian's Chromium, which the tests of pages drive; without it they are skipped
	@command -v chromium > /dev/null || (apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends chromium)

scale: $(READY) ## Install what is needed past one machine: Debian's PostgreSQL and Redis, Celery, DuckLake
	@command -v redis-server > /dev/null && ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 \
		|| (apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends postgresql redis-server)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --no-build-isolation --editable '.[scale]'

cluster: scale ## Bring up PostgreSQL, Redis and two workers on loopback, until Ctrl-C
	@$(BIN)/python -m pipeline.cluster

check: lint types imports scan audit definitions ## Lint, check types, imports and security, load the definitions both ways

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports

scan: $(READY)
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive pipeline 2> $(VENV)/bandit.log \
		|| { cat $(VENV)/bandit.log >&2; exit 1; }

audit: $(READY) ## Look up known vulnerabilities of requirements.lock; says so where the service cannot be reached
	@$(BIN)/python -m pipeline_tests.audit

definitions: $(READY)
	@DAGSTER_HOME= $(BIN)/dagster definitions validate
	@DAGSTER_HOME= $(BIN)/dagster definitions validate -w workspace.yaml

format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: $(READY) ## Write what is generated from the table specifications
	@$(BIN)/python -m pipeline.tables.dbt_sources

# What only the optional group scale brings, where it is installed: the default goes without.
SCALE := amqp|billiard|celery|click-didyoumean|click-plugins|click-repl|dagster-celery|dagster-postgres|duckdb[-_]extension[a-z_-]*|kombu|psycopg2-binary|redis|tzlocal|vine

lock: $(READY) ## Write requirements.lock from the environment, by name and version
	@$(BIN)/python -m pip freeze --exclude-editable --all --disable-pip-version-check \
		| grep -v -i -E '^(pip|podium|$(SCALE))([ =@]|$$)' | grep '==' > requirements.lock

clean: ## Remove the environment and everything that a run wrote
	rm -rf $(VENV) data/warehouse data/published data/rebuild data/hubs data/health data/dagster_home dbt_project/target dbt_project/logs
