/** What the process of a role says, and what of it is a complaint. */
import * as RoleProcess from "@effect-slatedb/testkit/interop/RoleProcess"
import { assert, it } from "@effect/vitest"

const lines = ["ready", "open", "compacted 2", "saw 7", "collected 30", "compacted 1"]

it("counts what was said behind a word", () => {
  assert.deepStrictEqual(RoleProcess.numbers(lines, "compacted"), [2, 1])
  assert.strictEqual(RoleProcess.total(lines, "compacted"), 3)
  assert.strictEqual(RoleProcess.total(lines, "collect"), 0)
})

it("takes everything else for a complaint", () => {
  const complaints = ["wrong showed 7 before", "failed Error: no", "saw 7 and more", "open 3", "saw"]
  assert.deepStrictEqual(RoleProcess.complaints(lines), [])
  assert.deepStrictEqual(RoleProcess.complaints([...lines, ...complaints]), complaints)
})
