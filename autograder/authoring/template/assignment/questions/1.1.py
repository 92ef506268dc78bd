from otter.test_files import test_case

OK_FORMAT = False

name = "1.1"


@test_case()
def every_point_has_a_centre_nearby(centres, check):
    """Every point of POINTS is at most 0.5 away from one of the two centres."""
    check.rules.judge_centres(check, "1.1", centres)
