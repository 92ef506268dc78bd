"""What may be shown of a value that student code made: names from a fixed list, and small whole numbers.

Code that runs on hidden inputs could name a type, an exception or a key after them, or count up to them.
"""

from __future__ import annotations

import builtins
import types
from typing import Any

OTHERS = """
    ellipsis NoneType OrderedDict defaultdict Counter deque partial Path PosixPath Decimal Fraction Namespace Logger
    ndarray generic bool_
    int8 int16 int32 int64 uint8 uint16 uint32 uint64 bfloat16 float16 float32 float64 complex64 complex128
    str_ matrix
    MaskedArray dtype Generator RandomState LinAlgError AxisError
    Tensor Parameter Size device Module Linear Dropout Embedding Sequential ModuleList ParameterList Softmax LayerNorm
    CrossEntropyLoss MultiheadAttention Dataset Subset TensorDataset IterableDataset DataLoader Sampler RandomSampler
    SequentialSampler Optimizer SGD Adam AdamW LambdaLR PackedSequence OutOfMemoryError
    BatchEncoding Encoding ModelOutput SequenceClassifierOutput BaseModelOutput PreTrainedTokenizerFast RobertaTokenizerFast
    RobertaTokenizer RobertaConfig RobertaModel RobertaForSequenceClassification DatasetDict Series DataFrame csr_matrix
    SST2Example SST2Dataset Split Deadline JSONDecodeError UnpicklingError Empty Full
"""
TYPES = frozenset(
    [name for name, value in vars(builtins).items() if isinstance(value, type)]
    + [value.__name__ for value in vars(types).values() if isinstance(value, type)]
    + OTHERS.split()
)
KEYS = frozenset(
    """
    text_encoding label_encoding input_ids attention_mask token_type_ids text texts label labels sentence sentences idx index
    encoding encodings ids mask masks x y inputs input targets target data batch tokens lengths
    """.split()
)
MOST = 2048


def is_known(name: Any) -> bool:
    """Whether this is the name of a type that Python, a library or the handout defines."""
    return isinstance(name, str) and name in TYPES


def named(name: Any, other: str) -> str:
    """The name of a type or exception; ``other`` for one that is not known."""
    return name if is_known(name) else other


def key(name: Any) -> str:
    """A key of a dictionary as Python writes it, if it is a usual one."""
    return repr(name) if isinstance(name, str) and name in KEYS else "one of your own"


def number(value: Any, most: int = MOST) -> str:
    """A whole number, if it is a small one."""
    return str(value) if type(value) is int and -1 <= value <= most else "another number"


def sizes(shape: tuple[int, ...], expected: tuple[int, ...]) -> tuple[int | None, ...]:
    """A shape, with None for sizes that have nothing to do with what is expected, being so large that they may be numbers."""
    most = 2 * max([32, *expected])
    return tuple(int(n) if n <= most else None for n in shape)
