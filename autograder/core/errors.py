"""The exceptions whose text is shown to people."""


class GraderError(Exception):
    """Something that staff or the submitter must fix; the message is one or two lines addressed to them."""


class NotWritten(GraderError):
    """A file could not be written. What was there before is as it was."""


class NotStarted(GraderError):
    """No worker could be started, through no fault of the submission: it is not graded yet and has to be graded again."""
