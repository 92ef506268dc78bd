"""Whoever reads a time of submission reads it alike."""

import datetime as dt

import pytest

from autograder.batch.dolos import _time
from autograder.batch.people import Entry
from autograder.core.moments import moment
from autograder.judging.uploads import _time as time_of_upload

TIMES = {
    "2024-02-09 23:59:00.000000000 -08:00": "2024-02-09 23:59:00 -0800",
    "2024-02-09 23:59:00 -0800": "2024-02-09 23:59:00 -0800",
    "2024-02-09T23:59:01.5+05:30": "2024-02-09 23:59:01 +0530",
    "2024-02-09T23:59:00Z": "2024-02-09 23:59:00 +0000",
    "2024-02-09 23:59:00 UTC": "2024-02-09 23:59:00 +0000",
    " 2024-02-09 23:59 -08:00 ": "2024-02-09 23:59:00 -0800",
}
WITHOUT_ZONE = {"2024-02-09 23:59:00": "2024-02-09 23:59:00 +0000", "2024-02-09T23:59": "2024-02-09 23:59:00 +0000"}
NONE = (
    "",
    "soon",
    "2024-02-09",
    "2024-02-30 10:00:00 Z",
    "2024-02-09 25:00:00 Z",
    "2024-02-09 23:59:00 PST",
    "0000-01-01 00:00 Z",
)


@pytest.mark.parametrize("text, said", [*TIMES.items(), *WITHOUT_ZONE.items(), *((text, "") for text in NONE)])
def test_a_time_is_the_same_moment_in_dolos_and_among_uploads_and_without_its_zone_one_of_utc(tmp_path, text, said):
    assert _time(Entry("a", tmp_path, [], text)) == said
    wanted = dt.datetime.strptime(said, "%Y-%m-%d %H:%M:%S %z") if said else None
    assert time_of_upload(text) == moment(text, dt.timezone.utc) == wanted
    assert moment(text) == (wanted if text in TIMES else None)
