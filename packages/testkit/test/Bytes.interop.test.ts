/**
 * Every codec, block size and filter: what one engine writes with it, the other reads.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import * as Referee from "@effect-slatedb/testkit/interop/Referee"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Match from "./support/Match.ts"

InteropSuite.suite("bytes", (official) => {
  const engines = [OurEngine.engine, official.engine]

  /** Of the two tables that are written, one is too small for a filter. */
  const tunings = (compression: Engine.Tuning["compression"]): ReadonlyArray<Engine.Tuning> =>
    Engine.blockSizes.map((blockSizeBytes) => ({
      ...Engine.tuning,
      compression,
      blockSizeBytes,
      minFilterKeys: 25,
      flushMillis: 1,
      l0SstSizeBytes: 64 * 1024 ** 2
    }))

  const writeTable = Effect.fnUntraced(function* (match: Match.Match, session: Engine.Session, batches: number) {
    yield* Match.append(match, session, batches)
    yield* session.flush("memtable")
  })

  /** Tables of level 0 and a WAL, written by one engine and read by the other. */
  const handOver = Effect.fnUntraced(function* (
    writer: Engine.Engine,
    reader: Engine.Engine,
    tuning: Engine.Tuning,
    seed: number
  ) {
    const match = Match.make(yield* Place.directory, { seed, valueBytesMax: 20_000 })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const session = yield* writer.open(match.place, tuning)
        yield* writeTable(match, session, 2)
        yield* writeTable(match, session, 20)
        yield* Match.append(match, session, 6)
        yield* session.close
      })
    )
    yield* Effect.scoped(
      Effect.flatMap(reader.open(match.place, tuning), (session) => Match.expectContents(match, reader, session))
    )
    assert.deepStrictEqual(yield* Referee.check(match.place), [])
    assert.deepStrictEqual(yield* hasFilter(match.place), [true, false], "newest table first")
  })

  const hasFilter = Effect.fnUntraced(function* (place: Place.Place) {
    const context = yield* Layer.build(OurEngine.environment(place))
    const admin = yield* Effect.provide(Admin.make({ path: Place.path }), context)
    return (yield* admin.manifest()).manifest.l0.map(({ info }) => info.filterLength > 0)
  })

  for (const [writer, reader] of [engines, engines.toReversed()]) {
    if (writer === undefined || reader === undefined) continue
    it.live.each(Engine.compressions)(
      `of ${writer.name === "ours" ? "this engine" : "the official engine"} are read by the other one: %s, blocks of every size, tables with and without a filter`,
      (compression) =>
        Effect.forEach(tunings(compression), (tuning, i) => Effect.scoped(handOver(writer, reader, tuning, 100 + i)), {
          discard: true
        })
    )
  }
})
