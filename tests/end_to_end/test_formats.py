"""The same work gets the same score in every format."""

import itertools

import nbformat
import pytest

from support.formats import ALL

NAMES = ("A2S1", "A2S2", "A2S3")
NOISE = [
    "!pip install einops",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
    "from google.colab import drive\ndrive.mount('/content/drive')",
    "%%bash\nls -la",
    "this is not python (",
    "%%time\nwhile False:\n    pass\nspare = 3",
]


def notebook(name, root, noisy):
    read = nbformat.read(f"{root}/solutions/{name}.ipynb", as_version=4)
    if noisy:
        noise = itertools.cycle(NOISE)
        read.cells = [c for cell in read.cells for c in (nbformat.v4.new_code_cell(next(noise)), cell)]
    return read


@pytest.mark.slow
@pytest.mark.parametrize("noisy", [False, True], ids=["clean", "noisy"])
@pytest.mark.parametrize("form", ALL)
def test_the_solutions_earn_full_points_in_every_format(submit, pytestconfig, form, noisy):
    files = {}
    for name in NAMES:
        suffix, text = ALL[form](notebook(name, pytestconfig.rootpath, noisy))
        files[f"{name}.{suffix}"] = text
    graded = submit(files)
    assert graded.lost == set()
    assert graded.tree["score"] == 58


@pytest.mark.slow
@pytest.mark.parametrize("form", ALL)
def test_the_starter_earns_nothing_and_every_item_names_its_todo(submit, pytestconfig, form):
    files = {}
    for name in NAMES:
        suffix, text = ALL[form](nbformat.read(pytestconfig.rootpath / "student" / f"{name}.ipynb", as_version=4))
        files[f"{name}.{suffix}"] = text
    graded = submit(files)
    assert graded.earned == set()
    assert all("TODO" in graded.output(id) for id in graded.scores)


@pytest.mark.many(of=3)
@pytest.mark.parametrize("magic", ["%%time", "%%capture", "%%timeit -n1 -r1"])
@pytest.mark.parametrize("form", ALL)
def test_answers_in_a_magic_cell_are_found(submit, s1, form, magic):
    head, tail = s1.split("S = 100")
    cells = [nbformat.v4.new_code_cell(text) for text in (head, f"{magic}\nS = 100{tail}")]
    suffix, text = ALL[form](nbformat.v4.new_notebook(cells=cells))
    assert not {i for i in submit({f"A2S1.{suffix}": text}).lost if i.startswith("1.")}
