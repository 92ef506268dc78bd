"""What is said of §3's class and of sentences that begin with a name: true, and each name as it is in code."""

import pytest

from autograder.checks.diagnosis.findings import Finding, begun, joined
from support.project import DATA, ROOT


@pytest.mark.parametrize(
    "text", ["m_key is k2 itself", "torch.tensor cannot read it", "k2 is missing", "range(1, n) ends", "x = 3 is"]
)
def test_a_sentence_that_begins_with_a_name_in_code_keeps_its_letters(text):
    assert begun(text) == text and text in joined("Wrong", [Finding("rule", "name", text)])


@pytest.mark.parametrize("text", ["a matrix product needs two", "shape (2, 3) holds 6", "the sign is wrong", "is it a loop?"])
def test_any_other_sentence_begins_with_a_capital_letter(text):
    assert begun(text) == text[0].upper() + text[1:]


@pytest.fixture
def collated(submit):
    def judged(*lines):
        source = (DATA / "right_s3.py").read_text()
        start = source.index("def collate_fn")
        head = source.index("\n", start) + 1
        code = "".join(f"        {line}\n" for line in lines)
        return submit({"A2S3.py": source[:head] + code + source[head:]})

    return judged


def parameter() -> str:
    source = (DATA / "right_s3.py").read_text()
    return source[source.index("def collate_fn(") + len("def collate_fn(") :].split(")")[0].split(":")[0]


@pytest.mark.parametrize("key", ["len(s.text)", "-len(s.text)", "s.text"])
def test_samples_that_are_sorted_with_their_labels_break_one_claim(collated, key):
    told = collated(f"{parameter()} = sorted({parameter()}, key=lambda s: {key})").output("3.collate")
    assert told.count("✗") == 1 and "✓ label_encoding holds the labels of the samples" in told


def test_labels_that_are_sorted_alone_break_the_claim_about_them(collated):
    lines = f"{parameter()} = [SST2Example(s.text, 1 - s.label) for s in {parameter()}]"
    assert "✗ label_encoding" in collated(lines).output("3.collate")


def test_what_raises_in_a_class_is_said_to_be_one_of_its_functions(collated):
    assert "a function of `SST2Dataset` raised ValueError" in collated("raise ValueError('no')").output("3.collate")


def test_an_empty_class_is_not_said_to_have_been_tested_with_a_correct_version_of_itself(submit):
    starter = submit(ROOT / "student" / "A2S3.ipynb")
    for item in ("3.dataset.iter", "3.collate"):
        assert "correct versions of `SST2Dataset`" not in starter.output(item)
        assert "correct versions of other functions of `SST2Dataset`" in starter.output(item)


@pytest.mark.parametrize("width", ["Q.shape[-1]", "V.shape[-1]", "n_embd // n_heads"])
def test_a_width_that_is_one_heads_is_asked_about_as_such(submit, s2, width):
    start = s2.index("def self_attention(")
    code = s2[:start] + s2[start:].replace("attn_scaled(A, n_embd, n_heads)", f"attn_scaled(A, {width}, n_heads)", 1)
    assert "or the width of one of them?" in submit({"A2S2.py": code}).output("2.1.self_attention.step3")
