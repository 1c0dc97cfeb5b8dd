# `make` alone lists the targets. Every target sets up what it needs; nothing else has to be done first.
# Each is a command of the package (`python -m alliance <target>`), which needs neither make nor a shell.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: faults test-cluster help setup demo new-cohort check results courses share twin freeze explain compare verify crate rerun demo-data test test-all test-fast check-style rupture-rules dropout-recovery coupling-recovery lock clean

# A variable that is misspelt must not start anything.
ODD := $(filter-out COHORT=% AGAIN=% PYTHON=% FINDING=% DOCUMENT=% PRINTED=% PLACE=% ROW=% COLUMN=% BEFORE=% AFTER=% RESULTS=% PROFILE=%,$(MAKEOVERRIDES))
$(if $(ODD),$(error There is no variable $(ODD): the cohort is named by COHORT, as in: make check COHORT=mylab))

# The newest Python that the lock has been tested with; any python3 from 3.11 on otherwise.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell $(p) -c 'import sys,venv,ensurepip;print("$(p)" if sys.version_info>=(3,11) else "")' 2>/dev/null)))
READY := .venv/ready
ALLIANCE = .venv/bin/python -m alliance
# Where the steps run: PROFILE=slurm on a cluster (docs/cluster.md), this machine otherwise.
ON = $(if $(PROFILE),--profile "$(PROFILE)")

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-17s %s\n", $$1, $$2}'

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer with its venv module is needed and was not found (on Debian: apt install python3-venv)."; exit 1; fi
	@PYTHONPATH=src $(PYTHON) -m alliance setup

setup: $(READY)  ## make the environment in .venv from the lock

demo: $(READY)  ## run the demo cohort: results/demo/report.html
	@$(ALLIANCE) demo

new-cohort: $(READY)  ## look at data/raw/mylab/ and write a first configuration: make new-cohort COHORT=mylab
	@$(ALLIANCE) new-cohort --cohort "$(COHORT)" $(if $(AGAIN),--again)

check: $(READY)  ## read and check your files, and nothing more: make check COHORT=mylab
	@$(ALLIANCE) check --cohort "$(COHORT)" $(ON)

results: $(READY)  ## run your cohort: make results COHORT=mylab
	@$(ALLIANCE) results --cohort "$(COHORT)" $(ON)

courses: $(READY)  ## draw every client's course, for your eyes only: make courses COHORT=mylab
	@$(ALLIANCE) courses --cohort "$(COHORT)" $(ON)

share: $(READY)  ## write what may leave the lab, without small counts: make share COHORT=mylab
	@$(ALLIANCE) share --cohort "$(COHORT)" $(ON)

twin: $(READY)  ## write raw files like yours with nobody's data: make twin COHORT=mylab
	@$(ALLIANCE) twin --cohort "$(COHORT)"

freeze: $(READY)  ## freeze the plan before the data are looked at: make freeze COHORT=mylab
	@$(ALLIANCE) freeze --cohort "$(COHORT)"

explain: $(READY)  ## where a printed number comes from: make explain FINDING=f23 COHORT=mylab
	@$(ALLIANCE) explain "$(FINDING)" --cohort "$(COHORT)" --document "$(DOCUMENT)" --printed "$(PRINTED)" \
	  --place "$(PLACE)" --row "$(ROW)" --column "$(COLUMN)"

compare: $(READY)  ## what differs between two runs, and why: make compare BEFORE=results/old AFTER=results/new
	@$(ALLIANCE) compare "$(BEFORE)" "$(AFTER)"

crate: $(READY)  ## pack a finished run for strangers: make crate COHORT=mylab
	@$(ALLIANCE) crate --cohort "$(COHORT)"

rerun: $(READY)  ## run a cohort again and compare with what is there: make rerun COHORT=mylab
	@$(ALLIANCE) rerun --cohort "$(COHORT)"

verify:  ## check a results folder with nothing but Python: make verify RESULTS=results/mylab
	@PYTHONPATH=src $(or $(wildcard .venv/bin/python),$(PYTHON)) -m alliance verify "$(RESULTS)"

demo-data: $(READY)  ## rebuild data/raw/demo byte for byte from its seed
	@$(ALLIANCE) simulate

test: $(READY)  ## the tests, style and types
	@$(ALLIANCE) test

test-all: $(READY)  ## the same with the long simulations and sweeps (docs/tests.md)
	@$(ALLIANCE) test-all

test-fast: $(READY)  ## the tests to run all day (under 3 minutes)
	@$(ALLIANCE) test-fast

check-style: $(READY)  ## formatting, lint, types: the same list as pre-commit
	@$(ALLIANCE) check-style

test-cluster: $(READY)  ## a run through a SLURM of this machine, as root (docs/cluster.md)
	@$(ALLIANCE) test-cluster

faults: $(READY)  ## hours: broken exports, killed runs, damaged results (docs/guarantees.md)
	@$(ALLIANCE) faults

rupture-rules: $(READY)  ## find planted ruptures by every rule: the tables of docs/ruptures.md
	@$(ALLIANCE) rupture-rules

dropout-recovery: $(READY)  ## bias and coverage of the hazard over 300 cohorts, into docs/dropout.md
	@$(ALLIANCE) dropout-recovery

coupling-recovery: $(READY)  ## bias and coverage of the coupling arms over 500 cohorts (docs/coupling.md)
	@$(ALLIANCE) coupling-recovery

lock: $(READY)  ## resolve requirements.lock anew from pyproject.toml
	@$(ALLIANCE) lock

clean: $(READY)  ## remove what `make demo` has made (not the environment, not raw data)
	@$(ALLIANCE) clean
