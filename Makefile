# Everything runs in a virtual environment of its own, .venv, made on first use.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
RESULTS := experiments/results
STAMP  := $(VENV)/.installed-dev
BASE   := $(VENV)/.installed

.PHONY: help demo docs test lint format bench clean

help:
	@echo "make demo   install, make a song, mix it, show where the result is"
	@echo "make test   install and run every test"
	@echo "make lint   check style and types"
	@echo "make docs   write the pages of the manual that are generated"
	@echo "make bench  run the benchmarks, write experiments/results (MIXGYM_DATA adds those on songs)"
	@echo "make clean  remove what make made"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(BASE): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(STAMP): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(BASE)

demo: $(BASE)
	@rm -rf demo
	$(BIN)/mixgym demo demo

docs: $(BASE)
	$(BIN)/mixgym parameters --markdown > docs/parameters.md

test: $(STAMP)
	$(BIN)/python -m pytest -n auto

# mypy needs to see the package under its name, which is not the folder's.
.build/mixgym:
	@mkdir -p .build && ln -sfn .. .build/mixgym

lint: $(STAMP) .build/mixgym
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd .build && MYPYPATH=. ../$(BIN)/mypy --config-file ../pyproject.toml \
	  -p mixgym.songs -p mixgym.console -p mixgym.rewards -p mixgym.envs -p mixgym.agents -p mixgym.export -p mixgym.evolution -p mixgym.runtime -p mixgym.experiments \
	  -m mixgym.cli

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/mixgym bench render --json > $(RESULTS)/render.json
	$(BIN)/mixgym bench stream --json > $(RESULTS)/stream.json
	$(BIN)/mixgym bench inference --json > $(RESULTS)/inference.json
	@if [ -n "$$MIXGYM_DATA" ]; then set -e; \
	  $(BIN)/mixgym bench mastering --songs "$$MIXGYM_DATA/mastered" --json \
	    > $(RESULTS)/mastering.json; \
	  $(BIN)/mixgym bench songs --songs "$$MIXGYM_DATA/songs" --json > $(RESULTS)/songs.json; \
	  $(BIN)/mixgym bench mixes --songs "$$MIXGYM_DATA/songs" --json > $(RESULTS)/mixes.json; \
	  $(BIN)/mixgym bench search --songs "$$MIXGYM_DATA/songs" --json $(RESULTS)/search.json; \
	  $(BIN)/mixgym bench env --songs "$$MIXGYM_DATA/songs" --json > $(RESULTS)/env.json; \
	  $(BIN)/mixgym bench reward --songs "$$MIXGYM_DATA/songs" --json > $(RESULTS)/reward.json; \
	  $(BIN)/mixgym bench speed --songs "$$MIXGYM_DATA/songs" --json $(RESULTS)/speed.json \
	    --plots $(RESULTS); \
	  $(BIN)/mixgym bench fidelity --songs "$$MIXGYM_DATA/songs" --json $(RESULTS)/fidelity.json \
	    --plots $(RESULTS)/fidelity; fi

clean:
	rm -rf $(VENV) .build build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
