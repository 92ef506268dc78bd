"""What staff do before a term: bake, audit, release. Only ``cli`` uses it; nothing here ships, and no verdict depends on it."""
