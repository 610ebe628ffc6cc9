"""What an operator can do, as data, and the receipt of what was done."""
