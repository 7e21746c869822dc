/**
 * A process of its own: ranges, scans and batches until all of it is compiled, then full collections while
 * nothing is at work. V8 tells what compiled code it drops with them, started as `Shapes.test.ts` does.
 */
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const keyOf = (n: number) => `key/${100_000 + n}`
const rowCount = 2000

/** What is to be dropped: nobody keeps one of these. */
class Point {
  readonly x: number
  readonly y: number

  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
}

const points: Array<Point> = []

const control = (n: number): number => {
  const last = points.pop()
  points.push(new Point(n, n + 1))
  return last === undefined ? 0 : last.x + last.y
}

const write = (db: Db.Db["Service"], n: number) => {
  let batch = WriteBatch.empty
  for (let i = 0; i < 20; i++) batch = WriteBatch.put(batch, keyOf((n + 7 * i) % rowCount), "value")
  return db.write(batch, { awaitDurable: false })
}

const range = (db: Db.Db["Service"], n: number, order: "ascending" | "descending") =>
  db.getRange(KeyRange.make({ from: keyOf(n % rowCount), to: keyOf((n % rowCount) + 40) }), {
    limit: 20,
    order,
    readLevel: "uncommitted"
  })

const work = Effect.gen(function* () {
  const db = yield* Db.make({ path: "db" })
  let sum = 0
  const rounds = Effect.fnUntraced(function* (count: number) {
    for (let n = 0; n < count; n++) {
      yield* write(db, n)
      for (let i = 0; i < 4; i++) {
        const ascending = yield* range(db, 31 * n + i, "ascending")
        const descending = yield* range(db, 31 * n + i, "descending")
        sum += control(ascending.length + descending.length)
      }
      if (n % 20 === 0) yield* Stream.runDrain(db.scan(KeyRange.all, { readLevel: "uncommitted" }))
    }
  })
  yield* rounds(100)
  yield* db.flush("memtable")
  yield* rounds(3000)
  points.pop()
  for (let collection = 0; collection < 5; collection++) {
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    globalThis.gc?.()
  }
  yield* rounds(1)
  yield* Effect.sync(() => process.stdout.write(`\nsum=${sum}\n`))
})

await Effect.runPromise(Effect.scoped(work).pipe(Effect.provide(MemoryObjectStore.layer)))
