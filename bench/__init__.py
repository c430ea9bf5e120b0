"""How fast one call is, against others, in the same run: python -m bench [NAME ...|all], and bench/__main__.py."""
