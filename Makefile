# One command for each audience. Everything is made on demand; a second run makes nothing anew.
SUBMISSION ?= build/example
COURSE ?= 517
PYTHON ?= python3
PY := .venv/bin/python
RUN := $(PY) -m autograder

.PHONY: setup grade test test-slow student audit rubric release autograder experiments bench clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install -q -c constraints.txt torch
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

grade: autograder build/example
	$(RUN) grade $(SUBMISSION) --course $(COURSE)

build/example: setup $(wildcard solutions/*.ipynb)
	$(RUN) export $@

student: setup
	$(RUN) student

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

bench: autograder build/example
	$(PY) tests/bench.py
	$(PY) tests/bench_training.py

clean:
	rm -rf build .venv
