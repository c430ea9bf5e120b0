"""PostgreSQL. SQL stands in these files and nowhere else; driver errors stop here."""
