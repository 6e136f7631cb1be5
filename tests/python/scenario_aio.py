#!/usr/bin/env python3
"""scenario.py with asyncio: the same placements.

usage: scenario_aio.py
"""

import asyncio

import pyswarm
import pyswarm.aio
from scenario import CONTAINERS, EVEN, NOWHERE, PLAIN, even_name


async def refuse(manager):
  try:
    await manager.create_container(NOWHERE, name="refused")
    raise AssertionError("it was not refused")
  except pyswarm.FailedPrecondition as error:
    assert "zone==nowhere" in str(error)
  plan = await manager.plan(NOWHERE, name="refused")
  assert not plan.fits and plan.node is None and len(plan.reasons) == 5
  assert "zone==nowhere" in plan.reasons["sim-0001"]


async def count_creates(events):
  seen = 0
  async for event in events:
    assert event["Action"] == "create"
    seen += 1
    if seen == CONTAINERS:
      return


async def main():
  placements = []
  async with pyswarm.aio.Manager("sim://5?seed=7", seed=7, threads=1, custom_filters={"evenname": even_name}) as manager:
    await manager.wait_ready()
    async with await manager.events({"type": "container", "event": "create"}) as events:
      follows = asyncio.create_task(count_creates(events))
      for number in range(CONTAINERS):
        made = await manager.create_container(EVEN if number % 3 == 0 else PLAIN, name="c%d" % number)
        placements.append("c%d %s" % (number, (await manager.inspect(made))["Node"]["Name"]))
      await refuse(manager)
      await follows
  print("\n".join(placements))


if __name__ == "__main__":
  asyncio.run(main())
