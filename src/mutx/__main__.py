"""`python -m mutx`."""

from mutx.cli.main import main

main()
