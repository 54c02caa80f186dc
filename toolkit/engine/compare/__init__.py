"""Two stores side by side: schema, rows, and how each column they share is distributed in either."""
