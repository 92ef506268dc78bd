"""Kinds of answers that differ a little from the expected ones: what is rounding, and what is said on either side."""

from __future__ import annotations

from support.world.kind import S1, S2, Kind, Member, changed, member

SCALED = "    return A / math.sqrt(n_embd / n_heads)\n"
SOFTMAX = "    return F.softmax(A, dim=-1)\n"
PRODUCT = "    return Q @ K.transpose(-2, -1)\n"
OUTPUTS = "    return A @ V\n"
CLOSE = "m_key[2] = (key[0] + key[1]) / 2"
UNIT = "m_key[2] = query132 / query132.norm()"


def scaled(name: str, factor: str, *lost: str, **says: str) -> Member:
    return member(name, changed(S2, (SCALED, f"    return {factor}\n")), lost, {f"2.1.{k}": v for k, v in says.items()})


def helper(name: str, old: str, new: str, *lost: str, **says: str) -> Member:
    body = "".join(f"    {line}\n" for line in new.split("\n"))
    return member(name, changed(S2, (old, body)), lost, {f"2.1.{k}": v for k, v in says.items()})


def query(name: str, old: str, new: str, item: str = "", words: str = "") -> Member:
    return member(name, changed(S1, (old, new)), [item] if item else [], {item: words} if item else {})


QUERY121, QUERY131, QUERY132 = "query121 = S * key[0]", "query131 = torch.zeros(3)", "query132 = 10 * (key[0] + key[1])"

KINDS = [
    Kind(
        "a difference of at most 1e-4 is rounding",
        2,
        (
            scaled("the root with four decimals", "A / round(math.sqrt(n_embd / n_heads), 4)"),
            scaled("the factor with five decimals", "A * round((n_embd / n_heads) ** -0.5, 5)"),
            scaled("the result with four decimals", "(A / math.sqrt(n_embd / n_heads)).round(decimals=4)"),
            scaled("a small number below the root", "A / math.sqrt(n_embd / n_heads + 1e-5)"),
            scaled("a small number added to the root", "A / (math.sqrt(n_embd / n_heads) + 1e-5)"),
            scaled("logarithms", "A * math.exp(-0.5 * math.log(n_embd / n_heads))"),
            scaled(
                "Newton's method, stopped early",
                "A / __import__('functools').reduce(lambda r, _: (r + n_embd / n_heads / r) / 2, range(6), n_embd / n_heads)",
            ),
            helper(
                "a small number in the denominator",
                SOFTMAX,
                "p = (A - A.amax(-1, keepdim=True)).exp()\nreturn p / (p.sum(-1, keepdim=True) + 1e-6)",
            ),
            helper("in double precision", SOFTMAX, "return torch.softmax(A.double(), -1).to(A.dtype)"),
            helper("a sum of products one by one", PRODUCT, "return (Q.unsqueeze(-2) * K.unsqueeze(-3)).sum(-1)"),
            helper(
                "products through distances",
                PRODUCT,
                "q, k = (Q * Q).sum(-1)[..., None], (K * K).sum(-1)[..., None, :]\nreturn (q + k - torch.cdist(Q, K) ** 2) / 2",
            ),
            helper("outputs with five decimals", OUTPUTS, "return (A @ V * 1e5).round() / 1e5"),
        ),
    ),
    Kind(
        "a difference of more than 1e-4 costs the function that makes it, and says both numbers",
        2,
        (
            scaled(
                "the root with one decimal",
                "A / round(math.sqrt(n_embd / n_heads), 1)",
                "2.1.attn_scaled",
                attn_scaled="(allowed 0.0001)",
            ),
            scaled(
                "a visible number below the root",
                "A / math.sqrt(n_embd / n_heads + 0.01)",
                "2.1.attn_scaled",
                attn_scaled="(allowed 0.0001)",
            ),
            scaled(
                "in half precision",
                "A.half().float() / math.sqrt(n_embd / n_heads)",
                "2.1.attn_scaled",
                attn_scaled="(allowed 0.0001)",
            ),
            helper(
                "softmax in half precision",
                SOFTMAX,
                "return torch.softmax(A.half(), -1).float()",
                "2.1.attn_softmax",
                attn_softmax="(allowed 0.0001)",
            ),
            helper(
                "products in bfloat16",
                PRODUCT,
                "return (Q.bfloat16() @ K.bfloat16().transpose(-2, -1)).float()",
                "2.1.pairwise_similarities",
                pairwise_similarities="(allowed 0.0001)",
            ),
            helper(
                "outputs in half precision",
                OUTPUTS,
                "return (A.half() @ V.half()).float()",
                "2.1.compute_outputs",
                compute_outputs="(allowed 0.0001)",
            ),
            helper(
                "weights with three decimals",
                SOFTMAX,
                "return torch.softmax(A, -1).round(decimals=3)",
                "2.1.attn_softmax",
                attn_softmax="(allowed 0.0001)",
            ),
        ),
    ),
    Kind(
        "just within 0.05 earns everything",
        1,
        (
            query("1.2.1", QUERY121, "query121 = 3.4574 * key[0]"),
            query("1.3.1", QUERY131, "query131 = 0.4763 * key[0]"),
            query("1.3.2", QUERY132, "query132 = 87.068 * (key[0] + key[1])"),
            query("1.4.1", CLOSE, "m_key[2] = 0.4782 * (key[0] + key[1])"),
            query("1.4.2", UNIT, "m_key[2] = 1.0099 * query132 / query132.norm()"),
        ),
    ),
    Kind(
        "just beyond 0.05, the number says that it is beyond",
        1,
        (
            query("1.2.1", QUERY121, "query121 = 3.4539 * key[0]", "1.2.1", "0.0501 (allowed 0.05)"),
            query("1.2.1, closer", QUERY121, "query121 = 3.4554 * key[0]", "1.2.1", "0.05004 (allowed 0.05)"),
            query("1.3.1", QUERY131, "query131 = 0.47748 * key[0]", "1.3.1", "0.0501 (allowed 0.05)"),
            query("1.3.1, closer", QUERY131, "query131 = 0.47698 * key[0]", "1.3.1", "0.05004 (allowed 0.05)"),
            query("1.3.2", QUERY132, "query132 = 87.318 * (key[0] + key[1])", "1.3.2", "0.0501 (allowed 0.05)"),
            query("1.3.2, closer", QUERY132, "query132 = 87.21 * (key[0] + key[1])", "1.3.2", "0.05004 (allowed 0.05)"),
            query("1.4.1", CLOSE, "m_key[2] = 0.478087 * (key[0] + key[1])", "1.4.1", "0.0501 (allowed 0.05)"),
            query(
                "the length of 1.4.2",
                UNIT,
                "m_key[2] = 1.0101 * query132 / query132.norm()",
                "1.4.2",
                "1.0101, but 1.4.2 asks for length 1 (within 0.01)",
            ),
            query(
                "the length of 1.4.2, too short", UNIT, "m_key[2] = 0.9898 * query132 / query132.norm()", "1.4.2", "0.9898, but"
            ),
        ),
    ),
]
