"""What bounds a run and what remembers its cost: policies, numbers of workers, telemetry."""
