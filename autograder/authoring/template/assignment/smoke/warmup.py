# A tiny submission, which a working grader must judge as expected.json says. It is graded alone: import what it uses.


def distances(points, centres):
    return ((points[:, None] - centres[None]) ** 2).sum(axis=-1)


def nearest(points, centres):
    return distances(points, centres).argmax(axis=1)
