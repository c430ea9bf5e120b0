"""Per batch of scans: runs of them, each with what its scans have in common."""

from cython cimport cdivision

from fastcore.counts import counted


cdef class Run:
    def __init__(self, long long account, long long link, long long number, long long quarter):
        self.account, self.link, self.number, self.quarter = account, link, number, quarter
        self.groups = b""
        self.keys_of_people, self.keys_of_bots = [], []

    cdef int close(self) except -1:
        self.groups = counted(self.keys_of_people, self.keys_of_bots)
        self.keys_of_people = self.keys_of_bots = None
        return 0


cdef class Tally:
    def __init__(self, long long quarter_us, long long most):
        if quarter_us < 1:
            raise ValueError("a quarter of an hour is not empty")
        self.quarter_us, self.most = quarter_us, most
        self.runs, self.open, self.run_of, self.bot = [], {}, [], []

    def add(self, scans):
        # What it is for: fastcore/tally.pyi.
        for account, link, time_us, keys, bot in scans:
            self.tell(account, link, time_us, keys, bot)

    @cdivision(False)  # a time before 2000 is in the quarter of an hour that begins before it
    cdef int tell(self, account, link, long long time_us, tuple keys, bint bot) except -1:
        """One that comes next, as `add` is told it."""
        cdef long long quarter = time_us // self.quarter_us
        cdef tuple of = (account, link)
        cdef Run run = self.open.get(of)
        if run is None or run.quarter != quarter:
            if run is not None:
                run.close()
            run = self.open[of] = Run(account, link, len(self.run_of), quarter)
            self.runs.append(run)
        if bot:
            run.keys_of_bots.append(keys)
            run.bots += 1
            if run.last_bot_us is None or time_us > <long long> run.last_bot_us:
                run.last_bot_us = time_us
        else:
            run.keys_of_people.append(keys)
            run.people += 1
            if run.last_scan_us is None or time_us > <long long> run.last_scan_us:
                run.last_scan_us = time_us
        self.run_of.append(run)
        self.bot.append(bot)
        if run.people == self.most or run.bots == self.most:
            run.close()
            del self.open[of]
        return 0

    def add_firsts(self, scans):
        # What it is for: fastcore/tally.pyi.
        cdef Run run
        for number in scans:
            run = self.run_of[number]
            if self.bot[number]:
                run.unique_bots += 1
            else:
                run.unique_people += 1

    def settle(self, Py_ssize_t most):
        # What it is for: fastcore/tally.pyi.
        cdef Run run
        while most > 0 and self.open:
            _, run = self.open.popitem()
            run.close()
            most -= 1
        return bool(self.open)

    def close(self):
        # What it is for: fastcore/tally.pyi.
        cdef Run run
        for run in self.open.values():
            run.close()
        self.open = {}
        return self.runs
