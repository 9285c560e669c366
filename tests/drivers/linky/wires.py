"""A serial line bit by bit: what a port set to one speed makes of a line that speaks at another."""

WIRE_BIT = 1.0


def line_levels(text, speed, *, idle_bits=4):
    """The line's level at 76800 samples a second (8 a bit at 9600): 7 bits, even parity, 1 stop; text in seven bits."""
    samples = 76800 // speed
    levels = bytearray()
    for byte in text:
        bits = [0, *((byte >> n) & 1 for n in range(7)), byte.bit_count() % 2, 1]
        for bit in bits:
            levels += bytes([bit]) * samples
    return bytes(levels + b"\x01" * samples * idle_bits)


def sampled(levels, speed, *, start=0):
    """Yield `(byte, when)` as an 8N1 port at `speed` would read `levels`, from sample `start`; `when` in seconds.

    A byte whose stop bit is low (a framing error) is handed over like any other, as a raw port does; the receiver then
    waits for the line to be high before it looks for the next start bit.
    """
    samples = 76800 // speed
    at = start
    while True:
        at = levels.find(0, at)
        if at < 0 or at + samples * 10 > len(levels):
            return
        middle = at + samples // 2
        byte = sum(levels[middle + samples * (1 + n)] << n for n in range(8))
        stop = middle + samples * 9
        yield byte, (stop - start) / 76800
        at = stop
        if levels[stop] == 0:
            at = levels.find(1, stop)
            if at < 0:
                return
