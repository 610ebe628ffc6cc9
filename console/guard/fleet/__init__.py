"""Many agents under many guards: found, and shared out."""
