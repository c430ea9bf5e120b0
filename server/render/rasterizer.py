"""Draws the SVG in stdin as PNG to stdout, in a process of its own: `python rasterizer.py WIDTH HEIGHT`.

resvg has no limits: ten bytes more can make a drawing take a minute or all memory, and some drawings overflow its
stack, which ends the process (measured with resvg 0.48: 200,000 lines that cross, 20,000 groups in each other).
So this process may end, and what it may take is bounded by the system. Starting it takes 20 ms.
"""

import resource
import sys

import resvg_py

CPU_S = 2
MEMORY_BYTES = 1 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    width, height = map(int, sys.argv[1:])
    svg = sys.stdin.buffer.read().decode()
    # Within width and height, in its own proportions. No font of this machine makes a difference.
    sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True))


if __name__ == "__main__":
    main()
