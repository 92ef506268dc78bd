"""The written half, which people grade: the rubric and the sheet for graders, the write-up's templates, the final grades."""
