"""What the tests of pyswarm.aio share."""

import asyncio
import time

import pyswarm
import pyswarm.aio


def run(main, seconds=30):
  """Runs a coroutine with a bound."""
  async def bounded():
    return await asyncio.wait_for(main, seconds)

  return asyncio.run(bounded())


async def until(condition, seconds=10):
  """Waits, and lets the loop turn, until condition() is true."""
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end, "not within %g s" % seconds
    await asyncio.sleep(0.005)


def with_manager(body, **options):
  """Runs body(manager) with an open manager."""
  async def main():
    async with pyswarm.aio.Manager(options.pop("discovery", "sim://3?seed=7"), threads=1, **options) as manager:
      await manager.wait_ready()
      return await body(manager)

  return run(main())
