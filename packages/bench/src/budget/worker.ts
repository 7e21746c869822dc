/**
 * The workloads of the budget, each on a small database on the memory store whose
 * background tasks have nothing to do. Prints bytes for each as a line of JSON.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import type * as Settings from "@effect-slatedb/core/Settings"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Key from "../Key.ts"
import * as Permutation from "../Permutation.ts"
import * as Heap from "./Heap.ts"

type Handle = Db.Db["Service"]

const rows = 10_000
const rowsHeld = 100_000
const value = new Uint8Array(100)
const lazily = { awaitDurable: false }
const uncommitted = { readLevel: "uncommitted" } as const
const order = Permutation.make(rowsHeld)
/** In no order, as most programs write. */
const keys = Array.from({ length: rowsHeld }, () => Key.make(order()))
const absent = keys.slice(0, rows).map((key) => Buffer.concat([key, Buffer.from("x")]))

/** Hashes depend on a random number, and which of their steps leave the small integers on both. */
const seeded = Layer.effect(
  Random.Random,
  Effect.gen(function* () {
    return yield* Random.Random
  }).pipe(Random.withSeed("budget"))
)

/** Slices of work end by this clock, and each allocates: here their length is to be a number of rows, however fast the machine is. */
const still = Layer.effect(
  Clock.Clock,
  Effect.map(Clock.Clock, (clock): Clock.Clock => ({
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => 0n,
    monotonicTimeNanos: Effect.succeed(0n),
    sleep: (duration) => clock.sleep(duration)
  }))
)

const open = async (state = MemoryObjectStore.makeState(), settings: Settings.Input = {}) => {
  const store: Layer.Layer<ObjectStore> = MemoryObjectStore.layerState(state)
  const cache = BlockCache.layerMemory({ blockBytesMax: 2 ** 28, metaBytesMax: 2 ** 28 })
  const database = Db.layer({ path: "db", settings: { walFlush: "manual", ...settings } })
  const runtime = ManagedRuntime.make(Layer.provide(database, [store, cache, seeded, still]))
  return { db: await runtime.runPromise(Db.Db.use(Effect.succeed)), close: () => runtime.dispose() }
}

const forAll = <A>(of: ReadonlyArray<A>, effect: (one: A) => Effect.Effect<unknown, unknown>) =>
  Effect.runPromise(
    Effect.gen(function* () {
      for (const one of of) yield* effect(one)
    })
  )

const put = (db: Handle) => (key: Uint8Array) => db.put(key, value, lazily)
const flush = (db: Handle) => Effect.runPromise(db.flush("memtable"))

const firstKeys = keys.slice(0, rows)
const groups = Array.from({ length: rows / 100 }, (_, i) => firstKeys.slice(i * 100, (i + 1) * 100))

/** Reads of what is in a memtable, or in blocks of the cache. */
const reads = async (where: string, db: Handle) => ({
  [`getUnsafe, hit, ${where}`]: await Heap.allocated(rows, async () => {
    for (const key of firstKeys) db.getUnsafe(key, uncommitted)
  }),
  [`getUnsafe, missing, ${where}`]: await Heap.allocated(rows, async () => {
    for (const key of absent) db.getUnsafe(key, uncommitted)
  }),
  [`getOption, hit, ${where}`]: await Heap.allocated(rows, () =>
    forAll(firstKeys, (key) => db.getOption(key, uncommitted))
  ),
  [`getRange of 10, ${where}`]: await Heap.allocated(1000, () =>
    forAll(firstKeys.slice(0, 1000), (key) => db.getRange(KeyRange.make({ from: key }), { ...uncommitted, limit: 10 }))
  ),
  [`scan, a row, ${where}`]: await Heap.allocated(rows, () =>
    Effect.runPromise(Stream.runForEachArray(db.scan(KeyRange.all, uncommitted), () => Effect.void))
  )
})

const reading = async () => {
  const { close, db } = await open()
  await forAll(firstKeys, put(db))
  const memtable = await reads("memtable", db)
  await flush(db)
  await Effect.runPromise(Stream.runDrain(db.scan(KeyRange.all, { cacheBlocks: true })))
  const table = await reads("table", db)
  await close()
  return { ...memtable, ...table }
}

const writing = async () => {
  const { close, db } = await open()
  const figures = {
    "put, not durable": await Heap.allocated(rows, () => forAll(firstKeys, put(db))),
    "batch of 100, not durable, a row": await Heap.allocated(rows, () =>
      forAll(groups, (group) =>
        Effect.suspend(() => {
          let batch = WriteBatch.empty
          for (const key of group) batch = WriteBatch.put(batch, key, value)
          return db.write(batch, lazily)
        })
      )
    )
  }
  await close()
  return figures
}

/** A flush of rows that were put before the reading. */
const flushing = async () => {
  const opened = await Promise.all(Array.from({ length: 5 }, () => open()))
  for (const { db } of opened) await forAll(firstKeys, put(db))
  const bytes = await Heap.allocated(rows, (number) => flush((opened[number] as { readonly db: Handle }).db))
  for (const { close } of opened) await close()
  return { "flush, a row": bytes }
}

/** An open of a database whose rows are in the WAL only. */
const replaying = async () => {
  const state = MemoryObjectStore.makeState()
  const { close, db } = await open(state)
  await forAll(firstKeys, put(db))
  await Effect.runPromise(db.flush("wal"))
  const crashed = Array.from({ length: 5 }, () => MemoryObjectStore.copyState(state))
  const closes: Array<() => Promise<void>> = []
  const bytes = await Heap.allocated(rows, async (number) => {
    closes.push((await open(crashed[number])).close)
  })
  for (const closeReopened of closes) await closeReopened()
  // Its ticks would keep the process alive.
  await close()
  return { "replay, a row": bytes }
}

/** What rows leave on the heap, besides their arena: in a memtable, ordered or not, and as cached blocks of a table. */
const holding = async () => {
  const { close, db } = await open()
  const scanned = () => Effect.runPromise(Stream.runDrain(db.scan(KeyRange.all, uncommitted)))
  const figures = {
    "left of a row in a memtable": await Heap.left(rowsHeld, async () => {
      await forAll(keys, put(db))
      return db
    }),
    "left of a row in a memtable once ordered": await Heap.left(rowsHeld, async () => {
      await scanned()
      return db
    })
  }
  await flush(db)
  const cached = await Heap.left(rowsHeld, async () => {
    await scanned()
    return db
  })
  await close()
  return { ...figures, "left of a row of a cached table": cached }
}

const figures = {
  ...(await reading()),
  ...(await writing()),
  ...(await flushing()),
  ...(await replaying()),
  ...(await holding())
}
process.stdout.write(JSON.stringify(figures))
