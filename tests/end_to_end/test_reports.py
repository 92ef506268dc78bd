"""The model answers say what the runs say."""

from __future__ import annotations

import copy
import json
import re

import pytest

pytest.importorskip("datasets")  # sst2_runs, whose settings the answers state, needs what the notebook needs
from reports import render, section2, section3
from reports.render import HERE, WRITEUP, NotSo, must, rendered

REPORTS = {"section2": section2, "section3": section3}
# What a template may say in figures of its own: what the assignment or the code fixes. Results are computed.
SETTINGS = {
    "section2": [
        r"§2\.\d",
        r"## \d\.",
        r"\d layers, \d heads",
        r"\d+ numbers per",
        r"dropout 0\.1",
        "95 %",
        "in float32",
        r"q·k|\|²( is 2)?",
        "less than 1,",
        r"positions? [\d–]+",
        "1–24 . 25–48 . 49 and",
        "of 40 by",
        r"√\(1/|\+ 1/",
        "48 features",
        "the 40 likeliest",
        "(first|after) 24( tokens)?",
        "25 and later",
        "[Aa]t (25–48|1–24)",
        "Beyond 48:",
        "; part 3 says",
    ],
    "section3": [
        "§3",
        r"Step \d",
        "SST-2",
        "seed, 64",
        r"\b0\.8\b",
        "batches of 64",
        "to 512",
        "512 is",
        "6,920 / 872 / 1,821",
        "; 0 means",
        "1 is positive and 0 negative",
        "the label 0",
        ", 1 for",
        "and 0 for",
        "to 0 there",
        "from 0:",
        r"epoch 7\b",
        "epochs 1, 2(, 3)?",
        r"default, 0\.01\)",
        "1 epoch",
        "ln 2",
    ],
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_what_its_template_makes_of_the_shipped_runs(name):
    assert (WRITEUP / f"{name}.md").read_text(encoding="utf-8") == rendered(name, REPORTS[name].figures())


@pytest.mark.parametrize("name", REPORTS)
def test_a_template_holds_no_result_of_its_own(name):
    text = (HERE / f"{name}.md.j2").read_text(encoding="utf-8")
    prose = re.sub(
        r"\{\{.*?\}\}|\{%.*?%\}|`[^`]*`|\]\([^)]*\)|\*\*Q\d\.\d\*\*|^\|[-:|]+$", "", text, flags=re.DOTALL | re.MULTILINE
    )
    rest = re.sub("|".join(SETTINGS[name]), "", prose, flags=re.MULTILINE)
    assert not [line for line in rest.splitlines() if re.search(r"\d", line)]


@pytest.mark.parametrize("name", REPORTS)
def test_every_figure_of_a_report_is_there(name):
    linked = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (WRITEUP / f"{name}.md").read_text(encoding="utf-8"))
    assert len(linked) >= 2 and all((WRITEUP / link).stat().st_size > 5000 for link in linked)


def test_a_sentence_that_new_runs_do_not_bear_out_stops_the_report(monkeypatch, tmp_path):
    assert must(True, "is so") == "is so"
    with pytest.raises(NotSo, match="is so"):
        must(False, "is so")
    for module, change in ((section2, leaks_nothing), (section3, learns_nothing)):
        name = module.__name__.rpartition(".")[2]
        source = next((WRITEUP / name).glob("[rs]*.json"))
        folder = tmp_path / name
        folder.mkdir()
        for path in (WRITEUP / name).glob("*.json"):
            (folder / path.name).write_bytes(path.read_bytes())
        results = json.loads(source.read_text(encoding="utf-8"))
        (folder / source.name).write_text(json.dumps(change(copy.deepcopy(results))), encoding="utf-8")
        monkeypatch.setattr(module, "WRITEUP", tmp_path)
        with pytest.raises(NotSo):
            rendered(name, module.figures())


def leaks_nothing(results):
    for run in results["runs"]:
        run["leak"] = 0.0
    return results


def learns_nothing(summary):
    summary["recipe"]["curves"]["validation"].reverse()
    return summary


def test_the_runs_are_one_record_each_with_seed_and_variant_and_the_same_budget():
    results = json.loads((WRITEUP / "section2" / "results.json").read_text(encoding="utf-8"))
    runs = results["runs"]
    seeds = {run["seed"] for run in runs}
    assert (
        len({(run["variant"], run["seed"]) for run in runs}) == len(runs) == len({run["variant"] for run in runs}) * len(seeds)
    )
    assert len({json.dumps(run["budget"]) for run in runs}) == 1
    assert {run["variant"] for run in runs} == {v.name for v in section2.VARIANTS}
    assert [run["variant"] for run in runs if run["leak"]] == ["masking: zero after softmax"] * len(seeds)
    assert render.HERE.name == "reports"
