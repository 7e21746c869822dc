/** L7: the tables of a sorted run are disjoint and in order (one key may span two neighbours). */
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as ManifestCodec from "../../src/internal/format/ManifestCodec.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import * as ManifestInvariants from "../../src/internal/model/ManifestInvariants.ts"
import type { SsTable } from "../../src/internal/model/SsTable.ts"
import * as ManifestStore from "../../src/internal/store/ManifestStore.ts"
import * as ObjectPaths from "../../src/internal/store/ObjectPaths.ts"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as GenerationModel from "../internal/lsm/GenerationModel.ts"

const table = (number: number, first: number, last: number): SsTable => {
  const id = String(number).padStart(26, "0")
  return {
    id,
    viewId: id,
    formatVersion: 2,
    visibleRange: undefined,
    info: {
      firstEntry: Uint8Array.of(first),
      lastEntry: Uint8Array.of(last),
      filterOffset: 100,
      filterLength: 0,
      filterFormat: "legacy",
      indexOffset: 100,
      indexLength: 20,
      statsOffset: 120,
      statsLength: 0,
      compression: "none",
      kind: "compacted"
    }
  }
}

const withRun = (ranges: ReadonlyArray<readonly [first: number, last: number]>): Manifest.Manifest => ({
  ...Manifest.empty,
  lastL0Sequence: 1,
  runs: [{ id: 0, tables: ranges.map(([first, last], i) => table(i + 1, first, last)) }]
})

const overlapping = withRun([
  [1, 5],
  [4, 9]
])
const disjoint = withRun([
  [1, 4],
  [4, 9]
])

it("a run breaks it exactly when a key above another table's first comes before that table", () => {
  let kept = 0
  let broken = 0
  for (let seed = 0; seed < 3000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    const ranges = Array.from({ length: 1 + random(3) }, (_, i) => {
      const first = 3 * i + random(5)
      return [first, first + random(4)] as const
    })
    const isKept = ranges.every(([first], i) => ranges.slice(0, i).every(([, last]) => last <= first))
    const violations = ManifestInvariants.check(withRun(ranges))
    assert.deepStrictEqual(
      violations.map(({ law }) => law).slice(0, 1),
      isKept ? [] : ["L7"],
      `seed=${seed} ${JSON.stringify(ranges)}`
    )
    if (isKept) kept++
    else broken++
  }
  assert.isAbove(kept, 300)
  assert.isAbove(broken, 300)
})

describe("the store of manifests", () => {
  const open = Effect.gen(function* () {
    const paths = ObjectPaths.make("db")
    const store = MemoryObjectStore.fromState(MemoryObjectStore.makeState())
    const manifests = ManifestStore.make(store, paths, yield* UlidSource.make)
    yield* manifests.createFirst(Manifest.empty)
    return { manifests, paths, store }
  })
  const first = { id: 1, value: Manifest.empty }

  it.effect("writes no manifest that breaks it: a defect that names the law", () =>
    Effect.gen(function* () {
      const { manifests } = yield* open
      const exit = yield* Effect.exit(manifests.update(first, () => Result.succeed(overlapping)))
      if (Exit.isSuccess(exit)) return assert.fail("it was written")
      assert.include(String(exit.cause), "L7: the tables of a run are ordered and disjoint")
      assert.deepStrictEqual(yield* manifests.ids, [1])
      assert.strictEqual((yield* manifests.update(first, () => Result.succeed(disjoint))).id, 2)
    })
  )

  it.effect("reads none: the object is corrupt, and says so", () =>
    Effect.gen(function* () {
      const { manifests, paths, store } = yield* open
      const path = paths.manifests.path(2)
      yield* store.putIfAbsent(path, ManifestCodec.encode(overlapping), { putId: "another writer" })
      const { reason } = yield* Effect.flip(manifests.latest)
      assert.strictEqual(reason._tag, "Corrupt")
      assert.include(reason.message, "L7: the tables of a run are ordered and disjoint")
    })
  )
})
