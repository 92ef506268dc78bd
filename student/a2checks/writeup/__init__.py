"""The check of a write-up (PDF): does it open, can it be read, is every question answered. Costs and earns no points."""
