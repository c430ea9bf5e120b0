"""What other kernels tell a tally."""


cdef class Run:
    # What it is for: fastcore/tally.pyi.
    cdef public long long account, link, number, quarter, people, bots, unique_people, unique_bots
    cdef public object last_scan_us, last_bot_us
    cdef public bytes groups
    cdef list keys_of_people, keys_of_bots  # until it is closed

    cdef int close(self) except -1


cdef class Tally:
    # What it is for: fastcore/tally.pyi.
    cdef long long quarter_us, most
    cdef list runs
    cdef dict open  # the last run of each link
    cdef list run_of, bot  # by scan

    cdef int tell(self, account, link, long long time_us, tuple keys, bint bot) except -1
