/**
 * One run: a few hundred random steps of a world, each checked against the model.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import type * as Db from "@effect-slatedb/core/Db"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Compactors from "../support/Compactors.ts"
import * as OtherProcess from "../support/OtherProcess.ts"
import * as TestDb from "../support/TestDb.ts"
import * as Dice from "./Dice.ts"
import * as Foreign from "./Foreign.ts"
import type { Batch, Moments, Write } from "./Model.ts"
import * as Turns from "./Turns.ts"
import * as World from "./World.ts"

const keysMax = 40

const keyOf = (n: number) => (n % 4 === 0 ? `k${n}` : `prefix/${n}/key`)

const randomKey = Effect.map(Dice.below(keysMax), keyOf)

const randomWrite = Effect.gen(function* () {
  const key = yield* randomKey
  const kind = yield* Dice.below(10)
  const value = `${yield* Dice.below(1000)}`.repeat(yield* Dice.pick([1, 1, 30]))
  const write: Write =
    kind < 6
      ? { _tag: "Put", key, value }
      : kind < 8
        ? { _tag: "Delete", key }
        : { _tag: "Merge", key, value: value.slice(0, 3) }
  return write
})

/** Writes of one batch live equally long, so that those of one key can be folded. */
const randomBatch = Effect.gen(function* () {
  const writes = yield* Effect.forEach(Array.from({ length: yield* Dice.pick([1, 1, 1, 5]) }), () => randomWrite)
  const ttl = yield* Dice.pick([undefined, undefined, 200, 3000, 60_000])
  return { writes, ttl }
})

const toBatch = ({ ttl, writes }: Effect.Success<typeof randomBatch>): WriteBatch.WriteBatch => {
  const options = ttl === undefined ? undefined : { ttl }
  return writes.reduce(
    (batch, write) =>
      write._tag === "Put"
        ? WriteBatch.put(batch, write.key, write.value, options)
        : write._tag === "Delete"
          ? WriteBatch.delete(batch, write.key)
          : WriteBatch.merge(batch, write.key, write.value, options),
    WriteBatch.empty
  )
}

/** One write, waited for or not, interrupted or not; accepted by the model if it has a sequence number. */
const write = Effect.fnUntraced(function* (world: World.World) {
  const { db } = world.writer
  const drawn = yield* randomBatch
  const sequence = world.model.lastSequence + 1
  const now = yield* Clock.currentTimeMillis
  const batch: Batch = { writes: drawn.writes, expireTime: drawn.ttl === undefined ? Infinity : now + drawn.ttl }
  const awaitDurable = yield* Dice.oneIn(4)
  const acknowledge = Effect.sync(() => {
    if (awaitDurable) world.acknowledged = Math.max(world.acknowledged, sequence)
  })
  const effect = Effect.andThen(db.write(toBatch(drawn), { awaitDurable }), acknowledge)
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  if (yield* Dice.oneIn(6)) {
    for (let turns = yield* Dice.below(8); turns > 0; turns--) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
  }
  const isAccepted = Effect.map(db.status, ({ visibleSequence }) => visibleSequence === sequence)
  const settled: Effect.Effect<boolean> = Effect.flatMap(isAccepted, (accepted) =>
    accepted || fiber.pollUnsafe() !== undefined ? isAccepted : Effect.andThen(Effect.sleep("1 millis"), settled)
  )
  if (yield* World.eventually(world, settled)) world.model.accept(batch)
})

/** Runs a read, tried again while the store fails, and says when its last try may have looked. */
const observed = Effect.fnUntraced(function* <A>(
  world: World.World,
  level: Db.ReadLevel,
  read: Effect.Effect<A, unknown>
) {
  const { db } = world.writer
  const sequenceOf = Effect.map(db.status, ({ durableSequence, visibleSequence }) =>
    level === "committed" ? durableSequence : visibleSequence
  )
  let first = { sequence: 0, time: 0 }
  const attempt = Effect.gen(function* () {
    first = { sequence: yield* sequenceOf, time: yield* Clock.currentTimeMillis }
    return yield* read
  })
  const found = yield* World.eventually(world, Effect.retry(attempt, { times: 200 }))
  const moments: Moments = {
    sequences: [first.sequence, yield* sequenceOf],
    times: [first.time, yield* Clock.currentTimeMillis]
  }
  return { found, moments }
})

const entriesOf = (lines: ReadonlyArray<string>) =>
  new Map(lines.map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]))

const explain = (
  world: World.World,
  what: string,
  found: ReadonlyMap<string, string>,
  keys: Iterable<string>,
  moments: Moments
) => {
  const reason = world.model.explain(found, keys, moments)
  assert.isUndefined(reason, `${what}: ${reason}`)
}

const checkScan = Effect.fnUntraced(function* (world: World.World, readLevel: Db.ReadLevel) {
  const order = yield* Dice.pick(["ascending", "descending"] as const)
  const isPrefix = yield* Dice.oneIn(2)
  const range = isPrefix ? KeyRange.prefix("prefix/1") : KeyRange.all
  const limit = yield* Dice.pick([Infinity, 3])
  const options = { readLevel, order, limit, readAheadBytes: yield* Dice.pick([0, 65_536]) }
  const { found, moments } = yield* observed(world, readLevel, TestDb.lines(world.writer.db, range, options))
  const what = `${readLevel} ${order} scan${isPrefix ? " of a prefix" : ""} limit=${limit}`
  const keys = found.map((line) => line.slice(0, line.indexOf("=")))
  const inOrder = keys.toSorted()
  assert.deepStrictEqual(keys, order === "ascending" ? inOrder : inOrder.toReversed(), what)
  const wanted = Array.from(world.model.keys).filter((key) => !isPrefix || key.startsWith("prefix/1"))
  const last = keys[keys.length - 1]
  const isCut = keys.length === limit
  // Up to the last key that was given, if the scan ended there.
  const reached = wanted.filter(
    (key) => !isCut || last === undefined || (order === "ascending" ? key <= last : key >= last)
  )
  explain(world, what, entriesOf(found), reached, moments)
})

const checkReads = Effect.fnUntraced(function* (world: World.World) {
  const { db } = world.writer
  const { closed, durableSequence, visibleSequence } = yield* db.status
  assert.isUndefined(closed, closed?.message)
  assert.strictEqual(visibleSequence, world.model.lastSequence, "sequence numbers are gapless")
  assert.isAtLeast(durableSequence, world.acknowledged, "what was acknowledged is durable")
  for (const readLevel of ["committed", "uncommitted"] as const) {
    yield* checkScan(world, readLevel)
    const keys = yield* Effect.forEach(Array.from({ length: 5 }), () => randomKey)
    const many = yield* observed(world, readLevel, db.getMany(keys, { readLevel }))
    explain(world, `${readLevel} getMany`, foundOf(keys, many.found.map(TestDb.textOption)), keys, many.moments)
    const key = yield* randomKey
    const one = yield* observed(world, readLevel, db.getOption(key, { readLevel }))
    explain(world, `${readLevel} get`, foundOf([key], [TestDb.textOption(one.found)]), [key], one.moments)
  }
})

const foundOf = (keys: ReadonlyArray<string>, values: ReadonlyArray<string | undefined>) =>
  new Map(
    keys.flatMap((key, i): ReadonlyArray<readonly [string, string]> => {
      const value = values[i]
      return value === undefined ? [] : [[key, value]]
    })
  )

/** What may take old versions away from under a scan. */
const overwrite = Effect.fnUntraced(function* (world: World.World) {
  for (let rounds = 1 + (yield* Dice.below(3)); rounds > 0; rounds--) {
    yield* write(world)
    yield* write(world)
    yield* flush(world, "memtable")
    if (yield* Dice.oneIn(2)) yield* Effect.flatten(Foreign.compact(world.bucket, world.ulids))
  }
})

/** A scan that is read slowly while the database goes on: it shows the moment it began. */
const slowScan = Effect.fnUntraced(function* (world: World.World, others: Effect.Effect<void, unknown>) {
  const readLevel = yield* Dice.pick(["committed", "uncommitted"] as const)
  const order = yield* Dice.pick(["ascending", "descending"] as const)
  const status = yield* world.writer.db.status
  const began = yield* Clock.currentTimeMillis
  const lines: Array<string> = []
  const scan = world.writer.db.scan(KeyRange.all, { readLevel, order, readAheadBytes: 0 })
  const slowly = Stream.runForEachArray(scan, (entries) =>
    Effect.gen(function* () {
      for (const { key, value } of entries) lines.push(`${TestDb.text(key)}=${TestDb.text(value)}`)
      yield* Effect.sleep("300 millis")
    })
  )
  const fiber = yield* Effect.forkChild(slowly, { startImmediately: true })
  yield* others
  const exit = yield* World.eventually(world, Effect.exit(Fiber.join(fiber)))
  const found = entriesOf(lines)
  // When the store failed under it, what it gave before is right all the same.
  const keys = exit._tag === "Success" ? Array.from(world.model.keys) : Array.from(found.keys())
  const field = readLevel === "committed" ? "durableSequence" : "visibleSequence"
  const after = yield* world.writer.db.status
  explain(world, `slow ${readLevel} ${order} scan`, found, keys, {
    sequences: [status[field], after[field]],
    times: [began, yield* Clock.currentTimeMillis]
  })
})

/** A reader of another process shows what was durable at some time, and never less than before. */
const checkReader = Effect.fnUntraced(function* (world: World.World) {
  const reader = world.reader ?? (yield* World.eventually(world, World.openReader(world)))
  world.reader = reader
  const before = (yield* reader.status).lastSequence
  const refreshed = yield* World.eventually(world, Effect.exit(Effect.retry(reader.refresh, { times: 200 })))
  assert.strictEqual(refreshed._tag, "Success", `a reader's refresh: ${JSON.stringify(refreshed)}`)
  const { lastSequence } = yield* reader.status
  assert.isAtLeast(lastSequence, before, "a reader does not go back")
  const began = yield* Clock.currentTimeMillis
  const lines = yield* World.eventually(world, Effect.retry(TestDb.lines(reader, KeyRange.all), { times: 200 }))
  explain(world, "a reader", entriesOf(lines), world.model.keys, {
    sequences: [lastSequence, lastSequence],
    times: [began, yield* Clock.currentTimeMillis]
  })
})

/** Closes the owner in good order, and opens anew. */
const reopen = Effect.fnUntraced(function* (world: World.World) {
  yield* World.eventually(world, world.writer.db.close)
  yield* World.bury(world, world.writer)
  world.writer = yield* World.eventually(world, World.open(world))
  const { visibleSequence } = yield* world.writer.db.status
  assert.strictEqual(visibleSequence, world.model.lastSequence, "close loses nothing")
  world.acknowledged = visibleSequence
})

/** Another process takes over, while the owner is alive and goes on, or after it was cut off from the store. */
const takeOver = Effect.fnUntraced(function* (world: World.World, isCrash: boolean) {
  const gate = isCrash ? yield* world.writer.crash : undefined
  let opening = yield* Effect.forkChild(World.open(world), { startImmediately: true })
  let interruptions = yield* Dice.below(3)
  while (opening.pollUnsafe() === undefined) {
    yield* TestClock.adjust(yield* Dice.pick(["1 millis", "10 millis", "50 millis"] as const))
    if (!isCrash && (yield* Dice.oneIn(3))) yield* writeIfOpen(world)
    if (interruptions > 0 && (yield* Dice.oneIn(20))) {
      interruptions--
      yield* World.eventually(world, Fiber.interrupt(opening))
      opening = yield* Effect.forkChild(World.open(world), { startImmediately: true })
    }
  }
  yield* World.supersede(world, yield* Fiber.join(opening), gate)
})

const writeIfOpen = (world: World.World) =>
  Effect.flatMap(world.writer.db.status, ({ state }) => (state === "open" ? write(world) : Effect.void))

/** A compactor of its own takes over, or one of those that did ends, in the middle of whatever it does. */
const stirCompactors = Effect.fnUntraced(function* (world: World.World) {
  if (!world.isCompacting) return
  const [oldest, ...younger] = world.compactors
  if (oldest === undefined || (yield* Dice.oneIn(2))) {
    yield* World.eventually(world, World.openCompactor(world))
  } else {
    world.compactors = younger
    yield* World.bury(world, { scope: oldest })
  }
})

/** A process that was superseded writes, or is let go on, or is closed. */
const stirZombie = Effect.fnUntraced(function* (world: World.World) {
  if (world.zombies.length === 0) return
  const zombie = yield* Dice.pick(world.zombies)
  if (zombie.gate !== undefined && (yield* Dice.oneIn(2))) {
    yield* zombie.gate.open
    zombie.gate = undefined
  }
  if (yield* Dice.oneIn(2)) {
    yield* Effect.forkChild(Effect.ignore(zombie.db.put("zombie", "brains")), { startImmediately: true })
    yield* TestClock.adjust("120 millis")
  } else if (zombie.gate === undefined) {
    world.zombies = world.zombies.filter((other) => other !== zombie)
    yield* World.bury(world, zombie)
  }
  yield* World.checkZombies(world)
})

const stirOthers = Effect.fnUntraced(function* (world: World.World) {
  switch (yield* Dice.below(4)) {
    case 0:
      // A collector spares the tables of a running compaction; here, none is running then.
      yield* world.pending
      world.pending = Effect.void
      return yield* Foreign.collect(world.bucket)
    case 1:
      yield* world.pending
      world.pending = yield* Foreign.compact(world.bucket, world.ulids)
      return
    case 2:
      return yield* checkReader(world)
    default:
      return yield* Effect.flatten(Foreign.compact(world.bucket, world.ulids))
  }
})

const flush = (world: World.World, target: "wal" | "memtable") => {
  const { db, settings } = world.writer
  return World.eventually(world, db.flush(settings.walEnabled === false ? "memtable" : target))
}

const step = Effect.fnUntraced(function* (world: World.World) {
  const action = yield* Dice.below(1000)
  if (action < 500) return yield* write(world)
  if (action < 640)
    return yield* TestClock.adjust(yield* Dice.pick(["10 millis", "100 millis", "1500 millis"] as const))
  if (action < 690) return yield* flush(world, "wal")
  if (action < 740) return yield* flush(world, "memtable")
  if (action < 770) return yield* slowScan(world, overwrite(world))
  if (action < 870) return yield* checkReads(world)
  if (action < 915) return yield* stirOthers(world)
  if (action < 940) return yield* stirCompactors(world)
  if (action < 965) return yield* stirZombie(world)
  if (action < 975) return yield* reopen(world)
  if (action < 985) return yield* takeOver(world, true)
  if (action < 995) return yield* takeOver(world, false)
  return yield* TestClock.adjust(yield* Dice.pick(["2 minutes", "20 minutes"] as const))
})

/** Everything that is left is let go on; then owner, reader and objects agree with the model. */
const finish = Effect.fnUntraced(function* (world: World.World) {
  for (const { gate } of world.zombies) if (gate !== undefined) yield* gate.open
  yield* TestClock.adjust("5 seconds")
  yield* World.checkZombies(world)
  for (const zombie of world.zombies) yield* World.bury(world, zombie)
  yield* flush(world, "memtable")
  if (world.isCompacting) {
    // No foreign one makes room now.
    const calm = { ...world, isTight: false }
    const compactor = yield* World.eventually(calm, World.openCompactor(world))
    yield* World.eventually(calm, compactor.untilIdle)
    assert.deepStrictEqual(Compactors.active(world.bucket), [], "no job is left")
  }
  for (const scope of world.compactors) yield* World.bury(world, { scope })
  world.acknowledged = world.model.lastSequence
  yield* checkReads(world)
  yield* checkReader(world)
  yield* World.bury(world, world.writer)
  const admin = yield* Admin.make({ path: "db" }).pipe(
    Effect.provideService(ObjectStore, MemoryObjectStore.fromState(world.bucket))
  )
  const checked = yield* Stream.runCollect(admin.check)
  // Zombies may have landed manifests of old where a collector had taken away others.
  const { id } = yield* OtherProcess.latest(world.bucket)
  const isOld = (object: string) =>
    object.startsWith(OtherProcess.paths.manifests.prefix) && OtherProcess.paths.manifests.id(object) !== id
  const faults = Array.from(checked).flatMap(({ faults, object }) =>
    isOld(object) ? [] : faults.map(({ detail, rule }) => `${object}: ${rule}: ${detail}`)
  )
  assert.deepStrictEqual(faults, [])
})

const run = Effect.fnUntraced(function* (steps: number) {
  const world = yield* World.make
  for (let i = 0; i < steps; i++) yield* step(world)
  yield* finish(world)
})

/** Runs a seed; the same seed is always the same run. */
export const simulate = (seed: number, steps: number): Effect.Effect<void, unknown> =>
  Effect.flatMap(Dice.pick([0, 0, 0.02, 0.2]), (probability) =>
    probability === 0 ? run(steps) : Turns.yielding(probability)(run(steps))
  ).pipe(Effect.provideService(MergeOperator.MergeOperator, MergeOperator.append), World.seeded(seed))
