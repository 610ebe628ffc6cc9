"""An evidence file: what is known of a time, in one zip that proves itself and that a replay opens without a store."""
