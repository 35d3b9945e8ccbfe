# The CAPE book. `make` alone says what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book test check tables bench lab clean setup browser

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Set up again only when what is to be installed has changed: the stamp's name is its content.
STAMP := $(VENV)/.set-up-$(shell cat requirements.txt pyproject.toml | cksum | tr -d ' ')

help: ## this list
	@echo "The CAPE book"
	@sed -n 's/^\([a-z]*\):.*## /  make \1 \t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
	@echo
	@echo "PYTHON=python3.12 make book uses another interpreter (3.11 or newer)."

book: $(STAMP) ## set up, execute every chapter, build the book; ends with the page to open
	@$(BIN)/cape book

test: $(STAMP) browser ## set up, then every test, the built pages in a browser included
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## the quick tests, style, types and the floors of the library
	@$(BIN)/ruff check cape_lib tests benchmarks experiments book/_ext
	@$(BIN)/ruff format --check --quiet cape_lib tests benchmarks experiments book/_ext
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not page" --hypothesis-profile=check

tables: $(STAMP) ## after a change in data/: check every table, write anew what follows from them
	@$(BIN)/python -m experiments.frontier_cells
	@$(BIN)/python -m cape_lib.tables
	@$(BIN)/python tests/reference/data_checks.py

bench: $(STAMP) browser ## speed and size of everything, beside their budgets: one table
	@$(BIN)/python -m benchmarks

lab: $(STAMP) ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab notebooks

clean: ## remove what was built (the environment in .venv stays)
	@rm -rf _build build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	@find cape_lib tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(STAMP) ## only set up

browser: $(STAMP)
	@$(BIN)/python tests/browser.py --install

$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not there; install Python 3.11 or newer, or name one: PYTHON=python3.12 make book"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: the book needs Python 3.11 or newer and $(PYTHON) is $$($(PYTHON) -V | cut -d' ' -f2); name another: PYTHON=python3.12 make book"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "make: $(PYTHON) lacks venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "setting up $(VENV): about 2 GB, some minutes; each package is named as it comes"
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@rm -f $(VENV)/.set-up-*
	@touch $@
