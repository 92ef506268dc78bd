from otter.test_files import test_case

OK_FORMAT = False

name = "1.4.1"


@test_case()
def averages_three_values(m_key, query132, check):
    """With only k2 replaced, the unchanged query132 averages v0, v1 and v2."""
    check.rules.queries.judge_key(check, "1.4.1", m_key, query132, unit=False)
