"""A check touches nothing of the student's: files, settings of the process, globals, models (members: data/touching.toml)."""

import functools
import json
import os
import subprocess
import sys

import pytest

from autograder.core.toml import tomllib
from support.project import DATA, ROOT
from support.tiny_source import make_source

NOTEBOOKS = [f"{tree}/{name}.ipynb" for tree in ("solutions", "student") for name in ("A2S1", "A2S2", "A2S3")]
MEMBERS = tomllib.loads((DATA / "touching.toml").read_text(encoding="utf-8"))
IN_MAIN = [name for name, member in MEMBERS.items() if member.get("main")]
# The same in a function and in main: what it does besides, then what it is for.
SITES = {
    "2.1.attn_softmax": ("def attn_softmax(A):", "return torch.softmax(A, dim=-1)"),
    "3.main": ("right_main = globals().get('right_main', main)\ndef main():", "return right_main()"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    pytest.importorskip("datasets")
    return make_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def run(source, tmp_path_factory):
    """Run a notebook's checks, or members, as a program; returns its report."""

    def start(notebook, *members):
        folder = tmp_path_factory.mktemp("my folder")
        paths = [str(ROOT / "student"), str(ROOT / "tests"), str(ROOT)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SST2_SOURCE": str(source),
            "HF_HOME": str(tmp_path_factory.getbasetemp() / "hub"),
            "HF_HUB_OFFLINE": "1",
            "MPLBACKEND": "Agg",
        }
        command = [sys.executable, "-m", "support.touching", str(ROOT / notebook), str(folder), *members]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.strip().rpartition("\n")[2])

    return start


@pytest.fixture(scope="module")
def members(run, tmp_path_factory, request):
    """``members(site)``: what each member that is tested, inside a function or inside main, has touched; all in one program."""
    tested = [
        item.callspec.params for item in request.session.items if item.path == request.path and "members" in item.fixturenames
    ]

    def programs(site, names):
        head, work = SITES[site]
        for name in names:
            lines = ["os.write(PROOF, b'x')", *MEMBERS[name]["code"].strip().split("\n"), work]
            body = "".join(f"    {line}\n" for line in lines)
            yield name, site, f"{MEMBERS[name].get('first', '')}\n{head}\n{body}"

    def report(notebook, site, names):
        path = tmp_path_factory.mktemp("members") / "members.json"
        path.write_text(json.dumps(list(programs(site, names))))
        return run(notebook, str(path))

    @functools.cache
    def touched(site):
        names = [params["name"] for params in tested if params.get("site") == site]
        return report(f"solutions/{'A2S3' if site == '3.main' else 'A2S2'}.ipynb", site, names)

    return touched


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_no_check_of_a_notebook_changes_a_file_a_setting_or_a_global(run, notebook):
    report = run(notebook)
    assert len(report) >= 6
    assert {id: touched for id, (_, touched, _) in report.items() if touched} == {}
    assert all("Traceback" not in said for said, _, _ in report.values())
    if notebook.startswith("solutions"):
        assert all("✅" in said for said, _, _ in report.values()), report


@pytest.mark.slow
@pytest.mark.parametrize(
    "site, name",
    [
        *(("2.1.attn_softmax", name) for name in MEMBERS),
        *(("3.main", name) for name in IN_MAIN),
    ],
)
def test_what_an_answer_does_besides_its_task_leaves_nothing_behind(members, site, name):
    said, touched, ran = members(site)[name]
    assert ran, f"the member's code was not run: {said}"
    assert touched == [], said
    says = MEMBERS[name].get("says")
    assert (says in said) if says else "note:" not in said, said


def test_what_a_check_prints_into_an_object_of_the_notebooks_stays_there():
    code = """
import contextlib, io
from a2checks import check

query121, page = None, io.StringIO()
with contextlib.redirect_stdout(page):
    check("1.2.1", {"query121": lambda: page, "page": page})
    check("2.1.attn_softmax", {"attn_softmax": lambda A: page and A, "page": page})
assert "1.2.1" in page.getvalue() and "2.1.attn_softmax" in page.getvalue(), page.getvalue()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "student")
    assert done.returncode == 0, done.stderr
