# What the notebook of section 1 gives to every student; defined before a submission's own statements run.
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(447)
key = torch.randn(4, 3)
for row in range(key.shape[0]):
    key[row] = key[row] / key[row].norm()
key.mul_(100).round_().div_(100)
value = torch.randn(4, 3)
for row in range(value.shape[0]):
    value[row] = value[row] / value[row].norm()
value.mul_(100).round_().div_(100)
del row


def attention(query, key, value):
    return torch.softmax(query @ key.transpose(-2, -1), dim=-1) @ value


def check_query(query, target, key=key, value=value):
    pass


def check(*args, **kwargs):
    pass
