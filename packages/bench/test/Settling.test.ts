import { assert, describe, it } from "@effect/vitest"
import type { Counters } from "../src/Engine.ts"
import * as ReadRequests from "../src/ReadRequests.ts"
import * as Settling from "../src/Settling.ts"

/** What the counters say each time they are asked; the last for ever. */
const script = (...steps: ReadonlyArray<Counters>) => {
  let asked = 0
  const counters = () => steps[Math.min(asked++, steps.length - 1)] ?? {}
  return { counters, asked: () => asked }
}

const bytes = (count: number, running = 0): Counters => ({
  "compactor.running_compactions": running,
  "compactor.bytes_compacted": count
})

describe("Settling", () => {
  it("waits while something runs and while bytes grow, and then for as long as it is told", async () => {
    const { asked, counters } = script(bytes(0), bytes(0, 1), bytes(0, 1), bytes(5), bytes(5, 1), bytes(9), bytes(9))
    const quiet = await Settling.quiet(counters, { quietMillis: 150, waitMillisMax: 60_000 })
    assert.isAtLeast(quiet, 150)
    assert.isAtLeast(asked(), 8)
  })

  it("gives up when it took too long", async () => {
    const { counters } = script(bytes(0, 1))
    assert.strictEqual(await Settling.quiet(counters, { quietMillis: 1, waitMillisMax: 200 }), 0)
  })

  it("of an engine without counters waits for nothing but the quiet", async () => {
    const { counters } = script({})
    assert.isAtLeast(await Settling.quiet(counters, { quietMillis: 50, waitMillisMax: 60_000 }), 50)
  })
})

describe("ReadRequests", () => {
  it("counts reads of objects, neither bytes nor listings nor writes nor failures", () => {
    assert.strictEqual(
      ReadRequests.of({
        "get manifest": 1,
        "get manifest bytes": 1000,
        "getRange compacted": 20,
        "getRange compacted bytes": 1000,
        "head wal": 300,
        "list wal": 1000,
        "putIfAbsent wal": 1000,
        "db.request_count{op=get}": 1000,
        "object_store.request_count{api=get,component=db,op=get,store_type=main}": 4000,
        "object_store.request_count{api=get_range,component=db,op=get,store_type=main}": 50_000,
        "object_store.request_count{api=get_ranges,component=db,op=get,store_type=main}": 600_000,
        "object_store.request_count{api=head,component=db,op=get,store_type=main}": 7_000_000,
        "object_store.request_count{api=put,component=db,op=put,store_type=main}": 1000,
        "object_store.error_count{api=get,component=db,op=get,store_type=main}": 1000
      }),
      7_654_321
    )
  })
})
