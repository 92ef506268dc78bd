# What the notebook of section 2.1 gives to every student; defined before a submission's own statements run.
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

DEVICE = device = "cpu"


def init_qkv_proj(n_embd):
    return nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd)


def split_heads_qkv(Q, K, V, n_heads):
    return split_heads(Q, n_heads), split_heads(K, n_heads), split_heads(V, n_heads)


def check(*args, **kwargs):
    pass
