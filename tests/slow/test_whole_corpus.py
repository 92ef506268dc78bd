"""Every case of the hostile corpus, in every mode."""

import pytest

from support.hostile_runs import MODES, corpus, tally


@pytest.mark.parametrize("mode", MODES)
def test_the_whole_corpus_is_contained(references, tmp_path, mode, capsys):
    rows = corpus(references, tmp_path, mode, first=0, step=1)
    with capsys.disabled():
        print("\n" + tally(mode, rows))
    assert len(rows) >= 80
    assert not [r for r in rows if r["broken"]]
