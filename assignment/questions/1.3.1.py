from otter.test_files import test_case

OK_FORMAT = False

name = "1.3.1"


@test_case()
def averages_all_values(query131, check):
    """Attention with query131 returns the average of all four value vectors."""
    check.rules.queries.judge_query(check, "1.3.1", query131, "query131")
