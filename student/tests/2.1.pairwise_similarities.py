from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.pairwise_similarities"
points = None

@test_case(points=None, hidden=False)
def is_right(pairwise_similarities, check):
    """Entry (i, j) of the result is the dot product of query i with key j, for every batch and head."""
    check.judge('2.1.pairwise_similarities', pairwise_similarities, 'A')

