# Everything a developer or CI runs. Each target installs what it needs into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tested version of torch, installed first so that no later step resolves another build of it.
TORCH := $(shell grep '^torch==' constraints.txt)
# A process for each core, four at most, one thread each; the tests of a file stay together, for what they share.
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

.PHONY: quickstart install test test-slow test-all check bench bench-rounds papers docs screens format clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,math,filter,eval,rl,merge,view,ray,docs,dev]'
	touch $@

quickstart: install
	$(BIN)/cotdistill-cli run examples/quickstart/recipe.yaml

test: install
	$(TESTS) -m "not slow"

test-slow: install
	$(TESTS) -m slow

test-all: install
	SWEEPS=whole $(TESTS)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# `make bench ARGS="train --traces FILE --tokenizer FOLDER"` measures one section, and more with real data.
bench: install
	$(BIN)/python -m tests.bench $(ARGS)

# What a teacher token buys, in the quickstart's world: some forty minutes on two cores.
bench-rounds: install
	$(BIN)/cotdistill-cli run examples/quickstart/rounds.yaml

# Runs the miniatures of the papers, one on each core, and writes what they measured; what is done in runs/papers is not
# done again.
papers: install
	$(BIN)/python docs/papers.py

docs: install
	$(BIN)/python -m cotdistill.recipe.reference > docs/recipe.md
	$(BIN)/python docs/rooms.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The pictures of the docs, from the quickstart's run and a Chromium of this machine.
screens: quickstart
	$(BIN)/python docs/screens.py runs/quickstart

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
