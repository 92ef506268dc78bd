"""``python -m sst2`` fetches the offline model and data."""

import sys

from .offline import Unavailable, fetch

try:
    print(f"sst2: ready in {fetch()}")
except Unavailable as error:
    sys.exit(f"sst2: {error}")
