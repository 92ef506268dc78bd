"""The page of figures says what was measured, on what, and which goals that reaches, and claims nothing else."""

import math
import re
import shutil

import pytest

from bench import report
from bench.report import Detail, Measured, Size
from container import engines
from support.project import ROOT

WHERE = {"machine": "a made-up processor, 2 cores, 8 GiB of memory", "versions": "Python 3.11, torch 2", "commit": "abc1234"}
RUN = Size(rounds=7, largest=10_000, quick=False)
GOALS = {figure.key: figure for figure in report.figures()}


def written(folder, values, size=RUN, failed=()) -> str:
    target = folder / "figures.md"
    measured = Measured(values, [Detail("One submission", ["command", "time"], [["a | b", "1.5 s"]], "A note.")])
    report.write_page(target, size, measured, "2026-11-27", list(failed), WHERE, folder / "container.json")
    return target.read_text()


def row(page: str, key: str) -> list[str]:
    found = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith(f"| {GOALS[key].what} |")]
    assert len(found) == 1
    return found[0][1:]


def test_each_figure_stands_beside_its_goal_and_says_whether_that_is_reached(tmp_path):
    values = {
        "submission.time": 0.9,
        "submission.memory": 240.5,
        "class.rate": 30.0,
        "training.epoch": 5.99,
        "audit.whole": 200.0,
    }
    page = written(tmp_path, values)
    assert row(page, "submission.time") == ["0.9x", "at most 1x", "yes"]
    assert row(page, "submission.memory") == ["240.5 MiB", "at most 240 MiB", "no"]
    assert row(page, "class.rate") == ["30 a second", "at least 30 a second", "yes"]
    assert row(page, "training.epoch")[1:] == ["at least 6x", "no"]
    assert row(page, "section3.time") == ["–", "at most 2.2x", "not measured"]
    assert "200 s" in row(page, "audit.whole")[0] and not {"yes", "no", "not measured"} & set(row(page, "audit.whole"))


def test_the_page_says_when_where_and_how_it_was_measured(tmp_path):
    page = written(tmp_path, {}, failed=["classes"])
    assert all(text in page for text in ("2026-11-27", *WHERE.values(), "7 rounds", "10,000 submissions", "A note.", r"a \| b"))
    assert "Could not be measured in this run: classes." in page and "quick run" not in page
    assert "quick run" in written(tmp_path, {}, Size(1, 40, True))


def test_the_containers_figures_are_those_last_recorded_each_with_its_day(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "CONTAINER", tmp_path / "container.json")
    engines.record("hangs", seconds=99.0, peak_mib=99.0)
    engines.record("the image", seconds=46.3, added_mb=1240.0)
    engines.record("hangs", seconds=21.44, peak_mib=210.2)
    first = written(tmp_path, {})
    assert re.search(r"^\| a function that hangs \| 21\.4 s \| 210 MiB \| \d{4}-\d\d-\d\d \|$", first, re.MULTILINE)
    assert "took 46 s to build and adds 1.24 GB" in first
    (tmp_path / "container.json").unlink()
    again = written(tmp_path, {})  # over the first
    assert again == first and again.count(report.CONTAINER_TITLE) == 1


def test_a_figure_that_goals_toml_does_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no figure submission\.tiem"):
        written(tmp_path, {"submission.tiem": 1.0})


def test_the_goals_are_those_of_the_contract():
    bounds = {key: (figure.at_most, figure.at_least) for key, figure in GOALS.items()}
    most = {"submission.time": 1.0, "submission.memory": 240, "section3.time": 2.2, "section3.memory": 450}
    least = {"class.rate": 30, "class.section3": 8, "training.epoch": 6}
    assert {key: bounds[key][0] for key in most} == most and {key: bounds[key][1] for key in least} == least
    assert all(math.isnan(bound) for key in ("audit.whole", "audit.incremental") for bound in bounds[key])


def test_the_readme_gets_four_figures_and_nothing_else_of_it_changes(tmp_path):
    readme = tmp_path / "README.md"
    shutil.copy(ROOT / "README.md", readme)
    report.write_readme(readme, {"submission.time": 123.4})
    text, former = readme.read_text(), (ROOT / "README.md").read_text()
    assert "| 123.4x | at most 1x | no |" in text and text.count("not measured") == 3
    assert report.README_PART.split(text) == report.README_PART.split(former)


def test_the_readmes_figures_are_those_of_the_page():
    lines = report.README_PART.search((ROOT / "README.md").read_text())[0].splitlines()
    page = (ROOT / "docs" / "figures.md").read_text().splitlines()
    assert len(lines) == 2 + 4 and set(lines) <= set(page)
    assert re.search(r"^Measured on \d{4}-\d\d-\d\d", "\n".join(page), re.MULTILINE)
