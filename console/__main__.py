"""`agent-console`, which `python -m console` is too."""

import gc

STARTING = (200_000, 20, 100)
"""Garbage is looked for this rarely: what imports make stays, and going through it again and again takes a tenth of a
verb's whole life."""


def main() -> None:
    """The program's entry."""
    gc.set_threshold(*STARTING)
    from console.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
