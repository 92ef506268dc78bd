"""The one exception whose text is meant for people."""


class GraderError(Exception):
    """Something that staff or the submitter must mend; its text is one or two lines for them."""
