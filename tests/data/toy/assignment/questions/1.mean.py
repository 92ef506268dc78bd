from otter.test_files import test_case

OK_FORMAT = False

name = "1.mean"


@test_case()
def averages_a_list(mean, check):
    """mean(xs) is the sum of the numbers divided by how many there are."""
    for case in check.cases("1.mean"):
        if case.call(mean) != case.expected:
            check.fail("numbers", "mean does not return the average")
