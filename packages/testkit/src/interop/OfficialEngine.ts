/**
 * SlateDB itself, the Rust engine, through its official Node binding.
 *
 * What one should know of the binding: an S3 store can only be had from environment
 * variables, which are set here right before each is made; reads show expired values
 * until they are flushed; descending scans of sorted runs give older versions of keys
 * as well; lookups side by side may wait for ever for the merge operator, which runs on
 * this thread; a reader whose checkpoint has lived half of its time writes a manifest at
 * each poll, until level 0 moves on; nothing is compacted or collected unless the tuning
 * asks for it.
 *
 * The module loads native code. Tests load it through `InteropSuite`, which says so
 * when that cannot be done.
 */
import * as SlateDb from "@slatedb/uniffi"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Entry } from "./Contents.ts"
import { type Engine, EngineError, type Reader, type Session, type Tuning, type View } from "./Engine.ts"
import type { Batch, Lifetime, Write } from "./History.ts"
import * as Place from "./Place.ts"

/** The engine with settings of one's own over the tuning, by their names in SlateDB. */
export const make = (settings: Readonly<Record<string, unknown>> = {}): Engine => ({
  name: "official",
  showsExpired: true,
  scansDown: false,
  lookupsMax: 1,
  open: (place, tuning) =>
    Effect.map(
      Effect.acquireRelease(
        attempt(() => {
          const builder = new SlateDb.DbBuilder(Place.path, objectStore(place))
          builder.with_settings(toSettings({ ...settingsOf(tuning), ...settings }))
          builder.with_sst_block_size(blockSizes[tuning.blockSizeBytes])
          builder.with_merge_operator(concatenation)
          return builder.build()
        }),
        (db) => Effect.ignore(attempt(() => db.shutdown()))
      ),
      session
    ),
  reader: (place) =>
    Effect.map(
      Effect.acquireRelease(
        attempt(() => {
          const builder = new SlateDb.DbReaderBuilder(Place.path, objectStore(place))
          builder.with_options(readerOptions)
          builder.with_merge_operator(concatenation)
          return builder.build()
        }),
        (reader) => Effect.ignore(attempt(() => reader.shutdown()))
      ),
      (reader): Reader => ({ ...view(reader), refresh: Effect.void })
    )
})

export const engine: Engine = make()

/** What the binding reads with: only what is durable, as this project does by default. */
const durably = {
  durability_filter: SlateDb.DurabilityLevel.Remote,
  dirty: false,
  cache_blocks: false
} satisfies SlateDb.ReadOptions

const readerOptions: SlateDb.ReaderOptions = {
  manifest_poll_interval_ms: 50,
  checkpoint_lifetime_ms: 600_000,
  max_memtable_bytes: 64 * 1024 * 1024,
  skip_wal_replay: false
}

const concatenation: SlateDb.MergeOperator = {
  merge: (_key, existing, operand) => (existing === undefined ? operand : Buffer.concat([existing, operand]))
}

const objectStore = (place: Place.Place): SlateDb.ObjectStore => {
  if (place._tag === "File") return SlateDb.ObjectStore.resolve(`file://${place.root}`)
  Object.assign(process.env, {
    CLOUD_PROVIDER: "aws",
    AWS_ACCESS_KEY_ID: place.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: place.credentials.secretAccessKey,
    AWS_REGION: place.region,
    AWS_BUCKET: place.bucket,
    AWS_ENDPOINT: place.endpoint,
    AWS_ALLOW_HTTP: "true"
  })
  return SlateDb.ObjectStore.from_env(undefined)
}

const settingsOf = (tuning: Tuning): Readonly<Record<string, unknown>> => ({
  compression_codec: compressions[tuning.compression],
  min_filter_keys: tuning.minFilterKeys,
  l0_sst_size_bytes: tuning.l0SstSizeBytes,
  l0_max_ssts: 100_000,
  flush_interval: `${tuning.flushMillis}ms`,
  garbage_collector_options: null,
  compactor_options: tuning.isCompacting
    ? {
        poll_interval: "20ms",
        manifest_update_timeout: "300s",
        max_sst_size: 20_000,
        max_concurrent_compactions: 2,
        max_fetch_tasks: 4,
        scheduler_options: { min_compaction_sources: "2", max_compaction_sources: "8", include_size_threshold: "4.0" }
      }
    : null
})

const toSettings = (given: Readonly<Record<string, unknown>>): SlateDb.Settings => {
  const settings = SlateDb.Settings.default()
  for (const [name, value] of Object.entries(given)) settings.set(name, JSON.stringify(value))
  return settings
}

const compressions: Readonly<Record<Tuning["compression"], string | null>> = {
  none: null,
  snappy: "Snappy",
  zlib: "Zlib",
  lz4: "Lz4",
  zstd: "Zstd"
}

const blockSizes: Readonly<Record<Tuning["blockSizeBytes"], SlateDb.SstBlockSize>> = {
  1024: "Block1Kib",
  2048: "Block2Kib",
  4096: "Block4Kib",
  8192: "Block8Kib",
  16384: "Block16Kib",
  32768: "Block32Kib",
  65536: "Block64Kib"
}

const session = (db: SlateDb.Db): Session => ({
  ...view(db),
  write: (batch, { awaitDurable }) => Effect.asVoid(attempt(() => write(db, batch, { await_durable: awaitDurable }))),
  flush: (target) =>
    attempt(() =>
      db.flush_with_options({ flush_type: target === "wal" ? SlateDb.FlushType.Wal : SlateDb.FlushType.MemTable })
    ),
  hold: Effect.map(
    Effect.acquireRelease(
      attempt(() => db.snapshot()),
      (snapshot) => Effect.sync(() => snapshot.dispose())
    ),
    (snapshot) => Stream.unwrap(Effect.map(scanned(snapshot, "ascending"), Stream.fromIterable))
  ),
  close: attempt(() => db.shutdown())
})

const view = (
  reads: Pick<SlateDb.Db & SlateDb.DbReader, "get_with_options" | "scan_with_options" | "status">
): View => ({
  get: (key) => attempt(() => reads.get_with_options(key, durably)),
  scan: (order) => scanned(reads, order),
  lastSequence: Effect.sync(() => Number(reads.status().durable_seq))
})

const scanned = (
  reads: Pick<SlateDb.Db & SlateDb.DbReader & SlateDb.DbSnapshot, "scan_with_options">,
  order: "ascending" | "descending"
): Effect.Effect<ReadonlyArray<Entry>, EngineError> =>
  attempt(async () => {
    const iterator = await reads.scan_with_options(everything, {
      ...durably,
      read_ahead_bytes: 65_536,
      max_fetch_tasks: 1,
      order: order === "ascending" ? SlateDb.IterationOrder.Ascending : SlateDb.IterationOrder.Descending
    })
    const entries: Array<Entry> = []
    for (let row = await iterator.next(); row !== undefined; row = await iterator.next()) entries.push(row)
    iterator.dispose()
    return entries
  })

const everything: SlateDb.KeyRange = { start: undefined, start_inclusive: true, end: undefined, end_inclusive: false }

const write = (db: SlateDb.Db, batch: Batch, options: SlateDb.WriteOptions): Promise<SlateDb.WriteHandle> => {
  const [first, ...rest] = batch
  if (first === undefined || rest.length > 0) return db.write_with_options(toBatch(batch), options)
  switch (first._tag) {
    case "Put":
      return db.put_with_options(first.key, first.value, { ttl: ttl(first.lifetime) }, options)
    case "Delete":
      return db.delete_with_options(first.key, options)
    case "Merge":
      return db.merge_with_options(first.key, first.operand, { ttl: ttl(first.lifetime) }, options)
  }
}

const toBatch = (writes: ReadonlyArray<Write>): SlateDb.WriteBatch => {
  const batch = new SlateDb.WriteBatch()
  for (const write of writes) {
    if (write._tag === "Put") batch.put_with_options(write.key, write.value, { ttl: ttl(write.lifetime) })
    else if (write._tag === "Delete") batch.delete(write.key)
    else batch.merge_with_options(write.key, write.operand, { ttl: ttl(write.lifetime) })
  }
  return batch
}

const ttl = (lifetime: Lifetime): SlateDb.Ttl =>
  lifetime === "forever"
    ? SlateDb.Ttl.NoExpiry()
    : lifetime === "long"
      ? SlateDb.Ttl.ExpireAfterTicks(3650 * 24 * 3_600_000)
      : SlateDb.Ttl.ExpireAt(1)

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, EngineError> =>
  Effect.tryPromise({
    try: async () => run(),
    catch: (cause) =>
      new EngineError({
        engine: "official",
        isFenced: cause instanceof SlateDb.ErrorClosed && cause.reason === SlateDb.CloseReason.Fenced,
        message: cause instanceof Error ? cause.message : String(cause),
        cause
      })
  })
