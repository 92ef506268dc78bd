"""Right helpers: while a composite is judged, ``answers[name]`` stands in for a helper that the student got wrong.

Arrays in, arrays out; numpy only. The archive has this file, students do not.
"""

import numpy as np


def distances(points, centres):
    return ((np.asarray(points)[:, None] - np.asarray(centres)[None]) ** 2).sum(axis=-1)


answers = {"distances": distances}
