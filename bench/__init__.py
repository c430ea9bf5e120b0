"""How fast one call is, against others, in the same run: python -m bench.encode, .png, .styles, .kernels, .report."""
