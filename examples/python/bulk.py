"""Makes a hundred links by one request: all of them, or none."""

from qredge import request

items = [
    {"destination": f"https://example.com/menu?table={table}", "title": f"Table {table}"} for table in range(1, 101)
]
made = request("POST", "/links/batch", json={"mode": "all_or_nothing", "items": items}).json()
print(made["created"])
