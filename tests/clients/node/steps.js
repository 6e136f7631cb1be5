// What the programs of this folder share: steps by name, one line of output for each.
'use strict';

const assert = require('node:assert/strict');

const STEP_MILLISECONDS = 90000;

// Runs steps, an object of async functions, in order. Prints `ok NAME`, `SKIPPED NAME: reason`, or `FAILED NAME: what was
// found`. clean() is called after a step that failed.
async function play(steps, suffix, clean) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    const title = name + suffix;
    try {
      const skipped = await bounded(step(), title);
      console.log(skipped ? `SKIPPED ${title}: ${skipped}` : `ok ${title}`);
    } catch (error) {
      failed += 1;
      const text = (error.stack || String(error)).slice(0, 1500).replaceAll('\n', ' ');
      console.log(`FAILED ${title}: ${text}`);
      await clean().catch((reason) => console.log(`       while cleaning: ${reason.message}`));
    }
  }
  return failed;
}

// The promise's result, or an error when it takes longer than a step may.
function bounded(promise, what, milliseconds = STEP_MILLISECONDS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Calls condition until it gives something true.
async function until(condition, what) {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`never: ${what}`);
}

// Everything that a stream gives, as text.
async function text(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString();
}

// The call must fail with this status, and its message must match.
async function refused(call, status, pattern = /./) {
  await assert.rejects(call, (error) => {
    assert.equal(error.statusCode, status, error.message);
    assert.match(error.message, pattern);
    return true;
  });
}

module.exports = { bounded, play, refused, text, until };
