"""One line of a decision log: decoded fast, and read carefully where it is odd."""
