# An image that grades: `docker build .` on a clone, with nothing but a container engine. For the classic builder and BuildKit.
#   --build-arg COURSE=447          whose points count
#   --build-arg AUTOGRADER_SEED=…   the hidden inputs' seed; without it one is drawn while building
# `make docker` builds the same from an archive that is already audited. The base's CMD and ENTRYPOINT stay: Gradescope needs them.
ARG BASE=gradescope/autograder-base:ubuntu-22.04

# The Python environment, once: the archive is baked by the very Python and libraries that will grade.
FROM ${BASE} AS installed
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY autograder/gradescope/setup.sh /autograder/source/autograder/gradescope/
COPY assignment/requirements* /autograder/source/assignment/
RUN TORCH_INDEX="${TORCH_INDEX}" bash /autograder/source/autograder/gradescope/setup.sh

# Bake, audit and pack, or take the archive that lies here unpacked. Solutions, bank and seed stay in this stage.
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
