"""What is owed, and versions on their way out, as verbs and screens show them."""
