"""What the dialects cover, as docs/dialects.md shows it: python -m server.dialects.coverage > docs/dialects.md"""

from server.dialects import dialects
from server.dialects.dialect import Dialect

INTRODUCTION = """\
# Dialects

<!-- drawn by `python -m server.dialects.coverage` -->

The wire of hosted QR services, so that their clients move over by changing their base URL. Each dialect is at `/NAME`
of this server; `QREDGE_DIALECT_HOSTS=api.example.com=qrstudio` has it at a host of its own, too, under the vendor's
paths unchanged. `QREDGE_DIALECTS` says which are spoken. A key of an account opens each of them, and the native API;
its form is chosen when it is made (`qredge key create --format qrlogo`). Links, codes and scans are the account's,
whichever dialect has made them. An account's plan may be one of the vendor's (`qredge plan list`); the server's own
is `unlimited`.

What the vendors call styles, under their names: ![The vendors' styles](gallery-dialects.png)
"""


def markdown() -> str:
    return "\n".join([INTRODUCTION, *map(_section, dialects().values())])


def _section(dialect: Dialect) -> str:
    law = dialect.law
    rows = [f"| `{each.method} {each.path}` | {each.state} | {each.why} |" for each in law.endpoints]
    head = [
        f"## {dialect.name}",
        "",
        f"As [{law.vendor}]({law.documentation}) describes it, read on {law.read:%Y-%m-%d}; "
        f"here `/{dialect.name}{dialect.root}`.",
        "",
        "| endpoint | | |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    print(markdown(), end="")
