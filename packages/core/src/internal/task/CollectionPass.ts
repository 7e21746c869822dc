/**
 * One pass of a collector.
 *
 *     expired checkpoints ──> removed from the manifest                   by compare-and-set
 *     survey ──> verdicts ──> WAL objects, tables                 deleted
 *                         ──> boundary raised ──> manifests       deleted ──> boundary raised again
 *                         ──> boundary raised ──> compactions     deleted ──> boundary raised again
 *
 * Each step is complete in itself: a pass that fails or is interrupted has deleted less,
 * and the next one finds the rest. What an expired checkpoint pinned is judged by the
 * manifest that is read after its removal. The local clock alone removes and deletes
 * nothing: it only says whether it is worth asking the store for its time.
 *
 * A dry run reads the same, and writes nothing. It judges by the local clock, and so
 * shows more than a pass would delete where that clock is ahead.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import * as CollectionPlan from "../lsm/CollectionPlan.ts"
import * as ManifestStep from "../lsm/ManifestStep.ts"
import type { Collected, Facts, Kind, Listed, Version } from "../model/Garbage.ts"
import type { Manifest } from "../model/Manifest.ts"
import * as Boundary from "../store/Boundary.ts"
import * as CollectionSurvey from "../store/CollectionSurvey.ts"
import type { CompactionsStore } from "../store/CompactionsStore.ts"
import type { ManifestStore } from "../store/ManifestStore.ts"
import type { ObjectPaths } from "../store/ObjectPaths.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import type { StoreClock } from "../store/StoreClock.ts"
import * as StoreFailure from "../store/StoreFailure.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { UlidSource } from "../store/UlidSource.ts"

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths
  readonly ulids: UlidSource
  readonly clock: Clock.Clock
  readonly turns: TurnMeter
  readonly manifests: ManifestStore
  readonly compactions: CompactionsStore
  readonly storeClock: StoreClock
  /** Versions that are read in this process. Asked for when the latest is known. */
  readonly held: () => ReadonlyArray<Versioned<Manifest>>
}

export interface Request {
  readonly kinds: ReadonlySet<Kind>
  readonly minAgeMillis: number
  readonly isDryRun: boolean
}

export interface Report {
  /** Ids of checkpoints that had expired and were removed. */
  readonly checkpoints: ReadonlyArray<string>
  readonly objects: ReadonlyArray<Collected>
}

/** Objects that are deleted at once. */
const deletesMax = 8

/** Verdicts between two looks at the clock. */
const verdictsPerStep = 64
const stepsPerSlice = 64

/** Collects once. `onDeleted` hears of each object, also when the pass fails later. */
export const run = Effect.fnUntraced(function* (
  options: Options,
  request: Request,
  onDeleted: (object: Collected) => void
): Effect.fn.Return<Report, DbError.DbError> {
  const { clock, storeClock } = options
  const { isDryRun, kinds, minAgeMillis } = request
  const localTime = () => clock.currentTimeMillisUnsafe()
  const time = isDryRun ? Effect.sync(localTime) : Effect.suspend(() => storeClock.look(options, minAgeMillis))

  const checkpoints = yield* removeExpired(options, time, isDryRun)
  const survey = yield* CollectionSurvey.survey(options, kinds, (manifest) => withoutThese(manifest, checkpoints))
  const facts = {
    compactions: survey.compactions,
    latest: version(survey.latest),
    pinned: [...survey.pinned, ...options.held().filter(({ id }) => id !== survey.latest.id)].map(version),
    withFences: kinds.has("fence")
  }
  const judged = (now: number) => garbage(options.turns, survey.listed, { ...facts, youngSince: now - minAgeMillis })
  const candidates = yield* judged(localTime())
  const objects = candidates.length === 0 || isDryRun ? candidates : yield* judged(yield* time)
  if (!isDryRun) yield* remove(options, objects, onDeleted)
  return { checkpoints, objects: objects.map(collected) }
})

/** Removes checkpoints whose time has come, and answers with their ids; a dry run only answers. */
const removeExpired = Effect.fnUntraced(function* (
  options: Options,
  time: Effect.Effect<number, DbError.DbError>,
  isDryRun: boolean
): Effect.fn.Return<ReadonlyArray<string>, DbError.DbError> {
  const latest = yield* CollectionSurvey.latest(options)
  const expired = (millis: number, { checkpoints }: Manifest) =>
    checkpoints.filter((checkpoint) => ManifestStep.isExpired(checkpoint, Math.floor(millis / 1000)))
  const candidates = expired(options.clock.currentTimeMillisUnsafe(), latest.value)
  if (candidates.length === 0) return []
  const now = yield* time
  // What the edit removed is what the version lacks that it was applied to last: another process may have refreshed some.
  let removed = expired(now, latest.value)
  if (isDryRun || removed.length === 0) return removed.map(({ id }) => id)
  yield* options.manifests.update(latest, (manifest) => {
    removed = expired(now, manifest)
    return Result.succeed(ManifestStep.dropExpired(Math.floor(now / 1000))(manifest))
  })
  return removed.map(({ id }) => id)
})

/** In a dry run they are still there. */
const withoutThese = (manifest: Manifest, checkpoints: ReadonlyArray<string>): Manifest =>
  checkpoints.reduce((rest, id) => ManifestStep.removeCheckpoint(id)(rest), manifest)

const version = ({ id, value }: Versioned<Manifest>): Version => ({ id, manifest: value })

interface Condemned {
  readonly object: Listed
  readonly why: string
}

const garbage = Effect.fnUntraced(function* (turns: TurnMeter, listed: ReadonlyArray<Listed>, facts: Facts) {
  const judge = CollectionPlan.judge(facts)
  const found: Array<Condemned> = []
  let next = 0
  yield* turns.slices("collection", stepsPerSlice, () => {
    for (const object of listed.slice(next, (next += verdictsPerStep))) {
      const { _tag, why } = judge(object)
      if (_tag === "Garbage") found.push({ object, why })
    }
    return next >= listed.length
  })
  return found
})

const collected = ({ object: { bytes, kind, path }, why }: Condemned): Collected => ({ kind, path, bytes, why })

/** Deletes what no boundary is kept of, and then the versions of each register behind its own. */
const remove = Effect.fnUntraced(function* (
  { paths, store, ulids }: Options,
  objects: ReadonlyArray<Condemned>,
  onDeleted: (object: Collected) => void
): Effect.fn.Return<void, DbError.DbError> {
  const removeAll = (condemned: ReadonlyArray<Condemned>) =>
    Effect.forEach(condemned, (one) => Effect.map(store.delete(one.object.path), () => onDeleted(collected(one))), {
      concurrency: deletesMax,
      discard: true
    }).pipe(Effect.mapError(StoreFailure.fromStore))

  yield* removeAll(objects.filter(({ object }) => object.kind !== "manifest" && object.kind !== "compactions"))
  for (const kind of ["manifest", "compactions"] as const) {
    const versions = objects.filter(({ object }) => object.kind === kind)
    if (versions.length === 0) continue
    const greatest = versions.reduce((id, { object }) => (object.kind === kind ? Math.max(id, object.id) : id), 0)
    const raise = Boundary.raise(store, paths.boundary(kind), ulids, greatest)
    yield* raise
    yield* removeAll(versions)
    // Another collector may have put a lesser value over ours.
    yield* raise
  }
})
