"""Print the kinds, their members and what each loses, as a Markdown table. test_students_world.py holds the verdicts."""

from support.world import KINDS

print("| kind | members | loses |\n|---|---|---|")
for kind in KINDS:
    for first, member in enumerate(kind.members):
        lost = ", ".join(f"{id} (earns {member.points[id]:g})" if id in member.points else id for id in sorted(member.lost))
        print(f"| {'' if first else kind.name} | {member.name} | {lost or 'nothing'} |")
print(f"\n{len(KINDS)} kinds, {sum(len(kind.members) for kind in KINDS)} members")
