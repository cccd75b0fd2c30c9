# Needs only make and Python >= 3.11 with venv. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
PROJECTS := pyproject.toml agent/pyproject.toml

# One virtual environment, three sizes. Each stamp says what has been installed from which locks.
DEV     := $(VENV)/.ready-dev
DEMO    := $(VENV)/.ready-demo
RUNTIME := $(VENV)/.ready-runtime
# A larger environment that is already there serves the smaller needs too.
FOR_DEMO := $(firstword $(wildcard $(DEV)) $(DEMO))
FOR_UP   := $(firstword $(wildcard $(DEV)) $(wildcard $(DEMO)) $(RUNTIME))

# $(call install,locks): exactly the locked files, then both projects from this tree.
define install
	$(PIP) install --require-hashes $(foreach lock,$(1),-r $(lock))
	$(PIP) install --no-deps --no-build-isolation -e agent -e .
	@touch $@
endef

.DEFAULT_GOAL := help
.PHONY: help setup up demo test test-frameworks bench-frameworks check coverage bench soak fuzz lock openapi wheels clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

setup: $(DEV) ## the development environment in .venv, from the locks

up: $(FOR_UP) ## start MUTX on this machine
	$(BIN)/mutx up

demo: $(FOR_DEMO) ## a governed agent, start to finish
	$(BIN)/mutx demo

test: setup ## the tests, without soak and fuzz
	@$(BIN)/pytest -n auto -m "not soak and not fuzz"

check: setup ## every static check, budget and snapshot
	@$(BIN)/python -m tools.check

coverage: setup ## the tests under coverage, held to tools/budgets.toml
	@$(BIN)/python -m tools.coverage_gate

bench: setup ## measure; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

soak: setup ## long runs under load
	$(BIN)/pytest -m soak --timeout 0

fuzz: setup ## long searches for bad input
	MUTX_SEARCH=1 $(BIN)/pytest -m fuzz --timeout 0
	MUTX_SEARCH=1 $(BIN)/pytest -m "not soak and not fuzz" --timeout 0 $$(grep -rl '^@given' tests)

test-frameworks: setup ## the adapters' suite, each framework in its own environment (FRAMEWORKS="crewai ag2")
	$(BIN)/python -m tools.frameworks

bench-frameworks: setup ## what each adapter adds to a tool call, each framework in its own environment
	$(BIN)/python -m tools.framework_speed

openapi: setup ## write api/openapi.json
	@mkdir -p api
	$(BIN)/python -m mutx.server.openapi > api/openapi.json.new
	mv api/openapi.json.new api/openapi.json

wheels: setup ## build both distributions into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist agent
	$(BIN)/python -m build --no-isolation --outdir dist .

# Keeps the locked versions that still fit; `make lock UPGRADE=1` takes the newest.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-package mutx-agent
lock: | $(BIN)/python ## recompile requirements/*.lock
	@test -x $(BIN)/uv || $(PIP) install uv
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml requirements/dev.in --all-extras -o requirements/dev.lock
	$(COMPILE) -c requirements/dev.lock pyproject.toml -o requirements/runtime.lock
	$(COMPILE) -c requirements/dev.lock pyproject.toml --extra langgraph -o requirements/demo.lock
	$(COMPILE) -c requirements/dev.lock requirements/build.in -o requirements/build.lock

clean: ## remove caches and built files; .venv stays
	rm -rf build dist agent/dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src agent tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "MUTX needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(DEV): requirements/dev.lock $(PROJECTS) | $(BIN)/python
	$(call install,requirements/dev.lock)

$(DEMO): requirements/demo.lock requirements/build.lock $(PROJECTS) | $(BIN)/python
	$(call install,requirements/demo.lock requirements/build.lock)

$(RUNTIME): requirements/runtime.lock requirements/build.lock $(PROJECTS) | $(BIN)/python
	$(call install,requirements/runtime.lock requirements/build.lock)
