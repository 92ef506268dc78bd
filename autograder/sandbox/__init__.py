"""Student code, alone and caged: the protocol, the judge's side of it and the worker's."""
