/**
 * effect-slatedb, on the object store that is asked for. Its requests are counted.
 *
 * `--mode` chooses the door: one fiber around the loop (`fiber`), the same with
 * synchronous reads (`best`), or a run of the runtime for every operation (`async`). See `ours/Doors.ts`.
 */
import * as BlockCache from "@effect-slatedb/core/BlockCache"
import * as Db from "@effect-slatedb/core/Db"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Settings from "@effect-slatedb/core/Settings"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import * as CountedObjectStore from "../CountedObjectStore.ts"
import type { Database, Engine, OpenOptions } from "../Engine.ts"
import * as PackageVersion from "../PackageVersion.ts"
import * as Settling from "../Settling.ts"
import * as Doors from "./ours/Doors.ts"

const through = <P extends object>(door: (handle: Doors.Handle) => Database<P>): Engine<P> => ({
  name: "effect-slatedb",
  version: PackageVersion.of("@effect-slatedb/core"),
  stores: ["memory", "file", "s3"],
  prepare: (store) => imports[store](),
  open: async (options) => {
    const { counters: requests, layer } = await ground(options)
    const database = Db.layer({ path: options.path, settings: settings(options.settings) })
    const runtime = ManagedRuntime.make(Layer.provide(database, layer))
    const db = await runtime.runPromise(Db.Db.use(Effect.succeed))
    const counters = () => ({ ...requests(), ...compactions(Effect.runSync(db.status)) })
    return {
      ...door({ db, runtime, counters }),
      settle: async () => {
        await Settling.quiet(counters, Settling.short)
      }
    }
  }
})

/** By SlateDB's names. */
const compactions = ({ bytesCompacted, compactionsRunning }: Db.Status) => ({
  "compactor.running_compactions": compactionsRunning,
  "compactor.bytes_compacted": bytesCompacted
})

/** What does not depend on the door. */
export type Ground = Omit<OpenOptions, "mode">

/** What a database stands on: the store, with its counters, codecs and cache. */
export const ground = async (options: Ground) => {
  const store = CountedObjectStore.make(await objectStore(options))
  return {
    layer: Layer.mergeAll(store.layer, NodeCompression.layer, cache(options.settings)),
    counters: store.counters
  }
}

/** One fiber around the loop, with synchronous reads of what is in memory. */
export const resident = through(Doors.resident)

/** One fiber around the loop. */
export const inFiber = through(Doors.fiber)

/** A promise for every operation. */
export const withPromises = through(Doors.promise)

type StoreLayer = Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError>

/** Only the store that is asked for is imported: the memory of the others is not the engine's. */
const imports = {
  memory: () => import("@effect-slatedb/store-memory/MemoryObjectStore"),
  file: async () => ({
    FileObjectStore: await import("@effect-slatedb/store-fs/FileObjectStore"),
    NodeFileSystem: await import("@effect/platform-node/NodeFileSystem"),
    NodePath: await import("@effect/platform-node/NodePath")
  }),
  s3: () => import("@effect-slatedb/store-s3/S3ObjectStore")
}

const objectStore = async ({ directory, s3, settings, store }: Ground): Promise<StoreLayer> => {
  switch (store) {
    case "memory":
      return (await imports.memory()).layer
    case "file": {
      const { FileObjectStore, NodeFileSystem, NodePath } = await imports.file()
      return FileObjectStore.layer({ root: directory, fsync: settings[fsync] === true }).pipe(
        Layer.provide([NodeFileSystem.layer, NodePath.layer])
      )
    }
    case "s3": {
      if (s3 === undefined) throw new Error("the s3 store needs an endpoint")
      const S3ObjectStore = await imports.s3()
      return S3ObjectStore.layer({ ...s3, credentials: { accessKeyId: "bench", secretAccessKey: "bench" } })
    }
  }
}

/**
 * Whether the file store syncs what it writes. Off unless it is set, because the
 * official engine's does not: on one store both do the same work.
 */
const fsync = "file_store.fsync"

/** Bytes of the block cache, for blocks and as many for metadata; the process's cache where it is not set. */
const cacheBytes = "block_cache.bytes"

const cache = ({ [cacheBytes]: bytes }: OpenOptions["settings"]): Layer.Layer<never> => {
  if (bytes === undefined) return Layer.empty
  if (typeof bytes !== "number") throw new TypeError(`${cacheBytes} must be a number of bytes: found=${String(bytes)}`)
  return BlockCache.layerMemory({ blockBytesMax: bytes, metaBytesMax: bytes })
}

/** SlateDB's names of settings that are not ours in snake case. */
const renamed: Readonly<Record<string, string>> = {
  "compactor_options.poll_interval": "compactorPollInterval",
  "compactor_options.max_sst_size": "maxSstSizeBytes",
  "compactor_options.max_concurrent_compactions": "maxConcurrentCompactions",
  compression_codec: "compression"
}

/** Parts that SlateDB switches off by a `null` in place of their options. */
const switches: Readonly<Record<string, string>> = {
  compactor_options: "compactorEnabled",
  garbage_collector_options: "collectorEnabled"
}

const renaming = ([name, value]: [string, unknown]): readonly [string, unknown] => {
  const switched = value === null ? switches[name] : undefined
  return switched === undefined ? [renamed[name] ?? camelCase(name), value] : [switched, false]
}

/** Settings from their SlateDB names; fails for what is no setting of ours. */
export const settings = (given: OpenOptions["settings"]): Settings.Input => {
  const named = Object.entries(given).filter(([name]) => name !== fsync && name !== cacheBytes)
  // What is not set costs a program nothing at its open; nor is it to cost here.
  if (named.length === 0) return {}
  return Result.getOrThrow(Settings.fromJson(JSON.stringify(Object.fromEntries(named.map(renaming)))))
}

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
