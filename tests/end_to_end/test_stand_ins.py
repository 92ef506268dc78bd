"""Claims about packages that are not installed. Programs that use stand-ins, a GPU or Colab: ``tests/support/world``."""

import pytest

from support.world.kind import S3, changed

NAMES = "DEVICE = torch.device("
BACKWARD = "output.loss.backward()"


def said(submit, *pairs: tuple[str, str]) -> str:
    return submit({"A2S3.py": changed(S3, *pairs)}).output("3.train_one_epoch")


@pytest.mark.slow
def test_the_sentence_about_a_missing_package_holds_the_line_of_its_import_and_what_is_there(submit):
    top = "from apex import amp\naccelerator = amp.initialize()\n"
    text = said(submit, (NAMES, top + NAMES), (BACKWARD, "accelerator.backward(output.loss)"))
    assert "`apex` is not installed where this is graded (line 7 imports it)" in text and "scikit-learn" in text, text


@pytest.mark.slow
def test_what_is_missing_for_another_reason_is_not_called_a_package(submit):
    for top in (
        "",
        "from transformers.nowhere import helper\n",
        "try:\n    import apex\nexcept ImportError:\n    apex = None\nhelper = undefined(apex)\n",
        "try:\n    from torch import helper\nexcept ImportError:\n    pass\n",
    ):
        assert "not installed" not in said(submit, (NAMES, top + NAMES), (BACKWARD, "helper(output.loss).backward()")), top
