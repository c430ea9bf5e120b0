"""What locust is given: locust -f loadtests/locustfile.py --site site.json --shape ramp --users 200 --run-time 5m

`make load` does it all by itself; docs/loadtests.md says how to do it from several machines.
"""

import time

from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser

from loadtests.shapes import SHAPES
from loadtests.users import Operator, Printer, Vendor, Visitor

__all__ = ["Operator", "Printer", "Vendor", "Visitor"]


#: Users that begin in a second: with more, locust is busy with that.
MOST_BEGUN = 100


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--site", required=True, help="file that loadtests.site has written")
    parser.add_argument("--shape", default="soak", choices=list(SHAPES), help="how many users there are when")


class Shape(LoadTestShape):
    """The one that `--shape` says, with as many `--users` as there are at most, over `--run-time`."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        at = (time.perf_counter() - self.start_time) / options.run_time
        if at >= 1:
            return None
        users = max(1, round(options.num_users * SHAPES[options.shape](at)))
        return users, min(options.num_users, MOST_BEGUN)
