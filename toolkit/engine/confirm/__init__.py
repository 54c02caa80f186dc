"""Whether a finding holds: its id, its table, its numbers in the rows that it names, and what its plugin says again."""
