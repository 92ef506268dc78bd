"""Each experiment does what it claims, and the runner loses nothing."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from experiments import (
    aft,
    alibi,
    cost,
    favor,
    figures,
    gating,
    measure,
    positions,
    projections,
    report,
    run,
    sharing,
    talking,
    trial,
)
from experiments.baseline import attend, heads, merged
from experiments.masking import zero_after_softmax
from experiments.similarity import SHARPNESS, cosine_attention, distance_attention
from mingpt.data import PAD, Sentences, Text, Vocabulary
from mingpt.evaluate import causality_leak
from torch.utils._python_dispatch import TorchDispatchMode

LINES = [line.split() for line in ["a b c a b c d", "a b", "c c c d d a", "b a", "a a b", "d c b a c", "a b c d"] * 8]
VOCABULARY = Vocabulary(LINES)
BUDGET = trial.Budget("test", epochs=0.1, seeds=(1,), batch_size=8, block_size=64)
HONEST = [v for v in run.VARIANTS if not v.leaks]
BASE = run.VARIANTS[0].name
TINY = ["--quick", "--only", "Q=K=V"]


def drawn(n_tok: int = 9, n_embd: int = 8, scale: float = 1.0) -> torch.Tensor:
    """Q, K, V as one tensor (3, 2, n_tok, n_embd)."""
    return scale * torch.randn(3, 2, n_tok, n_embd, generator=torch.Generator().manual_seed(5))


# What each variant computes


def far_from_the_start(variant):
    """A model in which attention matters: at initialisation it hardly does."""
    model = trial.build(variant, VOCABULARY, BUDGET, seed=2)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


@pytest.mark.many(of=2)
@pytest.mark.parametrize("variant", HONEST, ids=lambda v: v.name)
def test_no_honest_variant_sees_anything_of_the_future(variant):
    model = far_from_the_start(variant)
    assert causality_leak(model) == 0
    seen = measure.sentence_and_prefixes(model, Sentences(LINES, VOCABULARY), 20)
    assert seen["whole"] == pytest.approx(seen["by_prefix"], rel=1e-5)


def test_zeros_after_the_softmax_leak_the_future_and_a_sentence_is_easier_whole_than_by_prefix():
    leaking = next(v for v in run.VARIANTS if v.leaks)
    model = far_from_the_start(leaking)
    assert causality_leak(model) > 1e-2
    seen = measure.sentence_and_prefixes(model, Sentences(LINES, VOCABULARY), 20)
    assert seen["whole"] != pytest.approx(seen["by_prefix"], rel=1e-3)
    weights = zero_after_softmax(*drawn()[:2], torch.eye(9, 8).expand(2, 9, 8))
    assert (weights[:, 0, 1:] == 0).all() and (weights[:, 0, 0] < 0.9).all()  # the rest of the row's 1 went to later tokens


def test_prefix_by_prefix_is_each_token_predicted_from_the_tokens_before_it_alone():
    model, rows = far_from_the_start(next(v for v in run.VARIANTS if v.leaks)).eval(), Sentences(LINES[:6], VOCABULARY)
    losses = []
    for x, y in rows:
        real = range(int((y != PAD).sum()))
        losses += [-model(x[None, : t + 1])[0][0, -1].log_softmax(-1)[y[t]].item() for t in real]
    seen = measure.sentence_and_prefixes(model, rows, 6)
    assert seen["by_prefix"] == pytest.approx(math.exp(sum(losses) / len(losses)), rel=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_the_baseline_is_scaled_dot_product_attention(causal):
    Q, K, V = heads(2, *drawn())
    expected = merged(F.scaled_dot_product_attention(Q, K, V, is_causal=causal))
    assert torch.allclose(attend(Q @ K.transpose(-2, -1) / 2, V, causal), expected, atol=1e-6)


def by_pairs(score, Q, K, V, causal):
    """Attention token by token with any score(q, k), one head. (B, T, C) x 3 -> (B, T, C)."""
    out = torch.zeros_like(V)
    for b in range(V.shape[0]):
        for t in range(V.shape[1]):
            seen = range(t + 1 if causal else V.shape[1])
            weights = torch.stack([score(Q[b, t], K[b, s]) for s in seen]).softmax(0)
            out[b, t] = sum(w * V[b, s] for w, s in zip(weights, seen))
    return out


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "function, score",
    [
        (distance_attention, lambda q, k: -(q - k).square().sum() / (2 * math.sqrt(8))),
        (cosine_attention, lambda q, k: SHARPNESS * F.cosine_similarity(q, k, dim=0)),
    ],
    ids=["distance", "cosine"],
)
def test_each_similarity_equals_its_formula_pair_by_pair(function, score, causal):
    Q, K, V = drawn()
    assert torch.allclose(function(Q, K, V, n_heads=1, causal=causal), by_pairs(score, Q, K, V, causal), atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("learned", [False, True], ids=["simple", "full"])
def test_the_attention_free_transformer_equals_its_formula_token_by_token(learned, causal):
    Q, K, V = drawn()
    full = aft.AFTFull(9)
    torch.nn.init.normal_(full.w, generator=torch.Generator().manual_seed(3))
    bias = full.w.detach() if learned else torch.zeros(9, 9)
    wanted = torch.empty_like(V)
    for t in range(9):
        seen = slice(0, t + 1 if causal else 9)
        weights = (K[:, seen] + bias[t, seen, None]).exp()
        wanted[:, t] = Q[:, t].sigmoid() * (weights * V[:, seen]).sum(1) / weights.sum(1)
    assert torch.allclose((full if learned else aft.aft_simple)(Q, K, V, causal=causal), wanted, atol=1e-5)


def test_aft_full_refuses_positions_beyond_its_own_in_one_line():
    with pytest.raises(ValueError, match=r"^a sequence of 9 tokens: this AFT-full learns biases for 4 positions$"):
        aft.AFTFull(4)(*drawn())


def test_more_random_features_approximate_softmax_attention_better():
    Q, K, V = drawn(scale=0.7)
    exact = merged(F.scaled_dot_product_attention(*heads(2, Q, K, V)))
    errors = [
        sum(float((favor.Favor(m, seed)(Q, K, V, n_heads=2, causal=False) - exact).abs().mean()) for seed in range(5))
        for m in (16, 256, 4096)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] / 5 < 0.02


def test_causal_random_features_equal_uncausal_ones_over_each_prefix():
    Q, K, V = drawn()
    attention = favor.Favor()
    prefixes = [attention(Q[:, : t + 1], K[:, : t + 1], V[:, : t + 1], n_heads=2, causal=False)[:, -1] for t in range(9)]
    assert torch.allclose(attention(Q, K, V, n_heads=2, causal=True), torch.stack(prefixes, 1), atol=1e-5)


def test_random_vectors_are_orthogonal_within_each_block_and_as_long_as_gaussian_ones():
    w = favor.orthogonal_normal(32, 16)
    for block in w.split(16):
        gram = block @ block.T
        assert torch.allclose(gram, torch.diag(gram.diagonal()), atol=1e-4)
    assert 10 < float(w.square().sum(1).mean()) < 22  # E|w|² = 16


class Counted(TorchDispatchMode):
    """Counts the numbers that all operations write."""

    def __init__(self):
        super().__init__()
        self.written = 0

    def __torch_dispatch__(self, function, kinds, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        made = result if isinstance(result, (tuple, list)) else [result]
        self.written += sum(x.numel() for x in made if isinstance(x, torch.Tensor))
        return result


def operations(function, n_tok: int) -> int:
    with Counted() as counted, torch.no_grad():
        function(*torch.zeros(3, 1, n_tok, 48), n_heads=3, causal=True)
    return counted.written


@pytest.mark.parametrize(
    "function, linear",
    [(aft.aft_simple, True), (favor.Favor(), True), (distance_attention, False)],
    ids=["AFT-simple", "FAVOR+", "distance"],
)
def test_variants_that_claim_to_be_linear_in_the_number_of_tokens_are(function, linear):
    function(*torch.zeros(3, 1, 4, 48), n_heads=3)  # what is drawn once is not counted
    growth = operations(function, 2048) / operations(function, 1024)
    assert growth < 2.05 if linear else growth > 3.5


def test_sinusoids_match_the_paper_and_extend_beyond_block_size():
    wave = positions.Sinusoids(block_size=4, n_embd=6)
    made = (wave(torch.tensor([0, 7, 5000])) / wave.volume).detach()
    for t, row in zip((0, 7, 5000), made):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert row[2 * i] == pytest.approx(math.sin(angle), abs=2e-3)
            assert row[2 * i + 1] == pytest.approx(math.cos(angle), abs=2e-3)


@pytest.mark.parametrize("pattern, layers", [("aab", 2), ("abb", 2), ("aba", 2), ("aaa", 1)])
def test_shared_projections_are_the_same_layer_and_are_counted_once(pattern, layers):
    made = sharing.sharing(pattern)(8)
    assert len({id(m) for m in made}) == layers and (made[0] is made[1]) == (pattern[0] == pattern[1])
    name = {"aab": "sharing: Q=K", "abb": "sharing: K=V", "aba": "sharing: Q=V", "aaa": "sharing: Q=K=V"}[pattern]
    variant = next(v for v in sharing.VARIANTS if v.name == name)
    whole, fewer = (trial.build(v, VOCABULARY, BUDGET, 1).count_parameters() for v in (run.VARIANTS[0], variant))
    assert whole - fewer == 3 * (3 - layers) * (48 * 48 + 48)


def test_projections_with_a_hidden_layer_are_not_linear_and_relu_values_are_never_negative():
    x = torch.randn(20, 8)
    for layer in projections.networks(8):
        assert not torch.allclose(layer(2 * x) - layer(x), layer(x) - layer(0 * x), atol=1e-3)
    assert (projections.relu_values(8)[2](x) >= 0).all()


def test_each_layer_learns_its_own_attention():
    model = trial.build(next(v for v in run.VARIANTS if v.name == "AFT-full"), VOCABULARY, BUDGET, 1)
    assert len({id(block.attn.attn_fn.w) for block in model.transformer.h}) == 3


@pytest.mark.parametrize("causal", [False, True])
def test_alibi_equals_its_formula_pair_by_pair_and_needs_no_positions(causal):
    Q, K, V = drawn()
    wanted = torch.zeros_like(V)
    for b, t in itertools.product(range(2), range(9)):
        seen = range(t + 1 if causal else 9)
        scores = torch.stack([Q[b, t] @ K[b, s] / math.sqrt(8) - 2**-8 * abs(t - s) for s in seen])
        wanted[b, t] = sum(w * V[b, s] for w, s in zip(scores.softmax(0), seen))
    assert torch.allclose(alibi.alibi_attention(Q, K, V, n_heads=1, causal=causal), wanted, atol=1e-5)
    assert alibi.slopes(8).tolist() == [2**-n for n in range(1, 9)]  # the paper's example
    assert alibi.NoPositions(4, 6)(torch.tensor([0, 7, 5000])).tolist() == [[0.0] * 6] * 3


@pytest.mark.parametrize("causal", [False, True])
def test_talking_heads_start_as_the_baseline_and_mix_scores_and_weights_of_the_heads(causal):
    Q, K, V = drawn()
    mixed = talking.TalkingHeads(2)
    plain = merged(F.scaled_dot_product_attention(*heads(2, Q, K, V), is_causal=causal))
    assert torch.allclose(mixed(Q, K, V, n_heads=2, causal=causal), plain, atol=1e-6)
    before, after = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([[0.5, 1.0], [-1.0, 2.0]])
    mixed.before.data, mixed.after.data = before, after
    q, k, v = heads(2, Q, K, V)
    scores = [q[:, h] @ k[:, h].transpose(-2, -1) / 2 for h in range(2)]
    mask = torch.ones(9, 9).tril() == 0 if causal else torch.zeros(9, 9, dtype=torch.bool)
    weights = [(row[0] * scores[0] + row[1] * scores[1]).masked_fill(mask, -math.inf).softmax(-1) for row in before]
    wanted = torch.cat([(row[0] * weights[0] + row[1] * weights[1]) @ v[:, h] for h, row in enumerate(after)], dim=-1)
    assert torch.allclose(mixed(Q, K, V, n_heads=2, causal=causal), wanted, atol=1e-5)


def test_the_gates_make_all_four_combinations_with_the_baseline_and_the_attention_free_transformer():
    Q, K, V = drawn()
    plain = merged(F.scaled_dot_product_attention(*heads(2, Q, K, V), is_causal=True))
    assert torch.allclose(gating.gated_attention(Q, K, V, n_heads=2), Q.sigmoid() * plain, atol=1e-6)
    assert torch.allclose(gating.ungated_aft(Q, K, V) * Q.sigmoid(), aft.aft_simple(Q, K, V))


# Pairs


def spied(monkeypatch):
    """Every run's initial weights, batches and dropout masks are noted: variant -> {"start", "batches", "dropped"}."""
    seen, now = {}, []
    step, dropout = trial.Trainer.step, F.dropout

    def stepped(self, x, y):
        notes = now[-1]
        notes.setdefault("start", {k: v.clone() for k, v in self.model.state_dict().items()})
        notes.setdefault("batches", []).append(x.tolist())
        step(self, x, y)

    def dropped(input, p=0.5, training=True, inplace=False):
        out = dropout(input, p, training, inplace)
        if training:
            now[-1].setdefault("dropped", []).append(
                (out == 0).sum().item() if out.shape[-1] != 48 else (out == 0)[0, 0].tolist()
            )
        return out

    monkeypatch.setattr(trial.Trainer, "step", stepped)
    monkeypatch.setattr(F, "dropout", dropped)

    def train(variant, seed=1):
        now.append(seen.setdefault((variant.name, seed), {}))
        trial.train_and_measure(variant, seed, Text(LINES, LINES[:3], [], "a test"), VOCABULARY, BUDGET, lambda: None)
        return seen[variant.name, seed]

    return train


def differing_starts(variant, mine, base) -> list[str]:
    """The weights that both models have and that do not start from the same values, but for projections that are one layer."""
    common = [k for k in mine if k in base and mine[k].shape == base[k].shape]
    assert len(common) > 30, variant.name
    own = ("W_K", "W_V") if variant.name.startswith("sharing") else ()
    return [k for k in common if not torch.equal(mine[k], base[k]) and not any(part in k for part in own)]


@pytest.mark.many(of=7)
@pytest.mark.parametrize("variant", run.VARIANTS[1:], ids=lambda v: v.name)
def test_runs_with_one_seed_share_batches_dropout_and_every_weight_that_the_baseline_has_too(monkeypatch, variant):
    train = spied(monkeypatch)
    base, mine = train(run.VARIANTS[0]), train(variant)
    assert variant.train_length or mine["batches"] == base["batches"]
    assert (mine["dropped"] == base["dropped"]) == (not variant.luck)
    assert differing_starts(variant, mine["start"], base["start"]) == []


def test_runs_with_other_seeds_differ_in_batches_and_dropout(monkeypatch):
    train = spied(monkeypatch)
    base, other = train(run.VARIANTS[0]), train(run.VARIANTS[0], seed=2)
    assert other["batches"] != base["batches"] and other["dropped"] != base["dropped"]


def test_a_paired_difference_is_that_of_runs_with_the_same_seed_and_noise_is_what_model_and_seed_leave():
    def made(name, *values, leak=0.0):
        return [{"seed": s, "variant": name, "dev": {"per_token": v}, "leak": leak} for s, v in values]

    base = made(BASE, (1, 50.0), (2, 100.0), (3, 200.0))
    mine = made("b", (3, 202.0), (1, 51.0), (2, 103.0))  # +1, +2, +3 %: variance 1
    other = made("c", (1, 48.5), (2, 100.0), (3, 206.0))  # -3, 0, +3 %: variance 9
    cheat = made("d", (1, 5.0), (2, 50.0), (3, 20.0), leak=9.0)
    found = figures.paired(mine, base)
    assert found == pytest.approx((2, 1, 3)) and figures.percent(found) == "+2.0 % (+1.0 … +3.0)"
    assert figures.percent(figures.paired(other[:1], base)) == "−3.0 %"
    half, freedom = figures.noise(figures.by_variant(base + mine + other + cheat), [BASE, "b", "c"])
    # Without the means of models (0, 2, 0) and of seeds (-1, 1/3, 2/3 from that of all)
    # remain 1, -1/3, -2/3; 1, 2/3, -5/3; -2, -1/3, 7/3.
    assert freedom == 4 and half == pytest.approx(2.776 * math.sqrt(46 / 3 / 4 / 3), abs=0.01)
    assert math.isnan(figures.noise(figures.by_variant(base[:1] + mine[1:2]), [BASE, "b"])[0])


@pytest.mark.parametrize("seeds", [2, 5])
def test_the_interval_of_a_difference_from_two_baselines_holds_the_truth_19_times_in_20(seeds):
    draw = random.Random(seeds)
    names = [*figures.BASELINES, *"abcdefghijklmnop"]

    def once() -> list[bool]:
        luck = [draw.gauss(0, 3) for _ in range(seeds)]  # of a seed, for all models
        runs = [
            {"seed": s, "variant": name, "dev": {"per_token": 80 * (1 + (luck[s] + draw.gauss(0, 0.6)) / 100)}}
            for name in names
            for s in range(seeds)
        ]
        grouped = figures.by_variant(runs)
        half = figures.of_difference(figures.noise(grouped, names)[0], len(figures.BASELINES))
        base = figures.baselines(grouped)
        return [abs(figures.paired(grouped[name], base).mean) <= half for name in names[2:]]

    held = [inside for _ in range(150) for inside in once()]
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.025)


def test_a_baseline_is_compared_with_the_mean_of_both_and_each_is_as_far_from_it():
    def made(name, value):
        return [{"seed": 1, "variant": name, "dev": {"per_token": value}}]

    grouped = figures.by_variant([run for name, value in zip(figures.BASELINES, (99.0, 101.0)) for run in made(name, value)])
    found = [figures.paired(runs, figures.baselines(grouped)).mean for runs in grouped.values()]
    assert found == pytest.approx([-1, 1])


@pytest.mark.parametrize("freedom, point", [(4, 2.776), (10, 2.228), (20, 2.086), (80, 1.990)])
def test_students_point_is_the_tables(freedom, point):
    assert figures.student(freedom) == pytest.approx(point, abs=0.01)


@pytest.mark.parametrize("count", [1, 7, 40, 41, 79, 80, 657, 1316])
def test_a_curve_tells_how_many_batches_there_were(count):
    assert figures.batches({"curve": trial.thinned([1.0] * count)}) == count


def test_a_figure_is_printed_with_the_decimals_that_show_on_which_side_of_the_bound_it_is():
    near = figures.Difference(-1.038, -1.04, -1.036)
    assert figures.percent(near, figures.digits(near.mean, 0.972)) == "−1.04 % (−1.04 … −1.04)"
    assert [figures.digits(value, 1.0) for value in (1.2, -1.04, 1.004)] == [1, 2, 3]


def test_the_last_stretch_of_a_curve_is_drawn_only_if_it_is_a_mean_over_half_as_many_batches_as_the_others():
    kept = {count: len(report.whole_stretches(trial.thinned([1.0] * count))) for count in (657, 40 * 16 + 8, 640, 1)}
    assert kept == {657: 41, 648: 41, 640: 40, 1: 1}


def test_the_tokens_beyond_a_position_are_counted_with_the_end_of_the_sentence():
    assert run.beyond([["a"] * 24, ["a"] * 23, ["a"] * 30], 24) == {"sentences": 2, "tokens": 1 + 7}


def test_without_rounds_the_times_of_a_file_are_kept_and_the_residuals_made_again(tmp_path):
    path = tmp_path / "cost.json"
    times = {"batch": 32, "batch_milliseconds": {"baseline": 9.5}, "milliseconds": {"32": {"fused": 0.5}}}
    kept = {"features": 1, "threads": 1, "rounds": 7, **times}
    path.write_text(json.dumps({**kept, "residuals": {}}))
    result = CliRunner().invoke(cost.main, ["--rounds", "0", "--output", str(path)])
    assert result.exit_code == 0, result.output
    made = json.loads(path.read_text())
    assert {key: made[key] for key in kept} == kept and made["residuals"] == cost.residuals()


def test_what_is_left_of_a_new_wave_is_no_matter_of_rounding(monkeypatch):
    found = cost.residuals()
    monkeypatch.setattr(cost, "Sinusoids", RoundedWaves)
    rounded = cost.residuals()
    for t, each in found.items():
        assert each["coefficient"] < 100 and each["rest"] == pytest.approx(rounded[t]["rest"], rel=0.01)


class RoundedWaves:
    """Sinusoids that stay in single precision."""

    def __init__(self, **sizes):
        self.waves = positions.Sinusoids(**sizes)
        self.volume = self.waves.volume.double()

    def double(self):
        return self

    def __call__(self, at):
        return self.waves(at).double()


def test_a_leak_is_printed_as_measured_however_small():
    assert [figures.leak([{"leak": x}]) for x in (0.0, 3e-4, 9.21)] == ["0", "0.0003", "9.2"]


# The runner


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / f"1b_benchmark.{split}.tokens").write_text("\n".join(" ".join(line) for line in LINES))
    return tmp_path


def experiments(folder, *arguments, output: str = "out"):
    return CliRunner().invoke(run.main, ["--folder", str(folder), "--output", str(folder / output), *arguments])


@pytest.mark.slow
def test_every_variant_runs_and_appears_in_the_table_and_plots(folder):
    result = experiments(folder, "--quick")
    assert result.exit_code == 0, result.output
    assert f"{len(run.VARIANTS)} runs of 1 epochs" in result.output.replace("\n", " ")
    assert re.search(r"about \d+ minutes", result.output) and re.search(r"runs took [\d.]+ minutes", result.output)
    made = json.loads((folder / "out" / "quick" / "results.json").read_text())
    assert [r["variant"] for r in made["runs"]] == [v.name for v in run.VARIANTS] and made["text"]["unknown"]["dev"] == 0
    table = (folder / "out" / "quick" / "table.md").read_text()
    assert all(f"| {v.name} |" in table for v in run.VARIANTS)
    assert all((folder / "out" / "quick" / name).stat().st_size > 5000 for name in ("perplexity.png", "curves.png"))


def test_an_unknown_variant_is_a_one_line_error_that_lists_the_known_ones(folder):
    result = experiments(folder, "--only", "rotary")
    assert result.exit_code == 2 and "no variant is called 'rotary'; there are: baseline, baseline, other" in result.output


def test_a_missing_data_file_is_a_one_line_error(folder):
    (folder / "1b_benchmark.dev.tokens").unlink()
    result = experiments(folder, *TINY)
    assert result.exit_code == 1 and result.output.startswith("Error: 1b_benchmark.dev.tokens is missing")


@pytest.mark.slow
def test_a_stopped_experiment_resumes_after_the_last_finished_run_with_the_same_figures(folder, monkeypatch):
    whole = experiments(folder, *TINY, output="whole")
    assert whole.exit_code == 0
    original = run.train_and_measure

    def stopped(variant, *rest):
        if variant.name != "baseline":
            raise KeyboardInterrupt
        return original(variant, *rest)

    monkeypatch.setattr(run, "train_and_measure", stopped)
    first = experiments(folder, *TINY)
    assert first.exit_code == 130 and "stopped: 1 runs are kept" in first.output
    monkeypatch.setattr(run, "train_and_measure", original)
    second = experiments(folder, *TINY)
    assert "1 runs of 1 epochs (quick budget, 1 are already done)" in " ".join(second.output.split())

    def figures(output):
        runs = json.loads((folder / output / "quick" / "results.json").read_text())["runs"]
        return [{k: v for k, v in r.items() if "seconds" not in k} for r in runs]

    assert figures("out") == figures("whole")


def test_a_half_written_or_foreign_result_is_never_mistaken_for_a_finished_one(tmp_path):
    variant, path = run.VARIANTS[0], tmp_path / "r.json"
    text = Text(LINES, LINES[:7], [], "a test")
    result = trial.train_and_measure(variant, 1, text, VOCABULARY, BUDGET, lambda: None)
    run.write_result(path, result)
    assert run.read_result(path, BUDGET, "a test")["dev"] == result["dev"]
    assert run.read_result(path, run.QUICK, "a test") is None and run.read_result(path, BUDGET, "another text") is None
    path.write_text(path.read_text()[:-30])
    assert run.read_result(path, BUDGET, "a test") is None


def test_a_variant_trained_on_short_sentences_sees_no_later_position():
    variant = next(v for v in run.VARIANTS if v.train_length)
    long = [["a"] * 60] * 9
    assert Sentences(long, VOCABULARY, variant.train_length).ids.shape[1] == positions.SHORT + 1


@pytest.mark.slow
def test_processes_with_other_seeds_share_the_work_and_the_report_takes_complete_seeds_only(folder, monkeypatch):
    monkeypatch.setattr(run, "QUICK", trial.Budget("quick", epochs=0.1, seeds=(1, 2), batch_size=8))
    assert experiments(folder, *TINY, "--seed", "1").exit_code == 0
    place = folder / "out" / "quick"
    assert [r["seed"] for r in json.loads((place / "results.json").read_text())["runs"]] == [1, 1]
    second = experiments(folder, *TINY)
    assert "2 already done" in " ".join(second.output.split()).replace(" are", "")
    (place / "sharing--q-k-v.2.json").unlink()
    monkeypatch.setattr(run, "run_all", lambda *_: None)
    assert experiments(folder, *TINY).exit_code == 0
    assert [r["seed"] for r in json.loads((place / "results.json").read_text())["runs"]] == [1, 1]


def test_each_curve_is_compared_with_one_of_the_same_task_only():
    panels = {}

    class Axis:
        def __getattr__(self, name):
            return lambda *a, **k: None

        def plot(self, x, y, **style):
            self.__dict__["drawn"] = y[0]

        def set_title(self, name, **_):
            panels[name] = self.drawn

    axes = SimpleNamespace(flat=[Axis() for _ in range(2 * len(run.VARIANTS))])
    plt = SimpleNamespace(subplots=lambda *a, **k: (Axis(), axes))
    numbers = {v.name: 100.0 * i for i, v in enumerate(run.VARIANTS)}
    report.plot_curves(plt, [(v, [{"curve": [[1, numbers[v.name]]]}]) for v in run.VARIANTS], {})
    assert len(panels) == len(run.VARIANTS)
    first = {name.removesuffix(": loss") for name in panels if name.endswith(": loss")}
    assert first == {"baseline", "positions: learned, short", "masking: zero after softmax"}
    assert all(panels[f"{name}: loss"] == numbers[name] for name in first)
    for variant in run.VARIANTS:
        rival = "positions: learned, short" if variant.train_length else "baseline"
        title = variant.name + (f"\nminus {rival}" if variant.train_length else "")
        assert variant.name in first or panels[title] == numbers[variant.name] - numbers[rival]
