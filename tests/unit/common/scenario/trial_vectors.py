#!/usr/bin/env python3
"""The trials and candidates of common/scenario/trial.h, made a second time: a reference for other implementations.

Prints trial_vectors.json, against which trial_test.cc checks the C++:
    python3 trial_vectors.py > trial_vectors.json
"""

import hashlib
import json
import math

M32 = 2**32 - 1


def philox4x32(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & M32, (p0 >> 32) ^ c[3] ^ k[1], p0 & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c


class RandomStream:
    def __init__(self, purpose, seed, scenario_id, kind, pair):
        text = f"candor/{purpose}/1\n{seed}\n{kind}\n{scenario_id}"
        key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        self.key, self.pair, self.position = (key & M32, key >> 32), pair, 0

    def bits(self):
        block, half = divmod(self.position, 2)
        self.position += 1
        words = philox4x32((block & M32, block >> 32, self.pair & M32, self.pair >> 32), self.key)
        return words[2 * half] | words[2 * half + 1] << 32

    def uniform(self):
        return (self.bits() >> 11) / 2**53

    def below(self, n):
        reject_below = (2**64 - n) % n
        bits = self.bits()
        while bits < reject_below:
            bits = self.bits()
        return bits % n


def decimals(low, high):
    size = high - low
    return 0 if size >= 5 else 1 if size >= 1 else abs(math.floor(math.log10(size))) + 1


def options_of(random, ranges):
    options = []
    for _ in "AB":
        values = []
        for low, high in ranges:
            value = float("%.*f" % (decimals(low, high), low + (high - low) * random.uniform()))
            values.append(min(max(value, low), high) + 0.0)
        options.append(values)
    return options


def candidate(seed, scenario_id, pair, number, ranges):
    random = RandomStream("candidate", seed, scenario_id, "CHOICE", number << 32 | pair)
    return options_of(random, ranges)


def trial(seed, scenario_id, kind, pair, ranges):
    options = options_of(RandomStream("trial", seed, scenario_id, kind, pair), ranges)
    random = RandomStream("attribute_order", seed, scenario_id, kind, pair)
    order = list(range(len(ranges)))
    for i in range(len(ranges) - 1, 0, -1):
        j = random.below(i + 1)
        order[i], order[j] = order[j], order[i]
    return options[0], options[1], order


# Ranges of every number of decimals, with negative values and bounds that rounding would leave.
RANGES = [[0, 100], [-5, 5], [1, 4.5], [0.25, 1], [0.001, 0.009], [1.4, 20.4], [-0.004, 0.003]]
CASES = [
    (0, "a", "CHOICE", 0, 2),
    (7, "friday_supper_table", "CHOICE", 0, 5),
    (7, "friday_supper_table", "CHOICE", 1, 5),
    (7, "friday_supper_table", "SELF_REPORT", 0, 5),
    (8, "friday_supper_table", "CHOICE", 0, 5),
    (7, "bakery_loaf", "CHOICE", 0, 5),
    (9007199254740992, "Edge.case-1", "SELF_REPORT", 4294967295, 7),
    (12345, "x", "CHOICE", 1000000, 7),
]


def main():
    vectors = []
    for seed, scenario_id, kind, pair, count in CASES:
        a, b, order = trial(seed, scenario_id, kind, pair, RANGES[:count])
        vector = {"seed": seed, "scenario": scenario_id, "kind": kind, "pair": pair,
                  "ranges": RANGES[:count], "a": a, "b": b, "shuffled_order": order}
        if kind == "CHOICE":
            vector["candidates"] = [[number, *candidate(seed, scenario_id, pair, number, RANGES[:count])]
                                    for number in (0, 1, 1023)]
        vectors.append(vector)
    lines = ",\n".join("  " + json.dumps(vector) for vector in vectors)
    print("[\n" + lines + "\n]")


if __name__ == "__main__":
    main()
