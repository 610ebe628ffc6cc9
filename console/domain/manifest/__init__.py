"""What a version is: code, model snapshot, prompt, tools, flag and state schema, each by its hash."""
