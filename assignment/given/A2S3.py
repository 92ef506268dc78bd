# What the notebook of section 3 gives to every student; defined before a submission's own statements run.
import math
import os
import random
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035  # submissions may use the old names

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from datasets import load_dataset
from torch.optim import AdamW
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm
from transformers import AutoModelForSequenceClassification, AutoTokenizer

seed = 64
batch_size = 64
learning_rate = 5e-5
num_epochs = 20
model_name = "roberta-base"
dataset_name = "gpt3mix/sst2"
train_size = None
checkpoint = "./checkpoints"
DEVICE = device = torch.device("cpu")
tokenizer = AutoTokenizer.from_pretrained(model_name)


def check(*args, **kwargs):
    pass
