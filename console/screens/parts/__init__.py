"""What several screens show: lists, charts, checks, details, dialogs."""
