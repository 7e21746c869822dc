/**
 * The demo, act by act. Each act is an effect that prints what it does and finds;
 * one that finds less than it should fails the command.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as CompactionPolicy from "@effect-slatedb/core/CompactionPolicy"
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Db from "@effect-slatedb/core/Db"
import * as DbReader from "@effect-slatedb/core/DbReader"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Figures from "../Figures.ts"
import * as Problem from "../Problem.ts"
import * as Progress from "../Progress.ts"
import * as Screen from "../Screen.ts"
import * as TextTable from "../TextTable.ts"
import * as TreeDrawing from "../TreeDrawing.ts"
import type * as Cities from "./Cities.ts"
import * as CountedStore from "./CountedStore.ts"
import * as KilledWriter from "./KilledWriter.ts"
import * as Price from "./Price.ts"

/** The database of cities, and its tables: small, so that there are several to see. */
const citiesPath = "cities"
const citiesSettings = {
  l0SstSizeBytes: 6 * 1024 * 1024,
  maxSstSizeBytes: 6 * 1024 * 1024,
  // Act 5 does that, to be seen.
  compactorEnabled: false
}

const batchRecords = 1000

export const loadCities = Effect.fnUntraced(function* (cities: ReadonlyArray<Cities.Record>) {
  yield* heading("1", `Load ${Figures.counted(cities.length, "city").replace("citys", "cities")} into a new database`)
  const db = yield* Db.make({ path: citiesPath, settings: citiesSettings })
  const progress = yield* Progress.make({ label: "loading", noun: "record" })
  const bytes = cities.reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  const write = Effect.gen(function* () {
    for (let from = 0; from < cities.length; from += batchRecords) {
      const batch = WriteBatch.fromEntries(
        cities.slice(from, from + batchRecords).map(({ key, value }) => [key, value])
      )
      yield* db.write(batch, { awaitDurable: false })
      yield* progress.at(from + batch.size, (from + batch.size) / cities.length)
      // Writes that wait for nothing would leave the tick and its uploads no time.
      yield* Effect.yieldNow
    }
    yield* db.flush("wal")
  })
  const writing = yield* timed(write)
  yield* progress.end(cities.length, 1)
  const flushing = yield* timed(db.flush("memtable"))
  yield* db.close
  yield* Screen.lines(
    `   durable after ${Figures.duration(writing.millis)}: ` +
      `${Figures.count(Figures.rate(cities.length, writing.millis))} records/s, ` +
      `${Figures.bytes(Figures.rate(bytes, writing.millis))}/s, in batches of ${Figures.count(batchRecords)}`,
    `   as tables of level 0 after another ${Figures.duration(flushing.millis)}`
  )
}, Effect.scoped)

/** Keys to look up, some of them at a time. */
const lookups = 2000

export const readCities = Effect.fnUntraced(function* (cities: ReadonlyArray<Cities.Record>) {
  yield* heading("2", "Read by key and by prefix, with a reader that writes nothing")
  const opening = yield* timed(DbReader.make({ path: citiesPath }))
  const reader = opening.result
  const [first] = cities
  const key = cities.some((city) => city.key === "CH/Zürich") ? "CH/Zürich" : (first?.key ?? "")
  const cold = yield* timed(reader.get(key))
  const warm = yield* timed(reader.get(key))
  yield* Screen.lines(
    `   get ${key}`,
    `     ${TextTable.cut(new TextDecoder().decode(cold.result), 70)}`,
    `     ${Figures.duration(cold.millis)} from the store, ${Figures.duration(warm.millis)} from the cache`
  )
  const prefix = [...key].slice(0, 5).join("")
  const entries = yield* Stream.runCollect(reader.scan(KeyRange.prefix(prefix), { limit: 3 }))
  yield* Screen.lines(
    `   scan ${prefix}… (the first three)`,
    ...entries.map((entry) => `     ${new TextDecoder().decode(entry.key)}`)
  )
  const chosen = yield* Effect.forEach(Array.from({ length: lookups }), () =>
    Random.nextIntBetween(0, cities.length - 1)
  )
  const looked = yield* timed(
    Effect.forEach(chosen, (i) => reader.getOption(cities[i]?.key ?? ""), { concurrency: 16 })
  )
  const missing = looked.result.filter(Option.isNone).length
  if (missing > 0) return yield* Problem.failure(`${missing} of ${lookups} cities were not found`)
  const all = yield* timed(Stream.runCount(reader.scan(KeyRange.all)))
  if (all.result !== cities.length) {
    return yield* Problem.failure(`a scan found ${all.result} of ${cities.length} cities`)
  }
  yield* Screen.lines(
    `   ${Figures.count(lookups)} random keys: ${Figures.count(Figures.rate(lookups, looked.millis))} lookups/s`,
    `   all ${Figures.count(all.result)} in key order: ${Figures.count(Figures.rate(all.result, all.millis))} records/s`
  )
})

/** Long enough to watch. */
const tickMillis = 500

export const showDurability = Effect.gen(function* () {
  yield* heading("3", `What is durable when (here the WAL is stored every ${Figures.duration(tickMillis)})`)
  const db = yield* Db.make({ path: "moments", settings: { flushInterval: tickMillis } })
  const start = yield* Clock.currentTimeMillis
  const rows: Array<ReadonlyArray<string>> = []
  const observe = Effect.fnUntraced(function* (what: string) {
    const now = yield* Clock.currentTimeMillis
    const read = (readLevel: Db.ReadLevel) =>
      Effect.map(
        db.getOption("door", { readLevel }),
        Option.match({ onNone: () => "-", onSome: (v) => new TextDecoder().decode(v) })
      )
    const { durableSequence, nextWalId } = yield* db.status
    rows.push([
      Figures.duration(now - start),
      what,
      yield* read("uncommitted"),
      yield* read("committed"),
      String(durableSequence),
      String(nextWalId - 1)
    ])
  })
  yield* observe("opened")
  yield* db.put("door", "open", { awaitDurable: false })
  yield* observe("put open, not waiting")
  const isDurable = Effect.map(db.status, ({ durableSequence }) => durableSequence === 1)
  yield* Effect.repeat(isDurable, { schedule: Schedule.spaced("5 millis"), until: (durable) => durable })
  yield* observe("the tick came")
  yield* db.put("door", "shut")
  yield* observe("put shut, waited")
  yield* db.put("door", "ajar", { awaitDurable: false })
  yield* db.flush("wal")
  yield* observe("put ajar, then flush")
  yield* db.close
  const titles = ["at", "event", "uncommitted", "committed", "durable", "WALs"]
  yield* Screen.lines(
    ...indent(
      TextTable.render(
        titles.map((title) => ({ title })),
        rows
      )
    )
  )
}).pipe(Effect.scoped)

export const killWriter = Effect.fnUntraced(function* (options: {
  readonly store: string
  readonly killAfter: number
}) {
  yield* heading("4", "Kill a writer process in the middle (SIGKILL), and reopen")
  const path = "orders"
  const acknowledged = yield* KilledWriter.run({ ...options, db: path })
  const opening = yield* timed(Db.make({ path }))
  const db = opening.result
  const found = yield* db.getMany(acknowledged.map(KilledWriter.keyOf))
  const lost = found.filter(Option.isNone).length
  const all = yield* Stream.runCount(db.scan(KeyRange.all))
  yield* db.close
  yield* Screen.lines(
    `   acknowledged before it died   ${Figures.count(acknowledged.length).padStart(7)}`,
    `   of these found after reopen   ${Figures.count(acknowledged.length - lost).padStart(7)}`,
    `   found in all                  ${Figures.count(all).padStart(7)}` +
      (all > acknowledged.length ? "   (some before it could say so)" : ""),
    `   reopened, log replayed, in ${Figures.duration(opening.millis)}`
  )
  if (lost > 0) return yield* Problem.failure(`${lost} acknowledged writes were lost`)
}, Effect.scoped)

export const drawTree = Effect.gen(function* () {
  yield* heading("5", "The tree of the cities, compacted, and a check of every byte of it")
  const { columns } = yield* Screen.Screen
  const admin = yield* Admin.make({ path: citiesPath })
  yield* compactCities(yield* admin.manifest())
  const tree = yield* admin.tree
  const drawing = TreeDrawing.draw(tree, { name: citiesPath, keys: "auto", columns: columns - 3 })
  yield* Screen.lines(...indent(drawing))
  const checked = yield* timed(Stream.runCollect(admin.check))
  const faults = checked.result.reduce((sum, { faults }) => sum + faults.length, 0)
  if (faults > 0) return yield* Problem.failure(`${faults} faults found`, "run `slate verify` to see them")
  const rows = checked.result.reduce((sum, { rows }) => sum + rows, 0)
  yield* Screen.lines(
    "",
    `   verified ${Figures.count(rows)} rows in ${Figures.duration(checked.millis)}: nothing is wrong`
  )
  return tree.bytes
})

/** All of level 0 into one sorted run: a reader then asks one table for a key, and not each. */
const compactCities = Effect.fnUntraced(
  function* ({ manifest }: { readonly manifest: Admin.Manifest }) {
    const compactor = yield* Compactor.make({ path: citiesPath, settings: citiesSettings })
    const merging = yield* timed(compactor.untilIdle)
    const { bytesCompacted } = yield* compactor.status
    const rate = Figures.bytes(Figures.rate(bytesCompacted, merging.millis))
    yield* Screen.lines(
      `   merged ${Figures.counted(manifest.l0.length, "table")} of level 0 into a sorted run ` +
        `in ${Figures.duration(merging.millis)}, ${rate}/s`,
      ""
    )
  },
  Effect.scoped,
  Effect.provideService(CompactionPolicy.CompactionPolicy, CompactionPolicy.full)
)

export const showCost = Effect.fnUntraced(function* (counts: CountedStore.Counts, storedBytes: number) {
  yield* heading("6", "What acts 1 to 3 and 5 asked of the store, and would cost on S3")
  const rows = CountedStore.kinds.map((kind) => {
    const { bytes, requests } = counts[kind]
    return [kind, Figures.count(requests), Figures.bytes(bytes), Figures.dollars(Price.of(kind, requests))]
  })
  const sum = CountedStore.kinds.reduce((sum, kind) => sum + Price.of(kind, counts[kind].requests), 0)
  const right = (title: string) => ({ title, align: "right" as const })
  yield* Screen.lines(
    ...indent(TextTable.render([{ title: "request" }, right("count"), right("bytes"), right("price")], rows)),
    `   in all ${Figures.dollars(sum)}, and ${Figures.dollars((storedBytes / 1024 ** 3) * Price.perGibMonth)} a month to keep`,
    `   (${Price.assumption})`,
    "",
    "   A writer that is busy all day creates a WAL object with every tick:",
    `   ${Figures.dollars(Price.of("create", dayMillis / 100))} a day at 100 ms, ${Figures.dollars(Price.of("create", dayMillis / 1000))} at one second (flushInterval)`
  )
})

const dayMillis = 24 * 60 * 60 * 1000

const heading = (number: string, title: string) => Screen.lines("", `${number}  ${title}`, "")

const indent = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.map((line) => `   ${line}`.trimEnd())

const timed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const start = yield* Clock.monotonicTimeNanos
  const result = yield* effect
  return { result, millis: Number((yield* Clock.monotonicTimeNanos) - start) / 1e6 }
})
