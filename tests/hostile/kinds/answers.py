"""Answers that are no answers: frames of a worker that has taken over the pipe, and calls of right helpers that cost much."""

from __future__ import annotations

from hostile.case import S1, S2, Hostile, function

TAKEOVER = """
import json, os, struct, sys
frame = sys._getframe()
while type(frame.f_locals.get("self")).__name__ != "Child":
    frame = frame.f_back
child = frame.f_locals["self"]
def forged(id):
    text, blob = {made}
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<II", 4 + len(text) + len(blob), len(text)) + text + blob
def array(entry, data=b""):
    header = json.dumps({{"0": entry}}).encode()
    return struct.pack("<Q", len(header)) + header + data
def exactly(count):
    got = b""
    while len(got) < count:
        more = child.sock.recv(count - len(got))
        if not more: os._exit(0)
        got += more
    return got
id = child.request
child.sock.settimeout(None)
while True:
    child.sock.sendall(forged(id))
    body = exactly(struct.unpack("<I", exactly(4))[0])
    id = json.loads(body[4:4 + struct.unpack("<I", body[:4])[0]])["id"]
"""


def forging(name: str, made: str) -> Hostile:
    """pairwise_similarities answers this and every later request with a frame; ``made``: (JSON text, bytes of arrays)."""
    files = function(TAKEOVER.format(made=made), "pairwise_similarities")
    return Hostile("frames", name, files, frozenset({"2.1.pairwise_similarities"}), seconds=40.0)


def saying(name: str, answer: str) -> Hostile:
    """The same, for an answer in JSON."""
    return forging(name, f"f'{{{{\"id\":{{id}},\"ok\":' + {answer} + '}}', b''")


def asking(name: str, question: str, broken: str = "make_causal_mask", body: str = "return torch.zeros(3, 3)") -> Hostile:
    """A broken helper, which the judge replaces, and a self_attention that asks for more than it needs, then answers right."""
    head = "    B, n_tok, n_embd = Q.shape\n"
    assert head in S2
    asked = f"    try:\n        {question}\n    except Exception:\n        pass\n"
    files = {"A2S1.py": S1, "A2S2.py": function(body, broken)["A2S2.py"].replace(head, head + asked)}
    return Hostile("helpers", name, files, frozenset({f"2.1.{broken}"}), seconds=40.0)


ENTRY = "{'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}"
OK_ARRAY = 'f\'{{"id":{id},"ok":{{"$array":"0"}}}}\''
CASES = [
    saying("a frame of empty lists", "'[' + '[],' * 13_000_000 + '[]]'"),
    saying("a frame of empty dicts", "'[' + '{},' * 13_000_000 + '{}]'"),
    saying("a frame of small numbers", "'[' + '1,' * 15_000_000 + '1]'"),
    saying("a frame of keys", "'{' + ','.join(f'\"{n}\":1' for n in range(1_000_000)) + '}'"),
    saying("a frame of depth", "'[' * 1_000_000 + ']' * 1_000_000"),
    saying("a number of 400 digits", "'1' + '0' * 400"),
    saying("a number of millions of digits", "'1' + '0' * 5_000_000"),
    saying("a number that is infinite", "'1e999'"),
    saying("half of a surrogate pair", "'\"' + chr(92) + 'ud83d\"'"),
    saying("a ragged tree", "'[[1],[1,[2,3]],[[]]]'"),
    saying("an object without a name", "'{\"$object\":[1]}'"),
    saying("an object named by an object", '\'{"$object":{"$object":"ellipsis"}}\''),
    saying("the same key twice", '\'{"$object":"int","$object":"str"}\''),
    forging(
        "an array a thousand times",
        'f\'{{"id":{id},"ok":[\' + \'{"$array":"0"},\' * 1000 + \'1]}\', array(' + ENTRY + ", bytes(4))",
    ),
    forging(
        "an array that its bytes do not fill",
        OK_ARRAY + ", array({'dtype': 'F32', 'shape': [9], 'data_offsets': [0, 4]}, bytes(4))",
    ),
    forging(
        "an empty array of a huge width",
        OK_ARRAY + ", array({'dtype': 'F64', 'shape': [0, 10**9, 10**9], 'data_offsets': [0, 0]})",
    ),
    forging(
        "an array of 30 million bytes",
        OK_ARRAY + ", array({'dtype': 'U8', 'shape': [30 * 10**6], 'data_offsets': [0, 30 * 10**6]}, bytes(30 * 10**6))",
    ),
    forging("a header that is as long as memory", OK_ARRAY + ", struct.pack('<Q', 1 << 62)"),
    forging("an id that is a list", "'{\"id\":[1],\"ok\":1}', b''"),
    forging(
        "an error that is a tree", 'f\'{{"id":{id},"error":{{"type":[1],"message":{{}},"where":[[1e999,1e999]]}}}}\', b\'\''
    ),
    asking("a mask of 12000 tokens", "make_causal_mask(12000)"),
    asking("a mask of minus a billion tokens", "make_causal_mask(-10**9)"),
    asking("a mask forty times", "[make_causal_mask(100) for _ in range(40)]"),
    asking(
        "a product of empty arrays",
        "pairwise_similarities(torch.zeros(20_000, 0), torch.zeros(20_000, 0))",
        "pairwise_similarities",
        "return torch.zeros(3, 3)",
    ),
    asking(
        "a product of long arrays",
        "pairwise_similarities(torch.zeros(9_000, 1), torch.zeros(9_000, 1))",
        "pairwise_similarities",
        "return torch.zeros(3, 3)",
    ),
    asking("a mask of something else", "[make_causal_mask(x) for x in ('7', None, [1, [2]], {}, 1e300, Q)]"),
]
