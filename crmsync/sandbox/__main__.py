"""Both CRMs in one process, in the foreground: `python -m crmsync.sandbox --contacts 500`. `manage.py sandbox` does the same."""

from __future__ import annotations

import argparse
import sys

from crmsync.sandbox.running import add_arguments, die_with_parent, run_until_stopped


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="Both CRMs, simulated, over HTTP.")
    add_arguments(parser)
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, which must be the parent, does")
    parsed = vars(parser.parse_args())
    if parsed["parent"]:
        die_with_parent(parsed["parent"])
    run_until_stopped(parsed, _say)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
