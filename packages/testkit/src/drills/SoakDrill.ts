/**
 * A small database is written at full speed, for as long as one likes: puts, overwrites
 * and deletes, while it compacts and collects. What it costs and what it leaves must
 * not depend on how long that went on.
 *
 *     this engine      |─ measured part ───| settle |─ with held scans ─|─ without ─| settle | close | collect
 *     official engine  |─ same operations ─| settle |
 *
 * The measured part is given to the official engine, too, with the same settings, and
 * what both uploaded is compared. Then a scan stands still for a while, again and again:
 * compaction must keep what it is yet to show. The end is without, as what was kept for
 * a scan goes only when it is merged again.
 */
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Db from "@effect-slatedb/core/Db"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Engine from "../interop/Engine.ts"
import * as OfficialEngine from "../interop/OfficialEngine.ts"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"
import * as Collecting from "./Collecting.ts"
import * as Drill from "./Drill.ts"
import * as FolderWatch from "./FolderWatch.ts"
import * as Leftovers from "./Leftovers.ts"
import * as MemoryTrend from "./MemoryTrend.ts"
import * as SlateVerify from "./SlateVerify.ts"
import * as SoakJudge from "./SoakJudge.ts"
import * as SoakSettings from "./SoakSettings.ts"
import { type Expected, SoakWork } from "./SoakWork.ts"

export interface Options extends Omit<Drill.Options, "rounds" | "store"> {
  /** How long this engine writes. */
  readonly minutes: number
  /** Where this engine's database is and stays; it must not be there yet. Absent: it goes when nothing was wrong. */
  readonly directory?: string | undefined
  /** Default 200,000. */
  readonly keys?: number | undefined
  /** Default: {@link SoakJudge.bounds}. */
  readonly bounds?: SoakJudge.Bounds | undefined
  /** The writer's lease; the least age of what is collected is three of it. Default 2 s. */
  readonly leaseMillis?: number | undefined
  /** Compaction has settled when no table came for so long. Default 3 s. */
  readonly settledMillis?: number | undefined
}

/** The measured part is half of the time, but no more than this: the official engine needs many times as long for it. */
const measuredOperationsMax = 1_500_000
const reportMillis = 30_000
/** How long a scan stands still. What it pins is merged along, so that seconds of it are many megabytes. */
const stretchMillis = 3000
const settlingMillisMax = 300_000

export const run = (options: Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) => Effect.scoped(drill(options, tally)))

const drill = Effect.fnUntraced(function* (options: Options, tally: Drill.Tally) {
  const bounds = options.bounds ?? SoakJudge.bounds
  const { directory } = options
  const place = yield* directory === undefined ? Place.temporary(options.keepsFailures) : Place.newDirectory(directory)
  const work = newWork(options)
  const soaked = yield* Drill.inside("this engine")(Effect.scoped(soak(options, place, work)))
  yield* Drill.sabotaged(options, place)
  const left = yield* Drill.inside("after this engine")(inspected(options, place, work))
  const official = yield* Drill.inside("the official engine")(
    Effect.scoped(reference(options, soaked.measuredOperations))
  )
  const measures: SoakJudge.Measures = {
    ...soaked,
    ...left,
    official,
    rowBytes: work.rowBytes,
    collectedObjects: soaked.collectedObjects + left.collectedObjects,
    wrong: [...soaked.wrong, ...left.wrong]
  }
  yield* Effect.forEach(SoakJudge.report(measures, bounds), (line) => options.report(line), { discard: true })
  tally.add("operations", work.operations)
  tally.add("operations of the measured part", soaked.measuredOperations)
  tally.add("scans held and compared", soaked.holds)
  tally.add("compactions", measures.compactions)
  tally.add("objects collected", measures.collectedObjects)
  yield* Drill.expectNothing(SoakJudge.misses(measures, bounds))
})

const newWork = ({ keys = 200_000, seed }: Options): SoakWork => new SoakWork({ seed, keys })

/** This engine's turn, until it is closed. */
const soak = Effect.fnUntraced(function* (options: Options, place: Place.Directory, work: SoakWork) {
  const db = yield* openOurs(options, place)
  const session = OurEngine.session(db)
  const watch = yield* FolderWatch.make(place.root)
  const writing = yield* newWriting({ name: OurEngine.engine.name, options, session, work, watch })
  const start = yield* Clock.currentTimeMillis
  const samples = yield* MemoryTrend.sample
  const millis = options.minutes * 60_000
  yield* write(writing, (now) => now >= start + millis / 2 || work.operations >= measuredOperationsMax)
  const written = (yield* Clock.currentTimeMillis) - start
  const ours = yield* settledAndCounted(writing)
  const measuredOperations = work.operations
  const restStart = yield* Clock.currentTimeMillis
  const end = restStart + millis - written
  const held = yield* writeOn(writing, place, restStart + (end - restStart) / 4, end)
  const memory = samples.slice()
  yield* settledAndCounted(writing)
  // Tables that are not older than level 0 are spared. Without this one, those of the last merges would be.
  yield* session.write(work.next(), { awaitDurable: true })
  yield* session.flush("memtable")
  const { collectedObjects, compactionsCompleted, warnings } = yield* db.status
  yield* session.close
  return {
    ours,
    measuredOperations,
    memory,
    holds: held.holds,
    wrong: [...held.wrong, ...warnings],
    compactions: compactionsCompleted,
    collectedObjects
  }
})

const agesOf = ({ leaseMillis = 2000 }: Options): Collecting.Ages => ({ leaseMillis, minAgeMillis: 3 * leaseMillis })

const openOurs = Effect.fnUntraced(function* (
  options: Options,
  place: Place.Place
): Effect.fn.Return<Db.Db["Service"], unknown, Scope.Scope> {
  const context = yield* Layer.build(OurEngine.environment(place))
  return yield* Effect.provide(
    Db.make({ path: Place.path, settings: SoakSettings.ours(agesOf(options)) }),
    Context.add(context, CompactionPolicy.CompactionPolicy, CompactionPolicy.sizeTiered())
  )
})

/** The official engine's turn: the operations of the measured part. */
const reference = Effect.fnUntraced(function* (options: Options, operations: number) {
  const place = yield* Place.directory
  const engine = OfficialEngine.make(SoakSettings.official)
  const session = yield* engine.open(place, SoakSettings.tuning)
  const work = newWork(options)
  const watch = yield* FolderWatch.make(place.root)
  const writing = yield* newWriting({ name: engine.name, options, session, work, watch })
  yield* write(writing, () => work.operations >= operations)
  const official = yield* settledAndCounted(writing)
  yield* session.close
  const { tableBytes } = yield* Leftovers.find(place)
  return { ...official, tableBytes, rowBytes: work.rowBytes }
})

interface Writing {
  readonly name: Engine.Name
  readonly options: Options
  readonly session: Engine.Session
  readonly work: SoakWork
  readonly watch: FolderWatch.FolderWatch
  readonly progress: { reportedAt: number; operations: number }
}

const newWriting = (parts: Omit<Writing, "progress">): Effect.Effect<Writing> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({ ...parts, progress: { reportedAt: now, operations: 0 } }))

/** Writes at full speed until it is over, and says how it goes every now and then. */
const write = Effect.fnUntraced(function* (writing: Writing, isOver: (now: number) => boolean) {
  const { progress, session, work } = writing
  for (let now = yield* Clock.currentTimeMillis; !isOver(now); now = yield* Clock.currentTimeMillis) {
    yield* session.write(work.next(), { awaitDurable: false })
    if (now >= progress.reportedAt + reportMillis) yield* reportProgress(writing, now)
  }
})

const reportProgress = Effect.fnUntraced(function* (writing: Writing, now: number) {
  const { name, options, progress, watch, work } = writing
  const rate = ((work.operations - progress.operations) / (now - progress.reportedAt)) * 1000
  Object.assign(progress, { reportedAt: now, operations: work.operations })
  const { tableBytes, tables, walBytes } = yield* watch.look
  yield* options.report(
    `${name}: ${work.operations} operations, ${Math.round(rate)} a second; ${mebibytes(work.userBytes)} MiB written, ` +
      `${mebibytes(walBytes + tableBytes)} uploaded, ${tables} tables; ` +
      `${mebibytes(process.memoryUsage.rss())} MiB of memory`
  )
})

const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0)

/**
 * Goes on writing, in stretches. After each the checkpoints of compactions go that are as old. Through the first ones a
 * scan is held, which must show the moment of its beginning.
 */
const writeOn = Effect.fnUntraced(function* (writing: Writing, place: Place.Place, heldUntil: number, end: number) {
  const { session, work } = writing
  const wrong: Array<string> = []
  let holds = 0
  for (let now = yield* Clock.currentTimeMillis; now < end; now = yield* Clock.currentTimeMillis) {
    const stretchEnd = Math.min(end, now + stretchMillis)
    const stretch = write(writing, (now) => now >= stretchEnd)
    if (now < heldUntil) {
      yield* session.flush("wal")
      const difference = yield* Effect.scoped(throughHeldScan(session, work.expected(), stretch))
      if (difference !== undefined) wrong.push(`a scan that was held: ${difference}`)
      holds++
    } else yield* stretch
    yield* Collecting.expireCheckpoints(place, stretchMillis)
  }
  return { holds, wrong }
})

/** A scan begins before something and ends after it; answers with what it showed and should not have. */
const throughHeldScan = Effect.fnUntraced(function* <E>(
  session: Engine.Session,
  expected: Expected,
  something: Effect.Effect<void, E>
) {
  const held = yield* session.hold
  yield* something
  yield* Stream.runForEachArray(held, (entries) => Effect.sync(() => entries.forEach((entry) => expected.see(entry))))
  return expected.end()
})

/** Waits until nothing is compacted any more; answers with what was written until then. */
const settledAndCounted = Effect.fnUntraced(function* ({ options, session, watch, work }: Writing) {
  yield* session.flush("memtable")
  const start = yield* Clock.currentTimeMillis
  let { tables } = yield* watch.look
  let since = start
  const { settledMillis = 3000 } = options
  for (let now = start; now < since + settledMillis; now = yield* Clock.currentTimeMillis) {
    if (now > start + settlingMillisMax) return yield* Drill.fail(`compaction did not settle: tables=${tables}`)
    yield* Effect.sleep("100 millis")
    const found = yield* watch.look
    if (found.tables !== tables) since = now
    tables = found.tables
  }
  const { tableBytes, walBytes } = yield* watch.look
  const written: SoakJudge.Written = { userBytes: work.userBytes, uploadedBytes: walBytes + tableBytes }
  yield* options.report(`settled: ${work.operations} operations, ${tables} tables`)
  return written
})

/** What is found when everybody has gone home. */
const inspected = Effect.fnUntraced(function* (options: Options, place: Place.Directory, work: SoakWork) {
  const ages = agesOf(options)
  const wrong: Array<string> = []
  for (const engine of [OurEngine.engine, OfficialEngine.engine]) {
    const expected = work.expected()
    const entries = yield* Effect.scoped(Effect.flatMap(engine.reader(place), (reader) => reader.scan("ascending")))
    entries.forEach((entry) => expected.see(entry))
    const difference = expected.end()
    if (difference !== undefined) wrong.push(`a reader of ${engine.name}: ${difference}`)
  }
  yield* Collecting.expireCheckpoints(place, 0)
  yield* Effect.sleep(ages.minAgeMillis + 1000)
  const collectedObjects = yield* Collecting.collectAll(place, ages)
  const { leftovers, tableBytes } = yield* Leftovers.find(place)
  const verifyCode = yield* SlateVerify.exitCode(place.root)
  return { wrong, collectedObjects, leftovers, tableBytes, verifyCode }
})
