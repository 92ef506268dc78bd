# The grading image: `docker build .` on a clone needs only a container engine. Works with the classic builder and BuildKit.
#   --build-arg COURSE=447          whose points count
#   --build-arg AUTOGRADER_SEED=…   the seed of the hidden inputs; drawn during the build if not given
# `make docker` builds the same image from an audited archive. The base image's CMD and ENTRYPOINT stay: Gradescope needs them.
ARG BASE=gradescope/autograder-base:ubuntu-22.04

# The Python environment, built once: the Python and libraries that bake the archive are the ones that grade.
FROM ${BASE} AS installed
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY autograder/gradescope/setup.sh autograder/gradescope/requirements-uv.txt /autograder/source/autograder/gradescope/
COPY autograder/judging/requirements.in /autograder/source/autograder/judging/
COPY assignment/requirement[s]* assignment/constraint[s]* /autograder/source/assignment/
RUN TORCH_INDEX="${TORCH_INDEX}" bash /autograder/source/autograder/gradescope/setup.sh

# Bake, audit and pack, or use the unpacked archive that is the build context. Solutions, bank and seed stay in this stage.
FROM installed AS archive
ARG COURSE=517
ARG AUTOGRADER_SEED=
COPY . /project/
RUN cd /project && if [ -f course.txt ]; then cp -r . /archive; else \
        AUTOGRADER_SEED="${AUTOGRADER_SEED}" /autograder/venv/bin/python -m autograder pack --course "${COURSE}" && \
        /autograder/venv/bin/python -m zipfile -e "build/autograder-${COURSE}.zip" /archive; fi

FROM installed
COPY --from=archive /archive /autograder/source
RUN bash /autograder/source/setup.sh && install -m 755 /autograder/source/run_autograder /autograder/run_autograder
