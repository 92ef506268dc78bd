"""Checks a write-up (PDF): can it be opened and read, and is every question answered? Costs and earns no points."""
