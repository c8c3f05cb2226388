"""How candidates are found: by neighbours, in the co-embedding, and by both together."""
