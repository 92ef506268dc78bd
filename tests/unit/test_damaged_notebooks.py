"""What disks, editors and archivers make of a notebook costs nothing that can still be read."""

import contextlib
import gzip
import io
import json
import lzma
import re
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.formats import CODE, Unreadable, read
from autograder.checks.notebook import NotJson, cells_left, read_cells
from autograder.submission.unpack import read_files

SOURCES = ["x = [1,\n     2,\n]\n", 'text = "a \\" quoted, ]"\n', "y = {'a': ',}'}\n", "z = 3\n"]


def notebook(sources=SOURCES) -> str:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source.splitlines(True)} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def sources(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return [cell.source for cell in read("A2S1.ipynb", data, 1 << 20).cells if cell.kind == CODE]


DAMAGED = {
    "commas behind last elements": re.sub(r"\n\s*[\]}]", lambda found: "," + found[0], notebook()),
    "JSON as a text of JSON": json.dumps(notebook()),
    "NULs at the end": notebook().encode() + bytes(3000),
    "NULs at the end of UTF-16": notebook().encode("utf-16") + bytes(512),
    "the end of the file gone": notebook().rpartition("]")[0],
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_notebook_keeps_its_cells(text):
    assert sources(text) == SOURCES


def test_a_notebook_that_is_cut_off_keeps_the_cells_before_that_and_says_so():
    text = notebook()
    document = read("A2S1.ipynb", text[: text.index('"z = 3')].encode(), 1 << 20)
    assert [cell.source for cell in document.cells] == SOURCES[:3]
    assert "cut off" in document.notes[0]


@given(st.integers(0, 10_000))
def test_wherever_a_notebook_is_cut_off_what_is_read_is_its_beginning(place):
    text = notebook()
    try:
        found = [source for _, source in cells_left(text[: place % len(text)])]
    except NotJson:
        return
    assert found and found == SOURCES[: len(found)]


@given(st.text('{}[],:"\\ \n1a', max_size=200))
def test_any_text_is_cells_or_no_notebook(text):
    for reads in (read_cells, cells_left):
        with contextlib.suppress(ValueError):
            reads(text)


def test_a_text_that_begins_like_json_and_is_none_is_refused_in_one_line():
    with pytest.raises(Unreadable, match="is not valid JSON, so it is not a notebook"):
        read("A2S1.ipynb", b'{"cells": [,,', 1 << 20)


@pytest.mark.parametrize("packed", [gzip.compress, lzma.compress], ids=["gz", "xz"])
def test_a_single_file_that_is_packed_is_read(tmp_path, packed):
    (tmp_path / f"A2S1.ipynb.{'gz' if packed is gzip.compress else 'xz'}").write_bytes(packed(notebook().encode()))
    files = read_files(tmp_path, 1 << 20).files
    assert [str(file.path) for file in files if file.content()] == ["A2S1.ipynb"]


@pytest.mark.parametrize("name", ["/home/ada/a2/A2S1.py", "//server/a2/A2S1.py", "C:/Users/ada/A2S1.py", r"C:\a2\A2S1.py"])
def test_a_path_from_the_root_on_is_one_inside_of_the_archive(tmp_path, name):
    with tarfile.open(tmp_path / "a2.tar", "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 5
        archive.addfile(member, io.BytesIO(b"x = 1"))
    (file,) = read_files(tmp_path, 1 << 20).files
    assert file.content() == b"x = 1" and not file.path.is_absolute() and file.path.name == "A2S1.py"


@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u3000"])
def test_blanks_of_a_page_at_the_beginning_of_a_line_are_ordinary_ones(blank):
    text = f"def f(x):\n{blank * 4}return x\ntext = 'a{blank}b'\n"
    (cell,) = read("A2S1.py", text.encode(), 1 << 20).cells
    assert "    return x" in cell.source and f"a{blank}b" in cell.source
