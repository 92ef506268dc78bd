from otter.test_files import test_case

OK_FORMAT = False

name = "1.2.2"


@test_case()
def selects_every_value(query122, check):
    """Attention with the four rows of query122 returns V itself."""
    check.rules.queries.judge_query(check, "1.2.2", query122, "query122", rows=4)
