"""`python -m cotdistill` is `cotdistill-cli`."""

from cotdistill.cli import main

main()
