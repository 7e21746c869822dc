/** Collectors for tests, and a compactor of another process that keeps its register. */
import type * as Settings from "@effect-slatedb/core/Settings"
import * as GarbageCollector from "@effect-slatedb/core/GarbageCollector"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Compactions from "../../src/internal/model/Compactions.ts"
import type { Manifest } from "../../src/internal/model/Manifest.ts"
import type { SsTable } from "../../src/internal/model/SsTable.ts"
import * as ByteOrder from "../../src/internal/model/ByteOrder.ts"
import * as CompactionsStore from "../../src/internal/store/CompactionsStore.ts"
import * as UlidSource from "../../src/internal/store/UlidSource.ts"
import * as OtherProcess from "./OtherProcess.ts"

/** One pass over a bucket. */
export const collect = (
  store: ObjectStore["Service"],
  options?: {
    readonly kinds?: ReadonlyArray<GarbageCollector.Kind>
    readonly minAge?: Settings.Input["collectorMinAge"]
    readonly dryRun?: boolean
  }
) => Effect.provideService(GarbageCollector.collect({ path: "db", ...options }), ObjectStore, store)

export const collectAll = (bucket: MemoryObjectStore.State) => collect(MemoryObjectStore.fromState(bucket))

/** Writes the next version of the compactor's register. */
export const register = Effect.fnUntraced(function* (
  bucket: MemoryObjectStore.State,
  edit: (jobs: ReadonlyArray<Compactions.Compaction>) => ReadonlyArray<Compactions.Compaction>
) {
  const store = CompactionsStore.make(MemoryObjectStore.fromState(bucket), OtherProcess.paths, yield* UlidSource.make)
  const known = yield* store.latest
  if (known === undefined) yield* store.createFirst({ ...Compactions.empty, compactions: edit([]) })
  else yield* store.update(known, (value) => Result.succeed({ ...value, compactions: edit(value.compactions) }))
})

/**
 * A compaction of all of level 0 and all runs, in the four steps of the protocol, each of which is one write: job,
 * output, manifest, outcome.
 */
export const compaction = (
  bucket: MemoryObjectStore.State,
  ulids: UlidSource.UlidSource
): ReadonlyArray<Effect.Effect<void, unknown>> => {
  let inputs: Manifest | undefined
  let job = ""
  let output: SsTable | undefined
  const of = (manifest: Manifest) => [...manifest.l0, ...manifest.runs.flatMap(({ tables }) => tables)]
  return [
    Effect.gen(function* () {
      inputs = yield* OtherProcess.manifest(bucket)
      job = ulids.next()
      const spec = {
        _tag: "Tiered" as const,
        l0ViewIds: inputs.l0.map(({ viewId }) => viewId),
        runIds: inputs.runs.map(({ id }) => id),
        destination: undefined,
        segment: new Uint8Array(0)
      }
      yield* register(bucket, (jobs) => [...jobs, { id: job, spec, status: "running", outputs: [] }])
    }),
    Effect.gen(function* () {
      const rows = (inputs === undefined ? [] : of(inputs))
        .flatMap(({ id }) => OtherProcess.rows(bucket, OtherProcess.paths.table(id)))
        .toSorted((a, b) => ByteOrder.compare(a.key, b.key) || b.sequence - a.sequence)
      output = yield* OtherProcess.storeTable(bucket, ulids.next(), rows)
    }),
    OtherProcess.edit(bucket, (manifest) => {
      if (inputs === undefined || output === undefined) throw new Error("the steps come in order")
      const taken = new Set(of(inputs).map(({ id }) => id))
      const run = inputs.runs.at(-1)?.id ?? 0
      return {
        ...manifest,
        compactorEpoch: Math.max(1, manifest.compactorEpoch),
        l0: manifest.l0.filter(({ id }) => !taken.has(id)),
        lastCompactedViewId: inputs.l0[0]?.viewId ?? manifest.lastCompactedViewId,
        runs: [{ id: run, tables: [output] }]
      }
    }),
    Effect.suspend(() =>
      register(bucket, (jobs) =>
        jobs.flatMap((known) => (known.id === job ? [{ ...known, status: "completed" as const }] : []))
      )
    )
  ]
}

/** That everything is there which the latest manifest or one that it pins names. */
export const assertWhole = Effect.fnUntraced(function* (bucket: MemoryObjectStore.State, when = "") {
  const { id, value } = yield* OtherProcess.latest(bucket)
  for (const pinned of new Set([id, ...value.checkpoints.map(({ manifestId }) => manifestId)])) {
    assert.isTrue(bucket.objects.has(OtherProcess.paths.manifests.path(pinned)), `manifest ${pinned} is there ${when}`)
    const { l0, replayAfterWalId, runs, walIdLastSeen } = yield* OtherProcess.version(bucket, pinned)
    for (const table of [...l0, ...runs.flatMap(({ tables }) => tables)]) {
      assert.isTrue(
        bucket.objects.has(OtherProcess.paths.table(table.id)),
        `table ${table.id} of manifest ${pinned} is there ${when}`
      )
    }
    for (let wal = replayAfterWalId + 1; wal <= walIdLastSeen; wal++) {
      assert.isTrue(bucket.objects.has(OtherProcess.paths.wals.path(wal)), `WAL ${wal} is there ${when}`)
    }
  }
})
