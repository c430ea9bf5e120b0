from array import array

class Networks:
    """Networks of IPv4 and of IPv6, each in order, and none of them in another one."""

    def __init__(self, first4: array[int], bits4: bytes, high6: array[int], low6: array[int], bits6: bytes) -> None:
        """Their first addresses (u32; the two halves of those of IPv6, u64) and the lengths (u8) in bits of what all
        addresses in one have in common."""

    def find(self, address: bytes) -> int:
        """The place of the network with the address of 4 or 16 bytes, those of IPv6 behind all of IPv4; -1 for one in
        none."""
