# Everything sets up what it needs: `make demo` and `make test` are all that a fresh machine has to run.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PACKAGES := postgresql-15 postgresql-client pgbouncer
# Three on two cores: a fifth of a worker's time is waiting, for timeouts that are tested and for namespaces that end.
WORKERS ?= 3
ENGINE ?= $(shell command -v podman || command -v docker)
# Tests start hundreds of short processes: where no bytecode is kept, each of them compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check pytest test-long bench cluster docs site lock image image-env system parts python clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

demo: .venv/installed ## a claim's whole life on a disposable PostgreSQL
	@command -v npm >/dev/null || $(MAKE) --no-print-directory system
	$(BIN)/python -m tests.demo

test: check pytest ## every check and every test but the long ones

check: .venv/installed site ## ruff, mypy, layers, generated pages, the site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.docs.generate --check

pytest: parts ## the tests alone, with coverage
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --durations 30 --cov --cov-report term:skip-covered

test-long: parts ## what takes longer: histories, rotation under load, crashes, the other scope of rights, other versions
	$(BIN)/pytest -m long
	$(BIN)/pytest tests/integration --scope namespaces
	$(BIN)/pytest tests/engines --pg 15,16,17 --mysql mariadb-10.11
	DBCLAIMS_LONG=1 $(BIN)/pytest --pg 17 tests/engines/postgres/test_names.py

bench: parts ## measure, and print beside the yardsticks
	$(BIN)/pytest tests/bench -q -m bench --timeout 0 -s

cluster: parts ## a real control plane with a kubeconfig, until ctrl-C
	$(BIN)/python -m tests.controlplane

docs: .venv/installed ## write the generated pages anew
	$(BIN)/python -m tests.docs.generate

# -E reads every page anew: what was read before warns no more.
site: .venv-docs/installed ## the pages as a site, in site/; a warning fails
	.venv-docs/bin/sphinx-build -q -E -W --keep-going -n -c docs . site

image: .venv/installed ## build the controller's image: make image PYTHON_IMAGE=NAME@sha256:…
	rm -rf dist && $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .
	$(ENGINE) build --build-arg PYTHON_IMAGE=$(PYTHON_IMAGE) --tag dbclaims/dbclaims .

image-env: .venv/installed ## what the image installs, in .image-env, without a container engine
	rm -rf .image-env && $(BIN)/python -m tests.image .image-env

PIN := $(BIN)/pip-compile --quiet --no-config --generate-hashes --strip-extras --allow-unsafe --no-header \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --annotation-style line
EXTRAS := --extra postgres --extra mysql --extra aws

lock: .venv/installed ## pin the development environment, the image's and the site's anew (minutes)
	$(PIN) --upgrade $(EXTRAS) --extra conformance --extra dev --output-file requirements-dev.txt pyproject.toml
	$(PIN) --constraint requirements-dev.txt $(EXTRAS) --output-file requirements.txt pyproject.toml
	$(PIN) --upgrade --output-file docs/requirements.txt docs/requirements.in

parts: .venv/installed system ## the servers that tests start: fetched or built once, then cached
	$(BIN)/python -m tests.servers.installation
	$(BIN)/python -m tests.servers.mysqlinstallation
	$(BIN)/python -m tests.controlplane.build
	$(BIN)/python -m tests.promtool.build
	$(BIN)/python -m tests.lua.build
	$(BIN)/python -m tests.helm.build

# RUNLEVEL=1 keeps Debian from starting the daemons that it installs.
system: ## Debian's PostgreSQL 15, psql and pgbouncer, if they are missing
	@if [ -x /usr/lib/postgresql/15/bin/initdb ] && [ -x /usr/sbin/pgbouncer ] && command -v psql >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) \
	  || echo "apt-get could not install $(PACKAGES): their tests say what is missing"; \
	else echo "Not installed, and not root: sudo apt-get install $(PACKAGES)  (their tests are skipped without)"; fi

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv"; exit 1; }

.venv/installed: requirements-dev.txt pyproject.toml | python
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-docs/installed: docs/requirements.txt | python
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

clean: ## remove what was made in this folder (the caches outside it stay)
	rm -rf .venv .venv-docs site .image-env dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* .hypothesis .dbclaims
