"""§3: the offline model reaches the accuracy that the handout promises."""

import pytest

pytest.importorskip("datasets")
import sst2
import sst2_runs

from support import share


@pytest.mark.skipif(share.SHARE < 1, reason="NOT TRIED: a training of minutes, in the whole of `make test-slow`")
def test_the_offline_default_reaches_80_percent(tmp_path, monkeypatch):
    monkeypatch.setenv("SST2_SOURCE", "")
    try:
        sst2.fetch()
    except sst2.Unavailable as error:
        pytest.skip(str(error))
    names = sst2_runs.load_notebook()
    names["checkpoint"] = str(tmp_path)
    assert max(accuracy for _, accuracy in names["main"]().points["validation"]) >= 0.8
