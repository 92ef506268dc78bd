"""Which file is graded, and how ungradable files are reported."""

import io
import json
import os

import nbformat
import pytest

from autograder.core.errors import GraderError
from support.zips import tarred, zipped

BOTH = ("1", "2")


def on(part, ids):
    return {i for i in ids if i.startswith(part)}


@pytest.mark.parametrize("name", ["A2S1.py", "hw2 (1).py", "a2s1-final.py", "A2_S1 (2).py", "untitled.py", "deep/er/A2S1.py"])
def test_a_section_is_found_by_name_or_by_content(submit, s1, name):
    assert on("1", submit({name: s1}).lost) == set()


def test_one_file_may_hold_both_sections(submit, s1, s2):
    assert on(BOTH, submit({"everything.py": s1 + s2}).lost) == set()


def test_a_single_file_a_folder_and_a_zip_grade_the_same(submit, s1, s2, tmp_path):
    (tmp_path / "A2S1.py").write_text(s1)
    (tmp_path / "work.zip").write_bytes(zipped({"hw/A2S1.py": s1, "hw/A2S2.py": s2, "__MACOSX/hw/._A2S1.py": b"\0\5"}))
    assert on("1", submit(tmp_path / "A2S1.py").lost) == set()
    assert on(BOTH, submit(tmp_path / "work.zip").lost) == set()
    assert on(BOTH, submit({"work.zip": (tmp_path / "work.zip").read_bytes()}).lost) == set()


def test_a_file_that_holds_another_section_is_reported(submit, s1):
    graded = submit({"A2S1.py": s1, "A2S2.py": s1})
    assert on("1", graded.lost) == set() and on("2", graded.earned) == set()
    assert "wrong file" in graded.output("2.1.attn_scaled")


def test_files_in_subfolders_do_not_compete_with_named_ones(submit, s1, s2):
    graded = submit({"A2S1.py": s1, "A2S2.py": s2, "old/A2S1.py": "query121 = None", "old/test.py": s2.replace("@", "+")})
    assert on(BOTH, graded.lost) == set()
    assert "old/" not in graded.tree["output"]


@pytest.mark.parametrize("other, word", [("same", "agrees"), ("other", "differs")])
def test_a_script_is_preferred_to_a_notebook_and_the_output_says_so(submit, s1, other, word):
    source = s1 if other == "same" else s1.replace("S = 100", "S = 5").replace("S * key", "-S * key")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    graded = submit({"A2S1.py": s1, "A2S1.ipynb": nbformat.writes(notebook)})
    assert on("1", graded.lost) == set()
    assert "graded from A2S1.py" in graded.tree["output"] and word in graded.tree["output"]


def test_a_missing_section_is_reported_as_not_submitted(submit, s1):
    graded = submit({"A2S1.py": s1})
    assert {graded.verdict(i) for i in on("2", graded.scores)} == {"not submitted"}


def test_submitted_modules_can_be_imported_but_shadow_nothing(submit, s2):
    head, rest = s2.split("def pairwise")[:2]
    imports = "import torch, math\nimport torch.nn.functional as F\n"
    files = {
        "A2S2.py": "from helpers import *\n" + imports + head.split("F\n", 1)[1],
        "helpers.py": imports + "def pairwise" + rest,
        "torch.py": "raise SystemExit",
        "json.py": "raise SystemExit",
    }
    assert on("2", submit(files).lost) == set()


def test_a_module_written_by_a_cell_can_be_imported(submit, s1):
    cells = ["%%writefile mine.py\nSCALE = 100", "from mine import SCALE\nimport torch", s1.replace("S = 100", "S = SCALE")]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    assert on("1", submit({"A2S1.ipynb": nbformat.writes(notebook)}).lost) == set()


def test_metadata_and_ids_may_be_missing(submit, s1):
    bare = {"cells": [{"cell_type": "code", "source": s1}], "nbformat": 4, "nbformat_minor": 5}
    assert on("1", submit({"A2S1.ipynb": json.dumps(bare)}).lost) == set()


@pytest.mark.many(of=2)
@pytest.mark.parametrize(
    "encode",
    [
        lambda s: b"\xef\xbb\xbf" + s.encode(),
        lambda s: s.replace("\n", "\r\n").encode(),
        lambda s: ("# -*- coding: latin-1 -*-\nname = 'Zoë'\n" + s).encode("latin-1"),
        lambda s: ("name = '数'\n" + s).encode(),
    ],
)
def test_encodings_that_python_accepts_are_accepted(submit, s1, encode):
    assert on("1", submit({"A2S1.py": encode(s1)}).lost) == set()


@pytest.mark.many(of=2)
@pytest.mark.parametrize(
    "files, words",
    [
        ({"A2S1.py": b""}, "empty"),
        ({"A2S1.py": b"\n \n"}, "empty"),
        ({"A2S1.py": b"# only a comment\n"}, "contains no code"),
        ({"A2S1.ipynb": b"{not json"}, "JSON"),
        ({"A2S1.ipynb": b"[1, 2]"}, "not a notebook"),
        ({"A2S1.py": b"x = '\xff\xfe'"}, "UTF-8"),
        ({"A2S1.py": b"x = 1\0\ny = 2\n"}, "NUL"),
        ({"report.docx": b"PK"}, ".ipynb"),
        ({"A2S1.ipynb": b"[" * 100_000}, "JSON"),
        ({"A2S1.zip": b"PK\3\4rubbish"}, "zip"),
        ({"work.zip": zipped({"../A2S1.py": "x = 1"})}, "unsafe"),
        ({"work.zip": zipped({"/etc/../A2S1.py": "x = 1"})}, "unsafe"),
    ],
)
def test_an_ungradable_file_is_refused_in_one_line(submit, files, words):
    with pytest.raises(GraderError) as refused:
        submit(files)
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_a_bad_file_does_not_cost_a_good_one(submit, s1):
    graded = submit({"A2S1.py": s1, "A2S2.ipynb": b"{", "work.zip": zipped({"../x.py": "y = 2"})})
    assert on("1", graded.lost) == set()
    assert "JSON" in graded.tree["output"] and "unsafe" in graded.tree["output"]


def test_links_and_pipes_are_ignored(submit, s1, tmp_path):
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "A2S1.py").write_text(s1)
    os.mkfifo(folder / "A2S2.py")
    (folder / "secret.py").symlink_to("/etc/passwd")
    graded = submit(folder)
    assert on("1", graded.lost) == set() and "not a regular file" in graded.tree["output"]


def test_a_zip_bomb_and_a_huge_file_are_refused_by_size(submit, s1):
    with pytest.raises(GraderError, match="over the limit"):
        submit({"work.zip": zipped({"A2S1.ipynb": b"0" * (120 << 20)})})


UNNAMED_ZIP = zipped({"qq.py": "x = 1\n"}).replace(b"qq.py", b"\0q.py")
UNNAMED_TAR = tarred({"": "x = 1\n"})


@pytest.mark.parametrize(
    "files",
    [
        {"b.zip": UNNAMED_ZIP},
        {"b.tgz": UNNAMED_TAR},
        {"b.zip": zipped({"inner.zip": UNNAMED_ZIP})},
        {"b.tgz": tarred({"inner.zip": UNNAMED_ZIP, "inner.tgz": UNNAMED_TAR})},
    ],
    ids=["zip", "tar", "zip in a zip", "both in a tar"],
)
def test_a_file_without_a_name_costs_nothing_and_is_named(submit, s1, files):
    graded = submit({"A2S1.py": s1, **files})
    assert on("1", graded.lost) == set()
    assert "has no name in the archive and was left out" in graded.tree["output"]
    assert "grader itself" not in graded.tree["output"]


def test_names_with_control_characters_are_printed_clean(submit, s1):
    graded = submit({"A2S1\u202e.py": s1, "\x1b[31m.ipynb": "{"})
    assert "\u202e" not in graded.tree["output"] and "\x1b" not in graded.tree["output"]


def test_a_lone_write_up_is_refused_with_the_place_it_belongs(submit):
    expected = r"^nothing to grade: expected \.ipynb, \.py, \.qmd, \.rmd files; "
    with pytest.raises(GraderError, match=expected + r"data\.csv is neither a notebook nor a script$"):
        submit({"data.csv": "1"})
    for files in ({"work.zip": zipped({"report.PDF": "%PDF-1.4"})}, {"report.pdf": b"%PDF-1.4"}):
        with pytest.raises(GraderError, match=r"^nothing to grade: .*; a PDF belongs to the write-up's assignment$"):
            submit(files)


@pytest.mark.parametrize(
    "source, why",
    [
        ("%%writefile mine.py\nquery121 = 3", "it stands in mine.py, which a cell writes but does not run (cell 1, line 2)"),
        ("query121 = torch.zeros(3", "Python refuses cell 1, line 1: '(' was never closed"),
        ("", ""),
    ],
)
def test_a_notebook_without_code_that_runs_is_told_where_its_code_stands(submit, source, why):
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
    text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    said = f" that is run: {why}" if why else ""
    with pytest.raises(GraderError) as error:
        submit({"A2S1.ipynb": text})
    assert str(error.value) == f"nothing to grade; A2S1.ipynb contains no code{said}"


@pytest.mark.parametrize("name, packed", [("zip", zipped), ("tar", lambda code: tarred(code, "w")), ("tgz", tarred)])
def test_a_tar_may_hold_as_much_as_a_zip(name, packed):
    from autograder.submission.archives import entries_of
    from autograder.submission.files import Budget
    from autograder.submission.unpack import _too_much

    code = {f"{name}.py": f"# {os.urandom(600_000).hex()}" for name in ("A2S1", "A2S2")}
    budget = Budget(50 << 20, total=3_000_000)
    entries = list(entries_of(io.BytesIO(packed(code)), f"work.{name}", budget))
    assert len(entries) == 2 and not any(_too_much(entry, budget) for entry in entries)
    assert all(len(entry.load()) == entry.size for entry in entries)
