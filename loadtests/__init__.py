"""Does the whole stand up? Against a running server, for as long as one likes."""
