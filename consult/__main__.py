"""`python -m consult …`: the same as `consult …`."""

from consult.cli import main

main()
