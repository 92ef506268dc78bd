from otter.test_files import test_case

OK_FORMAT = False

name = "1.3.2"


@test_case()
def averages_two_values(query132, check):
    """Attention with query132 returns the average of v0 and v1."""
    check.rules.queries.judge_query(check, "1.3.2", query132, "query132")
