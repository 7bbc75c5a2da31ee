"""How long commits took and how large they were, of a sample of them."""

from bisect import bisect_left

SECONDS = (5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 5e-2, 0.25)
"""Upper ends of the classes of durations."""

BYTES = (256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
"""Upper ends of the classes of sizes."""


class CommitSample:
    """Counts by class, one more for what is beyond the last; and the sums, in seconds and bytes."""

    __slots__ = ("bytes", "bytes_sum", "seconds", "seconds_sum")

    def __init__(self) -> None:
        self.seconds = [0] * (len(SECONDS) + 1)
        self.seconds_sum = 0.0
        self.bytes = [0] * (len(BYTES) + 1)
        self.bytes_sum = 0

    def add(self, nanoseconds: int, size: int) -> None:
        """Count one commit."""
        took = nanoseconds / 1e9
        self.seconds[bisect_left(SECONDS, took)] += 1
        self.seconds_sum += took
        self.bytes[bisect_left(BYTES, size)] += 1
        self.bytes_sum += size
