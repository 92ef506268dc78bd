"""Every case of the hostile corpus, or a share of them, in every mode."""

import pytest

from support import share
from support.hostile_runs import MODES, corpus, tally


@pytest.mark.parametrize("mode", MODES)
def test_the_whole_corpus_is_contained(references, tmp_path, mode, capsys):
    first, step = share.every()
    rows = corpus(references, tmp_path, mode, first, step)
    with capsys.disabled():
        print("\n" + tally(mode, rows))
    assert len(rows) >= share.number(350)
    assert not [r for r in rows if r["broken"]]
