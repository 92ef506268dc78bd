"""What staff do before a term: bake, audit, hand out. Seen by ``cli`` alone; nothing of it ships, and no verdict depends on it."""
