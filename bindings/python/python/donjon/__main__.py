"""donjon on the command line: `python -m donjon --help`."""

import sys

from donjon._cli import main

if __name__ == "__main__":
    sys.exit(main())
