# One command for each audience. Everything is made on demand; a second run makes nothing anew.
SUBMISSION ?= build/example
COURSE ?= 517
OUTPUT ?= build/class
PYTHON ?= python3
PY := .venv/bin/python
RUN := $(PY) -m autograder

.PHONY: setup grade test test-slow student audit rubric release autograder batch docker docker-grade docker-test lock experiments sst2-runs bench clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed" if sys.version_info < (3, 10) else 0)'
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
	$(PY) -m pytest -m 'not slow and not container'

test-slow: setup
	$(PY) -m pytest -m slow

# Gradescope's container, with whatever engine is there: docker, podman, buildah (ENGINE=…, see autograder/image.py).
docker: autograder
	$(RUN) image build --course $(COURSE) $(if $(BASE),--base $(BASE))

docker-grade: build/example
	$(RUN) image grade $(SUBMISSION) --course $(COURSE)

docker-test: autograder
	$(PY) -m pytest -m container -s

# Every version anew, from the names in pyproject.toml and requirements.in; for all of Python 3.10 and later.
lock: setup
	$(PY) -m uv pip compile -q pyproject.toml --all-extras --universal --python-version 3.10 --no-annotate \
	    --custom-compile-command 'make lock' -o constraints.txt
	cd autograder/gradescope && ../../$(PY) -m uv pip compile -q --config-file uv.toml requirements.in -c ../../constraints.txt \
	    --universal --python-version 3.10 --generate-hashes --no-emit-package torch --no-annotate \
	    --custom-compile-command 'make lock' -o requirements.txt

experiments: setup
	cd solutions && ../$(PY) -m experiments.run $(if $(QUICK),--quick)

sst2-runs: setup
	cd solutions && ../$(PY) sst2_runs.py

bench: autograder build/example
	$(PY) tests/bench.py
	$(PY) tests/bench_batch.py
	$(PY) tests/bench_training.py

# Readers' sheets are no product: build/rubric stays.
clean:
	rm -rf .venv
	test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name rubric -exec rm -rf {} +
