"""`python -m console` is `agent-console`."""

from console.cli.main import main

main()
