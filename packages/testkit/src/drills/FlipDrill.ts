/**
 * Flips bits in the copy of a database, one at a time, and asks the check of the whole
 * database whether anything is wrong.
 *
 *     every byte of each WAL object, and of each block, index, filter, stats, info and
 *       footer of a table: one of its bits, chosen by the seed; each flip must be found
 *     every bit of the manifests that are needed: found, or without effect on what the
 *       manifest says, or in a field that nothing can check (see `ManifestFields`)
 *
 * The check is `Admin.check` on a copy in memory, tens of thousands of times; a few of
 * the flips are made on disk, too, where `slate verify` must find them as a process.
 *
 * A round is a database with a codec of its own, made by both engines together: tables of
 * level 0 by each, sorted runs and checkpoints by the official compactor, and a WAL that
 * is not flushed.
 */
import * as Admin from "@effect-slatedb/core/Admin"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Dice from "../interop/Dice.ts"
import * as Engine from "../interop/Engine.ts"
import * as History from "../interop/History.ts"
import * as OfficialEngine from "../interop/OfficialEngine.ts"
import * as OurEngine from "../interop/OurEngine.ts"
import * as Place from "../interop/Place.ts"
import * as Drill from "./Drill.ts"
import * as ManifestFields from "./ManifestFields.ts"
import * as SlateVerify from "./SlateVerify.ts"

export interface Options extends Drill.Options {
  /** Flips a bit in one byte of so many, and one bit of so many in a manifest. Default 1. */
  readonly stride?: number | undefined
  /** So many flips are made on disk, for `slate verify`. Default 5. */
  readonly flipsOnDisk?: number | undefined
}

export const run = (options: Options): Effect.Effect<Drill.Outcome> =>
  Drill.run((tally) =>
    Effect.gen(function* () {
      const newPlace = yield* Place.maker(options.store, options.keepsFailures)
      for (let round = 1; round <= options.rounds; round++) {
        const dice = Dice.make(options.seed, round, 4)
        const tuning = tuningOf(round, dice)
        const where = `round ${round}: compression=${tuning.compression} block=${tuning.blockSizeBytes}`
        yield* options.report(where)
        const copy = yield* Effect.scoped(Effect.flatMap(newPlace, (place) => built(place, tuning, dice.below(1e6))))
        yield* Drill.inside(where)(flipAll({ patient: yield* patientOf(copy), dice, options, tally }))
        tally.add("databases")
      }
    })
  )

const tuningOf = (round: number, dice: Dice.Dice): Engine.Tuning => ({
  ...Engine.tuning,
  compression: Engine.compressions[round % Engine.compressions.length] ?? "none",
  blockSizeBytes: dice.pick([1024, 4096])
})

/** Makes a small database that has some of everything, and copies its objects into memory. */
const built = Effect.fnUntraced(function* (place: Place.Place, tuning: Engine.Tuning, seed: number) {
  const history = History.make({ seed, keyBytesMax: 40, valueBytesMax: 150 })
  let sequence = 0
  const turn = (engine: Engine.Engine, tables: number, isCompacting: boolean) =>
    Effect.scoped(
      Effect.gen(function* () {
        const session = yield* engine.open(place, { ...tuning, isCompacting })
        const writeSome = Effect.gen(function* () {
          for (let i = 1; i <= 6; i++) yield* session.write(history.batch(++sequence), { awaitDurable: i % 3 === 0 })
        })
        for (let table = 1; table <= tables; table++) {
          yield* writeSome
          yield* session.flush("memtable")
        }
        if (isCompacting) yield* Effect.sleep("200 millis")
        else yield* writeSome
        yield* session.close
      })
    )
  yield* turn(OurEngine.engine, 2, false)
  yield* turn(OfficialEngine.engine, 2, true)
  yield* turn(OurEngine.engine, 1, false)
  yield* turn(OfficialEngine.engine, 1, false)
  return yield* objectsOf(place)
})

type Objects = ReadonlyMap<string, Uint8Array>

const objectsOf = (place: Place.Place) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = Context.get(yield* Layer.build(Place.layer(place)), ObjectStore)
      const listed = yield* Stream.runCollect(store.list({ prefix: `${Place.path}/` }))
      const objects: Objects = new Map(
        yield* Effect.forEach(listed, ({ path }) => Effect.map(store.get(path), (bytes) => [path, bytes] as const))
      )
      return objects
    })
  )

/** A database in memory that can be damaged, looked at, and mended. */
interface Patient {
  readonly objects: Objects
  readonly checked: ReadonlyArray<Admin.Checked>
  readonly admin: Admin.Admin
  /** The first fault, if any, while one bit of one object is flipped; and what `look` sees meanwhile. */
  readonly flipped: <A>(
    path: string,
    bit: number,
    look: Effect.Effect<A, unknown>
  ) => Effect.Effect<{ readonly fault: Admin.Fault | undefined; readonly seen: A }, unknown>
}

const patientOf = Effect.fnUntraced(function* (objects: Objects) {
  const store = MemoryObjectStore.fromState(MemoryObjectStore.makeState())
  for (const [path, bytes] of objects) yield* store.put(path, bytes)
  const admin = yield* Admin.make({ path: Place.path }).pipe(
    Effect.provideService(ObjectStore, store),
    Effect.provide(OurEngine.services)
  )
  const firstFault = admin.check.pipe(
    Stream.filter(({ faults }) => faults.length > 0),
    Stream.runHead,
    Effect.map((found) => Option.getOrUndefined(found)?.faults[0])
  )
  const patient: Patient = {
    objects,
    checked: yield* Stream.runCollect(admin.check),
    admin,
    flipped: (path, bit, look) =>
      Effect.gen(function* () {
        const bytes = objects.get(path) ?? new Uint8Array(0)
        yield* store.put(path, withFlip(bytes, bit))
        const fault = yield* firstFault
        const seen = yield* look
        yield* store.put(path, bytes)
        return { fault, seen }
      })
  }
  return patient
})

const withFlip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const damaged = bytes.slice()
  damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return damaged
}

interface Treatment {
  readonly patient: Patient
  readonly dice: Dice.Dice
  readonly options: Options
  readonly tally: Drill.Tally
}

const flipAll = Effect.fnUntraced(function* (treatment: Treatment) {
  const { checked } = treatment.patient
  const wrong = checked.flatMap(({ faults, object }) => faults.map(({ detail }) => `${object}: ${detail}`))
  yield* Drill.expectNothing(wrong)
  yield* flipTables(treatment)
  yield* flipManifests(treatment)
  yield* flipOnDisk(treatment)
})

/** A bit in every byte of tables and WAL objects. The parts that the check knows of must be all there is. */
const flipTables = Effect.fnUntraced(function* ({ dice, options, patient, tally }: Treatment) {
  const stride = options.stride ?? 1
  const missed: Array<string> = []
  for (const path of yield* neededObjects(patient)) {
    const parts = patient.checked.find(({ object }) => object === path)?.parts ?? []
    const length = patient.objects.get(path)?.length ?? 0
    for (let byte = dice.below(stride); byte < length; byte += stride) {
      const part = parts.find(({ end, start }) => start <= byte && byte < end)
      if (part === undefined) return yield* Drill.fail(`the check knows no part: object=${path} byte=${byte}`)
      const name = `${path.includes("/wal/") ? "WAL" : "table"} ${part.name}`
      const bit = dice.below(8)
      const { fault } = yield* patient.flipped(path, 8 * byte + bit, Effect.void)
      tally.add(`${name}: bytes with a flipped bit`)
      if (fault === undefined) missed.push(`not found: object=${path} part=${name} byte=${byte} bit=${bit}`)
      else tally.add(`${name}: found`)
    }
  }
  yield* Drill.expectNothing(missed.slice(0, 20))
})

/** Tables that the latest manifest names, and the whole log. */
const neededObjects = Effect.fnUntraced(function* ({ admin, objects }: Patient) {
  const { manifest } = yield* admin.manifest()
  const tables = [...manifest.l0, ...manifest.runs.flatMap((run) => run.tables)]
  return [
    ...tables.map(({ id }) => `${Place.path}/compacted/${id}.sst`),
    ...[...objects.keys()].filter((path) => path.startsWith(`${Place.path}/wal/`))
  ]
})

/** Bits of the manifests that are needed: the latest one, and those that its checkpoints pin. */
const flipManifests = Effect.fnUntraced(function* ({ dice, options, patient, tally }: Treatment) {
  const { admin } = patient
  const stride = options.stride ?? 1
  const latest = yield* admin.manifest()
  const needed = new Set([latest.id, ...latest.manifest.checkpoints.map(({ manifestId }) => manifestId)])
  const missed: Array<string> = []
  for (const id of needed) {
    const path = `${Place.path}/manifest/${String(id).padStart(20, "0")}.manifest`
    const { manifest } = yield* admin.manifest(id)
    const kind = id === latest.id ? "latest manifest" : "pinned manifests"
    for (let bit = dice.below(stride); bit < 8 * (patient.objects.get(path)?.length ?? 0); bit += stride) {
      const { fault, seen } = yield* patient.flipped(path, bit, Effect.result(admin.manifest(id)))
      tally.add(`${kind}: flipped bits`)
      if (fault !== undefined) {
        tally.add(`${kind}: found`)
        continue
      }
      const fields = Result.isSuccess(seen) ? ManifestFields.difference(manifest, seen.success.manifest) : ["all of it"]
      if (fields.length === 0) tally.add(`${kind}: without effect`)
      for (const field of fields) {
        const reason = ManifestFields.unknowable.get(field)
        if (reason === undefined) missed.push(`not found: manifest=${id} bit=${bit} field=${field}`)
        else tally.add(`${kind}: nothing can tell, ${field}: ${reason}`)
      }
    }
  }
  yield* Drill.expectNothing(missed.slice(0, 20))
})

/** The command must come to the same answers, and say them with its exit code. */
const flipOnDisk = Effect.fnUntraced(function* ({ dice, options, patient, tally }: Treatment) {
  const place = yield* Place.directory
  const store = Context.get(yield* Layer.build(Place.layer(place)), ObjectStore)
  for (const [path, bytes] of patient.objects) yield* store.put(path, bytes)
  const expectCode = Effect.fnUntraced(function* (expected: number, what: string) {
    const code = yield* SlateVerify.exitCode(place.root)
    if (code !== expected) return yield* Drill.fail(`slate verify ended with ${code}, expected ${expected}: ${what}`)
  })
  yield* expectCode(0, "a sound copy")
  const needed = yield* neededObjects(patient)
  for (let i = 0; i < (options.flipsOnDisk ?? 5); i++) {
    const path = dice.pick(needed)
    const bytes = patient.objects.get(path) ?? new Uint8Array(0)
    const bit = dice.below(8 * bytes.length)
    yield* Effect.promise(() => writeFile(join(place.root, path), withFlip(bytes, bit)))
    yield* expectCode(1, `object=${path} bit=${bit}`)
    yield* Effect.promise(() => writeFile(join(place.root, path), bytes))
    tally.add("bits flipped on disk, and found by slate verify")
  }
}, Effect.scoped)
