"""What is wrong is wrong on every hidden set: nobody gains by looking for the set on which an answer passes."""

import ast

import nbformat
import numpy as np
import pytest

from autograder.authoring.every_set import graded_on, largest_error, on_every_set
from autograder.checks.case import Case
from autograder.core.errors import GraderError
from autograder.core.references import unpacked
from autograder.core.verdict import FAILED
from autograder.judging.reading import Reader
from hostile.case import S3, written
from hostile.corpus import CASES
from support.formats import ALL
from support.project import ROOT

SMALL = """
_right = self_attention
def self_attention(Q, K, V, n_heads=1, causal=True):
    return _right(Q, K, V, 1, True) if Q.shape[-2] <= 8 and n_heads == 1 else V
"""
GROWING = "def pairwise_similarities(Q, K):\n    return _right(Q, K) + Q.shape[-2] / 1000\n"
# Section 3: item -> (what a right answer says, what is said instead), which is right on the public data.
SMALL_3 = {
    "3.dataset.len": ("return len(self.data)", "return 20 if len(self.data) > 3 else len(self.data)"),
    "3.dataset.iter": ("for example in self.data:", "for example in self.data[:20]:"),
    "3.dataset.getitem": ("return self.data[index]", "return self.data[min(index, 19)]"),
    "3.compute_accuracy": ("(predictions == labels)", "(predictions[:13] == labels[:13])"),
    "3.train_one_epoch": ("optimizer.step()", "optimizer.step()\n        if (seen := locals().get('seen', 0) + 1) == 7: break"),
    "3.evaluate": ("(torch.cat(predictions), torch.cat(labels))", "(torch.cat(predictions[:4]), torch.cat(labels[:4]))"),
}
SIZES = [case for case in CASES if case.family == "sizes"]


@pytest.mark.many(of=5)
@pytest.mark.parametrize("case", SIZES, ids=lambda case: case.name)
def test_an_answer_that_is_right_for_some_sizes_only_fails_on_every_set(grader, tmp_path, case):
    for name, content in case.files.items():
        (tmp_path / name).write_bytes(written(content))
    for id in case.zero:
        judged = on_every_set(grader, tmp_path, grader.assignment.question(id), False)
        assert [number for number, (passed, _) in judged.items() if passed] == [], id
        assert len(judged) == len(grader.references["sets"])


@pytest.mark.slow
@pytest.mark.parametrize("id", SMALL_3)
def test_an_answer_to_section_3_that_is_right_for_the_public_counts_only_fails_on_every_set(grader, tmp_path, id):
    right, small = SMALL_3[id]
    assert S3.count(right) == 1
    (tmp_path / "A2S3.py").write_text(S3.replace(right, small))
    judged = on_every_set(grader, tmp_path, grader.assignment.question(id), False)
    assert [number for number, (passed, _) in judged.items() if passed] == []
    own = next(verdict for verdict in graded_on(grader, 0, tmp_path) if verdict.question.id == id)
    assert own.status == FAILED


def test_the_audit_counts_a_mistakes_largest_error_not_that_of_the_first_case_that_fails(grader, tmp_path, s2):
    question = grader.assignment.question("2.1.pairwise_similarities")
    (tmp_path / "A2S2.py").write_text(s2 + "\n_right = pairwise_similarities\n" + GROWING)
    with Reader(grader.assignment, tmp_path) as reader:
        found = largest_error(grader, reader, question)
        first = min(error for _, error in on_every_set(grader, reader, question, False).values())
    own = unpacked(grader.references["sets"][0])["cases"][question.id]["own"]
    longest = max(case["args"][0].shape[-2] for case in own)
    assert found == pytest.approx(longest / 1000, rel=0.1) and first < 0.9 * found


def test_a_right_answer_passes_on_every_set(grader, tmp_path, s2):
    (tmp_path / "A2S2.py").write_text(s2)
    judged = on_every_set(grader, tmp_path, grader.assignment.question("2.1.self_attention.step3"), True)
    assert all(passed for passed, _ in judged.values()) and len(judged) == len(grader.references["sets"])


def shapes(tree: dict) -> dict:
    """Question id -> group -> the shape of each argument of each case."""
    return {
        id: {group: [tuple(np.shape(arg) for arg in Case(**case).args) for case in cases] for group, cases in groups.items()}
        for id, groups in tree["cases"].items()
    }


def test_all_sets_have_the_same_sizes_but_other_numbers(grader):
    sets = [unpacked(packed) for packed in grader.references["sets"]]
    assert all(shapes(tree) == shapes(sets[0]) for tree in sets)
    counts = [{name: len(rows) for name, rows in tree["worlds"]["A2S3"]["splits"].items()} for tree in sets]
    assert all(count == counts[0] for count in counts)
    first = [tree["cases"]["2.1.attn_softmax"]["own"][0]["args"][0] for tree in sets]
    assert len({array.tobytes() for array in first}) == len(sets)


@pytest.mark.parametrize("group", ["own", "fresh"])
def test_every_item_has_a_case_beyond_the_public_sizes_in_each_direction(grader, group):
    public, hidden = shapes(grader.references["public"]), shapes(grader.inputs(0))
    for id in (id for id in public if id.startswith("2.1.") and group in public[id]):
        known = [case[0] for case in public[id][group]]
        most = [max(sizes) for sizes in zip(*(shape for shape in known if len(shape) == max(map(len, known))))]
        assert any(beyond(case[0], most) for case in hidden[id][group]), (id, most, hidden[id][group])


def beyond(shape: tuple, most: list[int]) -> bool:
    return len(shape) == len(most) and all(own > public for own, public in zip(shape, most))


def test_every_mask_is_made_for_more_tokens_too(grader):
    public, hidden = (
        max(case["args"][0] for case in tree["cases"]["2.1.make_causal_mask"]["own"])
        for tree in (grader.references["public"], grader.inputs(0))
    )
    assert hidden > public


def test_section_3_has_more_of_everything_than_the_public_world(grader):
    public, hidden = (tree["worlds"]["A2S3"] for tree in (grader.references["public"], grader.inputs(0)))
    assert all(len(hidden["splits"][name]) > len(rows) for name, rows in public["splits"].items())
    assert max(len(labels) for _, labels in hidden["answers"]) > max(len(labels) for _, labels in public["answers"])


def test_losses_that_are_taken_for_each_other_have_clearly_other_gradients_on_every_set(grader):
    for tree in [grader.references["public"], *map(unpacked, grader.references["sets"])]:
        ((case,), _) = tree["cases"]["3.train_one_epoch"].values()
        right, *others = (a / np.linalg.norm(a) for a in (case["facts"]["gradient"], *case["facts"]["mistaken"].values()))
        assert min(np.sum((right - other) ** 2) / 2 for other in others) > 5e-6


def test_the_set_of_an_audit_ends_with_it(grader, tmp_path):
    with pytest.raises(GraderError):
        graded_on(grader, 3, tmp_path)  # an empty folder
    assert grader.only is None


def sets_of(graded) -> dict[str, int]:
    """Section -> the hidden set on which its items were judged."""
    found = {(test["extra_data"]["section"], test["extra_data"].get("inputs")) for test in graded.tree["tests"]}
    assert len(found) == len({section for section, _ in found})
    return {section: number for section, number in found if number is not None}


@pytest.fixture
def section_2(submit, tmp_path):
    """Grade a script or notebook, alone in a folder, as section 2: the scores of self_attention's steps, and the set."""

    def graded(text: str, name: str = "A2S2.py") -> tuple[list[float], int]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
        result = submit(folder)
        return [result.scores[f"2.1.self_attention.step{k}"] for k in (1, 2, 3)], sets_of(result)["A2S2"]

    return graded


@pytest.mark.slow
def test_every_format_of_a_notebook_gets_the_same_set(section_2):
    path, found = ROOT / "solutions" / "A2S2.ipynb", {}
    for write in ALL.values():
        suffix, text = write(nbformat.read(path, as_version=4))
        found[write.__name__] = section_2(text, f"A2S2.{suffix}")
    assert len(set(map(str, found.values()))) == 1, found


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\ndef ", "\n\n\n# a comment\ndef ") + "# 16\n",
        lambda text: text + "\ndef unrelated(x):\n    return x + 1\nunrelated(2)\nx17 = [17]\n",
        lambda text: text.replace("n_tok", "tokens").replace("V", "values"),
        lambda text: text.replace("def merge_heads(y):", 'def merge_heads(y):\n    """Number 18."""'),
        lambda text: ast.unparse(ast.parse(text)),
    ],
)
def test_code_that_is_right_for_small_sizes_fails_on_the_same_set_however_it_is_written(section_2, s2, change):
    wrong = s2 + SMALL
    changed = section_2(change(wrong), "my work/copy of A2S2.py")
    assert changed == section_2(wrong) and changed[0] == [0.0, 0.0, 0.0]
