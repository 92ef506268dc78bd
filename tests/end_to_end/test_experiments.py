"""Each experiment does what it claims, and the runner loses nothing."""

from __future__ import annotations

import itertools
import json
import math

import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from experiments import aft, favor, positions, projections, run, sharing
from experiments.baseline import attend, heads, merged
from experiments.masking import zero_after_softmax
from experiments.similarity import SHARPNESS, cosine_attention, distance_attention
from mingpt.data import Sentences, Text, Vocabulary
from mingpt.evaluate import causality_leak
from mingpt.utils import set_seed
from torch.utils._python_dispatch import TorchDispatchMode

LINES = [line.split() for line in ["a b c a b c d", "a b", "c c c d d a", "b a", "a a b", "d c b a c", "a b c d"] * 8]
VOCABULARY = Vocabulary(LINES)
BUDGET = run.Budget("test", epochs=0.1, seeds=(1,), batch_size=8, block_size=64)
HONEST = [v for v in run.VARIANTS if not v.leaks]
TINY = ["--quick", "--only", "Q=K=V"]


def drawn(n_tok: int = 9, n_embd: int = 8, scale: float = 1.0) -> torch.Tensor:
    """Q, K, V as one tensor (3, 2, n_tok, n_embd)."""
    return scale * torch.randn(3, 2, n_tok, n_embd, generator=torch.Generator().manual_seed(5))


# What each variant computes


@pytest.mark.parametrize("variant", HONEST, ids=lambda v: v.name)
def test_no_honest_variant_sees_the_future(variant):
    set_seed(2)
    model = run.build(variant, VOCABULARY, BUDGET)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)  # far from the start, where attention hardly matters
    assert causality_leak(model) < 1e-4


def test_zeros_after_the_softmax_leak_the_future():
    set_seed(2)
    leaking = next(v for v in run.VARIANTS if v.leaks)
    model = run.build(leaking, VOCABULARY, BUDGET)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    assert causality_leak(model) > 1e-2
    weights = zero_after_softmax(*drawn()[:2], torch.eye(9, 8).expand(2, 9, 8))
    assert (weights[:, 0, 1:] == 0).all() and (weights[:, 0, 0] < 0.9).all()  # the rest of the row's 1 went to later tokens


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


def cost(function, n_tok: int) -> int:
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
    growth = cost(function, 2048) / cost(function, 1024)
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
    whole, fewer = (run.build(v, VOCABULARY, BUDGET).count_parameters() for v in (run.VARIANTS[0], variant))
    assert whole - fewer == 3 * (3 - layers) * (48 * 48 + 48)


def test_projections_with_a_hidden_layer_are_not_linear_and_relu_values_are_never_negative():
    x = torch.randn(20, 8)
    for layer in projections.networks(8):
        assert not torch.allclose(layer(2 * x) - layer(x), layer(x) - layer(0 * x), atol=1e-3)
    assert (projections.relu_values(8)[2](x) >= 0).all()


def test_each_layer_learns_its_own_attention():
    model = run.build(next(v for v in run.VARIANTS if v.name == "AFT-full"), VOCABULARY, BUDGET)
    assert len({id(block.attn.attn_fn.w) for block in model.transformer.h}) == 3


# The runner


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / f"1b_benchmark.{split}.tokens").write_text("\n".join(" ".join(line) for line in LINES))
    return tmp_path


def experiments(folder, *arguments, output: str = "out"):
    return CliRunner().invoke(run.main, ["--folder", str(folder), "--output", str(folder / output), *arguments])


def test_every_variant_runs_and_appears_in_the_table_and_plots(folder):
    result = experiments(folder, "--quick")
    assert result.exit_code == 0, result.output
    assert f"{len(run.VARIANTS)} runs of 1 epochs" in result.output.replace("\n", " ")
    table = (folder / "out" / "quick" / "table.md").read_text()
    assert all(f"| {v.name} |" in table for v in run.VARIANTS)
    assert all((folder / "out" / "quick" / name).stat().st_size > 5000 for name in ("perplexity.png", "curves.png"))


def test_an_unknown_variant_is_a_one_line_error_that_lists_the_known_ones(folder):
    result = experiments(folder, "--only", "rotary")
    assert result.exit_code == 2 and "no variant is called 'rotary'; there are: baseline, similarity: distance" in result.output


def test_a_missing_data_file_is_a_one_line_error(folder):
    (folder / "1b_benchmark.dev.tokens").unlink()
    result = experiments(folder, *TINY)
    assert result.exit_code == 1 and result.output.startswith("Error: 1b_benchmark.dev.tokens is missing")


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
        return [{k: v for k, v in r.items() if "seconds" not in k} for r in itertools.chain(*runs)]

    assert figures("out") == figures("whole")


def test_a_half_written_or_foreign_result_is_never_mistaken_for_a_finished_one(tmp_path):
    variant, path = run.VARIANTS[0], tmp_path / "r.json"
    text = Text(LINES, LINES[:7], [], "a test")
    result = run.train_and_measure(variant, 1, text, VOCABULARY, BUDGET, lambda: None)
    run.write_result(path, result)
    assert run.read_result(path, BUDGET, "a test")["dev"] == result["dev"]
    assert run.read_result(path, run.QUICK, "a test") is None and run.read_result(path, BUDGET, "another text") is None
    path.write_text(path.read_text()[:-30])
    assert run.read_result(path, BUDGET, "a test") is None


def test_a_variant_trained_on_short_sentences_sees_no_later_position():
    variant = next(v for v in run.VARIANTS if v.train_length)
    long = [["a"] * 60] * 9
    assert Sentences(long, VOCABULARY, variant.train_length).ids.shape[1] == positions.SHORT + 1
