# What people type. Everything else is `.venv/bin/studio …`; see README.md.
#
#   make run      set up what is missing, then the demo at http://127.0.0.1:8000
#   make test     set up what is missing, then the whole test suite (ARGS="-k planning" chooses, WORKERS=1 takes turns)
#   make check    format, lint, types, import contracts, evals, docs, tests: what CI runs
#   make setup    what both need: .venv/bin/studio
#   make format   put the code in its format
#   make docs     write docs/reference/ anew from the code
#   make snapshots  write tests/snapshots/ anew from the code, after a change that was meant
#   make eval     the offline model against the sentences of evals/
#   make pds      install the real Bluesky server that some tests walk against (g++, make and python3 compile it)
#   make sweep    kill and break publishing at every step of every network, and print what came of it
#   make many     three processes, killed at random, publish 2,000 posts
#   make chaos    4,000 posts over a bad network with workers killed and frozen, then the same with defects put in
#   make postgres-chaos  PostgreSQL killed under load for ten minutes
#   make bench-publish   how fast posts go out, beside a bare loop of the same calls
#   make bench-memory    what a long conversation costs, beside LangGraph's own saver
#   make lock     choose versions anew for requirements.txt, with their hashes
#   make clean    remove what was built and cached; the data directory .studio stays
#
# PYTHON=/usr/bin/python3.12 chooses the interpreter of .venv.

BIN := .venv/bin
ARGS ?=
# Tests wait more than they compute: one process more than there are cores, files kept together.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 7 ? 8 : n + 1)))
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint types eval docs snapshots format pds sweep many chaos postgres-chaos bench-publish \
  bench-memory lock clean

help:
	@sed -n '3,19s/^# \{0,1\}//p' Makefile

setup:
	@./scripts/setup.sh

run: setup
	@exec $(BIN)/studio demo

test: setup
	@test -x "$${STUDIO_TEST_CHROMIUM:-/usr/bin/chromium}" || \
	  echo "test: no Chromium here, so the tests of the page are left out; Debian: apt-get install chromium"
	@test -e tests/platforms/pds/node_modules/.studio-pds || \
	  echo "test: no Bluesky server here, so the tests against it are left out; make pds installs it"
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: lint types eval test

lint: setup
	@echo "== format" && $(BIN)/ruff format --check --quiet . || { echo "Mend it with: make format"; exit 1; }
	@echo "== lint" && $(BIN)/ruff check --quiet .
	@echo "== import contracts" && $(BIN)/lint-imports --no-logo --no-cache
	@echo "== Dockerfile, compose.yaml" && $(BIN)/hadolint Dockerfile && $(BIN)/yamllint --strict compose.yaml

types: setup
	@echo "== types" && $(BIN)/mypy .

eval: setup
	@echo "== evals" && $(BIN)/python -m evals.run

docs: setup
	@$(BIN)/python -m scripts.reference

snapshots: setup
	@$(BIN)/python -m scripts.snapshots

format: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

pds: setup
	@./scripts/pds.sh

sweep: setup
	@$(BIN)/python -m tests.sweep $(ARGS)

many: setup
	@$(BIN)/python -m tests.chaos.many $(ARGS)

chaos: setup
	@$(BIN)/python -m tests.chaos.storm --pace 1.5 $(ARGS)
	@for defect in settle find intent; do \
	  echo "== without $$defect posts have to be doubled, or this proves nothing" && \
	  $(BIN)/python -m tests.chaos.storm --posts 500 --seconds 50 --accounts 50 --mutant $$defect || exit 1; done

postgres-chaos: setup
	@$(BIN)/python -m tests.chaos.postgres $(ARGS)

bench-publish: setup
	@$(BIN)/python -m bench.publish $(ARGS)

bench-memory: setup
	@$(BIN)/python -m bench.memory $(ARGS)

lock: setup
	@$(BIN)/python -m venv .venv/lock && .venv/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	@.venv/lock/bin/uv pip compile pyproject.toml --quiet --upgrade --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.txt
	@rm -rf .venv/lock && echo "lock: requirements.txt is new; make setup installs it"

clean:
	@rm -rf .venv dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node_modules \
	  tests/platforms/pds/node_modules tests/platforms/pds/.node
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
