from otter.test_files import test_case

OK_FORMAT = False

name = "1.add"


@test_case()
def adds_two_numbers(add, check):
    """add(a, b) is the sum of two numbers."""
    for case in check.cases("1.add"):
        if case.call(add) != case.expected:
            check.fail("numbers", "add does not return the sum")
