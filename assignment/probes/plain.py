"""numpy as it was before any student code ran: the same functions, under names that nobody else can rebind."""

from __future__ import annotations

import types
from typing import Any

import numpy as everyones  # noqa: ICN001 - here `np` is the copy

late = {"random": everyones.random, "lib": everyones.lib}  # which numpy 2 imports when they are used
np: Any = types.SimpleNamespace(**{**vars(everyones), **late})
