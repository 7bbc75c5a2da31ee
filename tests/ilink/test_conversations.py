"""Random worlds, in which nothing may be lost and nothing may come twice; see `world`."""

import pytest

from .world import World, check


@pytest.mark.parametrize("seed", range(400))
def test_nothing_is_lost_and_nothing_comes_twice(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_comes_twice_in_ten_thousand_worlds() -> None:
    for seed in range(400, 10_400):
        check(seed)


def test_the_world_is_rough_enough() -> None:
    """The random worlds do meet what they are made for."""
    seen: set[str] = set()
    for seed in range(60):
        world = World(seed)
        for _ in range(250):
            had_replay = bool(world.replay)
            world.step()
            seen |= {"promoted"} if world.gateway is not None and world.gateway._promotion_unheard else set()
            seen |= {"a connection that only the client knows to be gone"} if world.stale is not None else set()
            seen |= {"replay"} if world.replay and had_replay else set()
            seen |= {"missed under an earlier UUID"} if world.memory.missed else set()
        seen |= {"not applied"} if world.refused else set()
        seen |= {"several UUIDs"} if len(world.outbox) > 2 else set()
        seen |= {"before the first login"} if world.outbox.get(0) else set()
        seen |= {"taken away by a new week"} if world.lost else set()
    assert seen == {
        "taken away by a new week",
        "promoted",
        "a connection that only the client knows to be gone",
        "replay",
        "missed under an earlier UUID",
        "not applied",
        "several UUIDs",
        "before the first login",
    }
