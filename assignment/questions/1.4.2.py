from otter.test_files import test_case

OK_FORMAT = False

name = "1.4.2"


@test_case()
def selects_the_third_value(m_key, query132, check):
    """With only k2 replaced by a vector of length 1, the unchanged query132 selects v2."""
    check.rules.queries.judge_key(check, "1.4.2", m_key, query132, unit=True)
