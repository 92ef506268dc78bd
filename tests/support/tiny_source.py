"""A tiny source of a model and data for section 3, of the form that ``sst2`` takes."""

import json
from pathlib import Path

GOOD, BAD = ("splendid", "moving", "delightful"), ("dull", "clumsy", "tedious")
NOUNS = ("film", "plot", "cast", "ending", "score", "script", "drama")


def rows(count, start=0):
    words = [(adjective, label) for pair in zip(GOOD, BAD) for adjective, label in zip(pair, (1, 0))]
    return [
        {"text": f"a {' '.join([words[i % 6][0]] * (1 + i % 3))} {NOUNS[i % 7]}, take {i}", "label": words[i % 6][1]}
        for i in range(start, start + count)
    ]


def make_source(folder: Path) -> Path:
    """A tiny source of the same form: a RoBERTa with random weights, a freshly trained tokenizer, forty sentences."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForSequenceClassification, RobertaTokenizerFast

    (folder / "reviews").mkdir()
    for split, data in {"train": rows(24), "validation": rows(10, 24), "test": rows(6, 34)}.items():
        (folder / "reviews" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in data))
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        (row["text"] for row in rows(40)), vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    )
    bpe.save_model(str(folder))
    tokenizer = RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=512)
    tokenizer.save_pretrained(folder / "encoder")
    config = RobertaConfig(
        vocab_size=400,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=514,
    )
    RobertaForSequenceClassification(config).save_pretrained(folder / "encoder")
    return folder
