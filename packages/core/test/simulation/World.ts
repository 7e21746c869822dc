/**
 * A simulated database: the bucket, the process that owns it, older ones that do
 * not know yet that they do not, a reader, and what the model says of them all.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import type * as Db from "@effect-slatedb/core/Db"
import type * as DbReader from "@effect-slatedb/core/DbReader"
import type * as Settings from "@effect-slatedb/core/Settings"
import type * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Fault from "@effect-slatedb/testkit/Fault"
import type { Gate } from "@effect-slatedb/testkit/Gate"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as Compactors from "../support/Compactors.ts"
import * as TestDb from "../support/TestDb.ts"
import * as Dice from "./Dice.ts"
import * as Foreign from "./Foreign.ts"
import { Model } from "./Model.ts"

/** A process that has, or had, the database open. */
export interface Writer {
  readonly db: Db.Db["Service"]
  readonly settings: Settings.Input
  readonly scope: Scope.Closeable
  /** The way to the store, cut off at the crash. */
  readonly crash: Effect.Effect<Gate>
}

/** A process that was superseded: nothing above `limit` may become durable by it. */
export interface Zombie extends Writer {
  readonly limit: number
  gate: Gate | undefined
}

export interface World {
  readonly bucket: MemoryObjectStore.State
  readonly model: Model
  readonly weather: ReadonlyArray<Fault.Rule>
  readonly cache: BlockCache.BlockCache
  readonly ulids: UlidSource.UlidSource
  /** Whether level 0 may fill up, and only the foreign compactor makes room. */
  readonly isTight: boolean
  /** Whether writers compact, and compactors of their own come and go. */
  readonly isCompacting: boolean
  writer: Writer
  reader: DbReader.DbReader["Service"] | undefined
  zombies: ReadonlyArray<Zombie>
  /** Of their own: the last one has the role, unless somebody took it. */
  compactors: ReadonlyArray<Scope.Closeable>
  /** The greatest sequence number that anybody was told is durable. */
  acknowledged: number
  /** A compaction whose tables are stored and not named yet. */
  pending: Effect.Effect<void, unknown>
}

const weathers: ReadonlyArray<ReadonlyArray<Fault.Rule>> = [
  [],
  [{ fault: Fault.delayBetween("1 millis", "80 millis") }],
  [
    { fault: Fault.delayBetween("1 millis", "20 millis") },
    { fault: Fault.failBefore(), probability: 0.02 },
    { fault: Fault.failAfter(), probability: 0.05, operation: ["putIfAbsent"] }
  ],
  [
    { fault: Fault.delayBetween("1 millis", "300 millis") },
    { fault: Fault.staleList("1 second"), probability: 0.5 },
    { fault: Fault.failAfter(), probability: 0.02 }
  ]
]

const settingsOf = ({ isCompacting, isTight }: Pick<World, "isCompacting" | "isTight">) =>
  Effect.gen(function* () {
    const settings: Settings.Input = {
      walFlush: yield* Dice.pick(["interval", "interval", "eager", "manual"] as const),
      walEnabled: (yield* Dice.below(5)) > 0,
      l0SstSizeBytes: yield* Dice.pick([200, 1000, 20_000]),
      maxUnflushedBytes: yield* Dice.pick([45_000, 256 * 1024 * 1024]),
      blockSizeBytes: yield* Dice.pick([1024, 4096]),
      minFilterKeys: yield* Dice.pick([0, 1000]),
      walFilesPerMemtableMax: yield* Dice.pick([2, 4096]),
      compression: yield* Dice.pick(["none", "snappy", "lz4"] as const),
      l0MaxSsts: isTight ? 3 : 100_000,
      l0FlushParallelism: yield* Dice.pick([1, 4]),
      walMaxBytes: yield* Dice.pick([300, 16 * 1024 * 1024]),
      compactorEnabled: isCompacting,
      ...(yield* compactorSettings),
      // A writer whose level 0 is full learns from its poll that there is room.
      manifestPollInterval: isTight ? 1000 : yield* Dice.pick([1000, 30_000])
    }
    return settings
  })

const compactorSettings = Effect.gen(function* () {
  const settings: Settings.Input = {
    compactorPollInterval: yield* Dice.pick([100, 1000, 5000]),
    maxConcurrentCompactions: yield* Dice.pick([1, 4]),
    maxSstSizeBytes: yield* Dice.pick([500, 64 * 1024 * 1024])
  }
  return settings
})

export const make = Effect.gen(function* () {
  const isTight = yield* Dice.oneIn(3)
  const isCompacting = yield* Dice.oneIn(2)
  const cacheBytes = yield* Dice.pick([0, 3000, 64 * 1024 * 1024])
  const ground = {
    bucket: TestDb.bucket(),
    model: new Model(),
    weather: yield* Dice.pick(weathers),
    cache: BlockCache.makeMemory({ blockBytesMax: cacheBytes, metaBytesMax: cacheBytes }),
    ulids: yield* UlidSource.make,
    isTight,
    isCompacting
  }
  const writer = yield* eventually(ground, open(ground))
  const world: World = {
    ...ground,
    writer,
    reader: undefined,
    zombies: [],
    compactors: [],
    acknowledged: 0,
    pending: Effect.void
  }
  return world
})

type Ground = Pick<World, "bucket" | "weather" | "cache" | "isTight" | "isCompacting">

/** Opens the database in a new process, which tries until it can. */
export const open = Effect.fnUntraced(function* (ground: Ground) {
  const process = yield* inWeather(ground)
  const settings = yield* settingsOf(ground)
  const scope = yield* Scope.make()
  const db = yield* process
    .open(settings)
    .pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.provideService(BlockCache.BlockCache, ground.cache),
      Effect.provideService(CompactionPolicy.CompactionPolicy, policy),
      patiently(process)
    )
  const writer: Writer = { db, settings, scope, crash: process.faults.hold({}) }
  return writer
})

export const openReader = Effect.fnUntraced(function* (world: World) {
  const process = yield* inWeather(world)
  return yield* process.reader().pipe(Effect.provideService(BlockCache.BlockCache, world.cache), patiently(process))
})

const policy = CompactionPolicy.sizeTiered({ minSources: 2, maxSources: 4 })

/** A compactor of a process of its own takes the role. */
export const openCompactor = Effect.fnUntraced(function* (world: World) {
  const process = yield* Compactors.process(world.bucket)
  for (const rule of world.weather) yield* process.faults.add(rule)
  const scope = yield* Scope.make()
  const settings = yield* compactorSettings
  const compactor = yield* process
    .make(settings, policy)
    .pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.provideService(BlockCache.BlockCache, world.cache),
      patiently(process)
    )
  world.compactors = [...world.compactors, scope]
  return compactor
})

/** Tries again, and in the end in fair weather: a long log is not read without a failure. */
const patiently =
  ({ faults }: Pick<TestDb.Process, "faults">) =>
  <A, E, R>(open: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    open.pipe(
      Effect.retry({ times: 20 }),
      Effect.catchCause(() => Effect.andThen(faults.clear, open))
    )

const inWeather = Effect.fnUntraced(function* ({ bucket, weather }: Pick<World, "bucket" | "weather">) {
  const process = yield* TestDb.process(bucket)
  for (const rule of weather) yield* process.faults.add(rule)
  return process
})

/**
 * Runs an effect while time passes, and the foreign compactor makes room where level 0
 * is tight. What does not end in two minutes never will.
 */
export const eventually = Effect.fnUntraced(function* <A, E, R>(
  world: Pick<World, "bucket" | "isTight"> & Partial<World>,
  effect: Effect.Effect<A, E, R>
) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  for (let i = 1; i <= 2400 && fiber.pollUnsafe() === undefined; i++) {
    yield* TestClock.adjust("50 millis")
    if (world.isTight && i % 5 === 0 && world.writer !== undefined && world.ulids !== undefined) {
      yield* Effect.flatten(Foreign.compact(world.bucket, world.ulids))
    }
  }
  if (fiber.pollUnsafe() === undefined) {
    const status = world.writer === undefined ? undefined : yield* world.writer.db.status
    return yield* Effect.die(new Error(`does not end: ${JSON.stringify(status)}`))
  }
  return yield* Fiber.join(fiber)
})

/** The present owner becomes a zombie; `writer` is the one that superseded it. */
export const supersede = Effect.fnUntraced(function* (world: World, writer: Writer, gate: Gate | undefined) {
  const { visibleSequence } = yield* writer.db.status
  assert.isAtLeast(visibleSequence, world.acknowledged, "nothing acknowledged is lost")
  assert.isAtMost(visibleSequence, world.model.lastSequence, "nothing is there that was not accepted")
  world.zombies = [...world.zombies, { ...world.writer, limit: visibleSequence, gate }]
  world.model.truncate(visibleSequence)
  world.acknowledged = visibleSequence
  world.writer = writer
})

/** What a zombie made durable was there when it was superseded. */
export const checkZombies = Effect.fnUntraced(function* (world: World) {
  for (const { db, limit } of world.zombies) {
    assert.isAtMost((yield* db.status).durableSequence, limit, "a zombie acknowledged what nobody will read")
  }
})

/** Lets go of a process's fibers. What its close could not store was never acknowledged. */
export const bury = (world: World, { scope }: Pick<Writer, "scope">) => eventually(world, Scope.close(scope, Exit.void))

export const seeded = (seed: number) => Random.withSeed(seed)
