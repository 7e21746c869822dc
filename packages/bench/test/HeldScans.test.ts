import * as Db from "@effect-slatedb/core/Db"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import * as Doors from "../src/adapters/ours/Doors.ts"
import * as HeldScans from "../src/HeldScans.ts"

/** A database of ours that counts the scans that are open. */
const counting = async () => {
  const runtime = ManagedRuntime.make(Layer.provide(Db.layer({ path: "db" }), MemoryObjectStore.layer))
  const db = await runtime.runPromise(Db.Db.use(Effect.succeed))
  const scans = { open: 0, begun: 0 }
  const counted: Db.Db["Service"] = {
    ...db,
    scan: (range, options) =>
      db.scan(range, options).pipe(
        Stream.onFirst(() =>
          Effect.sync(() => {
            scans.open++
            scans.begun++
          })
        ),
        Stream.ensuring(
          Effect.sync(() => {
            scans.open--
          })
        )
      )
  }
  return { scans, runtime, database: Doors.fiber({ db: counted, runtime, counters: () => ({}) }) }
}

describe("HeldScans", () => {
  it("are begun, and open as long as something runs beside them", async () => {
    const { database, runtime, scans } = await counting()
    const during = await HeldScans.during(database, { count: 3, valueBytes: 10 }, async () => ({ ...scans }))
    assert.deepStrictEqual(during, { open: 3, begun: 3 })
    assert.deepStrictEqual(scans, { open: 0, begun: 3 })
    await runtime.dispose()
  })

  it("end when what runs beside them fails", async () => {
    const { database, runtime, scans } = await counting()
    const failure = await HeldScans.during(database, { count: 2, valueBytes: 10 }, () =>
      Promise.reject(new Error("failed"))
    ).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.instanceOf(failure, Error)
    assert.deepStrictEqual(scans, { open: 0, begun: 2 })
    await runtime.dispose()
  })
})
