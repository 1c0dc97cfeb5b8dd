# `make` alone lists the targets. Every target sets up what it needs; nothing else has to be done first.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo new-cohort check results courses demo-data test test-fast check-style rupture-rules dropout-recovery coupling-recovery lock notebooks clean

# The newest Python that the lock has been tested with; any python3 from 3.11 on otherwise.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell $(p) -c 'import sys,venv,ensurepip;print("$(p)" if sys.version_info>=(3,11) else "")' 2>/dev/null)))
BIN := .venv/bin
READY := .venv/ready
COHORT ?= demo
CONFIG = $(if $(filter demo,$(COHORT)),config/config.yaml,config/$(COHORT).yaml)

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer with its venv module is needed and was not found (on Debian: apt install python3-venv)."; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 14) or print("Note: the environment is locked for Python 3.11 to 3.13; this is", sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock requirements-uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY)  ## make the environment in .venv from the lock

demo: $(READY)  ## run the demo cohort: results/demo/report.html
	@$(BIN)/python -m alliance run --cohort demo

new-cohort: $(READY)  ## look at data/raw/mylab/ and write a first configuration: make new-cohort NAME=mylab
	@$(BIN)/python -m alliance new-cohort --name "$(NAME)" $(if $(AGAIN),--again)

check: $(READY)  ## read and check your files, and nothing more: make check COHORT=mylab
	@$(BIN)/python -m alliance check --cohort $(COHORT)

results: $(READY)  ## run your cohort: make results COHORT=mylab
	@$(BIN)/python -m alliance run --cohort $(COHORT)

courses: $(READY)  ## draw every client's course, for your eyes only: make courses COHORT=mylab
	@$(BIN)/python -m alliance courses --cohort $(COHORT)

demo-data: $(READY)  ## rebuild data/raw/demo byte for byte from its seed
	$(BIN)/python -m alliance simulate --config config/config.yaml

test: $(READY) check-style  ## all tests, style and types
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: $(READY)  ## the tests to run all day (under 3 minutes)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

check-style: $(READY)  ## formatting, lint, types: the same list as pre-commit
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pre-commit run --all-files

rupture-rules: $(READY)  ## find planted ruptures by every rule: the tables of docs/ruptures.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/rupture_rules.py

dropout-recovery: $(READY)  ## bias and coverage of the hazard over 300 cohorts, into docs/dropout.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/dropout_recovery.py --cohorts 300

coupling-recovery: $(READY)  ## bias and coverage of the coupling arms over 500 cohorts (docs/coupling.md)
	$(BIN)/python benchmarks/coupling_recovery.py --cohorts 500

lock: $(READY)  ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --extra dev pyproject.toml -o requirements.lock

clean:  ## remove what `make demo` has made (not the environment, not raw data)
	rm -rf results/demo .snakemake data/processed/demo private/demo
