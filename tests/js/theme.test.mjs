import assert from "node:assert/strict";
import { test } from "node:test";

import { initial, other } from "../../dashboard/assets/theme.mjs";

test("a remembered theme wins over the system's preference, anything else does not", () => {
  assert.equal(initial("light", true), "light");
  assert.equal(initial("dark", false), "dark");
  assert.equal(initial(null, true), "dark");
  assert.equal(initial("pink", false), "light");
});

test("the toggle changes between two themes", () => {
  assert.deepEqual(["dark", "light"].map(other), ["light", "dark"]);
});
