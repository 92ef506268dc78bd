"""Every member of every kind of tests/support/world keeps and loses what it should."""

import pytest

from support.students_world import loses_exactly, members

MEMBERS = members()


@pytest.mark.many(of=768)
@pytest.mark.parametrize("kind, member", MEMBERS, ids=[f"{kind.name}: {member.name}" for kind, member in MEMBERS])
def test_a_program_loses_exactly_what_is_wrong_wherever_it_runs(submit, kind, member):
    loses_exactly(submit, kind, member)
