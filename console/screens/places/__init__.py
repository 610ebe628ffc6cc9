"""The screens that one can go to, one file each."""
