# make demo   the bundled server with a fault, under strace, and the diagnosis
# make test   all tests
# make lint   style, types and layers
# make site   the documentation, in site/
# make pictures  draw the report in README.md again
# make man    write the manual page again
# make schemas  freeze what the JSON documents and the library have gained
# make samples  record every sample again
#
# Each creates what it needs: an environment in .venv, and strace if permitted. A second run is quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# One worker more than there are processors: live tests mostly wait.
PYTEST_ARGS ?= -n $$(( $$(nproc) + 1 ))

.DEFAULT_GOAL := help
.PHONY: help demo test lint site pictures man schemas samples strace clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(VENV)/.installed strace
	@$(BIN)/tracediag demo

test: $(VENV)/.installed-dev strace
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The links are checked; nothing is fetched while the site is built or read.
site: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

pictures: $(VENV)/.installed
	$(BIN)/python docs/making/picture.py

man: $(VENV)/.installed
	$(BIN)/python docs/making/manual.py

schemas: $(VENV)/.installed
	$(BIN)/python docs/making/schemas.py

# Records every sample again; needs strace, gcc, ab and a writable /srv/tracediag.
samples: strace
	@for record in samples/*/record.sh; do echo "$$record"; sh "$$record" || exit 1; done
	$(PYTHON) samples/epollserver/record.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is required: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "cannot create an environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[docs]'
	@touch $@ $(VENV)/.installed

# Installs strace through apt if it is missing and permitted; without it the live tests and demo are limited.
strace:
	@command -v strace >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=; \
	elif sudo -n true 2>/dev/null; then as_root="sudo -n"; \
	else echo "strace is missing, and root is needed to install it: apt-get install strace"; exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "strace is missing, and there is no apt-get to install it"; exit 0; fi; \
	echo "installing strace"; \
	{ $$as_root apt-get update -qq && \
	  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends strace; } >/dev/null \
	|| echo "strace could not be installed"

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
