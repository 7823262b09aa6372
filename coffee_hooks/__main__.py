"""``python -m coffee_hooks`` is ``coffee``."""

import sys

from coffee_hooks.boundary import main

if __name__ == "__main__":
    sys.exit(main())
