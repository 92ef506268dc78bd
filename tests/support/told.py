"""Mistakes in section 2.1 that are told with their line.

Item, code, line of the answer that is named (None: a known mistake, which has none), pattern of concepts that may be named.
"""

WRONG = {
    "rows of keys": (
        "2.1.pairwise_similarities",
        ("def pairwise_similarities(Q, K):\n    S = torch.matmul(Q, K)\n    return S"),
        2,
        "transpose|matrix product",
    ),
    "the wrong two dimensions": (
        "2.1.pairwise_similarities",
        ("def pairwise_similarities(Q, K):\n    return Q.matmul(K.transpose(-3, -1))"),
        2,
        "transpose|swapped dimensions|broadcasting|matrix product",
    ),
    "not divided": (
        "2.1.attn_scaled",
        ("def attn_scaled(A, n_embd, n_heads):\n    width = n_embd / n_heads\n    return A / width ** 2"),
        3,
        "scale",
    ),
    "a root of the embedding, then heads": (
        "2.1.attn_scaled",
        ("def attn_scaled(A, n_embd, n_heads):\n    return A / math.sqrt(n_embd) * n_heads"),
        None,
        "scale",
    ),
    "columns normalised": (
        "2.1.attn_softmax",
        ("def attn_softmax(A):\n    e = torch.exp(A)\n    return e / e.sum(dim=-2, keepdim=True)"),
        None,
        "softmax axis",
    ),
    "a third dimension": (
        "2.1.attn_softmax",
        ("def attn_softmax(A):\n    return A.softmax(2)"),
        2,
        "softmax axis",
    ),
    "weights on the right": (
        "2.1.compute_outputs",
        ("def compute_outputs(A, V):\n    return (V.mT @ A).mT"),
        None,
        "transpose|operand order|matrix product",
    ),
    "a product of three dimensions only": (
        "2.1.compute_outputs",
        ("def compute_outputs(A, V):\n    weights = A\n    return weights.bmm(V)"),
        3,
        "matrix product|leading dimensions",
    ),
    "each round replaces the last": (
        "2.1.compute_outputs",
        (
            "def compute_outputs(A, V):\n"
            "    out = torch.zeros_like(V)\n"
            "    for j in range(V.shape[-2]):\n"
            "        out = A[..., j : j + 1] * V[..., j : j + 1, :]\n"
            "    return out"
        ),
        4,
        "accumulation",
    ),
    "sums along the columns": (
        "2.1.attn_softmax",
        ("def attn_softmax(A):\n    e = torch.exp(A)\n    total = e.sum(dim=-1)\n    return e / total"),
        3,
        "kept dimension",
    ),
    "a strict triangle": (
        "2.1.make_causal_mask",
        ("def make_causal_mask(n_tok):\n    i = torch.arange(n_tok)\n    return (i[None, :] < i[:, None]).float()"),
        None,
        "diagonal|less or equal|triangle",
    ),
    "NumPy comes back": (
        "2.1.make_causal_mask",
        ("def make_causal_mask(n_tok):\n    return np.tril(np.ones((n_tok, n_tok), dtype=np.float32))"),
        2,
        "return value",
    ),
    "small instead of minus infinity": (
        "2.1.apply_causal_mask",
        ("def apply_causal_mask(mask, A):\n    hidden = mask == 0\n    return A.masked_fill(hidden, -5.0)"),
        3,
        "mask fill",
    ),
    "truth values the wrong way": (
        "2.1.apply_causal_mask",
        ("def apply_causal_mask(mask, A):\n    return torch.where(mask == 0, A, float('-inf'))"),
        None,
        "mask fill|mask side",
    ),
    "a size that is no whole number": (
        "2.1.split_heads",
        (
            "def split_heads(x, n_heads):\n"
            "    B, T, C = x.shape\n"
            "    return x.reshape(B, T, n_heads, C / n_heads).transpose(1, 2)"
        ),
        3,
        "whole number",
    ),
    "not swapped": (
        "2.1.split_heads",
        ("def split_heads(x, n_heads):\n    return x.unflatten(-1, (n_heads, -1))"),
        None,
        "dimension order|shape",
    ),
    "a view that cannot be": (
        "2.1.merge_heads",
        ("def merge_heads(y):\n    y = y.transpose(1, 2)\n    return y.view(y.shape[0], y.shape[1], -1)"),
        3,
        "contiguous",
    ),
    "sizes in the wrong order": (
        "2.1.merge_heads",
        ("def merge_heads(y):\n    B, n, h, w = y.shape\n    y = y.transpose(1, 2)\n    return y.reshape(B, n, h * w)"),
        2,
        "order of sizes",
    ),
    "sizes in the wrong order, split": (
        "2.1.split_heads",
        ("def split_heads(x, n_heads):\n    n, B, w = x.size()\n    return x.reshape(B, n, n_heads, -1).transpose(1, 2)"),
        None,
        "order of sizes|shape",
    ),
    "the size of another dimension": (
        "2.1.self_attention.step2",
        (
            "def self_attention(Q, K, V, n_heads=1, causal=True):\n"
            "    width = Q.shape[-1]\n"
            "    q, k, v = split_heads_qkv(Q, K, V, n_heads)\n"
            "    A = attn_scaled(pairwise_similarities(q, k), width, n_heads)\n"
            "    if causal:\n"
            "        length = q.size(1)\n"
            "        A = apply_causal_mask(make_causal_mask(length), A)\n"
            "    return merge_heads(compute_outputs(attn_softmax(A), v))"
        ),
        6,
        "size",
    ),
    "a mask of numbers for PyTorch": (
        "2.1.self_attention.step2",
        (
            "def self_attention(Q, K, V, n_heads=1, causal=True):\n"
            "    q, k, v = split_heads_qkv(Q, K, V, n_heads)\n"
            "    mask = make_causal_mask(Q.shape[1]).to(Q) if causal else None\n"
            "    return merge_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))"
        ),
        3,
        "number type",
    ),
    "a mask of numbers for PyTorch, of one line": (
        "2.1.self_attention.step3",
        (
            "def self_attention(Q, K, V, n_heads=1, causal=True):\n"
            "    q, k, v = split_heads_qkv(Q, K, V, n_heads)\n"
            "    out = F.scaled_dot_product_attention(\n"
            "        q, k, v, attn_mask=make_causal_mask(Q.shape[1]) if causal else None\n"
            "    )\n"
            "    return merge_heads(out)"
        ),
        4,
        "number type",
    ),
    "one dimension too few for a single sentence": (
        "2.1.pairwise_similarities",
        "def pairwise_similarities(Q, K):\n    return torch.matmul(Q, K.mT).squeeze()",
        2,
        "one step too many",
    ),
    "one dimension too few for a single sentence, of values": (
        "2.1.compute_outputs",
        "def compute_outputs(A, V):\n    out = A @ V\n    return out.squeeze(0)",
        3,
        "one step too many",
    ),
    "nothing returned": (
        "2.1.merge_heads",
        ("def merge_heads(y):\n    y.transpose(1, 2).flatten(2)"),
        2,
        "return value",
    ),
    "random": (
        "2.1.compute_outputs",
        ("def compute_outputs(A, V):\n    return F.dropout(A) @ V"),
        2,
        "one step too many|randomness|argument|option",
    ),
}
