"""Kinds of programs about where and how files are saved and read again; the programs are in tests/data/saving.toml."""

from __future__ import annotations

from autograder.core.toml import tomllib
from support.project import DATA
from support.world.kind import S1, S2, S3, Kind, changed, indented, member

PROGRAMS = tomllib.loads((DATA / "saving.toml").read_text(encoding="utf-8"))
SAVES = {name: (how.get("top", ""), how["code"]) for name, how in PROGRAMS["saves"].items()}
SAVED = """            os.makedirs("checkpoints", exist_ok=True)
            torch.save(model.state_dict(), "checkpoints/best.pt")
"""

KEPT_BY = ("Colab, torch.save", "/tmp, safetensors", "numpy", "copied to Drive", "io.FileIO", "chdir relative", "temp dir")


def variant(source: str, top: str, save: str) -> str:
    """Section 3 with these statements at the top, and these to save the best model."""
    assert SAVED in source
    return source.replace(SAVED, indented(save, 12)).replace("num_epochs = 20", f"num_epochs = 20\n{top}")


KINDS = [
    Kind(
        "a checkpoint counts wherever it is saved",
        3,
        tuple(member(name, variant(S3, *how)) for name, how in SAVES.items()),
    ),
    Kind(
        "the wrong epoch is found wherever it is saved",
        3,
        tuple(
            member(
                name,
                changed(variant(S3, *SAVES[name]), ("if accuracy > best:", "if True:")),
                {"3.main"},
                {"3.main": "of 6 had the best validation accuracy"},
                {"3.main": 1.5},  # all but the claim about the checkpoint
            )
            for name in KEPT_BY
        ),
    ),
    Kind(
        "without a checkpoint that is what is said",
        3,
        tuple(
            member(name, variant(S3, "", how["code"]), {"3.main"}, {"3.main": "no checkpoint is left on disk"}, {"3.main": 1.5})
            for name, how in PROGRAMS["not_saved"].items()
        ),
    ),
    Kind(
        "files that a query is saved to and read from cost nothing",
        1,
        tuple(
            member(name, changed(S1, ("query132 = 10 * (key[0] + key[1])\n", how["code"])))
            for name, how in PROGRAMS["query"].items()
        ),
    ),
    Kind(
        "files that a function writes cost nothing",
        2,
        tuple(
            member(
                name,
                changed(
                    S2,
                    ("    return F.softmax(A, dim=-1)\n", indented(how["code"])),
                    ("import torch, math\n", f"import torch, math\n{how.get('top', '')}\n"),
                ),
            )
            for name, how in PROGRAMS["softmax"].items()
        ),
    ),
]
