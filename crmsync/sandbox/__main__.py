"""Both CRMs in one process, in the foreground: `python -m crmsync.sandbox --contacts 500`. `manage.py sandbox` does the same."""

from __future__ import annotations

import argparse
import sys

from crmsync.sandbox.running import add_arguments, options_of, run_until_stopped


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="Both CRMs, simulated, over HTTP.")
    add_arguments(parser)
    run_until_stopped(options_of(vars(parser.parse_args())), sys.stdout.write)


if __name__ == "__main__":
    main()
