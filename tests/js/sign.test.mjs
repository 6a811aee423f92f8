import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "../../dashboard/assets/sign.mjs";

const SINCE = new Date(2026, 0, 1, 14, 3, 12).getTime();

test("each state has its words, and the seconds stand apart from them", () => {
  assert.deepEqual(words({ state: "live", since: SINCE, retryAt: null }, SINCE), { text: "Live", countdown: "" });
  assert.equal(words({ state: "catching-up", since: SINCE, retryAt: null }, SINCE).text, "Catching up");
  assert.equal(words({ state: "stale", since: SINCE, retryAt: null }, SINCE).text, "Stale since 14:03:12");
  assert.deepEqual(words({ state: "offline", since: SINCE, retryAt: SINCE + 2_500 }, SINCE), {
    text: "Offline since 14:03:12",
    countdown: ", trying again in 3 s",
  });
  assert.equal(words({ state: "offline", since: SINCE, retryAt: null }, SINCE).countdown, "");
});
