"""The mini transformer: its text, its model and its training."""

from __future__ import annotations

import math
import sys
import types
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mingpt import data, ngram
from mingpt.data import PAD, START, STOP, UNK, Sentences, Vocabulary, load_text, pad_to_length
from mingpt.evaluate import causality_leak, evaluate_losses, perplexities
from mingpt.model import GPT, fused_attention, init_qkv_proj, load_checkpoint, save_checkpoint
from mingpt.trainer import LengthBatches, Trainer, Trimmed
from mingpt.utils import set_seed

LINES = [line.split() for line in ["a b c a b c d", "a b", "c c c d d a", "b a", "a a b", "d c b a c", "b", "a b c d"] * 6]
VOCABULARY = Vocabulary(LINES)


def small(pad: int = PAD, **changes) -> GPT:
    set_seed(1)
    config = GPT.get_default_config()
    config.vocab_size, config.block_size, config.pad_token = len(VOCABULARY), 32, pad
    config.n_layer, config.n_head, config.n_embd = 2, 2, 8
    config.merge_from_dict(changes)
    return GPT(config)


def trainer(model, dataset=None, **settings) -> Trainer:
    config = Trainer.get_default_config()
    config.merge_from_dict({"progress": False, "batch_size": 4, "device": "cpu", **settings})
    return Trainer(config, model, dataset if dataset is not None else Sentences(LINES, VOCABULARY, 16))


@pytest.fixture(scope="module")
def shipped():
    return data.shipped()


# Text


def test_the_bundled_text_is_a_megabyte_of_sentences_in_disjoint_splits(shipped):
    splits = [{" ".join(s) for s in split} for split in (shipped.train, shipped.dev, shipped.test)]
    assert sum(len(line) + 1 for split in splits for line in split) > 1_000_000
    assert not splits[0] & splits[1] and not splits[0] & splits[2] and not splits[1] & splits[2]
    assert all(len(split) > 1000 for split in splits)


def test_the_courses_own_files_are_preferred_to_the_bundled_text(tmp_path, capsys):
    for split, text in {"train": "x y\n\nz\n", "dev": "x\n"}.items():
        (tmp_path / f"1b_benchmark.{split}.tokens").write_text(text)
    text = load_text(tmp_path)
    assert (text.train, text.dev, text.test) == ([["x", "y"], ["z"]], [["x"]], [])
    assert capsys.readouterr().out == "the course's One Billion Word subset: 2 / 1 / 0 sentences (train / dev / test)\n"


def test_a_missing_course_file_is_a_one_line_error(tmp_path):
    (tmp_path / "1b_benchmark.train.tokens").write_text("x\n")
    with pytest.raises(ValueError, match=r"^1b_benchmark\.dev\.tokens is missing: .*$"):
        load_text(tmp_path)


class Rows(dict):
    """What a hub's split looks like: columns by name."""

    column_names = property(list)


def hub(monkeypatch, answer) -> None:
    def load_dataset(name):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))


def test_a_hub_data_set_without_a_dev_split_gets_a_disjoint_one(monkeypatch, tmp_path):
    hub(monkeypatch, {"train": Rows(text=[f"Word {i % 40}, don't!" for i in range(60)])})
    text = load_text(tmp_path, hub="some/text")
    train, dev, test = ({" ".join(s) for s in split} for split in (text.train, text.dev, text.test))
    assert dev and test and not train & dev and not train & test and not dev & test
    assert text.train[0][-3:] == [",", "don't", "!"]


@pytest.mark.parametrize(
    "answer, says",
    [
        (ConnectionError("offline"), "the hub did not provide 'some/text'"),
        ({"train": Rows(body=["x"])}, "some/text has no column 'text'; it has body"),
    ],
)
def test_an_unusable_hub_is_a_one_line_error(monkeypatch, tmp_path, answer, says):
    hub(monkeypatch, answer)
    with pytest.raises(ValueError, match=says) as error:
        load_text(tmp_path, hub="some/text")
    assert "\n" not in str(error.value)


def test_words_seen_three_times_get_an_id_and_rare_ones_are_unknown():
    vocabulary = Vocabulary([["b", "a", "a"], ["a", "b", "b", "rare", "<PAD>"]])
    assert vocabulary.types == ["<START>", "<STOP>", "<UNK>", "<PAD>", "a", "b"]
    assert vocabulary.tokenize("a rare b") == [START, 4, UNK, 5, STOP]


@given(st.lists(st.sampled_from("abcd"), max_size=20), st.integers(1, 40))
def test_decoding_inverts_tokenizing_and_padding_has_the_requested_length(words, length):
    ids = VOCABULARY.tokenize(words)
    assert VOCABULARY.decode(ids) == VOCABULARY.decode(pad_to_length(ids, 40)) == " ".join(words)
    assert len(pad_to_length(ids, length)) == length and pad_to_length(ids, length)[: len(ids)] == ids[:length]


# Model


def test_the_model_computes_with_the_students_functions():
    made, seen = [], []

    def attn_init_fn(n_embd):
        made.append(n_embd)
        return init_qkv_proj(n_embd)

    def attn_fn(Q, K, V, n_heads, causal):
        seen.append((tuple(Q.shape), n_heads, causal))
        return V

    small(attn_init_fn=attn_init_fn, attn_fn=attn_fn)(torch.tensor([[4, 5, 6]]))
    assert made == [8, 8] and seen == [((1, 3, 8), 2, True)] * 2


def test_attention_gives_zeros_where_there_is_no_token():
    model, seen = small(attn_fn=lambda Q, K, V, n_heads, causal: torch.ones_like(V)), []
    for block in model.transformer.h:
        block.attn.c_proj.register_forward_pre_hook(lambda _, args: seen.append(args[0].abs().sum(-1)))
    model(torch.tensor([[4, 5, PAD, PAD]]))
    assert all(((y > 0) == torch.tensor([[True, True, False, False]])).all() for y in seen)


@pytest.mark.parametrize("pad", [PAD, -1])
def test_the_cheap_loss_and_its_gradient_equal_those_of_the_full_logits(pad):
    model = small(pad).eval()
    rows = Sentences(LINES[:8], VOCABULARY, 16)
    x, y = (torch.stack(part).masked_fill(torch.stack(part) == PAD, pad) for part in zip(*rows))
    full = model(x, y)[1]
    wanted = torch.autograd.grad(full, list(model.parameters()))
    cheap = model.loss(*Trimmed(pad)(list(zip(x, y))))
    assert torch.allclose(cheap, full, atol=1e-6)
    for a, b in zip(torch.autograd.grad(cheap, list(model.parameters())), wanted):
        assert torch.allclose(a, b, atol=1e-6)


def test_forward_returns_full_logits_and_no_loss_without_targets():
    logits, loss = small()(torch.tensor([[4, 5, 6]]))
    assert logits.shape == (1, 3, len(VOCABULARY)) and loss is None


def test_no_token_sees_a_later_one():
    assert causality_leak(small()) < 1e-5
    leaky = small(attn_fn=lambda Q, K, V, n_heads, causal: fused_attention(Q, K, V, n_heads, causal=False))
    assert causality_leak(leaky) > 1e-3


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"model_type": "gpt-huge", "n_layer": None}, "model_type 'gpt-huge' is unknown; use one of gpt2,"),
        ({"n_head": 3}, "n_embd=8 cannot be split into n_head=3"),
        ({"vocab_size": None}, "set config.vocab_size"),
    ],
)
def test_an_invalid_configuration_is_a_one_line_error(changes, says):
    with pytest.raises(ValueError, match=says):
        small(**changes)


def test_a_sequence_longer_than_block_size_is_a_one_line_error():
    with pytest.raises(ValueError, match=r"^a sequence of 33 tokens does not fit into block_size=32: .*$"):
        small()(torch.full((1, 33), 4))


def test_sampling_from_the_single_likeliest_token_is_greedy_and_text_may_outgrow_block_size():
    model, start = small(), torch.tensor([[START]])
    greedy = model.generate(start, 40)
    assert greedy.shape == (1, 41) and torch.equal(greedy, model.generate(start, 40, do_sample=True, top_k=1))
    torch.manual_seed(0)
    assert len(set(model.generate(start, 30, do_sample=True)[0].tolist())) > 2
    assert model.training


def test_a_checkpoint_of_another_vocabulary_or_model_is_refused_and_changes_nothing(tmp_path):
    model, path = small(), tmp_path / "model.pt"
    save_checkpoint(model, VOCABULARY.types, path)
    other = small(n_embd=16)
    before = {k: v.clone() for k, v in other.state_dict().items()}
    with pytest.raises(ValueError, match="holds another model"):
        load_checkpoint(other, VOCABULARY.types, path)
    with pytest.raises(ValueError, match="another vocabulary: 8 types there, 7 here, the first difference at id 7"):
        load_checkpoint(other, VOCABULARY.types[:-1], path)
    with pytest.raises(ValueError, match="there is no checkpoint"):
        load_checkpoint(other, VOCABULARY.types, tmp_path / "none.pt")
    assert all(torch.equal(v, before[k]) for k, v in other.state_dict().items())
    twin = small()
    torch.nn.init.ones_(twin.lm_head.weight)
    load_checkpoint(twin, VOCABULARY.types, path)
    assert torch.equal(twin.lm_head.weight, model.lm_head.weight)


# Training


@given(st.lists(st.integers(1, 90), min_size=1, max_size=300), st.integers(1, 40))
def test_an_epoch_visits_every_sentence_once_in_about_as_many_batches(lengths, batch_size):
    sampler = LengthBatches(lengths, batch_size)
    cut = list(sampler)
    assert sorted(i for batch in cut for i in batch) == list(range(len(lengths)))
    assert all(cut) and len(cut) <= len(sampler)


def test_batches_are_mostly_tokens(shipped):
    set_seed(0)
    vocabulary = Vocabulary(shipped.train[:2000])
    work = trainer(small(vocab_size=len(vocabulary)), Sentences(shipped.train[:2000], vocabulary), batch_size=32)
    real = whole = 0
    for _, y in work.loader():
        real, whole = real + int((y != PAD).sum()), whole + y.numel()
    assert real / whole > 0.75


def test_the_same_seed_trains_the_same_model():
    def weights():
        model = small()
        trainer(model, max_iters=8).run()
        return model.state_dict()

    first, second = weights(), weights()
    assert all(torch.equal(first[k], second[k]) for k in first)


def test_training_beats_counting_on_sentences_with_a_pattern():
    lines = [list("abcd" * n) for n in (1, 2, 3)] * 20  # every bigram but the last is certain
    model = small()
    trainer(model, Sentences(lines, VOCABULARY, 16), epochs=20, learning_rate=1e-2, schedule="cosine").run()
    measured = perplexities(*evaluate_losses(model, Sentences(lines, VOCABULARY, 16)))
    assert measured["per_token"] < ngram.baselines(lines, lines, VOCABULARY)["unigram"] / 2


def test_losses_are_in_the_order_of_the_data_set():
    model, rows = small().eval(), Sentences(LINES[:8], VOCABULARY, 16)
    sums, lengths = evaluate_losses(model, rows)
    for (x, y), loss, n in zip(rows, sums, lengths):
        assert int(n) == int((y != PAD).sum())
        assert loss == pytest.approx(float(model(x[None], y[None])[1].detach() * n), abs=1e-4)


def test_perplexity_per_token_and_per_sentence_differ_as_documented():
    measured = perplexities(torch.tensor([math.log(2.0), 3 * math.log(8.0)]), torch.tensor([1, 3]))
    assert measured["per_token"] == pytest.approx(2 ** (10 / 4)) and measured["per_sentence"] == pytest.approx(5)


def test_interrupting_training_keeps_what_was_learned(capsys):
    model = small()
    before = model.lm_head.weight.detach().clone()
    work = trainer(model, max_iters=50)

    def stop(t):
        if t.iter_num == 3:
            raise KeyboardInterrupt

    work.set_callback("on_batch_end", stop)
    work.run()
    assert capsys.readouterr().out == "stopped after 3 of 50 batches; the model keeps what it has learned\n"
    assert not torch.equal(model.lm_head.weight, before)


def test_the_trainer_reports_its_device(capsys):
    trainer(small(), max_iters=1, progress=True, device="auto").run()
    assert capsys.readouterr().out == f"running on device {'cuda' if torch.cuda.is_available() else 'cpu'}\n"


def test_a_notebook_written_for_the_courses_fork_runs_unchanged(capsys):
    script = """
from torch.utils.data import Dataset
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import set_seed
set_seed(3407)

class SentenceDataset(Dataset):
    def __init__(self, rows):
        self.rows = rows
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, i):
        x = torch.tensor(self.rows[i][:-1], dtype=torch.long)
        y = torch.tensor(self.rows[i][1:], dtype=torch.long)
        return x, y

model_config = GPT.get_default_config()
model_config.model_type = 'gpt-nano'
model_config.vocab_size = 8
model_config.block_size = 1024
model_config.pad_token = 3
model_config.attn_init_fn = init_qkv_proj
model_config.attn_fn = self_attention
model = GPT(model_config)
train_config = Trainer.get_default_config()
train_config.learning_rate = 5e-4
train_config.max_iters = 6
train_config.batch_size = 4
train_config.num_workers = 0
trainer = Trainer(train_config, model, SentenceDataset(rows))
losses = []
def batch_end_callback(trainer):
    losses.append(trainer.loss.item())
    if trainer.iter_num % 3 == 0:
        print(f"iter_dt {trainer.iter_dt * 1000:.2f}ms; iter {trainer.iter_num}: train loss {trainer.loss.item():.5f}")
trainer.set_callback('on_batch_end', batch_end_callback)
trainer.run()
model.eval()
with torch.no_grad():
    logits, loss = model(torch.tensor([rows[0][:-1]]).to(trainer.device), torch.tensor([rows[0][1:]]).to(trainer.device))
cat = model.generate(torch.tensor([[0]]).to(trainer.device), 20, temperature=1.0, do_sample=True, top_k=40)[0]
"""
    rows = [pad_to_length(VOCABULARY.tokenize(line), 17) for line in LINES]
    names = {"torch": torch, "rows": rows, "init_qkv_proj": init_qkv_proj, "self_attention": fused_attention}
    exec(script, names)
    assert len(names["losses"]) == 6 and names["logits"].shape == (1, 16, 8) and names["cat"].shape == (21,)
    assert capsys.readouterr().out.count("iter_dt") == 2


# Counting


@pytest.mark.parametrize("model", [lambda g: g.unigram, lambda g: g.bigram(0.7), lambda g: g.kneser_ney(0.75)])
def test_ngram_predictions_sum_to_one_after_every_word(model):
    grams = ngram.NGrams(LINES, VOCABULARY)
    predicted = [i for i in range(len(VOCABULARY)) if i not in (START, PAD)]
    for u in [i for i in range(len(VOCABULARY)) if grams.after[i]]:
        assert sum(model(grams)(u, w) for w in predicted) == pytest.approx(1)


def test_the_discount_is_the_best_of_the_grid():
    best = ngram.baselines(LINES, LINES[:5], VOCABULARY)["Kneser-Ney bigram"]
    counted = Counter(ngram.pairs(LINES[:5], VOCABULARY))
    tried = [ngram.perplexity(ngram.NGrams(LINES, VOCABULARY).kneser_ney(d), counted) for d in ngram.GRID]
    assert best == min(tried)
