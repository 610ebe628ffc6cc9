"""Running a new version over what was recorded: its process, the recording, and the verb."""
