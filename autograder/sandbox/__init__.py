"""Student code, isolated in a cage: the protocol, the judge's side of it and the worker's."""
