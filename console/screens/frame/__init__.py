"""What every screen has: header, body, keys, help, panels."""
