"""How many epochs main trains for: what it says about them holds, and it costs points only where that cannot be meant."""

import pytest

from support.project import DATA

RANGE, SAVE = "    for epoch in range(num_epochs):\n", '            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
LEFT = {
    "returns in the loop": {SAVE: SAVE + "        return best\n"},
    "breaks in the loop": {SAVE: SAVE + "        break\n"},
    "returns or breaks": {SAVE: SAVE + "        if best > 2:\n            return\n        else:\n            break\n"},
}
SHORT = {
    "n - 1": "range(num_epochs - 1)",
    "from zero to n - 1": "range(0, num_epochs - 1)",
    "from one": "range(1, num_epochs)",
    "from two": "range(2, num_epochs + 1)",
    "listed": "list(range(num_epochs - 1))",
}
MEANT = {
    "a goal": {SAVE: SAVE + "        if accuracy > 0.7 and epoch:\n            break\n"},
    "no better than before": {SAVE: SAVE + "        else:\n            return best\n"},
    "patience": {
        "    best = 0\n": "    best = waited = 0\n",
        SAVE: SAVE + "            waited = -1\n        waited += 1\n        if waited == 2:\n            break\n",
    },
}
WHOLE = {
    "from one to n": {RANGE: "    for epoch in range(1, num_epochs + 1):\n"},
    "twenty": {RANGE: "    for epoch in range(20):\n"},
    "while": {RANGE: "    epoch = -1\n    while epoch < num_epochs - 1:\n        epoch += 1\n"},
    "a shorter range for something else": {SAVE: SAVE + "    print([n for n in range(num_epochs - 1)])\n"},
    "another loop is left": {RANGE: RANGE + "        for line in ['training']:\n            print(line)\n            break\n"},
}


@pytest.fixture
def main_of(submit):
    def judged(changes):
        source = (DATA / "right_s3.py").read_text()
        for old, new in changes.items():
            assert old in source
            source = source.replace(old, new)
        graded = submit({"A2S3.py": source})
        item = next(one for one in graded.tree["tests"] if one["name"].startswith("3.main"))
        return item["score"], graded.output("3.main")

    return judged


@pytest.mark.many(of=6)
@pytest.mark.parametrize("how", LEFT)
def test_a_loop_that_is_left_in_its_first_pass_loses_the_points_for_training(main_of, how):
    score, told = main_of(LEFT[how])
    assert score == 2.5 and "one epoch only" in told and "✗ One model is trained" in told


@pytest.mark.many(of=6)
@pytest.mark.parametrize("how", SHORT)
def test_every_range_that_is_one_short_costs_the_same(main_of, how):
    score, told = main_of({RANGE: f"    for epoch in {SHORT[how]}:\n"})
    assert score == 2.5 and "are asked for: " in told and "range" in told


@pytest.mark.many(of=6)
@pytest.mark.parametrize("how", MEANT)
def test_stopping_early_by_validation_keeps_its_points_and_is_asked_about(main_of, how):
    score, told = main_of(MEANT[how])
    assert score == 3 and "is it meant to stop early?" in told


@pytest.mark.many(of=6)
@pytest.mark.parametrize("how", WHOLE)
def test_a_right_loop_is_asked_nothing(main_of, how):
    score, told = main_of(WHOLE[how])
    assert score == 3 and "early" not in told and "for the epochs that are asked for" not in told


@pytest.mark.many(of=6)
def test_an_exit_after_some_epochs_is_asked_about(main_of):
    score, told = main_of({SAVE: SAVE + "        if epoch == 1:\n            break\n"})
    assert score == 3 and "main ends after 2 epochs where " in told


SAVED = {
    "alone": ('            model.save_pretrained("best")\n', True),
    "into two folders": ('            model.save_pretrained("best")\n            tokenizer.save_pretrained("words")\n', False),
    "together": ('            model.save_pretrained("best")\n            tokenizer.save_pretrained("best")\n', False),
    "in a file": (SAVE, False),
}


@pytest.mark.many(of=3)
@pytest.mark.parametrize("how", SAVED)
def test_a_model_that_is_saved_without_its_tokenizer_gets_a_note(main_of, how):
    saves, noted = SAVED[how]
    score, told = main_of({SAVE: saves})
    assert score == 3 and ("no file of the tokenizer" in told) is noted


BETTER, KEPT = "        if accuracy > best:\n", "            best = accuracy\n"
MARGINS = {
    "a margin": {BETTER: BETTER.replace("best", "best + 0.005")},
    "a margin of a name": {
        BETTER: BETTER.replace("accuracy", "accuracy - MIN_DELTA"),
        "num_epochs = 20": "num_epochs, MIN_DELTA = 20, 0.01",
    },
    "rounded": {BETTER: "        accuracy = round(accuracy, 2)\n" + BETTER},
    "whole percents": {
        BETTER: BETTER.replace("accuracy", "int(100 * accuracy)"),
        KEPT: "            best = int(100 * accuracy)\n",
    },
    "as text": {BETTER: "        accuracy = float(f'{accuracy:.2f}')\n" + BETTER},
}


@pytest.mark.many(of=2)
@pytest.mark.parametrize("how", MARGINS)
def test_a_best_epoch_that_is_better_by_little_has_to_be_saved(main_of, how):
    score, told = main_of(MARGINS[how])
    assert score == 1.5 and "if only by a little" in told


@pytest.mark.parametrize("margin", ["1e-3", "1e-4", "1e-8"])
def test_a_margin_below_one_sentence_costs_nothing(main_of, margin):
    assert main_of({BETTER: BETTER.replace("best", f"best + {margin}")})[0] == 3


@pytest.mark.parametrize("given", ["datasets['train']", "datasets['train'], shuffle=False"])
def test_the_training_set_in_place_of_the_validation_set_is_told_as_that(main_of, given):
    _, told = main_of({'DataLoader(datasets["validation"]': f"DataLoader({given}"})
    assert "the training set is evaluated instead" in told and "nothing is evaluated" not in told
