from otter.test_files import test_case

OK_FORMAT = False

name = "1.2.1"


@test_case()
def selects_the_first_value(query121, check):
    """Attention with query121 returns the first value vector, v0."""
    check.rules.queries.judge_query(check, "1.2.1", query121, "query121")
