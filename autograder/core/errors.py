"""The one exception whose text is shown to people."""


class GraderError(Exception):
    """Something that staff or the submitter must fix; the message is one or two lines addressed to them."""
