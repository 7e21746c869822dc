/**
 * SlateDB itself: the Rust engine through its official Node binding.
 *
 * Reads use the binding's defaults, which show writes that are not durable yet.
 * An S3 store can only be had from environment variables, so a process measures
 * one S3 location.
 */
import * as SlateDb from "@slatedb/uniffi"
import type { Counters, Engine, OpenOptions } from "../Engine.ts"
import { promised } from "../Engine.ts"
import * as PackageVersion from "../PackageVersion.ts"
import * as Settling from "../Settling.ts"

export const engine: Engine<Promise<unknown>> = {
  name: "@slatedb/uniffi",
  version: PackageVersion.of("@slatedb/uniffi"),
  stores: ["memory", "file", "s3"],
  open: async (options) => {
    const builder = new SlateDb.DbBuilder(options.path, objectStore(options))
    builder.with_settings(settings(options.settings))
    const recorder = new SlateDb.DefaultMetricsRecorder()
    builder.with_metrics_recorder(recorder)
    const db = await builder.build()

    const putOptions = { ttl: SlateDb.Ttl.Default() }
    const lazily = { await_durable: false }
    const durably = { await_durable: true }
    const counters = () => snapshot(recorder)
    return {
      ...promised,
      put: (key, value, durable) => db.put_with_options(key, value, putOptions, durable ? durably : lazily),
      get: (key) => db.get(key),
      delete: (key, durable) => db.delete_with_options(key, durable ? durably : lazily),
      batch: (entries, durable) => {
        const batch = new SlateDb.WriteBatch()
        for (const [key, value] of entries) {
          if (value === undefined) batch.delete(key)
          else batch.put(key, value)
        }
        return db.write_with_options(batch, durable ? durably : lazily)
      },
      scan: async ({ from, limit = Infinity, to }, visit) => {
        const iterator = await db.scan({ start: from, start_inclusive: true, end: to, end_inclusive: false })
        let count = 0
        while (count < limit) {
          const entry = await iterator.next()
          if (entry === undefined) break
          visit(entry.key, entry.value)
          count++
        }
        iterator.dispose()
        return count
      },
      flush: () => db.flush_with_options({ flush_type: SlateDb.FlushType.MemTable }),
      close: () => db.shutdown(),
      settle: async () => {
        await Settling.quiet(counters, Settling.short)
      },
      counters
    }
  }
}

const objectStore = ({ directory, s3, store }: OpenOptions): SlateDb.ObjectStore => {
  if (store === "memory") return SlateDb.ObjectStore.resolve("memory:///")
  if (store === "file") return SlateDb.ObjectStore.resolve(`file://${directory}`)
  if (s3 === undefined) throw new Error("the s3 store needs an endpoint")
  Object.assign(process.env, {
    CLOUD_PROVIDER: "aws",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_REGION: "us-east-1",
    AWS_BUCKET: s3.bucket,
    AWS_ENDPOINT: s3.endpoint,
    AWS_ALLOW_HTTP: "true"
  })
  return SlateDb.ObjectStore.from_env(undefined)
}

const settings = (given: OpenOptions["settings"]): SlateDb.Settings => {
  const settings = SlateDb.Settings.default()
  for (const [name, value] of Object.entries(given)) settings.set(name, JSON.stringify(value))
  return settings
}

/** Counters and gauges by name and labels, without the product's prefix. */
const snapshot = (recorder: SlateDb.DefaultMetricsRecorder): Counters => {
  const counters: Record<string, number> = {}
  for (const metric of recorder.snapshot()) {
    if (metric.value.tag === "Histogram") continue
    const labels = metric.labels.map((label) => `${label.key}=${label.value}`).join(",")
    const name = metric.name.replace(/^slatedb\./, "")
    counters[labels === "" ? name : `${name}{${labels}}`] = Number(metric.value[""])
  }
  return counters
}
