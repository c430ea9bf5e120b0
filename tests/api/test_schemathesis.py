"""schemathesis makes up requests from the document, good ones and bad ones, and compares what is answered with it."""

import subprocess
import sys
from pathlib import Path

from tests.support import ServerProcess

#: Its answer has no end, for which a client that reads answers would wait.
ENDLESS = "stream_scans"

#: Not among them: that everything is taken which the schemas allow, as they cannot say all (a code says exactly one of
#: three things), and that things stay where they were put, as it deletes them itself.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ignored_auth",
)

BUDGET_S = 60


def test_no_request_is_answered_by_what_the_document_does_not_say(own_server: ServerProcess, tmp_path: Path) -> None:
    with own_server.client() as api:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{own_server.url}/openapi.json"),
                *("--url", own_server.url, "--header", f"Authorization: {api.headers['authorization']}"),
                *("--seed", "1", "--max-examples", "5", "--max-time", str(BUDGET_S)),
                # Its threads parse Python at the same time, in which CPython 3.11 loses count (gh-106905) and raises.
                *("--workers", "1"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--checks", ",".join(CHECKS)),
                *("--request-timeout", "30", "--continue-on-failure", "--warnings", "off", "--no-color"),
                *("--exclude-operation-id", ENDLESS),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
        assert api.get("/account").status_code == 200, "the key has been revoked by the test itself"
