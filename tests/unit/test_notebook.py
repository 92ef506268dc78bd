"""The notebook reader of check cells and grader: odd keys cost no cell, and files that are no notebooks are reported."""

import json
import time

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.formats import kind_of_file
from autograder.checks.notebook import CODE, MARKDOWN, MAX_VALUES, _values, read_cells

sources = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60)
kinds = st.sampled_from([nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell])


@given(st.lists(st.tuples(kinds, sources), max_size=6))
def test_a_notebook_of_either_format_has_the_cells_that_nbformat_finds(cells):
    notebook = nbformat.v4.new_notebook(cells=[make(source) for make, source in cells])
    expected = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert read_cells(nbformat.writes(notebook)) == (expected, True)
    old = json.loads(nbformat.writes(nbformat.convert(notebook, 3), version=3))
    assert read_cells(json.dumps(old))[0] == [
        (kind, "".join(nbformat.reads(json.dumps(old), as_version=4).cells[n].source)) for n, (kind, _) in enumerate(expected)
    ]


@pytest.mark.parametrize(
    "tree, cells",
    [
        ({"cells": [{"cell_type": "code", "source": ["a\n", 1, "b"]}]}, [(CODE, "a\nb")]),
        (
            {"cells": [None, {"source": "x"}, {"cell_type": "code", "source": {"x": 1}}], "nbformat": 4},
            [(MARKDOWN, ""), (MARKDOWN, "x"), (CODE, "")],
        ),
        (
            {"worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "1.2"}]}, 3], "nbformat": 3},
            [(MARKDOWN, "## 1.2")],
        ),
    ],
)
def test_cells_of_an_irregular_notebook_keep_their_positions_and_it_is_flagged(tree, cells):
    assert read_cells(json.dumps(tree)) == (cells, False)


LISTS = "[" + "[]," * MAX_VALUES
ESCAPES = 100_000


@pytest.mark.parametrize("end", ['\\"', "\\\\", "\\", '"', "\\n", '",', 'a"b\\'])
def test_a_string_that_is_not_closed_takes_no_more_time_than_one_that_is(end):
    def seconds(text):
        times = []
        for _ in range(3):  # the shortest: others were interrupted
            start = time.process_time()
            assert _values(text) > MAX_VALUES
            times.append(time.process_time() - start)
        return min(times)

    closed = seconds(LISTS + '"' + "xxx" * ESCAPES + '"]')
    assert seconds(LISTS + '"' + end * ESCAPES) < 100 * closed and seconds(LISTS + '"' + end * ESCAPES + "\\") < 100 * closed


def test_what_stands_in_strings_is_no_value():
    for text in ("," * MAX_VALUES, '\\",' * MAX_VALUES, "[\\\\" * MAX_VALUES):
        assert _values(f'{{"cells": ["{text}"]}}') == 2


@pytest.mark.parametrize(
    "text, says",
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no cells"),
        ('{"cells": 1}', "no cells"),
        ("3", "no cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_reported(text, says):
    with pytest.raises(ValueError, match=says):
        read_cells(text)


@pytest.mark.parametrize(
    "name, kind",
    [
        ("A.ipynb", "code"),
        ("a.PY", "code"),
        ("x.zip", "archive"),
        ("w.Pdf", "pdf"),
        ("notes.txt", "text"),
        ("py", "text"),
        ("A.py.TXT", "code"),
        ("a.tar.gz", "archive"),
        ("A.docx", ""),
        ("A.ipynb.html", ""),
    ],
)
def test_a_files_name_determines_its_kind(name, kind):
    assert kind_of_file(name) == kind
