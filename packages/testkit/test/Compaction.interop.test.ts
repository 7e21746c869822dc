/**
 * Compactors of both engines on one database: each goes on with what the other one
 * compacted or left half done, and gives way to it.
 */
import * as Compactor from "@effect-slatedb/core/Compactor"
import * as Admin from "@effect-slatedb/core/Admin"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as FaultyObjectStore from "@effect-slatedb/testkit/FaultyObjectStore"
import * as Engine from "@effect-slatedb/testkit/interop/Engine"
import * as InteropSuite from "@effect-slatedb/testkit/interop/InteropSuite"
import * as OurEngine from "@effect-slatedb/testkit/interop/OurEngine"
import * as Place from "@effect-slatedb/testkit/interop/Place"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Match from "./support/Match.ts"

const compacting: Engine.Tuning = { ...Engine.tuning, l0SstSizeBytes: 64 * 1024 ** 2, isCompacting: true }
const writing: Engine.Tuning = { ...compacting, isCompacting: false }

/** Looks every 20 ms; what has not happened after ten seconds never will. */
const until = <A, E, R>(look: Effect.Effect<A, E, R>, isSo: (found: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let looks = 0
    const again: Effect.Effect<A, E, R> = Effect.flatMap(look, (found) =>
      isSo(found) || ++looks > 500 ? Effect.succeed(found) : Effect.andThen(Effect.sleep("20 millis"), again)
    )
    return again
  })

InteropSuite.suite("compactors", (official) => {
  const ours = OurEngine.engine
  const theirs = official.engine
  const engines = [ours, theirs]

  const manifest = (place: Place.Place) =>
    Effect.map(
      Effect.flatMap(Admin.make({ path: Place.path }), (admin) => admin.manifest()),
      ({ manifest }) => manifest
    ).pipe(Effect.provide(OurEngine.environment(place)))
  const jobs = (place: Place.Place) =>
    Compactor.list({ path: Place.path }).pipe(Effect.provide(OurEngine.environment(place)))
  /** The tables of the first run that began with this one. */
  const resultOf = (place: Place.Place, table: string) =>
    Effect.gen(function* () {
      const admin = yield* Admin.make({ path: Place.path })
      for (const id of yield* admin.manifestIds) {
        const { manifest } = yield* admin.manifest(id)
        const run = manifest.runs.find(({ tables }) => tables[0]?.id === table)
        if (run !== undefined) return run.tables.map(({ id }) => id)
      }
      return []
    }).pipe(Effect.provide(OurEngine.environment(place)))
  const isSettled = (place: Place.Place) =>
    until(Effect.all([manifest(place), jobs(place)]), ([{ l0 }, jobs]) => l0.length < 2 && jobs.every(isOver))
  const isOver = ({ status }: Compactor.Compaction) => status === "completed" || status === "failed"

  /** Writes tables of level 0. */
  const writeTables = Effect.fnUntraced(function* (match: Match.Match, session: Engine.Session, tables: number) {
    for (let table = 0; table < tables; table++) {
      yield* Match.write(match, session, 8)
      yield* session.flush("memtable")
    }
  })

  it.live("take turns: each goes on with what the other one compacted", () =>
    Effect.gen(function* () {
      const match = Match.make(yield* Place.directory, { seed: 31 })
      for (const owner of [ours, theirs, ours, theirs, ours, theirs]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* owner.open(match.place, compacting)
            yield* writeTables(match, session, 5)
            const [{ runs }] = yield* isSettled(match.place)
            assert.isAbove(runs.length, 0, owner.name)
            yield* Match.expectContents(match, owner, session)
            yield* session.close
          })
        )
        yield* Match.expectSound(match, engines)
      }
    })
  )

  it.live("the official one goes on with a job that this one left half done", () =>
    Effect.gen(function* () {
      const { place } = Match.make(yield* Place.directory, { seed: 32 })
      const match = Match.make(place, { seed: 32 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* ours.open(place, { ...writing, blockSizeBytes: 1024 })
          yield* writeTables(match, session, 6)
          yield* session.close
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const faults = yield* FaultyObjectStore.make(yield* ObjectStore.ObjectStore)
          const third = yield* faults.hold({ operation: "putIfAbsent", path: "compacted/", skip: 2 })
          yield* Compactor.make({ path: Place.path, settings: { maxSstSizeBytes: 2000, blockSizeBytes: 1024 } }).pipe(
            Effect.provideService(ObjectStore.ObjectStore, faults.store)
          )
          yield* third.reached()
        })
      ).pipe(Effect.provide(OurEngine.environment(place)))
      const [left] = yield* jobs(place)
      assert.deepStrictEqual([left?.status, left?.outputs.length], ["running", 2])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* theirs.open(place, compacting)
          yield* isSettled(place)
          // It may have merged the result on since.
          const first = yield* resultOf(place, left?.outputs[0]?.id ?? "")
          assert.strictEqual(first[1], left?.outputs[1]?.id, "what this engine merged was kept")
          assert.isAbove(first.length, 2)
          yield* Match.expectContents(match, theirs, session)
          yield* session.close
        })
      )
      yield* Match.expectSound(match, engines)
    })
  )

  it.live("one of this engine's takes over from the official one, and the other way round", () =>
    Effect.gen(function* () {
      const place = yield* Place.directory
      const match = Match.make(place, { seed: 33 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* theirs.open(place, compacting)
          yield* writeTables(match, session, 3)
          yield* isSettled(place)
          const compactor = yield* Compactor.make({ path: Place.path, settings: { compactorPollInterval: 20 } })
          const { epoch } = yield* compactor.status
          yield* Effect.ignore(session.close)
          assert.strictEqual((yield* manifest(place)).compactorEpoch, epoch, "the older one wrote nothing more")
          const next = yield* theirs.open(place, compacting)
          const ended = yield* Effect.flip(compactor.closed)
          assert.deepStrictEqual(
            [ended.reason._tag, ended.reason._tag === "Closed" && ended.reason.kind],
            ["Closed", "fenced"]
          )
          yield* writeTables(match, next, 3)
          yield* isSettled(place)
          yield* Match.expectContents(match, theirs, next)
          yield* next.close
        })
      ).pipe(Effect.provide(OurEngine.environment(place)))
      yield* Match.expectSound(match, engines)
    })
  )
})
