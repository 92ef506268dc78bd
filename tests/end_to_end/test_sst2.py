"""§3: the offline model and data are as documented, and the notebook's code does what it teaches."""

import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from support.hub import serving
from support.notebooks import execute
from support.project import ROOT
from support.tiny_source import make_source, rows

sys.path.append(str(ROOT / "solutions"))
pytest.importorskip("datasets")

import sst2
import sst2_runs
from sst2 import offline


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tiny source of the same form."""
    return make_source(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def names(tiny, tmp_path, monkeypatch):
    """The names that the solution notebook defines, run on the tiny source."""
    monkeypatch.setenv("SST2_SOURCE", "")
    names = sst2_runs.load_notebook(str(tiny))
    names.update(batch_size=4, num_epochs=3, learning_rate=1e-3, checkpoint=str(tmp_path / "checkpoints"))
    return names


def loader(names, split="validation", size=4):
    return names["DataLoader"](names["split_datasets"][split], batch_size=size, collate_fn=names["SST2Dataset"].collate_fn)


def fresh_model(names):
    return names["AutoModelForSequenceClassification"].from_pretrained(names["model_name"])


# The source


def test_no_sentence_is_in_two_splits_and_the_same_input_gives_the_same_splits():
    rated = [(1.5 * (-1) ** i, f"Sentence number {i // 2}{'!' * (i % 2)}") for i in range(400)]
    splits = offline.split_snippets(rated)
    letters = [re.sub(r"\W", "", row["text"]).lower() for data in splits.values() for row in data]
    assert len(letters) == len(set(letters)) == 200
    assert 120 < len(splits["train"]) < 190 and splits["validation"] and splits["test"]
    assert offline.split_snippets(list(rated)) == splits


def test_labels_follow_the_rating_and_neutral_ones_are_left_out():
    splits = offline.split_snippets([(3.2, "Great."), (-0.6, "Meh."), (0.4, "So so."), (-0.49, "Hm.")])
    assert {row["text"]: row["label"] for data in splits.values() for row in data} == {"Great.": 1, "Meh.": 0}


def test_data_not_fetched_yet_is_a_one_line_error_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("SST2_CACHE", str(tmp_path))
    with pytest.raises(sst2.Unavailable, match=r"not here yet.*python -m sst2") as raised:
        sst2.choose("offline")
    assert "\n" not in str(raised.value)


def test_a_damaged_file_is_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("SST2_CACHE", str(tmp_path))
    for name in offline.SHA256:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not what was published")
    with pytest.raises(sst2.Unavailable, match=r"model.safetensors is damaged \(checksum .*\): .*python -m sst2") as raised:
        sst2.choose("offline")
    assert "\n" not in str(raised.value)


def test_a_download_with_another_checksum_is_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("SST2_CACHE", str(tmp_path / "cache"))
    said = "WARNING: x\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n  more\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1, stderr=said))
    with pytest.raises(sst2.Unavailable, match="DO NOT MATCH THE HASHES") as raised:
        sst2.fetch()
    assert "\n" not in str(raised.value) and not (tmp_path / "cache").exists()


def published(root, tiny, data_revision="refs-convert-parquet"):
    """Repositories of a hub: a tiny roberta-base, and SST-2 in three splits with the labels the other way round."""
    import datasets

    shutil.copytree(tiny / "encoder", root / "models" / "roberta-base" / "main")
    main = root / "datasets" / "gpt3mix" / "sst2" / "main"
    main.mkdir(parents=True)
    (main / "sst2.py").write_text("raise SystemExit('a script of a data set must not run')\n")
    for split, content in {"train": rows(24), "validation": rows(10, 24), "test": rows(6, 34)}.items():
        place = main.parent / data_revision / "default" / split / "0000.parquet"
        place.parent.mkdir(parents=True)
        datasets.Dataset.from_list([{**row, "label": 1 - row["label"]} for row in content]).to_parquet(place)
    return root


@pytest.fixture(scope="module")
def hub(tiny, tmp_path_factory):
    """The address of a small hub, and what it has been asked for."""
    with serving(published(tmp_path_factory.mktemp("hub"), tiny)) as running:
        yield running


LOOK = """
import json, sys, sst2
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
names = sst2.choose(*json.loads(sys.argv[1]))
AutoTokenizer.from_pretrained(names.model), AutoModelForSequenceClassification.from_pretrained(names.model)
data = load_dataset(names.data)
print([data[split].num_rows for split in ("train", "validation", "test")], data["validation"][0])
"""


def look(folder, *arguments, **environment):
    """What a fresh process prints that chooses a source and loads from it, with the hub's caches in ``folder``."""
    settings = {"HF_HOME": str(folder / "home"), "SST2_CACHE": str(folder / "none"), "NO_PROXY": "127.0.0.1"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "SST2_"))}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(arguments)],
        env={**kept, **settings, **environment, "PYTHONPATH": str(ROOT / "solutions")},
        capture_output=True,
        text=True,
        cwd=folder,
    )
    return done.stdout.splitlines(), done.stderr


FIRST = str({"text": rows(1, 24)[0]["text"], "label": 1 - rows(1, 24)[0]["label"]})


@pytest.mark.slow
def test_a_hub_is_used_when_it_answers_and_later_its_cache_without_any_network(hub, tmp_path):
    address, asked = hub
    said, error = look(tmp_path, HF_ENDPOINT=address)
    labels = "label 0 is positive there, 1 negative"
    assert said == [f"source: the hub at {address} (roberta-base, gpt3mix/sst2: {labels})", f"[24, 10, 6] {FIRST}"], error
    assert any(path.startswith("/roberta-base/resolve/") for path in asked)
    asked.clear()
    for how in ({"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}, {"HF_HUB_OFFLINE": "1", "SST2_SOURCE": "hub"}):
        said, error = look(tmp_path, **how)
        assert said[0].startswith("source: this computer's cache of the hub") and said[1] == f"[24, 10, 6] {FIRST}", error
        assert said[0].endswith(f"(roberta-base, gpt3mix/sst2: {labels})")
    assert not asked


@pytest.mark.slow
def test_names_on_the_hub_and_folders_can_be_mixed(hub, tmp_path, tiny):
    address, _ = hub
    shutil.copytree(tiny / "reviews", tmp_path / "own")
    said, error = look(tmp_path, "auto", "roberta-base", str(tmp_path / "own"), HF_ENDPOINT=address)
    assert said[0] == f"source: the hub at {address} (roberta-base, {tmp_path / 'own'})", error
    assert said[1] == f"[24, 10, 6] {rows(1, 24)[0]}"
    said, error = look(tmp_path, "hub", str(tiny / "encoder"), str(tmp_path / "own"), HF_HUB_OFFLINE="1")
    assert said[0] == f"source: your own folders ({tiny / 'encoder'}, {tmp_path / 'own'})", error
    said, error = look(tmp_path, str(tiny))
    assert said[0] == f"source: the folder {tiny} (encoder and reviews)" and said[1] == f"[24, 10, 6] {rows(1, 24)[0]}", error


@pytest.mark.slow
def test_a_hub_without_conversions_provides_the_data_itself(tiny, tmp_path):
    root = published(tmp_path / "hub", tiny, data_revision="other")
    main = root / "datasets" / "gpt3mix" / "sst2" / "main"
    (main / "sst2.py").unlink()
    shutil.copytree(main.parent / "other" / "default", main, dirs_exist_ok=True)
    with serving(root) as (address, _):
        said, error = look(tmp_path, HF_ENDPOINT=address)
    assert said[1:] == [f"[24, 10, 6] {FIRST}"], error
    said, error = look(tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
    assert said[0].startswith("source: this computer's cache") and said[1:] == [f"[24, 10, 6] {FIRST}"], error


def test_half_a_cache_is_no_cache_and_what_was_asked_for_by_name_is_never_replaced(tmp_path, monkeypatch, tiny, capsys):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(sst2, "cached_model", lambda name: (_ for _ in ()).throw(FileNotFoundError(name)))
    monkeypatch.setattr(sst2, "stored", lambda: tiny)
    monkeypatch.delenv("SST2_SOURCE", raising=False)
    assert sst2.choose() == (str(tiny / "encoder"), str(tiny / "reviews"))
    assert re.fullmatch(r"source: the hub does not answer; offline .*\n", capsys.readouterr().out)
    for asked in (("hub",), ("auto", "some/other-model")):
        with pytest.raises(sst2.Unavailable, match="the hub does not provide") as raised:
            sst2.choose(*asked)
        assert "\n" not in str(raised.value)


# The notebook's code


def test_batches_are_padded_to_their_longest_sentence_and_cut_at_512(names):
    make, collate = names["SST2Example"], names["SST2Dataset"].collate_fn
    short = collate([make("a dull film", 0), make("a film", 1)])
    encoding = short["text_encoding"]
    assert encoding["attention_mask"].sum(1).max() == encoding["input_ids"].shape[1] < 12
    assert short["label_encoding"].tolist() == [0, 1] and short["label_encoding"].dtype == names["torch"].long
    assert collate([make("film " * 2000, 0)])["text_encoding"]["input_ids"].shape == (1, 512)


@pytest.mark.slow
def test_the_notebook_learns_a_learnable_rule(names):
    names.update(num_epochs=30, learning_rate=3e-3)
    points = names["main"]().points
    assert len(points["training"]) == len(points["validation"]) == 30
    assert points["training"][-1][0] < points["training"][0][0] / 2 and points["training"][-1][1] > 0.9


def test_accuracy_counts_sentences_not_batches_and_sorting_by_length_changes_nothing(names):
    model = fresh_model(names)
    model.eval()
    right = 0
    for sample in names["split_datasets"]["validation"]:
        one = names["SST2Dataset"].collate_fn([sample])
        with names["torch"].no_grad():
            right += int(model(**one["text_encoding"]).logits.argmax(-1) == one["label_encoding"])
    sorted_loader = names["DataLoader"](
        names["by_length"](names["split_datasets"]["validation"]), batch_size=4, collate_fn=names["SST2Dataset"].collate_fn
    )
    assert names["evaluate"](model, loader(names)) == names["evaluate"](model, sorted_loader) == pytest.approx(right / 10)


def test_curves_agree_with_evaluate(names):
    model, curves = fresh_model(names), names["Curves"]()
    with curves.watch(model, "validation"):
        accuracy = names["evaluate"](model, loader(names))
    assert curves.points["validation"][0][1] == pytest.approx(accuracy)
    assert not model._forward_hooks


def test_main_keeps_the_best_checkpoint_and_not_the_last(names):
    seen, scripted = [], iter((0.4, 0.9, 0.5))

    def evaluate(model, dataloader):
        seen.append({key: value.clone() for key, value in model.state_dict().items()})
        return next(scripted)

    names["evaluate"] = evaluate
    names["main"]()
    kept = names["AutoModelForSequenceClassification"].from_pretrained(names["checkpoint"]).state_dict()
    same = [all(names["torch"].equal(kept[key], state[key]) for key in kept) for state in seen]
    assert same == [False, True, False]


def test_main_shuffles_training_only(names, monkeypatch):
    orders = {"train": [], "evaluate": []}

    def spy(kind, result):
        def seen(model, dataloader, *_):
            orders[kind].append([one for batch in dataloader for one in batch["text_encoding"]["input_ids"].sum(1).tolist()])
            return result

        return seen

    names.update(train_one_epoch=spy("train", None), evaluate=spy("evaluate", 0.5))
    names["main"]()
    assert orders["train"][0] != orders["train"][1] and len(orders["train"][0]) == 24
    assert orders["evaluate"][0] == orders["evaluate"][1]


# The notebooks


@pytest.mark.slow
def test_the_solutions_run_top_to_bottom_against_a_hub_with_the_real_loading_code(hub, tmp_path, monkeypatch):
    address, _ = hub
    for name, value in {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("HF_HUB_OFFLINE", "SST2_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(ROOT / "solutions" / "sst2", tmp_path / "sst2")
    shutil.copy(ROOT / "solutions" / "A2S3.ipynb", tmp_path)
    printed = "\n".join(text for _, text in execute(tmp_path / "A2S3.ipynb", tmp_path))
    assert f"source: the hub at {address} (roberta-base, gpt3mix/sst2: label 0 is positive there" in printed
    assert "train, validation, test: 24 10 6" in printed and "token_type_ids" not in printed
    assert re.search(r"test accuracy: (0|1)\.\d", printed)
    assert (tmp_path / "checkpoints" / "model.safetensors").exists()


@pytest.fixture
def offline_kernel(monkeypatch, tiny):
    monkeypatch.setenv("SST2_SOURCE", str(tiny))


@pytest.mark.slow
def test_the_solutions_run_top_to_bottom(offline_kernel, tmp_path):
    shutil.copytree(ROOT / "solutions" / "sst2", tmp_path / "sst2")
    shutil.copy(ROOT / "solutions" / "A2S3.ipynb", tmp_path)
    cells = execute(tmp_path / "A2S3.ipynb", tmp_path)
    printed = "\n".join(text for _, text in cells)
    assert "train, validation, test: 24 10 6" in printed
    assert re.search(
        r"main\(\) on this \w+: \d+ epochs of 24 sentences, about .* min; "
        r"the full recipe, 20 epochs of 24",
        printed,
    )
    assert re.search(r"test accuracy: 0\.\d|test accuracy: 1\.0", printed)
    assert (tmp_path / "checkpoints" / "config.json").exists()


@pytest.mark.slow
def test_a_lone_starter_runs_top_to_bottom_and_says_what_is_missing(offline_kernel, tmp_path):
    shutil.copy(ROOT / "student" / "A2S3.ipynb", tmp_path)
    printed = "\n".join(text for _, text in execute(tmp_path / "A2S3.ipynb", tmp_path))
    assert "Fill the TODOs of Steps 1 and 2 first" in printed and "Nothing to plot yet" in printed
    assert "test accuracy: None" in printed


def test_no_solution_is_left_in_the_student_notebook():
    master = nbformat.read(ROOT / "solutions" / "A2S3.ipynb", as_version=4)
    starter = "\n".join(c.source for c in nbformat.read(ROOT / "student" / "A2S3.ipynb", as_version=4).cells)
    blocks = [
        b
        for cell in master.cells
        for b in re.findall(r"# BEGIN SOLUTION NO PROMPT\n(.*?)# END SOLUTION", cell.source, re.DOTALL)
    ]
    assert len(blocks) == 11
    # A lone bracket or the first half of a call proves nothing.
    lines = [line.strip() for block in blocks for line in block.split("\n") if re.search(r"\w.*[^(]$", line)]
    assert not [line for line in lines if line in starter]


def test_every_question_of_the_handout_is_in_its_step():
    text = "\n".join(c.source for c in nbformat.read(ROOT / "student" / "A2S3.ipynb", as_version=4).cells)
    steps = re.split(r"^## Step \d", text, flags=re.MULTILINE)[1:]
    asked = [[f"Q{q}" for q in re.findall(r"\*\*Q(\d\.\d)\*\*", step)] for step in steps]
    assert asked == [
        [],
        ["Q1.1", "Q1.2"],
        ["Q2.1", "Q2.2", "Q2.3"],
        ["Q3.1", "Q3.2", "Q3.3"],
        [f"Q4.{i}" for i in range(1, 8)],
        ["Q5.1"],
    ]
