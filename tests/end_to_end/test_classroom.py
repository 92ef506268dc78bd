"""Every submission of the classroom corpus loses exactly the items it should."""

import pytest

from autograder.core.errors import GraderError
from support.classroom import CASES, ENDLESS


@pytest.mark.many(of=180)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_submission_loses_exactly_what_is_wrong(submit, tmp_path, case):
    folder = tmp_path / "handed in"
    for name, data in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    path = folder / next(iter(case.files)) if case.single else folder
    if case.exit:
        with pytest.raises(GraderError) as refusal:
            submit(path)
        assert all(note in str(refusal.value) for note in case.notes)
        return
    # Only where something hangs may a limit run out: an optimiser takes as long as a busy machine needs.
    graded = submit(path, seconds=2.0) if case.name.startswith(ENDLESS) else submit(path)
    assert {id for id in graded.lost if id[0] in "12"} == case.lost, case.why  # nobody in this classroom handed in section 3
    assert "Traceback" not in str(graded.tree)
    for note in case.notes:
        assert sum(note in line for line in graded.tree["output"].split("\n")) == 1, graded.tree["output"]
    for id, words in case.says.items():
        assert words in graded.output(id)
