"""`python -m tests.fuzz`: run cases until the time is over, or one case alone."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import count

from tests.ilink import world

from . import client, decoding, gateway, pair

TARGETS: dict[str, Callable[[int], None]] = {
    "framing": decoding.frames_do_not_depend_on_the_pieces,
    "decoding": decoding.a_frame_is_a_message_or_a_decode_error,
    "client": client.a_client_survives_any_gateway,
    "gateway": gateway.a_gateway_survives_any_clients,
    "promotion": pair.a_promotion_keeps_the_order_of_everything,
    "pair": pair.a_pair_loses_nothing_and_says_nothing_twice,
    "conversation": world.check,
}
ROUND = {"framing": 20, "decoding": 20, "client": 20, "gateway": 10, "promotion": 5, "pair": 5, "conversation": 10}
"""Cases of each target in a round: about as much time for each."""


def cases(names: list[str], first: int) -> Iterator[tuple[str, int]]:
    """Target and seed of every case, from the seed `first` on, for ever."""
    for place in count():
        for name in names:
            for number in range(ROUND[name]):
                yield name, first + place * ROUND[name] + number


def say(*words: str) -> None:
    """A line, at once."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--case", type=int, help="only this seed, of --target or of each")
    options = parser.parse_args()
    names = [options.target] if options.target else list(TARGETS)
    if options.case is not None:
        for name in names:
            TARGETS[name](options.case)
        return 0
    began = said = time.monotonic()
    done = dict.fromkeys(names, 0)
    for name, seed in cases(names, options.seed):
        try:
            TARGETS[name](seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
            traceback.print_exc()
            say(f"\nbroken: python -m tests.fuzz --target {name} --case {seed}")
            return 1
        done[name] += 1
        now = time.monotonic()
        if now - said >= 60 or now - began >= options.seconds:
            said = now
            say(f"{now - began:6.0f} s", *(f"{name} {number:,}" for name, number in done.items()))
            if now - began >= options.seconds:
                return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
