"""The console in a browser: a web server that starts one console a visitor, and asks who it is before it does."""
