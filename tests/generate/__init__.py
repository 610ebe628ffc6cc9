"""What in this repository is written by a program: each module writes its own part, or checks it."""
