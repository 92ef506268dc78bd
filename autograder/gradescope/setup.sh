#!/usr/bin/env bash
# Run once when the image is built: a Python environment of its own beside the system's. Safe to run twice.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
fi
[ -x "$root/venv/bin/python" ] || python3 -m venv "$root/venv"
pip="$root/venv/bin/pip"
# The CPU build of torch; the default Linux wheel brings gigabytes of CUDA. TORCH_INDEX="" uses pip's own configuration.
torch_index="${TORCH_INDEX-https://download.pytorch.org/whl/cpu}"
"$pip" install -q -c "$source/constraints.txt" ${torch_index:+--index-url "$torch_index"} torch
"$pip" install -q -c "$source/constraints.txt" -r "$source/requirements.txt"
"$pip" install -q --no-deps -c "$source/constraints.txt" otter-grader
chmod 700 "$source"
