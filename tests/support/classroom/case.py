"""What a case is, and the items that a section consists of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

SECTION_1 = {"1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"}
HELPERS = (
    "pairwise_similarities",
    "attn_scaled",
    "attn_softmax",
    "compute_outputs",
    "make_causal_mask",
    "apply_causal_mask",
    "split_heads",
    "merge_heads",
)
SELF_ATTENTION = {f"2.1.self_attention.step{i}" for i in (1, 2, 3)}
SECTION_2 = {f"2.1.{helper}" for helper in HELPERS} | SELF_ATTENTION


@dataclass
class Case:
    """One submission: its files, the items it must lose (it keeps all others), and why it is in the class."""

    name: str
    files: dict[str, bytes]
    lost: set[str]
    why: str
    single: bool = False  # its one file is graded, not a folder
    exit: int = 0  # other than 0: nothing can be graded
    says: dict[str, str] = field(default_factory=dict)  # item -> words that its output holds
    notes: list[str] = field(default_factory=list)  # sentences that the author reads, each in one note


def case(
    name: str, files: Mapping[str, str | bytes], why: str, lost: Collection[str] = (), single: bool = False, exit: int = 0
) -> Case:
    encoded = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
    return Case(name, encoded, set(lost), why, single, exit)
