# One command for each audience. Everything is built on demand; a second run rebuilds nothing.
SUBMISSION ?= build/example
COURSE ?= 517
OUTPUT ?= build/class
PYTHON ?= python3
PY := .venv/bin/python
RUN := $(PY) -m autograder
# Byte code is compiled on all cores while pip runs, and only for what gets imported: a minute faster than pip alone.
PIP := $(PY) -m pip install -q --no-compile -c constraints.txt
COMPILE := $(PY) -m compileall -q -j 0 -x '/tests?/|/transformers/models/' .venv/lib > /dev/null 2>&1 || true

.PHONY: setup develop grade test test-slow lint wheel student audit rubric release autograder batch given docker docker-grade docker-test \
    lock experiments sst2-runs reports bench clean

setup: .venv/.done
develop: .venv/.developed

# What grading and packing need; a release, tests and lint need `develop`.
.venv/.done: pyproject.toml constraints.txt assignment/requirements.in
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed" if sys.version_info < (3, 10) else 0)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PIP) -r assignment/requirements-torch.txt setuptools
	$(COMPILE) & $(PIP) --no-build-isolation -e . -r assignment/requirements.in && wait
	$(COMPILE)
	touch $@

.venv/.developed: .venv/.done
	$(PIP) --no-build-isolation -e '.[dev]' -r assignment/requirements.in
	$(COMPILE)
	-cd solutions && ../$(PY) -m sst2
	touch $@

grade: setup build/example
	$(RUN) grade "$(SUBMISSION)" --course $(COURSE)

build/example: setup $(wildcard solutions/*.ipynb)
	$(RUN) export $@

student: setup
	$(RUN) student

# Status 1 says that some could not be graded; the summary above has told which, so it is no error of make's.
batch: given autograder
	$(RUN) batch "$(FOLDER)" --course $(COURSE) $(if $(ROSTER),--roster "$(ROSTER)") --output "$(OUTPUT)" || test $$? -eq 1

# Before minutes of baking.
given:
	@test -n "$(FOLDER)" || { echo "which class? make batch FOLDER=export [ROSTER=roster.csv]"; exit 2; }
	@for path in "$(FOLDER)" $(if $(ROSTER),"$(ROSTER)"); do test -e "$$path" || { echo "there is no '$$path': make batch FOLDER=export [ROSTER=roster.csv]"; exit 2; }; done

audit: setup
	$(RUN) audit

rubric: setup
	$(RUN) rubric

# It runs the solutions of every section, for which the packages of `develop` are needed.
release: develop student
	$(RUN) release

autograder: setup
	$(RUN) pack

# One process for each core, at most four: each of them starts workers of its own. Slow tests also wait a lot: one more.
CORES = $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() or 1))' 2> /dev/null || echo 1)
PYTEST := $(PY) -m pytest --dist worksteal --durations 10 --numprocesses

# What measured under about a second, and a tenth of the random examples; the rest is in test-slow.
test: develop
	SHARE=0.1 $(PYTEST) $(CORES) -m 'not slow and not container'

# SHARE=0.05: a twentieth of what is random or repeats itself, drawn anew in each run.
test-slow: develop
	SEED=$${SEED:-$$(date +%s)} $(PYTEST) $$(($(CORES) + 1)) -m 'slow or hypothesis'

# Style, layout, types, the contracts between packages, and the size of functions: 50 lines, complexity 12.
lint: develop
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache
	$(PY) -m lizard -l python -L 50 -C 12 -w autograder assignment solutions tests examples

# The engine alone, for another course: build/wheel/autograder-….whl and its hash.
wheel: setup
	$(PY) -m pip wheel -q --no-deps --no-build-isolation -w build/wheel .
	$(PY) -m pip hash build/wheel/autograder-*.whl

# Gradescope's container, with whichever engine is installed: docker, podman or buildah (ENGINE=…, see autograder/gradescope/image.py).
docker: autograder
	$(RUN) image build --course $(COURSE) $(if $(BASE),--base $(BASE))

docker-grade: build/example
	$(RUN) image grade "$(SUBMISSION)" --course $(COURSE)

# LANES=2: the tests of Docker's own daemon beside the others, in less time; their figures are then no measure of speed.
docker-test: develop autograder
	$(PY) -m pytest -m container $(if $(LANES),--numprocesses $(LANES) --dist loadfile -rs,-s)

# Resolves the names in pyproject.toml and the two requirements.in to versions, for Python 3.10 and later.
UV := $(PY) -m uv pip compile -q --universal --python-version 3.10 --no-annotate --custom-compile-command 'make lock'
lock: develop
	$(UV) pyproject.toml assignment/requirements.in --all-extras -o constraints.txt
	$(UV) --config-file autograder/gradescope/uv.toml autograder/judging/requirements.in assignment/requirements.in \
	    -c constraints.txt --generate-hashes --no-emit-package torch -o assignment/requirements.txt
	echo uv | $(UV) - -c constraints.txt --generate-hashes -o autograder/gradescope/requirements-uv.txt
	grep '^torch==' constraints.txt > assignment/requirements-torch.txt

experiments: develop
	cd solutions && ../$(PY) -m experiments.run $(if $(QUICK),--quick)

sst2-runs: develop
	cd solutions && ../$(PY) sst2_runs.py

# The model answers of 2.2 and 3, from the runs in solutions/writeup; RUNS=../build/experiments/full takes over new ones first.
reports: develop
	cd solutions && ../$(PY) -m reports $(if $(RUNS),--runs $(RUNS))

bench: develop autograder build/example
	$(PY) tests/bench $(if $(QUICK),--quick)

# Keeps what cannot be rebuilt: the graders' sheets (build/rubric), graded classes (build/class) and final grades (*.csv).
clean:
	rm -rf .venv
	test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name rubric ! -name class ! -name '*.csv' -exec rm -rf {} +
