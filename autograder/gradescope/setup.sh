#!/usr/bin/env bash
# Run once when the image is built, by Gradescope or by our Dockerfile: creates a virtual environment and tests it by grading
# a submission. Safe to run twice.
set -eEuo pipefail
trap 'echo "setup.sh: line $LINENO failed with exit $?" >&2' ERR
umask 022
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"
began=$SECONDS
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore DEBIAN_FRONTEND=noninteractive
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
    rm -rf /var/lib/apt/lists/*
fi
is_at_least() { "$1" -c "import sys; sys.exit(sys.version_info < (${2/./, }))"; }
is_at_least python3 3.10 ||
    { echo "setup.sh: Python 3.10 or newer is needed, this image has $(python3 -V); choose a newer base image" >&2; exit 1; }
# Notebooks hold whatever syntax Colab's Python has, so ours must not be older. uv downloads one and checks it.
wanted="${GRADER_PYTHON:-3.13}"
install_wanted() {
    tools="$(mktemp -d)"
    python3 -m venv "$tools" &&
        "$tools/bin/python" -m pip install -qq --no-compile --no-deps --require-hashes -r "$source/autograder/gradescope/requirements-uv.txt" &&
        "$tools/bin/uv" python install -q --no-bin --no-cache --install-dir "$root/python" "$wanted" && chmod -R go=rX "$root/python"
    rm -rf "$tools" "$root"/python/.[a-z]*
    base="$(echo "$root/python/cpython-$wanted".*/bin/python3)"
    [ -x "$base" ] || { rm -rf "$root/python"; false; }
}
# Cuts off the end of each library that nothing loads: symbols for debuggers and the table of sections, a fifth of torch.
# `strip` would do it, but is in no base image.
cut_symbols() { "$python" - "$1" <<'PYTHON'
import os, pathlib, struct, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.so*"):
    with open(path, "rb") as library:
        head = bytearray(library.read(64))
        if path.is_symlink() or len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian
            continue
        start, (size, count) = *struct.unpack_from("<Q", head, 32), struct.unpack_from("<HH", head, 54)
        library.seek(start)
        segments = [struct.unpack_from("<QQQQ", library.read(size), 8) for _ in range(count)]  # offset, …, …, bytes in the file
    end = max(offset + length for offset, _, _, length in segments)
    if path.stat().st_size > end:  # once only: a file that is opened to be written is in the next layer, too
        struct.pack_into("<Q", head, 40, 0), struct.pack_into("<HH", head, 60, 0, 0)  # there are no sections
        os.truncate(path, end)
        with open(path, "r+b") as library:
            library.write(head)
PYTHON
}
python="$root/venv/bin/python"
if [ ! -x "$python" ]; then
    base=python3
    if ! is_at_least python3 "$wanted" && ! install_wanted; then
        base=python3
        echo "setup.sh: no Python $wanted could be installed, so $(python3 -V) grades: code in newer syntax will not parse" >&2
    fi
    "$base" -m venv "$root/venv"
fi
lock="$source/assignment/requirements.txt"
if [ -f "$lock" ]; then
    # A complete lock file (see `make lock`): nothing else is installed, and every file has to match its hash.
    "$python" -m pip install -qq --no-compile --no-deps --require-hashes -r "$lock"
else
    own="$source/assignment/requirements.in" pins="$source/assignment/constraints.txt"
    pinned="$([ ! -f "$pins" ] || echo "-c $pins")"
    # Otter declares a browser, pandas and Sphinx, too, for what is not done here: of its packages, grading needs these (see uv.toml).
    grep -vx otter-grader "$source/autograder/judging/requirements.in" > "$root/venv/requirements.in"
    "$python" -m pip install -qq --no-compile -r "$root/venv/requirements.in" python-frontmatter pyyaml $([ ! -f "$own" ] || echo "-r $own") $pinned
    "$python" -m pip install -qq --no-compile --no-deps otter-grader fica $pinned
fi
if [ -f "$source/assignment/requirements-torch.txt" ]; then
    # The CPU build of torch; the default Linux wheel brings gigabytes of CUDA. TORCH_INDEX="" uses pip's own configuration.
    torch_index="${TORCH_INDEX-https://download.pytorch.org/whl/cpu}"
    "$python" -m pip install -qq --no-compile --no-deps ${torch_index:+--index-url "$torch_index"} -r "$source/assignment/requirements-torch.txt"
    # Only needed to compile against torch, to debug or to test it, and two fifths of its size.
    torch="$("$python" -c 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])')"
    rm -rf "$torch/include" "$torch/test" "$torch/share"
    find "$torch/bin" -type f ! -name torch_shm_manager -delete
fi
# Packages' own tests.
find "$root"/venv/lib/python3*/site-packages -type d -name tests -prune -exec rm -rf {} +
cut_symbols "$root/venv"
# Byte code on all cores, not of what no submission imports and would be a hundred megabytes; the smoke test adds what it uses.
rarely='/(pip|setuptools|jedi|networkx|sympy|torchgen)/|/transformers/models/|/torch/(_inductor|_dynamo|testing|distributed|onnx|ao)/'
"$python" -m compileall -q -j 0 -x "$rarely" "$root"/venv/lib/python3*/site-packages >/dev/null 2>&1 || true
[ ! -f "$source/assignment/requirements-torch.txt" ] || "$python" -c 'import torch.export'  # and so compiles what it needs
# Student code runs as another user, who has to reach Python and torch, and nothing of ours.
chmod go+x "$root"
chmod 700 "$source"
if [ -f "$source/course.txt" ]; then
    cd "$source" && "$python" -m autograder.gradescope smoke "$source" ||
        { echo "setup.sh: this image could not grade, so it is not built; the line above says why" >&2; exit 1; }
fi
echo "setup.sh: ready after $((SECONDS - began)) s, $("$python" -V), $(du -sm "$root/venv" | cut -f1) MB"
