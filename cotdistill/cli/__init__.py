"""Every command; the only package that prints results or exits.

Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 bug (or a general
task got worse: `report`, `compare --fail-on-regression`), 2 the user's input, 3 key or balance refused,
5 run folder in use, 75 try again later, 130/143 interrupted, otherwise the training worker's own code.
"""

import errno
import shlex
import sys
from typing import NoReturn

import typer

from cotdistill.cli import compare, data, lmeval, run, tools
from cotdistill.cli.app import app
from cotdistill.errors import Interrupted, TryAgainLater, UserError

__all__ = ["app", "compare", "data", "lmeval", "main", "run", "tools"]


def main() -> NoReturn:
    """Run the command line; turn every expected fault into its line and its exit code."""
    try:
        app()
    except UserError as error:
        for line in error.lines():
            typer.echo(f"error: {line}", err=True)
        sys.exit(error.exit_code)
    except Interrupted as error:
        typer.echo(error.message, err=True)
        typer.echo(f"go on with: cotdistill-cli {shlex.join(sys.argv[1:])}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        typer.echo(
            f"error: {error.filename or 'a file'}: the disk is full (make space, then the same command)", err=True
        )
        sys.exit(TryAgainLater.exit_code)
    sys.exit(0)
