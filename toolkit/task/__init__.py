"""The worker's side: bytes in, bytes out, wherever it runs."""
