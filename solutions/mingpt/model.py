"""A decoder-only transformer whose attention is passed in.

References: GPT-2 (https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf),
attention (https://arxiv.org/abs/1706.03762), minGPT (https://github.com/karpathy/minGPT).

Shapes: B sequences, T tokens, C = n_embd features, V = vocab_size.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F

from .utils import CfgNode

# model_type: layers, heads, embedding size
SIZES = {
    "gpt2": (12, 12, 768),
    "gpt2-medium": (24, 16, 1024),
    "gpt2-large": (36, 20, 1280),
    "gpt2-xl": (48, 25, 1600),
    "gopher-44m": (8, 16, 512),
    "gpt-mini": (6, 6, 192),
    "gpt-micro": (4, 4, 128),
    "gpt-nano": (3, 3, 48),
}


def init_qkv_proj(n_embd: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """The default projections W_Q, W_K, W_V: C -> C, each with a bias."""
    return nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd)


def fused_attention(
    Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, n_heads: int = 1, causal: bool = True, dropout: float = 0.0
) -> torch.Tensor:
    """The default attention, PyTorch's fused kernel. Q, K, V (B, T, C) -> (B, T, C). ``dropout``: of its weights."""
    Q, K, V = (x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in (Q, K, V))  # (B, n_heads, T, C / n_heads)
    y = F.scaled_dot_product_attention(Q, K, V, dropout_p=dropout, is_causal=causal)
    return y.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """The three projections, the attention function and the output projection. x (B, T, C) -> (B, T, C).

    An ``attn_fn`` that is a module, with parameters of its own, is copied, so that each layer learns its own.
    """

    def __init__(self, config: CfgNode):
        super().__init__()
        self.n_head = config.n_head
        self.W_Q, self.W_K, self.W_V = (config.attn_init_fn or init_qkv_proj)(config.n_embd)
        self.attn_pdrop = config.attn_pdrop
        attn_fn = config.attn_fn or self.fused
        self.attn_fn = copy.deepcopy(attn_fn) if isinstance(attn_fn, nn.Module) else attn_fn
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def fused(self, Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, n_heads: int, causal: bool) -> torch.Tensor:
        return fused_attention(Q, K, V, n_heads, causal, self.attn_pdrop if self.training else 0.0)

    def forward(self, x: torch.Tensor, is_pad: torch.Tensor) -> torch.Tensor:
        """is_pad (B, T): True where there is no token; attention's output is zeroed there."""
        y = self.attn_fn(self.W_Q(x), self.W_K(x), self.W_V(x), n_heads=self.n_head, causal=True)
        return self.resid_dropout(self.c_proj(y.masked_fill(is_pad[..., None], 0.0)))


class Block(nn.Module):
    """Attention, then a small network for each token, both with residual connections. (B, T, C) -> (B, T, C)."""

    def __init__(self, config: CfgNode):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = SelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": nn.Linear(config.n_embd, 4 * config.n_embd),
                "act": nn.GELU(approximate="tanh"),
                "c_proj": nn.Linear(4 * config.n_embd, config.n_embd),
                "dropout": nn.Dropout(config.resid_pdrop),
            }
        )

    def forward(self, x: torch.Tensor, is_pad: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x), is_pad)
        m = self.mlp
        return x + m.dropout(m.c_proj(m.act(m.c_fc(self.ln_2(x)))))


class GPT(nn.Module):
    """The language model: from token ids to logits of the next token."""

    @staticmethod
    def get_default_config() -> CfgNode:
        return CfgNode(
            model_type="gpt-nano",  # or None, with n_layer, n_head and n_embd given
            n_layer=None,
            n_head=None,
            n_embd=None,
            vocab_size=None,
            block_size=None,  # required, like vocab_size: the number of token types and of positions
            pad_token=-1,  # the id that means "no token"
            embd_pdrop=0.1,
            resid_pdrop=0.1,
            attn_pdrop=0.0,  # of the default attention's weights; an attn_fn drops what it wants itself
            attn_init_fn=None,  # n_embd -> (W_Q, W_K, W_V); None: three linear layers
            attn_fn=None,  # (Q, K, V, n_heads=, causal=) -> (B, T, C); None: PyTorch's fused attention
            position_fn=None,  # (block_size, n_embd) -> module from positions (T,) to (T, C); None: learned
        )

    def __init__(self, config: CfgNode):
        super().__init__()
        config = complete(config)
        self.config, self.block_size, self.pad_token = config, config.block_size, config.pad_token
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": (config.position_fn or nn.Embedding)(config.block_size, config.n_embd),
                "drop": nn.Dropout(config.embd_pdrop),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
                "ln_f": nn.LayerNorm(config.n_embd),
            }
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.apply(init_weights)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):  # as in GPT-2: keeps the sum over layers from growing
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * config.n_layer))

    def features(self, idx: torch.Tensor) -> torch.Tensor:
        """The last layer's output: idx (B, T) -> (B, T, C). Raises ValueError if T > block_size."""
        T = idx.shape[1]
        if self.block_size < T:
            raise ValueError(
                f"a sequence of {T} tokens does not fit into block_size={self.block_size}: shorten it, or "
                "build the model with a larger block_size"
            )
        is_pad = idx == self.pad_token
        tokens = self.transformer.wte(idx.clamp_min(0))  # pad_token may be -1
        x = self.transformer.drop(tokens + self.transformer.wpe(torch.arange(T, device=idx.device)))
        for block in self.transformer.h:
            x = block(x, is_pad)
        return self.transformer.ln_f(x)

    def forward(self, idx: torch.Tensor, targets: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """idx, targets (B, T) -> logits (B, T, V), and the mean loss over targets that are not PAD (None without targets)."""
        logits = self.lm_head(self.features(idx))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=self.pad_token)

    def loss(self, idx: torch.Tensor, targets: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
        """The loss of ``forward``, without the projection to V for PAD (most of the work for short sentences).

        With reduction="none": the losses (N,) of the N targets that are not PAD, row by row. On a CPU, the mean's gradients are
        computed together with it, for one ``backward``: less time, the same numbers.
        """
        real, head = targets != self.pad_token, self.lm_head
        x, y = self.features(idx)[real], targets[real]
        plain = reduction == "mean" and x.device.type == "cpu" and type(head) is nn.Linear
        if plain and hasattr(nn, "LinearCrossEntropyOptions"):  # newer than some torch in use
            at_once = nn.LinearCrossEntropyOptions(batch_chunk_size=max(1, len(x)))
            return F.linear_cross_entropy(x, head.weight, y, linear_bias=head.bias, options=at_once)
        return F.cross_entropy(head(x), y, reduction=reduction)

    def configure_optimizers(self, train_config: CfgNode) -> torch.optim.Optimizer:
        """AdamW with weight decay on matrices, but not on biases, norms and embeddings."""
        embeddings = {id(p) for m in self.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
        decay = [p for p in self.parameters() if p.ndim >= 2 and id(p) not in embeddings]
        rest = [p for p in self.parameters() if p.ndim < 2 or id(p) in embeddings]
        groups = [{"params": decay, "weight_decay": train_config.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        try:
            return torch.optim.AdamW(groups, lr=train_config.learning_rate, betas=train_config.betas, fused=True)
        except RuntimeError:  # an older torch, or a device without the fused kernel
            return torch.optim.AdamW(groups, lr=train_config.learning_rate, betas=train_config.betas)

    @torch.no_grad()
    def generate(
        self,
        idx: torch.Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        do_sample: bool = False,
        top_k: int | None = None,
    ) -> torch.Tensor:
        """Append max_new_tokens tokens to idx (B, T): the most likely, or with do_sample drawn from the top_k most likely."""
        training = self.training
        self.eval()
        for _ in range(max_new_tokens):
            logits = self.lm_head(self.features(idx[:, -self.block_size :])[:, -1]) / temperature  # (B, V)
            if top_k is not None:
                least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
                logits = logits.masked_fill(logits < least, float("-inf"))
            new = logits.softmax(-1).multinomial(1) if do_sample else logits.argmax(-1, keepdim=True)
            idx = torch.cat([idx, new], dim=1)
        self.train(training)
        return idx

    def count_parameters(self) -> int:
        """The number of parameters; shared ones count once."""
        return sum(p.numel() for p in self.parameters())


def complete(config: CfgNode) -> CfgNode:
    """A copy of the configuration, with the sizes of its model_type filled in. Raises ValueError if it is incomplete."""
    config = CfgNode(**{**vars(GPT.get_default_config()), **vars(config)})
    if config.vocab_size is None or config.block_size is None:
        raise ValueError("set config.vocab_size and config.block_size before building the model")
    given = (config.n_layer, config.n_head, config.n_embd)
    if None in given:
        if config.model_type not in SIZES:
            raise ValueError(
                f"model_type {config.model_type!r} is unknown; use one of {', '.join(SIZES)}, or set n_layer, n_head and n_embd"
            )
        sizes = SIZES[config.model_type]
        config.n_layer, config.n_head, config.n_embd = (g if g is not None else s for g, s in zip(given, sizes))
    if config.n_embd % config.n_head:
        raise ValueError(f"n_embd={config.n_embd} cannot be split into n_head={config.n_head} equal heads")
    return config


def init_weights(module: nn.Module) -> None:
    """Initialise as in GPT-2: small normal weights, zero biases."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def save_checkpoint(model: GPT, types: list[str], path: Any) -> None:
    """Save weights and vocabulary to one file."""
    torch.save({"weights": model.state_dict(), "types": types}, path)


def load_checkpoint(model: GPT, types: list[str], path: Any) -> None:
    """Load weights into a model of the same shape and vocabulary. Raises ValueError otherwise; the model is unchanged then."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"there is no checkpoint {path}") from None
    if saved["types"] != types:
        first = next((i for i, (a, b) in enumerate(zip(saved["types"], types)) if a != b), min(len(saved["types"]), len(types)))
        raise ValueError(
            f"{path} was saved with another vocabulary: {len(saved['types'])} types there, {len(types)} here, "
            f"the first difference at id {first}. Build the vocabulary from the same text."
        )
    wanted = {k: v.shape for k, v in model.state_dict().items()}
    wrong = sorted(
        k
        for k in wanted.keys() | saved["weights"].keys()
        if k not in saved["weights"] or saved["weights"][k].shape != wanted.get(k)
    )
    if wrong:
        raise ValueError(f"{path} holds another model: {wrong[0]} and {len(wrong) - 1} more parts differ")
    model.load_state_dict(saved["weights"])
