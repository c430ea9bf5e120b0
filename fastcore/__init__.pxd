"""Makes fastcore a package to cimport from; there is nothing to declare for all of it."""
