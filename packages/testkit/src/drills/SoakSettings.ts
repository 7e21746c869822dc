/**
 * The same settings for both engines: tables so small that minutes are as many
 * compactions as days with large ones, and no wait but for a reason.
 */
import type * as Settings from "@effect-slatedb/core/Settings"
import * as Engine from "../interop/Engine.ts"
import type * as Collecting from "./Collecting.ts"

/** What both are opened with. */
export const tuning: Engine.Tuning = {
  ...Engine.tuning,
  minFilterKeys: 1000,
  l0SstSizeBytes: 1024 ** 2,
  flushMillis: 100,
  isCompacting: true
}

const maxSstSizeBytes = 4 * 1024 ** 2
const maxUnflushedBytes = 16 * 1024 ** 2
const l0MaxSsts = 8
const pollMillis = 100
const concurrentCompactionsMax = 4

export const ours = ({ leaseMillis, minAgeMillis }: Collecting.Ages): Settings.Input => ({
  blockSizeBytes: tuning.blockSizeBytes,
  minFilterKeys: tuning.minFilterKeys,
  l0SstSizeBytes: tuning.l0SstSizeBytes,
  // The official engine's WAL objects end at the size of a memtable.
  walMaxBytes: tuning.l0SstSizeBytes,
  flushInterval: tuning.flushMillis,
  l0MaxSsts,
  maxUnflushedBytes,
  maxSstSizeBytes,
  compactorPollInterval: pollMillis,
  maxConcurrentCompactions: concurrentCompactionsMax,
  leaseDuration: leaseMillis,
  collectorEnabled: true,
  collectorInterval: leaseMillis,
  collectorMinAge: minAgeMillis
})

/** Over the tuning. It does not collect: its bytes are counted while they lie there. */
export const official: Readonly<Record<string, unknown>> = {
  l0_max_ssts: l0MaxSsts,
  max_unflushed_bytes: maxUnflushedBytes,
  compactor_options: {
    poll_interval: `${pollMillis}ms`,
    manifest_update_timeout: "300s",
    max_sst_size: maxSstSizeBytes,
    max_concurrent_compactions: concurrentCompactionsMax,
    max_fetch_tasks: 4,
    scheduler_options: { min_compaction_sources: "4", max_compaction_sources: "8", include_size_threshold: "4.0" }
  }
}
