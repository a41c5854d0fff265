# What a person types. `make` alone lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python that really runs and has a version the project is pinned for. Set PYTHON to choose one.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
DEPENDENCY_GROUPS ?= dev

# An environment holds absolute paths: one that was moved, or made for other groups, is made again.
STATE := $(CURDIR) $(DEPENDENCY_GROUPS)
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(STATE))
.PHONY: $(INSTALLED)
endif

.PHONY: help setup demo up down test lint format constraints evidence diagrams bench clean

help: ## list what make can do
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

setup: $(INSTALLED) ## set up .venv, or bring it up to date

demo: $(INSTALLED) ## set up, run the jobs on a real Airflow at full volume, show what was delivered
	@$(BIN)/python -m demo run

up: $(INSTALLED) ## start PostgreSQL, the mailbox and Airflow, and keep them until Ctrl-C
	@$(BIN)/python -m demo up

down: $(INSTALLED) ## end what `make up` started
	@$(BIN)/python -m demo down

test: $(INSTALLED) ## set up and run every test that this machine can carry
	@$(BIN)/python -m pytest

lint: $(INSTALLED) ## ruff (rules and format), mypy, the Kubernetes manifests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.manifests.check

format: $(INSTALLED) ## mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(INSTALLED) ## measure the three jobs against their peers: pandas, openpyxl, psql, pg_dump
	@$(BIN)/python benchmarks/delivery_status.py
	@$(BIN)/python benchmarks/price_lists.py
	@$(BIN)/python benchmarks/export.py

evidence: $(INSTALLED) ## take the README's pictures again (needs Chromium)
	@$(BIN)/uv pip install --quiet --constraint constraints.txt --group browser
	@$(BIN)/python -m demo.evidence

diagrams: ## draw the documents' diagrams again (needs npm and Java)
	@$(or $(PYTHON),python3) -m demo.diagrams

constraints: $(INSTALLED) ## pin every dependency again, at its newest, for Python 3.11 to 3.13
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --all-extras --group dev \
		--group browser --group spark --group clickhouse --no-annotate --no-emit-index-url --no-header pyproject.toml --output-file constraints.txt

clean: ## end what runs and remove everything that make has made
	@test ! -x $(BIN)/python || $(BIN)/python -m demo down
	@rm -rf .venv .local .pytest_cache .ruff_cache .mypy_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 found: install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }
	@echo "Setting up .venv (once; again when pyproject.toml or constraints.txt change) ..."
	@test -x $(BIN)/uv && $(BIN)/python -c '' 2>/dev/null && grep -qxF "$(STATE)" $(INSTALLED) 2>/dev/null || { rm -rf .venv \
		&& $(PYTHON) -m venv .venv \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[airflow]' $(addprefix --group ,$(DEPENDENCY_GROUPS))
	@echo "$(STATE)" > $(INSTALLED)
