"""What does for the notebook's own calls, and not for the next batch or a longer sequence, is told as just that."""

import re

import pytest

from support.world.kind import S2, S3, changed

LONGER = {
    "a buffer": "BUFFER = torch.ones(32, 32).tril()\ndef make_causal_mask(n_tok):\n    return BUFFER[:n_tok, :n_tok]\n",
    "the largest size tried": "def make_causal_mask(n_tok):\n    return torch.ones(20, 20).tril()[:n_tok, :n_tok]\n",
}


@pytest.mark.parametrize("code", LONGER.values(), ids=LONGER)
def test_a_mask_of_a_fixed_size_is_too_small_for_the_sequences_of_the_next_part(submit, code):
    graded = submit({"A2S2.py": f"{S2}\n{code}"})
    assert {id for id in graded.lost if id.startswith("2.1.")} == {"2.1.make_causal_mask"}
    assert "expected (60, 60)" in graded.output("2.1.make_causal_mask")


MASKED = "def apply_causal_mask(mask, A):\n    mask{} = mask == 0\n    return A.masked_fill(mask.bool(), float('-inf'))\n"
CACHED = {
    "a cache": "import functools\nmake_causal_mask = functools.lru_cache(make_causal_mask)\n",
    "a dict": "MASKS, made = {}, make_causal_mask\ndef make_causal_mask(n):\n    return MASKS.setdefault(n, made(n))\n",
}


@pytest.mark.parametrize("cache", CACHED.values(), ids=CACHED)
def test_a_mask_that_is_kept_and_changed_in_place_fails_in_the_next_batch(submit, cache):
    graded = submit({"A2S2.py": f"{S2}\n{cache}{MASKED.format('[:]')}"})
    assert "2.1.self_attention.step2" in graded.lost
    told = graded.output("2.1.self_attention.step2")
    assert "right the first time" in told and "changed in place" in told and "smallest public call" not in told
    kept = submit({"A2S2.py": f"{S2}\n{cache}{MASKED.format('')}"})
    assert not {id for id in kept.lost if id.startswith("2.1.")}


PREDICTED = 'predictions.append(model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu())'
SQUEEZED = {
    "logits": PREDICTED.replace(".logits.", ".logits.squeeze()."),
    "predictions": PREDICTED.replace(".argmax(-1)", ".argmax(-1).squeeze()"),
    "a name": f"logits = model(**batch['text_encoding']).logits\n            logits = torch.squeeze(logits)\n"
    f"            {PREDICTED.partition('(')[0]}(logits.argmax(-1))",
}


@pytest.mark.parametrize("line", SQUEEZED.values(), ids=SQUEEZED)
def test_what_fails_for_a_single_sentence_costs_the_claim_about_the_last_batch_alone(submit, line):
    graded = submit({"A2S3.py": changed(S3, (PREDICTED, line))})
    assert {id: graded.scores[id] for id in graded.lost if id.startswith("3.")} == {"3.evaluate": 2.5}
    assert "a single sentence" in graded.output("3.evaluate")


ACROSS = ["softmax(0).argmax(-1)", "softmax(dim=0).argmax(1)"]


@pytest.mark.parametrize("predicted", ACROSS)
def test_predictions_that_depend_on_the_batch_are_not_called_something_kept(submit, predicted):
    graded = submit({"A2S3.py": changed(S3, (PREDICTED, PREDICTED.replace("argmax(-1)", predicted)))})
    told = graded.output("3.evaluate")
    assert "3.evaluate" in graded.lost and "still there" not in told


FROZEN = {
    "the encoder": "for parameter in model.base_model.parameters():\n        parameter.requires_grad = False",
    "the embeddings": "model.base_model.embeddings.requires_grad_(False)",
    "all but the last bias": "[p.requires_grad_(False) for p in list(model.parameters())[:-2]]",
}


@pytest.mark.parametrize("code", FROZEN.values(), ids=FROZEN)
def test_a_frozen_part_of_the_model_costs_one_claim(submit, code):
    graded = submit({"A2S3.py": changed(S3, ("    model.train()\n", f"    model.train()\n    {code}\n"))})
    assert {id: graded.scores[id] for id in graded.lost if id.startswith("3.")} == {"3.train_one_epoch": 3}
    assert "end to end" in graded.output("3.train_one_epoch")


SAVED = 'torch.save(model.state_dict(), "checkpoints/best.pt")'
PARTS = ["model.base_model.state_dict()", "model.classifier.state_dict()", "model.roberta.encoder.state_dict()"]
PARTS += ["{k: v for k, v in model.state_dict().items() if 'classifier' in k}"]


@pytest.mark.parametrize("part", PARTS)
def test_a_checkpoint_of_a_part_of_the_model_is_called_that(submit, part):
    graded = submit({"A2S3.py": changed(S3, (SAVED, SAVED.replace("model.state_dict()", part)))})
    assert {id: graded.scores[id] for id in graded.lost if id.startswith("3.")} == {"3.main": 1.5}
    assert "a part of the model" in graded.output("3.main")


WHOLE = [
    "model.save_pretrained('checkpoints')",
    SAVED.replace("model.state_dict()", "{'state': model.state_dict(), 'epoch': epoch}"),
]


@pytest.mark.parametrize("saved", WHOLE)
def test_a_checkpoint_of_the_whole_model_keeps_its_points(submit, saved):
    graded = submit({"A2S3.py": changed(S3, (SAVED, saved))})
    assert not {id for id in graded.lost if id.startswith("3.")}


GLOBALS = (
    "query = key = value = torch.ones(1, 10, 6)\n"
    "def self_attention(Q, K, V, n_heads=1, causal=True):\n    n_tok, n_embd = query.shape[1:]\n"
    "    q, k, v = (split_heads(x, n_heads) for x in (query, key, value))\n"
    "    A = attn_scaled(pairwise_similarities(q, k), n_embd, n_heads)\n"
    "    A = apply_causal_mask(make_causal_mask(n_tok), A) if causal else A\n"
    "    return merge_heads(compute_outputs(attn_softmax(A), v))\n"
)


def test_a_composite_with_a_mistake_of_its_own_is_told_it_beside_a_broken_helper(submit):
    broken = "def split_heads(x, n_heads):\n    B, n, d = x.shape\n    return x.reshape(B, n_heads, n, d // n_heads)\n"
    told = submit({"A2S2.py": f"{S2}\n{broken}{GLOBALS}"}).output("2.1.self_attention.step3")
    assert "never uses `Q`, `K` and `V`" in told and "ask the staff" not in told


def test_similarities_are_told_where_any_short_query_would_do(submit):
    text = submit({"A2S1.py": "query131 = torch.tensor([5.0, -3.0, 2.0])\n"}).output("1.3.1")
    assert re.search("all four keys have to be nearly equal", text) and "shorter" not in text
