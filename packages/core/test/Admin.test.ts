import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import { NodeCompression } from "@effect-slatedb/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Admin from "../src/Admin.ts"
import { Compression } from "../src/Compression.ts"
import * as CompactionsCodec from "../src/internal/format/CompactionsCodec.ts"
import * as ManifestCodec from "../src/internal/format/ManifestCodec.ts"
import type { Manifest } from "../src/internal/model/Manifest.ts"
import * as ObjectStore from "../src/ObjectStore.ts"
import * as FixtureStore from "./internal/format/FixtureStore.ts"

/** A store with the objects of a fixture, altered. */
const load = Effect.fnUntraced(function* (
  name: string,
  alter: (path: string, bytes: Uint8Array) => Uint8Array | undefined
) {
  const store = yield* MemoryObjectStore.make
  for (const path of FixtureStore.paths(name)) {
    const bytes = alter(path, FixtureStore.bytes(name, path))
    if (bytes !== undefined) yield* store.put(path, bytes)
  }
  return store
})
const asIs = (_path: string, bytes: Uint8Array) => bytes

const open = (store: ObjectStore.ObjectStore["Service"]) =>
  Admin.make({ path: "db" }).pipe(
    Effect.provideService(ObjectStore.ObjectStore, store),
    Effect.provideService(Compression, allCodecs)
  )
const allCodecs = NodeCompression.make()

const faults = Effect.fnUntraced(function* (store: ObjectStore.ObjectStore["Service"]) {
  const checked = yield* Stream.runCollect((yield* open(store)).check)
  return checked.flatMap(({ faults, object }) => faults.map(({ detail, rule }) => `${object} ${rule}: ${detail}`))
})

const rules = Effect.fnUntraced(function* (name: string, alter: Parameters<typeof load>[1]) {
  return (yield* faults(yield* load(name, alter))).map((fault) => fault.replace(/^\S+ (\S+): .*$/s, "$1"))
})

const latest = (name: string): string => FixtureStore.paths(name, ".manifest").at(-1) ?? ""
const only = (path: string, edit: (bytes: Uint8Array) => Uint8Array | undefined) => (at: string, bytes: Uint8Array) =>
  at === path ? edit(bytes) : bytes

/** Rewrites the latest manifest, which has no checksum. */
const withManifest = (name: string, edit: (manifest: Manifest) => Manifest) =>
  only(latest(name), (bytes) => ManifestCodec.encode(edit(Result.getOrThrow(ManifestCodec.decode(bytes)))))

/** Changes one checkpoint. */
const withCheckpoint = (index: number, edit: Partial<Manifest["checkpoints"][number]>) => (manifest: Manifest) => ({
  ...manifest,
  checkpoints: manifest.checkpoints.map((checkpoint, i) => (i === index ? { ...checkpoint, ...edit } : checkpoint))
})

describe("Admin.check", () => {
  for (const name of FixtureStore.cases) {
    it.effect(`finds nothing wrong with ${name}`, () =>
      Effect.gen(function* () {
        const store = yield* load(name, asIs)
        assert.deepStrictEqual(yield* faults(store), [])
      })
    )
  }

  it.effect("examines every row of tables and of the log", () =>
    Effect.gen(function* () {
      const store = yield* load("l0s", asIs)
      const checked = yield* Stream.runCollect((yield* open(store)).check)
      const rows = (kind: string) => checked.filter((c) => c.kind === kind).reduce((sum, c) => sum + c.rows, 0)
      assert.deepStrictEqual([rows("table"), rows("wal")], [230, 234])
      assert.strictEqual(checked.length, FixtureStore.paths("l0s").length)
    })
  )

  for (const name of ["basic", "snappy", "sst-v1", "versions"]) {
    it.effect(`finds every flipped byte in the tables and the log of ${name}`, () =>
      Effect.gen(function* () {
        const store = yield* load(name, asIs)
        let flips = 0
        for (const path of FixtureStore.paths(name, ".sst")) {
          const bytes = FixtureStore.bytes(name, path)
          for (let i = 0; i < bytes.length; i += name === "basic" ? 1 : 13) {
            const flipped = bytes.slice()
            flipped[i] = (flipped[i] ?? 0) ^ (1 + ((i * 37) % 255))
            yield* store.put(path, flipped)
            if ((yield* faults(store)).length === 0)
              assert.fail(`missed: object=${path} offset=${i} byte=${flipped[i]}`)
            flips++
          }
          yield* store.put(path, bytes)
        }
        assert.isAbove(flips, 30)
      })
    )
  }

  it.effect("finds every truncation and every trailing byte", () =>
    Effect.gen(function* () {
      const store = yield* load("basic", asIs)
      for (const path of FixtureStore.paths("basic", ".sst")) {
        const bytes = FixtureStore.bytes("basic", path)
        const longer = new Uint8Array(bytes.length + 1)
        longer.set(bytes)
        // An object of no bytes is a fence of newer writers.
        for (let end = path.includes("wal/") ? 1 : 0; end < bytes.length; end += 3) {
          yield* store.put(path, bytes.subarray(0, end))
          if ((yield* faults(store)).length === 0) assert.fail(`missed: object=${path} length=${end}`)
        }
        yield* store.put(path, longer)
        assert.isNotEmpty(yield* faults(store))
        yield* store.put(path, bytes)
      }
    })
  )

  it.effect("finds objects that are missing", () =>
    Effect.gen(function* () {
      for (const path of [...FixtureStore.paths("l0s", ".sst")].filter((path) => path.includes("compacted/"))) {
        assert.deepStrictEqual(
          yield* rules(
            "l0s",
            only(path, () => undefined)
          ),
          ["L3"]
        )
      }
      assert.deepStrictEqual(
        yield* rules(
          "walonly",
          only("db/wal/00000000000000000003.sst", () => undefined)
        ),
        ["L2"]
      )
      assert.deepStrictEqual(
        yield* rules(
          "walonly",
          only("db/wal/00000000000000000001.sst", () => undefined)
        ),
        ["L2"]
      )
      // Tables that only a pinned manifest names.
      const latestRuns = Result.getOrThrow(
        ManifestCodec.decode(FixtureStore.bytes("compacted", latest("compacted")))
      ).runs.flatMap((run) => run.tables.map(({ id }) => id))
      const pinnedOnly = FixtureStore.paths("compacted", ".sst").filter(
        (path) => path.includes("compacted/") && !latestRuns.some((id) => path.includes(id))
      )
      assert.isAbove(pinnedOnly.length, 4)
      for (const path of pinnedOnly) {
        assert.deepStrictEqual(
          yield* rules(
            "compacted",
            only(path, () => undefined)
          ),
          ["L3"],
          path
        )
      }
      // A checkpoint of the latest manifest pins it.
      const [checkpoint] = Result.getOrThrow(
        ManifestCodec.decode(FixtureStore.bytes("compacted", latest("compacted")))
      ).checkpoints
      const pinned = `db/manifest/${String(checkpoint?.manifestId).padStart(20, "0")}.manifest`
      assert.deepStrictEqual(
        yield* rules(
          "compacted",
          only(pinned, () => undefined)
        ),
        ["L9"]
      )
    })
  )

  describe("finds a manifest that contradicts", () => {
    const contradictions: ReadonlyArray<
      readonly [what: string, name: string, rules: ReadonlyArray<string>, edit: (manifest: Manifest) => Manifest]
    > = [
      ["its tables' last sequence", "basic", ["L16", "L16", "L15", "L16"], (m) => ({ ...m, lastL0Sequence: 7 })],
      ["the rows of the log that it claims to cover", "basic", ["L16"], (m) => ({ ...m, replayAfterWalId: 4 })],
      ["the log about rows in no table", "basic", ["L16", "L16"], (m) => ({ ...m, lastL0Sequence: 9 })],
      ["the length of the log", "basic", ["L16"], (m) => ({ ...m, walIdLastSeen: 6 })],
      ["its tables' clock", "basic", ["L16", "L16", "L16"], (m) => ({ ...m, lastL0ClockTick: 1_795_392_386_340 })],
      ["the log's clock", "basic", ["L16", "L16"], (m) => ({ ...m, lastL0ClockTick: 1_795_392_386_349 })],
      ["the version before it about the epoch", "basic", ["L10"], (m) => ({ ...m, writerEpoch: 0 })],
      ["the way epochs are claimed", "basic", ["L10"], (m) => ({ ...m, writerEpoch: 3 })],
      ["what it retains", "basic", ["L15"], (m) => ({ ...m, recentSnapshotMinSequence: 9 })],
      ["what was retained", "basic", ["L15"], (m) => ({ ...m, recentSnapshotMinSequence: 7 })],
      ["what compaction took", "basic", ["L6"], (m) => ({ ...m, lastCompactedViewId: "01M82VKD976JAVBX9ZGHPHK1MA" })],
      [
        "itself about compaction",
        "basic",
        ["L6"],
        (m) => ({ ...m, lastCompactedViewId: "01M82VKD976JAVBX9ZGHPHK1MD" })
      ],
      [
        "the tracker before it",
        "basic",
        ["tracker"],
        (m) => ({ ...m, sequenceTracker: { sequences: [2], seconds: [1_795_392_386] } })
      ],
      [
        "the tracker's bound",
        "basic",
        ["tracker", "tracker"],
        (m) => ({ ...m, sequenceTracker: { sequences: [9], seconds: [1_795_392_386] } })
      ],
      ["the presence of the log", "basic", ["database", "database"], (m) => ({ ...m, hasSeparateWalStore: true })],
      ["being a database", "basic", ["database", "database"], (m) => ({ ...m, initialized: false })],
      ["the order of level 0", "l0s", ["L6", "L2", "L2"], (m) => ({ ...m, l0: m.l0.toReversed() })],
      [
        "a table's info",
        "l0s",
        ["table", "info"],
        (m) => ({ ...m, l0: m.l0.map((t, i) => (i === 1 ? { ...t, info: { ...t.info, indexLength: 7 } } : t)) })
      ],
      [
        "a table's format version",
        "l0s",
        ["info"],
        (m) => ({ ...m, l0: m.l0.map((t, i) => (i === 1 ? { ...t, formatVersion: 1 as const } : t)) })
      ],
      [
        "a checkpoint about its age",
        "compacted",
        ["L9", "L9"],
        withCheckpoint(0, { createTimeSeconds: 4_000_000_000 })
      ],
      ["a checkpoint about what it pins", "compacted", ["L9"], withCheckpoint(0, { manifestId: 10 })],
      [
        "a checkpoint about its id",
        "compacted",
        ["L9"],
        withCheckpoint(0, { id: "6bc42c16-2198-4823-a6cd-52bd46704f7b" })
      ],
      [
        "the order in which manifests are pinned",
        "compacted",
        ["L9"],
        withCheckpoint(0, { id: "6bc42c16-2198-4823-a6cd-52bd46704f7b", manifestId: 7 })
      ],
      [
        "the tables of a run",
        "compacted",
        ["L7"],
        (m) => ({ ...m, runs: m.runs.map((run) => ({ ...run, tables: run.tables.slice(1) })) })
      ],
      ["the runs before it", "compacted", ["L7"], (m) => ({ ...m, runs: [] })],
      ["the id of a run", "compacted", ["L7", "L7"], (m) => ({ ...m, runs: m.runs.map((run) => ({ ...run, id: 5 })) })],
      ["the compactions file about the epoch", "compacted", ["L10", "L10"], (m) => ({ ...m, compactorEpoch: 0 })]
    ]
    for (const [what, name, expected, edit] of contradictions) {
      it.effect(what, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* rules(name, withManifest(name, edit)), expected)
        })
      )
    }
  })

  it.effect("finds a fence whose footer tells an older format than its neighbours", () =>
    Effect.gen(function* () {
      const older = only("db/wal/00000000000000000003.sst", (bytes) => bytes.with(bytes.length - 1, 1))
      assert.deepStrictEqual(yield* rules("fenced", older), ["format"])
    })
  )

  it.effect("finds a WAL object missing that only a pinned manifest needs", () =>
    Effect.gen(function* () {
      // The version that a checkpoint pins had not flushed yet what the latest one has.
      const name = "basic"
      const pinning = withManifest(name, (m) => ({
        ...m,
        checkpoints: [
          {
            id: "00000000-0000-4000-8000-000000000001",
            manifestId: 3,
            expireTimeSeconds: undefined,
            createTimeSeconds: 1,
            name: undefined,
            metadata: undefined
          }
        ]
      }))
      const pinned = "db/manifest/00000000000000000003.manifest"
      const unflushed = (path: string, bytes: Uint8Array) =>
        path === pinned
          ? ManifestCodec.encode({
              ...Result.getOrThrow(ManifestCodec.decode(FixtureStore.bytes(name, pinned))),
              replayAfterWalId: 1,
              lastL0Sequence: 0,
              l0: [],
              lastL0ClockTick: undefined,
              recentSnapshotMinSequence: 0,
              sequenceTracker: { sequences: [], seconds: [] }
            })
          : pinning(path, bytes)
      const sound = yield* faults(yield* load(name, unflushed))
      const missing = yield* faults(
        yield* load(name, (path, bytes) =>
          path === "db/wal/00000000000000000002.sst" ? undefined : unflushed(path, bytes)
        )
      )
      assert.deepStrictEqual(
        missing.filter((fault) => !sound.includes(fault)),
        [`${pinned} L2: the log has a gap: wal=2 replayAfterWalId=1`]
      )
    })
  )

  it.effect("finds an output missing that a running compaction has written", () =>
    Effect.gen(function* () {
      const path = FixtureStore.paths("compacted", ".compactions").at(-1) ?? ""
      const [table] = Result.getOrThrow(
        ManifestCodec.decode(FixtureStore.bytes("compacted", latest("compacted")))
      ).runs.flatMap((run) => run.tables)
      if (table === undefined) return assert.fail("no run")
      const running = (id: string) =>
        only(path, (bytes) => {
          const file = Result.getOrThrow(CompactionsCodec.decode(bytes))
          return CompactionsCodec.encode({
            ...file,
            compactions: file.compactions.map((job) => ({
              ...job,
              status: "running" as const,
              outputs: [{ ...table, id, viewId: id }]
            }))
          })
        })
      assert.deepStrictEqual(yield* rules("compacted", running(table.id)), [])
      assert.deepStrictEqual(yield* rules("compacted", running("01M82VKFKMATC8DTCSFMQXNQVZ")), ["L3"])
    })
  )

  it.effect("finds a manifest behind the collector's boundary", () =>
    Effect.gen(function* () {
      const store = yield* load("basic", asIs)
      yield* store.put("db/gc/manifest.boundary", new TextEncoder().encode("3"))
      assert.deepStrictEqual(yield* faults(store), [])
      yield* store.put("db/gc/manifest.boundary", new TextEncoder().encode("4"))
      assert.match((yield* faults(store)).join(), /^db\/gc\/manifest\.boundary L9: the latest manifest lies behind/)
    })
  )

  it.effect("says that there is no database where there is none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(faults(yield* MemoryObjectStore.make))
      assert.include(error.message, "there is no database at path=db")
    })
  )
})

describe("Admin", () => {
  it.effect("lists manifests and shows one or the latest", () =>
    Effect.gen(function* () {
      const admin = yield* open(yield* load("basic", asIs))
      assert.deepStrictEqual(yield* admin.manifestIds, [1, 2, 3, 4])
      assert.strictEqual((yield* admin.manifest(2)).manifest.writerEpoch, 1)
      assert.strictEqual((yield* admin.manifest()).id, 4)
      assert.include((yield* Effect.flip(admin.manifest(5))).message, "there is no manifest 5 at path=db")
    })
  )

  it.effect("draws a tree of WAL, level 0 and what nobody needs", () =>
    Effect.gen(function* () {
      const { bytes, l0, manifestId, objects, runs, unneeded, wals } = yield* (yield* open(yield* load("basic", asIs)))
        .tree
      assert.strictEqual(manifestId, 4)
      assert.deepStrictEqual(
        wals.map(({ bytes, contents, id }) => [
          id,
          bytes,
          contents.rows,
          contents.firstSequence,
          contents.lastSequence
        ]),
        [[4, 234, 3, 9, 11]]
      )
      assert.deepStrictEqual(
        l0.map(({ bytes, stats, table }) => [table.id, bytes, stats?.puts, stats?.deletes, stats?.merges]),
        [["01M82VKD976JAVBX9ZGHPHK1MD", 459, 3, 2, 2]]
      )
      assert.deepStrictEqual(runs, [])
      assert.deepStrictEqual(
        unneeded.map(({ kind, path }) => `${kind} ${Number(path.replace(/\D/g, ""))}`),
        ["manifest 1", "manifest 2", "manifest 3", "wal 1", "wal 2"]
      )
      assert.strictEqual(objects, FixtureStore.paths("basic").length)
      assert.strictEqual(
        bytes,
        FixtureStore.paths("basic").reduce((sum, path) => sum + FixtureStore.bytes("basic", path).length, 0)
      )
    })
  )

  it.effect("draws runs, and counts the tables that compaction left behind", () =>
    Effect.gen(function* () {
      const { l0, runs, unneeded } = yield* (yield* open(yield* load("compacted", asIs))).tree
      assert.deepStrictEqual([l0.length, runs.map(({ id, tables }) => [id, tables.length])], [0, [[0, 2]]])
      const tables = FixtureStore.paths("compacted", ".sst").filter((path) => path.includes("compacted/"))
      assert.isAbove(tables.length, 2)
      assert.isAtMost(unneeded.filter(({ kind }) => kind === "compacted").length, tables.length - 2)
      assert.lengthOf(
        unneeded.filter(({ kind }) => kind === "compactions"),
        14
      )
    })
  )

  it.effect("probes a store and leaves nothing behind", () =>
    Effect.gen(function* () {
      const state = MemoryObjectStore.makeState()
      const store = MemoryObjectStore.fromState(state)
      const capabilities = yield* (yield* open(store)).probe
      assert.deepStrictEqual(
        capabilities.map(({ isSupported, name }) => [name, isSupported]),
        [
          ["create if absent", true],
          ["put id", true],
          ["ranges", true],
          ["ordered listing", true],
          ["delete", true]
        ]
      )
      assert.strictEqual(state.objects.size, 0)
    })
  )

  it.effect("probes what a store lacks", () =>
    Effect.gen(function* () {
      const store = yield* MemoryObjectStore.make
      const lacks = Effect.fnUntraced(function* (broken: Partial<ObjectStore.ObjectStore["Service"]>) {
        const capabilities = yield* (yield* open({ ...store, ...broken })).probe
        return capabilities.filter(({ isSupported }) => !isSupported).map(({ name }) => name)
      })
      assert.deepStrictEqual(yield* lacks({ putIfAbsent: (path, body) => store.put(path, body) }), ["create if absent"])
      assert.deepStrictEqual(yield* lacks({ getRange: (path) => store.get(path) }), ["ranges"])
      assert.deepStrictEqual(yield* lacks({ list: ({ prefix }) => store.list({ prefix }) }), [
        "ordered listing",
        "delete"
      ])
      assert.deepStrictEqual(yield* lacks({ delete: () => Effect.void }), ["delete"])
    })
  )
})
