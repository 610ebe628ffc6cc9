"""What `agent-console status` says: a report for programs, a page for people."""
