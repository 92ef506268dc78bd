# One command for each audience. Everything is made on demand; a second run makes nothing anew.
SUBMISSION ?= build/example
COURSE ?= 517
OUTPUT ?= build/class
PYTHON ?= python3
PY := .venv/bin/python
RUN := $(PY) -m autograder

.PHONY: setup grade test test-slow student audit rubric release autograder batch experiments sst2-runs bench clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install -q -c constraints.txt torch
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	-cd solutions && ../$(PY) -m sst2
	touch $@

grade: autograder build/example
	$(RUN) grade $(SUBMISSION) --course $(COURSE)

build/example: setup $(wildcard solutions/*.ipynb)
	$(RUN) export $@

student: setup
	$(RUN) student

batch: autograder
	$(RUN) batch $(FOLDER) --course $(COURSE) --output $(OUTPUT)

audit: setup
	$(RUN) audit

rubric: setup
	$(RUN) rubric

release: student
	$(RUN) release

autograder: setup
	$(RUN) pack

test: setup
	$(PY) -m pytest -m 'not slow'

test-slow: setup
	$(PY) -m pytest -m slow

experiments: setup
	cd solutions && ../$(PY) -m experiments.run $(if $(QUICK),--quick)

sst2-runs: setup
	cd solutions && ../$(PY) sst2_runs.py

bench: autograder build/example
	$(PY) tests/bench.py
	$(PY) tests/bench_batch.py
	$(PY) tests/bench_training.py

clean:
	rm -rf build .venv
