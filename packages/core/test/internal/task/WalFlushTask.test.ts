import { portable } from "@effect-slatedb/core/Compression"
import * as Settings from "@effect-slatedb/core/Settings"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import { SsTableWriter } from "../../../src/internal/format/SsTableWriter.ts"
import { Generation } from "../../../src/internal/lsm/Generation.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import { Kind, neverExpires } from "../../../src/internal/model/RowEntry.ts"
import * as ObjectPaths from "../../../src/internal/store/ObjectPaths.ts"
import * as UlidSource from "../../../src/internal/store/UlidSource.ts"
import { TurnMeter } from "../../../src/internal/store/TurnMeter.ts"
import * as WalStore from "../../../src/internal/store/WalStore.ts"
import { Lifecycle } from "../../../src/internal/task/Lifecycle.ts"
import { StateCell } from "../../../src/internal/task/StateCell.ts"
import * as WalFlushTask from "../../../src/internal/task/WalFlushTask.ts"

const options = {
  kind: "wal",
  blockSizeBytes: 1024,
  filterBitsPerKey: 10,
  minFilterKeys: 1000,
  codecName: "none",
  codec: undefined,
  crc32: portable.crc32
} as const

const writer = () => new SsTableWriter(options)

const start = Effect.fnUntraced(function* (newWriter = writer) {
  const newGeneration = () => Generation.make({ hashSeed: 1 })
  const lifecycle = new Lifecycle()
  const manifest = { id: 1, manifest: Manifest.empty }
  const cell = new StateCell({ open: newGeneration(), sealed: [], current: manifest }, 0, newGeneration)
  const task = yield* WalFlushTask.make({
    lifecycle,
    cell,
    settings: { ...Settings.defaults, walFlush: "manual" },
    wals: WalStore.make(MemoryObjectStore.fromState(MemoryObjectStore.makeState()), ObjectPaths.make("db")),
    ulids: yield* UlidSource.make,
    newWriter,
    turns: new TurnMeter(yield* Clock.Clock),
    isLeaseFresh: () => true,
    refreshManifest: Effect.void,
    nextWalId: 1,
    replayedWals: 0,
    lastCreateTime: 0,
    onSealedDurable: () => {},
    onReleased: () => {}
  })
  return { task, lifecycle, cell }
})

const key = new Uint8Array([1])

it.effect("who waits for durability is told, whenever it is that the database ends", () =>
  Effect.gen(function* () {
    for (let turns = 0; turns < 60; turns++) {
      const { lifecycle, task } = yield* start()
      task.append(key, key, Kind.put, neverExpires)
      const put = yield* Effect.forkChild(Effect.exit(task.awaitDurable()), { startImmediately: true })
      yield* Effect.forkChild(Effect.exit(task.flush(false)), { startImmediately: true })
      for (let i = 0; i < turns; i++) yield* Effect.yieldNow
      lifecycle.fence("now")
      for (let i = 0; i < 60; i++) yield* Effect.yieldNow
      assert.isDefined(put.pollUnsafe(), `after ${turns} turns`)
      yield* Fiber.interrupt(put)
    }
  }).pipe(Effect.provideService(References.MaxOpsBeforeYield, 3))
)

it.effect("a batch that breaks off between two rows ends the database: nothing is written behind half of it", () =>
  Effect.gen(function* () {
    const compress = () => {
      throw new Error("out of memory")
    }
    const codec = { compress, decompress: compress }
    const { cell, lifecycle, task } = yield* start(() => new SsTableWriter({ ...options, codecName: "lz4", codec }))
    const row = (n: number) => ({
      key: key.with(0, n),
      value: new Uint8Array(800),
      kind: Kind.put,
      expireTime: neverExpires
    })
    assert.throws(() => task.appendBatch([row(1), row(2), row(3)]), "out of memory")
    assert.strictEqual(lifecycle.reason?.kind, "failed")
    assert.strictEqual(cell.visibleSequence, 0)
  })
)
