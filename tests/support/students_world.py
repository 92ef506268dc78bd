"""How a member of a kind is graded and held to its verdict."""

from __future__ import annotations

from support.world import KINDS, Kind, Member


def members() -> list[tuple[Kind, Member]]:
    return [(kind, member) for kind in KINDS for member in kind.members]


def loses_exactly(submit, kind: Kind, member: Member) -> None:
    graded = submit({f"A2S{kind.section}.py": member.source})
    lost = {id for id in graded.lost if id.startswith(f"{kind.section}.")}
    assert lost == member.lost, {id: graded.output(id) for id in lost | member.lost}
    assert "Traceback" not in str(graded.tree)
    for id, words in member.says.items():
        assert words in graded.output(id)
    for id in lost:
        assert graded.scores[id] == member.points.get(id, 0), id
