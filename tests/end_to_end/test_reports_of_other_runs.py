"""Other runs than the shipped ones never make a report say what is not so: it says something else, or stops."""

from __future__ import annotations

import copy
import json
import re

import pytest

pytest.importorskip("datasets")  # sst2_runs, whose settings the answers state, needs what the notebook needs
from reports import section2, section3
from reports.render import WRITEUP, NotSo, rendered

LEAKY, CONTROL = "masking: zero after softmax", "no attention"
BASELINES = ("baseline", "baseline, other dropout")
NUMBER = r"[+−]?[\d.,]*\d"
SHORT = ("learned, short", "sinusoidal, short", "ALiBi, short")


def shipped(*path: str):
    return json.loads(WRITEUP.joinpath(*path).read_text(encoding="utf-8"))


def times(run, factor):
    """The run with all perplexities multiplied; ``factor`` is a number, or takes and returns a perplexity's place and value."""
    new = copy.deepcopy(run)
    for group in ("dev", "train", "by_position", "prefixes"):
        for key in new[group]:
            new[group][key] *= factor if isinstance(factor, float) else factor(group, key, new[group][key])
    return new


def one_seed(runs):
    return [run for run in runs if run["seed"] == runs[0]["seed"]]


def two_seeds_and_a_small_budget(runs):
    seeds = sorted({run["seed"] for run in runs})[:2]
    return [{**run, "budget": {**run["budget"], "name": "quick", "epochs": 1}} for run in runs if run["seed"] in seeds]


def attention_is_worth_nothing(runs):
    base = {run["seed"]: run for run in runs if run["variant"] == "baseline"}
    return [{**times(base[run["seed"]], 1.0), "variant": CONTROL} if run["variant"] == CONTROL else run for run in runs]


def turned_round(runs):
    """What was better than the baseline is worse; the leak is not used, and its samples are as long as any."""
    base = {run["seed"]: run for run in runs if run["variant"] == "baseline"}

    def turned(run):
        own = base[run["seed"]]
        if run["leak"]:
            return {**times(own, 1.3), "variant": LEAKY, "leak": run["leak"]}
        return times(run, lambda group, key, value: (own[group][key] / value) ** 2)

    return [turned(run) for run in runs]


def gate_matters(runs):
    wanted = {"AFT-simple": 0.9, "gate: attention with one": 1.2}
    return [times(run, wanted.get(run["variant"], 1.0)) for run in runs]


def gate_harms(runs):
    return [times(run, {"AFT-simple": 1.2}.get(run["variant"], 1.0)) for run in runs]


def leak_outdone(runs):
    return [times(run, {"positions: ALiBi": 0.7}.get(run["variant"], 1.0)) for run in runs]


def alibi_is_immune(runs):
    whole = {run["seed"]: run["by_position"] for run in runs if run["variant"] == "positions: ALiBi"}
    return [{**run, "by_position": whole[run["seed"]]} if run["variant"] == "positions: ALiBi, short" else run for run in runs]


def baselines_far_apart(runs):
    """One as far above the mean of the two as the other is below it: neither alone is what the others are compared with."""
    both = [run for run in runs if run["variant"] in BASELINES]
    mean = {run["seed"]: sum(r["dev"]["per_token"] for r in both if r["seed"] == run["seed"]) / 2 for run in both}
    factors = dict(zip(BASELINES, (1.05, 0.95)))

    def moved(run):
        place = factors.get(run["variant"])
        return times(run, lambda group, key, old: place * mean[run["seed"]] / old if group == "dev" else 1.0) if place else run

    return [moved(run) for run in runs]


OTHERS = [
    list,
    baselines_far_apart,
    one_seed,
    two_seeds_and_a_small_budget,
    attention_is_worth_nothing,
    turned_round,
    gate_matters,
    gate_harms,
    leak_outdone,
    alibi_is_immune,
]


@pytest.fixture(scope="module", params=OTHERS, ids=lambda change: change.__name__)
def other(request):
    """(runs, the report on them)."""
    results = shipped("section2", "results.json")
    results["runs"] = request.param(results["runs"])
    return results["runs"], rendered("section2", section2.figures_of(results, shipped("section2", "cost.json")))


def value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def table(report: str) -> dict[str, float]:
    """Variant -> its printed difference from the baseline."""
    rows = re.findall(rf"^\| ([^|]+) \| \d+k \|(?:[^|]*\|){{3}} ({NUMBER}) %", report, re.MULTILINE)
    return {name: value(difference) for name, difference in rows}


def bound(report: str) -> float:
    """What a difference has to exceed, as printed."""
    return value(re.search(r"interval of about ± ([\d.]+) %|between the two, ([\d.]+) %", report).expand(r"\1\2"))


def bound_of_two(report: str) -> float:
    """What a difference between two variants has to exceed."""
    found = re.search(r"± ([\d.]+) % is the interval of a difference between two", report)
    return value(found.group(1)) if found else bound(report)


def widened(report: str) -> float:
    """By what factor the interval is wider that allows for all comparisons, as printed; 1 with a single seed."""
    found = re.search(r"but not ± ([\d.]+) %, an interval made wider for \d+ comparisons", report)
    return value(found.group(1)) / bound(report) if found else 1.0


def said_of(report: str, words: str) -> float:
    return value(re.search(rf"{words} ({NUMBER}) %", report).group(1))


def effect(difference: float, limit: float, wider: float) -> str:
    barely = "barely " if abs(difference) < limit * wider else ""
    return "cannot be seen to change" if abs(difference) < limit else barely + ("helps" if difference < 0 else "harms")


def test_every_verdict_agrees_with_the_digits_beside_it(other):
    _, report = other
    judged = re.findall(rf"({NUMBER}) %(?: \([^)]*\))?, ((?:barely )?(?:better|worse)|not told apart)", report)
    assert len(judged) >= 16
    for number, verdict in judged:
        apart = abs(value(number)) > bound(report)
        barely = "barely " if abs(value(number)) < bound(report) * widened(report) else ""
        assert verdict == (barely + ("better" if value(number) < 0 else "worse") if apart else "not told apart"), number


def test_the_largest_change_and_the_largest_improvement_are_those_of_the_table(other):
    _, report = other
    rows = table(report)
    honest = {n: abs(d) for n, d in rows.items() if n not in (LEAKY, CONTROL, *BASELINES) and not n.endswith(SHORT)}
    shared = max(abs(rows[n]) for n in honest if n.startswith("sharing") and n != "sharing: Q=K=V")
    assert "Sharing two projections changes perplexity by less" not in report or shared < honest["AFT-full"]
    assert ("would be the largest improvement in the table" in report) == (rows[LEAKY] == min(rows.values()) < 0)
    assert ("is no improvement" in report) == (rows[LEAKY] > 0)


def test_what_attention_is_worth_is_said_as_the_control_shows_it(other):
    _, report = other
    rows = table(report)
    honest = [abs(d) for n, d in rows.items() if n not in (LEAKY, CONTROL, *BASELINES) and not n.endswith(SHORT)]
    factor = re.search(r"at all is worth more than (twice|three times) what any", report)
    assert not factor or rows[CONTROL] > (2 if factor.group(1) == "twice" else 3) * max(honest) - 0.2
    assert ("Measured by what seeing earlier tokens is worth here" in report) <= (
        bound(report) < min(rows[CONTROL], rows["sharing: Q=K=V"])
    )


def test_what_is_said_of_attentions_design_is_what_the_table_shows(other):
    _, report = other
    rows, limit = table(report), bound(report)
    conclusion = report[report.index("**What this says of attention's design.**") : report.index("**Limits.**")]
    needed, _, rest = conclusion.partition("with the mask *after*")
    for name, part in section2.ALTERED.items():
        if abs(rows[name] - limit) > 0.1:
            assert (part in needed, part in rest) == (rows[name] > limit, rows[name] < limit), name


def test_what_is_said_of_the_leak_is_in_the_runs(other):
    runs, report = other
    lengths = {n: [len(s.split()) for r in runs if r["variant"] == n for s in r["samples"]] for n in (LEAKY, "baseline")}
    assert f"Its {len(lengths[LEAKY])} samples" in report
    assert (" stop early: they have " in report) == (max(lengths[LEAKY]) < min(lengths["baseline"]))
    whole = [[r["prefixes"]["whole"] for r in runs if r["variant"] == n] for n in (LEAKY, "baseline")]
    assert "Training finds this out" not in report or all(mine < base for mine, base in zip(*whole))


def test_what_the_gate_does_is_said_as_its_figures_say_it(other):
    _, report = other
    gate, own = said_of(report, "the gate changes AFT by"), said_of(report, r"attention \*with\* the gate is")
    wider = widened(report)
    without, limit, of_two = said_of(report, r"AFT-simple \*without\* it is"), bound(report), bound_of_two(report)
    if all(abs(x) < most for x, most in ((gate, of_two), (own, limit), (without, limit))):
        assert "Neither the gate alone nor the other two differences together can be told from nothing here" in report
    else:
        assert f"the gate {effect(gate, of_two, wider)} AFT-simple, and {effect(own, limit, wider)} attention" in report


def test_every_difference_is_from_the_mean_of_the_two_baselines(other):
    runs, report = other
    found = {(r["variant"], r["seed"]): r["dev"]["per_token"] for r in runs}
    seeds = {r["seed"] for r in runs}
    for name, printed in table(report).items():
        each = [200 * found[name, s] / sum(found[base, s] for base in BASELINES) - 100 for s in seeds]
        assert printed == pytest.approx(sum(each) / len(each), abs=0.051), name


@pytest.mark.parametrize(
    "share, beaten", [(0.1, "none of them"), (0.5, "only the unigram"), (0.8, "the unigram and bigram"), (9.0, "all of them")]
)
def test_the_baseline_beats_the_n_gram_models_whose_perplexity_is_higher(share, beaten):
    results = shipped("section2", "results.json")
    results["counting"] = {name: share * ppl for name, ppl in results["counting"].items()}
    report = rendered("section2", section2.figures_of(results, shipped("section2", "cost.json")))
    assert f"The baseline\nbeats {beaten}." in report


@pytest.mark.parametrize(
    "favor, words",
    [
        ((30, 31, 32, 33), "formula at none, .* at none"),
        ((0.1, 0.2, 0.3, 0.4), "formula at each, .* at each"),
        ((3, 4, 5, 6), "formula from 256 tokens on, .* at none"),
        ((0.1, 4, 9, 99), r"formula at 32 tokens only, .* at 32 tokens only"),
        ((4, 0.1, 9, 5), r"formula at 128 and 512 tokens only, .*\n\(A longer sequence cannot"),
    ],
)
def test_where_favor_is_cheaper_is_where_its_times_are_lower(favor, words):
    plain, fused = (1, 3, 6, 20), (0.5, 1, 2, 4)
    rows = zip(("32", "128", "256", "512"), plain, fused, favor)
    cost = shipped("section2", "cost.json")
    cost["milliseconds"] = {n: {"plain": p, "fused": f, "favor": x} for n, p, f, x in rows}
    report = rendered("section2", section2.figures_of(shipped("section2", "results.json"), cost))
    assert re.search(words, report)
    assert ("A longer sequence cannot take less" in report) == (list(favor) != sorted(set(favor)))


# The model answers to section 3


@pytest.mark.parametrize("test", [0.7, 0.835, 0.845, 0.873, 0.95])
def test_the_test_accuracy_is_called_higher_lower_or_rare_as_it_is(test):
    summary = {**shipped("section3", "summary.json"), "test_accuracy": test}
    answer = rendered("section3", section3.figures_of(summary)).partition("**Q5.1**")[2]
    best = max(accuracy for _, accuracy in summary["final"]["curves"]["validation"])
    assert f"It is {abs(test - best):.3f} {'higher' if test > best else 'lower'} than" in answer
    chance = re.search(r"with a probability of\n(?:about ([\d.]+)|less than (0\.01))", answer).expand(r"\1\2")
    assert ("That is rare" in answer) == (float(chance) < 0.05) == ("Luck alone can explain" not in answer)


def falling(summary):
    summary["recipe"]["curves"]["training"].reverse()


def sgd_learns(summary):
    summary["optimizers"][0]["curves"]["training"][2][0] = 0.5


def adagrad_rises(summary):
    summary["optimizers"][1]["curves"]["training"][2][0] = 0.8


def another_is_chosen(summary):
    summary["rung2"][1]["curves"]["validation"][1][1] = 0.9


def smallest_rate_learns(summary):
    summary["rung1"][-1]["curves"]["validation"][0][1] = 0.65


def recipe_with_the_larger_rate(summary):
    summary["recipe"]["run"]["learning_rate"] = 1e-3


def never_by_heart(summary):
    for point in summary["recipe"]["curves"]["training"]:
        point[1] = min(point[1], 0.9)


@pytest.mark.parametrize(
    "change",
    [falling, sgd_learns, adagrad_rises, another_is_chosen, smallest_rate_learns, recipe_with_the_larger_rate, never_by_heart],
    ids=lambda change: change.__name__,
)
def test_a_sentence_of_the_answers_that_the_runs_do_not_bear_out_stops_them(change):
    summary = shipped("section3", "summary.json")
    change(summary)
    with pytest.raises(NotSo):
        rendered("section3", section3.figures_of(summary))


def test_a_tie_for_the_best_epoch_names_all_and_the_last_epoch_has_none_after_it():
    summary = shipped("section3", "summary.json")
    points = summary["recipe"]["curves"]["validation"]
    points[6][1] = points[19][1] = 0.795
    answers = rendered("section3", section3.figures_of(summary))
    assert "it is best at epochs 7 and 20\n(0.795). So the trends" in answers
