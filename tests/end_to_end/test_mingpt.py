"""The mini transformer: its text, its model and its training."""

from __future__ import annotations

import functools
import json
import math
import re
import sys
import types
from collections import Counter

import mingpt
import prepare_text
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mingpt import data, ngram, on_a_gpu
from mingpt.data import PAD, START, STOP, UNK, Sentences, Vocabulary, load_text, pad_to_length
from mingpt.evaluate import causality_leak, evaluate_losses, perplexities
from mingpt.model import GPT, fused_attention, init_qkv_proj, load_checkpoint, save_checkpoint
from mingpt.trainer import LengthBatches, Trainer, Trimmed
from mingpt.utils import set_seed

from support.project import ROOT

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


def hub(monkeypatch, answer) -> list[tuple]:
    """What the hub is asked for, call by call."""
    asked: list[tuple] = []

    def load_dataset(*names):
        asked.append(names)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    return asked


def test_a_hub_data_set_without_a_dev_split_gets_a_disjoint_one(monkeypatch, tmp_path):
    hub(monkeypatch, {"train": Rows(text=[f"Word {i % 40}, don't!" for i in range(60)])})
    text = load_text(tmp_path, hub="some/text")
    train, dev, test = ({" ".join(s) for s in split} for split in (text.train, text.dev, text.test))
    assert dev and test and not train & dev and not train & test and not dev & test
    assert text.train[0][-5:] == [",", "don", "'", "t", "!"]


@pytest.mark.parametrize(
    "name, asked", [("text", ("text",)), ("some/text", ("some/text",)), ("some/text/raw-v1", ("some/text", "raw-v1"))]
)
def test_a_hub_data_set_may_be_named_with_its_configuration(monkeypatch, tmp_path, name, asked):
    found = hub(monkeypatch, {"train": Rows(text=["a b c"] * 20)})
    load_text(tmp_path, hub=name)
    assert found == [asked]


@pytest.mark.parametrize(
    "line", ["God's house, the king's.", "a well-known man's Son!", "don't; it's", "'s", "O'Neill said: 'sing'"]
)
def test_a_text_from_the_hub_is_split_as_the_included_one_is(line):
    assert data.TOKEN.findall(line) == prepare_text.TOKEN.findall(line)


class Otherwise(Sentences):
    """Read sentence by sentence, as any other dataset."""


@pytest.mark.parametrize("length", [4, 16])
def test_losses_are_the_same_however_targets_are_counted(length):
    lines = [list("abc") * n for n in (1, 4, 0, 9, 2)]
    kinds = [kind(lines, VOCABULARY, length) for kind in (Sentences, Otherwise)]
    model = small()
    one, two = (evaluate_losses(model, kind, 2) for kind in kinds)
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, two))


@pytest.mark.parametrize(
    "answer, says",
    [
        (ConnectionError("off\nline"), r"the hub did not provide 'some/text' \(ConnectionError: off line\)"),
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


@pytest.mark.parametrize("newer", [True, False], ids=["this torch", "an older torch"])
@pytest.mark.parametrize("pad", [PAD, -1])
def test_the_cheap_loss_and_its_gradient_equal_those_of_the_full_logits(pad, newer, monkeypatch):
    if not newer:
        monkeypatch.delattr(torch.nn, "LinearCrossEntropyOptions")
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
    sampler = LengthBatches(torch.tensor(lengths), batch_size)
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
    assert real / whole > 0.85


def test_reading_the_lengths_draws_no_random_number():
    work = trainer(small(), Sentences([list("abc")] * 5, VOCABULARY, 16))
    before = torch.get_rng_state()
    work.loader()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_nothing_to_train_on_is_a_one_line_error(skip_padding):
    with pytest.raises(ValueError, match="nothing to train on: the dataset is empty"):
        trainer(small(), Sentences([], VOCABULARY, 16), skip_padding=skip_padding).run()


def test_the_same_seed_trains_the_same_model():
    def weights():
        model = small()
        trainer(model, max_iters=8).run()
        return model.state_dict()

    first, second = weights(), weights()
    assert all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.slow
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
    assert capsys.readouterr().out == "stopped after 4 of 50 batches; the model keeps what it has learned\n"
    assert not torch.equal(model.lm_head.weight, before)


def test_the_trainer_reports_its_device(capsys):
    trainer(small(), max_iters=1, progress=True, device="auto").run()
    assert capsys.readouterr().out == f"running on device {'cuda' if torch.cuda.is_available() else 'cpu'}\n"


def test_the_order_of_the_sentences_depends_on_the_seed_and_not_on_what_the_model_drew():
    def order(**settings):
        work = trainer(small(), max_iters=30, **settings)
        work.set_callback("on_batch_end", lambda _: torch.randn(7))  # a callback that draws
        seen, step = [], work.step
        work.step = lambda x, y: (seen.append(x.tolist()), step(x, y))
        return work, seen

    runs = []
    for draws, settings in (
        (0, {}),
        (5, {}),
        (5, {"skip_padding": False}),
        (0, {"skip_padding": False}),
        (0, {"data_seed": 9}),
    ):
        work, seen = order(**settings)
        torch.manual_seed(3)
        torch.randn(draws)
        work.run()
        runs.append(seen)
    assert runs[0] == runs[1] and runs[2] == runs[3] and runs[0] != runs[4]
    assert runs[0][:12] != runs[0][12:24]  # a new order in each epoch


# The course's own notebook, which was written for the fork

COURSE = {
    "imports": """
import time
import torch
import torch.nn as nn
import torch.nn.functional as F
from collections import Counter
from torch.utils.data import Dataset, DataLoader
from mingpt.model import GPT
from mingpt.trainer import Trainer
from mingpt.utils import set_seed
from support.project import ROOT
set_seed(3407)
""",
    "data": """
START, STOP, UNK, PAD = '<START>', '<STOP>', '<UNK>', '<PAD>'
MAX_LEN = 100
flat = lambda lists: [x for l in lists for x in l]
counts = Counter(flat(train_lines))
itos = [START, STOP, UNK, PAD] + sorted(w for w, c in counts.items() if c >= 3)
stoi = {w: i for i, w in enumerate(itos)}
def pad_to_length(ids, length=MAX_LEN):
    return (ids + [stoi[PAD]] * (length - len(ids)))[:length]
def tokenize(line, pad_to_len=MAX_LEN):
    ids = [stoi[START]] + [stoi.get(w, stoi[UNK]) for w in line] + [stoi[STOP]]
    return pad_to_length(ids, pad_to_len)
def decode(ids):
    return ' '.join(itos[i] for i in ids)

class SentenceDataset(Dataset):
    def __init__(self, lines):
        self.rows = [tokenize(line, MAX_LEN + 1) for line in lines]
    def __len__(self):
        return len(self.rows)
    def __getitem__(self, i):
        x = torch.tensor(self.rows[i][:-1], dtype=torch.long)
        y = torch.tensor(self.rows[i][1:], dtype=torch.long)
        return x, y

train_dataset = SentenceDataset(train_lines)
""",
    "model": """
config = GPT.get_default_config()
config.model_type = 'gpt-nano'
config.vocab_size = len(itos)
config.block_size = 1024
config.pad_token = stoi[PAD]
config.attn_init_fn = init_qkv_proj
config.attn_fn = self_attention
model = GPT(config)
""",
    "train": """
train_config = Trainer.get_default_config()
train_config.device = 'cuda' if torch.cuda.is_available() else 'cpu'
train_config.num_workers = 2
train_config.learning_rate = 5e-4
train_config.batch_size = 32
train_config.max_iters = len(train_dataset) // train_config.batch_size
trainer = Trainer(train_config, model, train_dataset)
losses = []
def batch_end_callback(trainer):
    if trainer.iter_num % 100 == 0:
        print(f"iter_dt {trainer.iter_dt * 1000:.2f}ms; iter {trainer.iter_num}: train loss {trainer.loss.item():.5f}")
    losses.append(trainer.loss.item())
trainer.set_callback('on_batch_end', batch_end_callback)
trainer.run()
""",
    "evaluate": """
def evaluate_losses(data, model=model, bs=32, progress=True, pad_to_len=MAX_LEN):
    model.eval()
    device = next(model.parameters()).device
    results = []
    with torch.no_grad():
        for i in range(0, len(data), bs):
            ids = torch.tensor([tokenize(line, pad_to_len + 1) for line in data[i:i + bs]], device=device)
            x, y = ids[:, :-1], ids[:, 1:]
            logits, loss = model(x, y)
            token = F.cross_entropy(logits.transpose(1, 2), y, ignore_index=stoi[PAD], reduction='none')
            results += (token.sum(1) / (y != stoi[PAD]).sum(1)).tolist()
            if progress:
                print('.', end='')
    return results

dev_losses = evaluate_losses(dev_lines)
""",
    "generate": """
prompt = torch.tensor([[stoi[START]]], device=trainer.device)
sampled = model.generate(prompt, max_new_tokens=20, temperature=1.0, do_sample=True, top_k=40)[0]
print(decode(sampled.tolist()))
""",
}


@pytest.mark.slow
def test_the_cells_of_the_courses_notebook_run_unchanged(capsys):
    names = {
        "train_lines": LINES * 140,
        "dev_lines": LINES[:8],
        "init_qkv_proj": init_qkv_proj,
        "self_attention": fused_attention,
    }
    for cell, source in COURSE.items():
        exec(compile(source, cell, "exec"), names)
    printed = capsys.readouterr().out
    assert re.findall(r"iter (\d+): train loss", printed) == ["0", "100", "200"]  # as minGPT counts
    assert len(names["losses"]) == len(names["train_dataset"]) // 32 == 210
    sums, lengths = evaluate_losses(names["model"], Sentences(LINES[:8], VOCABULARY))
    assert names["dev_losses"] == pytest.approx((sums / lengths).tolist(), rel=1e-4)  # our own evaluation says the same
    assert len(names["sampled"]) == 21


def test_the_configuration_has_every_field_of_mingpts_with_its_value_or_one_that_is_declared():
    ours = GPT.get_default_config().to_dict() | Trainer.get_default_config().to_dict()
    theirs = {
        "model_type": "gpt", "n_layer": None, "n_head": None, "n_embd": None, "vocab_size": None, "block_size": None,
        "embd_pdrop": 0.1, "resid_pdrop": 0.1, "attn_pdrop": 0.1,
        "device": "auto", "num_workers": 4, "max_iters": None, "batch_size": 64, "learning_rate": 3e-4, "betas": (0.9, 0.95),
        "weight_decay": 0.1, "grad_norm_clip": 1.0,
    }  # fmt: skip
    other = {name for name, value in theirs.items() if ours[name] != value}
    assert other == {"model_type", "attn_pdrop", "num_workers", "batch_size", "learning_rate"}
    assert all(word in mingpt.__doc__ for word in ("attn_pdrop", "model_type", "num_workers", "batch size", "learning rate"))


def test_dropout_of_the_default_attentions_weights_is_there_in_training_and_only_there():
    model, idx = small(attn_pdrop=0.5, embd_pdrop=0.0, resid_pdrop=0.0), torch.tensor([[4, 5, 6, 4, 5]])
    assert not torch.equal(model(idx)[0], model(idx)[0])
    model.eval()
    assert torch.equal(model(idx)[0], model(idx)[0])


# What is for a GPU


def test_bfloat16_trains_as_float32_does_to_its_own_precision_and_keeps_the_weights_in_float32():
    losses = {}
    for precision in ("float32", "auto", "bf16"):
        model = small()
        work = trainer(model, max_iters=25, precision=precision, learning_rate=1e-2)
        work.set_callback("on_batch_end", lambda t, p=precision: losses.setdefault(p, []).append(t.loss.item()))
        torch.manual_seed(5)
        work.run()
        assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert losses["auto"] == losses["float32"] != losses["bf16"]
    assert losses["bf16"] == pytest.approx(losses["float32"], rel=0.05)


def test_what_is_said_of_a_gpu_was_measured_on_one():
    measured = json.loads((ROOT / "solutions" / "writeup" / "section2" / "gpu.json").read_text())
    nano = {name: each["epoch"] for name, each in measured["models"]["gpt-nano"].items()}
    said = " ".join(on_a_gpu.__doc__.split())
    assert measured["device"].removeprefix("NVIDIA ") in said and f"median of {measured['rounds']}" in said
    assert (
        f"{nano['float32']:.1f} s in float32, {nano['bf16']:.1f} s in bfloat16, {nano['bf16, compiled']:.1f} s in bfloat16 and"
        in said
    )


def test_an_unknown_precision_is_a_one_line_error():
    with pytest.raises(ValueError, match=r"^precision 'fp8' is unknown; use 'auto', 'bf16' or 'float32'$"):
        trainer(small(), max_iters=1, precision="fp8").run()


@pytest.mark.slow
def test_a_compiled_model_trains_as_the_plain_one(monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))  # no C compiler is needed
    weights = []
    for wanted in (False, True):
        model = small()
        torch.manual_seed(5)
        trainer(model, max_iters=4, compile=wanted).run()
        weights.append(model.state_dict())
    assert all(torch.allclose(weights[0][k], weights[1][k], atol=1e-5) for k in weights[0])


def test_on_a_gpu_batches_are_pinned_and_copied_without_waiting(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    copied = []
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device, **how: copied.append((device, how)) or self)
    assert on_a_gpu.pinned("cuda:1") and not on_a_gpu.pinned("cpu") and not on_a_gpu.pinned("mps")
    on_a_gpu.moved("cuda", torch.zeros(1))
    on_a_gpu.moved("cpu", torch.zeros(1))
    assert copied == [("cuda", {"non_blocking": True}), ("cpu", {"non_blocking": False})]
    assert isinstance(on_a_gpu.autocast("cuda:0", "auto", 10**8), torch.autocast)
    assert isinstance(on_a_gpu.autocast("cuda:0", "bf16", 10**5), torch.autocast)
    assert not isinstance(on_a_gpu.autocast("cuda:0", "auto", 10**5), torch.autocast)  # which would be slower
    assert not isinstance(on_a_gpu.autocast("cpu", "auto", 10**8), torch.autocast)


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
