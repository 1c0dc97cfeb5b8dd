"""A small DEFLATE encoder (RFC 1951, fixed Huffman codes): the same bytes on any machine.

Builds of zlib differ in the bytes they make of the same content (zlib, zlib-ng, Apple's); what
they all unpack is the same. This one is slower and packs less tightly, and always alike.
"""

from __future__ import annotations

WINDOW = 32_768
LONGEST = 258
KEY_LENGTHS = (10, 6, 4)  # look for the longest of these that was seen before

# RFC 1951, 3.2.5: (code, extra bits, first length) and (code, extra bits, first distance).
LENGTH_EXTRA = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4
DISTANCE_EXTRA = [0, 0, 0, 0] + [extra for extra in range(1, 14) for _ in (0, 1)]


def deflate(data: bytes) -> bytes:
    """Return `data` as one raw DEFLATE block with fixed codes."""
    chunks: list[bytes] = []
    bits, n_bits = 0b011, 3  # last block, fixed codes
    for code, width in _tokens(data):
        bits |= code << n_bits
        n_bits += width
        if n_bits > 4096:
            whole = n_bits // 8
            chunks.append((bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little"))
            bits >>= 8 * whole
            n_bits -= 8 * whole
    # The end-of-block code is seven zero bits.
    chunks.append(bits.to_bytes((n_bits + 7 + 7) // 8, "little"))
    return b"".join(chunks)


def _tokens(data: bytes):
    """Yield (bits, width) of every literal and match."""
    seen: tuple[dict[bytes, int], ...] = tuple({} for _ in KEY_LENGTHS)
    at, end = 0, len(data)
    while at < end:
        start = _earlier(data, at, seen)
        if start < 0:
            yield LITERALS[data[at]]
            at += 1
            continue
        length = _common_length(data, start, at, min(LONGEST, end - at))
        yield LENGTHS[length]
        yield _distance_code(at - start)
        at += length


def _earlier(data: bytes, at: int, seen: tuple[dict[bytes, int], ...]) -> int:
    """Return where the longest key at `at` was last seen, -1 if nowhere; remember all keys."""
    found = -1
    for width, places in zip(KEY_LENGTHS, seen, strict=True):
        key = data[at : at + width]
        if len(key) < width:
            continue
        if found < 0:
            place = places.get(key, -1)
            found = place if place >= 0 and at - place <= WINDOW else -1
        places[key] = at
    return found


def _common_length(data: bytes, start: int, at: int, most: int) -> int:
    """Return how many bytes, at most `most`, are the same from `start` and from `at`."""
    low, high = min(KEY_LENGTHS), most
    if data[start : start + high] == data[at : at + high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if data[start : start + middle] == data[at : at + middle]:
            low = middle
        else:
            high = middle
    return low


def _reversed_bits(code: int, width: int) -> int:
    """Return a Huffman code with its first bit lowest, as DEFLATE packs it."""
    return int(f"{code:0{width}b}"[::-1], 2)


def _literal(symbol: int) -> tuple[int, int]:
    """Return the fixed code of a literal or length symbol (RFC 1951, 3.2.6)."""
    if symbol < 144:
        return _reversed_bits(0x30 + symbol, 8), 8
    if symbol < 256:
        return _reversed_bits(0x190 + symbol - 144, 9), 9
    if symbol < 280:
        return _reversed_bits(symbol - 256, 7), 7
    return _reversed_bits(0xC0 + symbol - 280, 8), 8


def _length_codes() -> list[tuple[int, int]]:
    """Return the code of every match length, by length."""
    codes: list[tuple[int, int]] = [(0, 0)] * (LONGEST + 1)
    first = 3
    for index, extra in enumerate(LENGTH_EXTRA):
        code, width = _literal(257 + index)
        for offset in range(1 << extra):
            if first + offset <= LONGEST:
                codes[first + offset] = (code | offset << width, width + extra)
        first += 1 << extra
    codes[LONGEST] = _literal(285)
    return codes


def _distance_code(distance: int) -> tuple[int, int]:
    """Return the code of a distance: 5 bits, then the extra bits."""
    symbol = next(s for s in range(29, -1, -1) if distance >= DISTANCE_FIRST[s])
    offset = distance - DISTANCE_FIRST[symbol]
    return _reversed_bits(symbol, 5) | offset << 5, 5 + DISTANCE_EXTRA[symbol]


def _first_distances() -> list[int]:
    """Return the smallest distance of each distance symbol."""
    first = [1]
    for extra in DISTANCE_EXTRA[:-1]:
        first.append(first[-1] + (1 << extra))
    return first


LITERALS = [_literal(symbol) for symbol in range(256)]
LENGTHS = _length_codes()
DISTANCE_FIRST = _first_distances()
