"""Kinds of section 2.1 about what its functions return besides the right numbers."""

from __future__ import annotations

from support.world.kind import S2, Kind, changed, member
from support.world.section2 import RETURNS, items, returning

IMPORTS = ("import torch, math", "import torch, math\nimport numpy as np")
OUTPUT = "    return merge_heads(compute_outputs(A, V))"
STEP3 = "2.1.self_attention.step3"


def no_tensor(name, what, expression, words):
    return member(f"{name}: {what}", returning(**{name: expression}), items(name), {f"2.1.{name}": words})


KINDS = [
    Kind(
        "a helper that returns something else than a tensor costs itself, and self_attention keeps its points",
        2,
        (
            *(no_tensor(name, "a NumPy array", "{}.numpy()", "should be a tensor") for name in RETURNS),
            *(no_tensor(name, "a list", "{}.tolist()", "a Python list") for name in ("attn_scaled", "make_causal_mask")),
            no_tensor("attn_softmax", "a tuple", "{},", "a Python tuple"),
            no_tensor("split_heads", "a list of heads", "list({})", "a Python list"),
            no_tensor("apply_causal_mask", "a dict", '{"scores": {}}', "should be a tensor"),
            no_tensor("compute_outputs", "a number", "float({}.sum())", "a Python float"),
        ),
    ),
    Kind(
        "a helper in another precision costs itself where the student's own next function cannot take it",
        2,
        (
            no_tensor("pairwise_similarities", "float64", "{}.double()", "float64, expected float32"),
            no_tensor("attn_scaled", "float64", "{}.to(torch.float64)", "float64, expected float32"),
            no_tensor("attn_softmax", "float64 for precision", "F.softmax(A.double(), dim=-1)", "float64, expected float32"),
            no_tensor("apply_causal_mask", "float64", "{}.double()", "float64, expected float32"),
            no_tensor("attn_softmax", "float16", "{}.half()", "numbers are off"),
            no_tensor("compute_outputs", "integers", "{}.long()", "numbers are off"),
            member(
                "a float64 mask that makes float64 scores",
                returning(make_causal_mask="{}.double()", apply_causal_mask="A + (1 - mask) * -1e9"),
                items("make_causal_mask"),
                {"2.1.make_causal_mask": "passes with a correct one"},
            ),
        ),
    ),
    Kind(
        "what the student's own functions and torch can work with costs nothing",
        2,
        (
            member(
                "float64 scores, cast by the next function",
                returning(attn_scaled="{}.double()", compute_outputs="A.float() @ V"),
            ),
            member("float64 at the end", returning(merge_heads="{}.double()")),
            member("float64 heads", returning(split_heads="{}.double()")),
            member("a float64 mask", returning(make_causal_mask="{}.double()")),
            member("a mask of integers", returning(make_causal_mask="{}.long()")),
            member("a mask of bytes", returning(make_causal_mask="{}.to(torch.uint8)")),
            member("a parameter", returning(attn_scaled="torch.nn.Parameter({}, requires_grad=False)")),
            member("a view", returning(pairwise_similarities="{}.transpose(-1, -2).contiguous().transpose(-1, -2)")),
            member("detached", returning(attn_softmax="{}.detach()")),
            member(
                "scaled in place",
                changed(
                    S2,
                    ("    return A / math", "    A /= math"),
                    ("n_heads)\ndef attn_soft", "n_heads)\n    return A\ndef attn_soft"),
                ),
            ),
            member("masked in place", returning(apply_causal_mask='A.masked_fill_(mask == 0, float("-inf"))')),
            member("softmax in place", returning(attn_softmax="A.copy_({})")),
            member("through NumPy and back", returning(pairwise_similarities="torch.from_numpy({}.numpy())")),
            member("a list made a tensor", returning(compute_outputs="torch.tensor({}.tolist())")),
            member("a NumPy scale", changed(returning(attn_scaled="(1 / np.sqrt(n_embd / n_heads)) * A"), IMPORTS)),
        ),
    ),
    Kind(
        "a self_attention that returns no tensor is charged once",
        2,
        (
            member("a NumPy array", changed(S2, (OUTPUT, OUTPUT + ".numpy()")), [STEP3], {STEP3: "should be a tensor"}),
            member("a list", changed(S2, (OUTPUT, OUTPUT + ".tolist()")), [STEP3], {STEP3: "a Python list"}),
            member("a tuple with the weights", changed(S2, (OUTPUT, OUTPUT + ", A")), [STEP3], {STEP3: "a Python tuple"}),
        ),
    ),
]
