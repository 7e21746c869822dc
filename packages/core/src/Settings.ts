/**
 * How a database behaves: data, nothing else.
 *
 * Every field has a default that suits a Node process; most programs set none.
 * What is not data (stores, caches, codecs, merge operators) is a service and
 * comes in through a layer. Settings can be given in code, read from a JSON file,
 * or read from the environment (`SLATEDB_FLUSH_INTERVAL=5ms`):
 *
 *     code, fromJson(text), config  ──>  Input: some fields  ──>  fromInput  ──>  Settings: all fields, all in bounds
 *
 * Names and defaults follow SlateDB, except memory, which is smaller here.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Struct from "effect/Struct"
import * as DbError from "./DbError.ts"
import * as DurationText from "./internal/model/DurationText.ts"
import * as SettingField from "./internal/model/SettingField.ts"

/**
 * Every setting of a database.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  // What changes behaviour.

  /** Without a WAL a write is durable when its memtable is in level 0. Default true. */
  readonly walEnabled: boolean
  /**
   * When a WAL is frozen and stored. `"interval"`, the default: every `flushInterval`. `"eager"`: as soon as
   * somebody waits for durability and no upload is under way. `"manual"`: only on `flush`.
   */
  readonly walFlush: "interval" | "eager" | "manual"
  /** Time between two WAL uploads, from 1 ms to a day. Default 100 ms. */
  readonly flushInterval: Duration.Duration
  /** Lifetime of values written without a `ttl`, from 1 ms to 36,500 days; `null`, the default: for ever. */
  readonly defaultTtl: Duration.Duration | null
  /** Whether reads hide expired values before compaction drops them. Default true. */
  readonly hideExpired: boolean
  /** How new tables and WAL objects are compressed. `"zlib"` and `"zstd"` need a layer. Default `"none"`. */
  readonly compression: "none" | "snappy" | "zlib" | "lz4" | "zstd"
  /**
   * An acknowledgement needs a manifest read that began less than this ago. Keep it below a third of the least age
   * at which any collector deletes. From 1 ms to a day, default 60 s.
   */
  readonly leaseDuration: Duration.Duration
  /**
   * Whether a writer compacts its database, too. Without that, a compactor of its own has to, or level 0 fills up.
   * Default true.
   */
  readonly compactorEnabled: boolean
  /** Whether the open database also deletes what nobody needs any more, as `GarbageCollector` does. Default true. */
  readonly collectorEnabled: boolean
  /**
   * The collector spares what the store says was modified less than this ago. At least three times `leaseDuration`
   * where the collector is on, up to 365 days. Default 300 s.
   */
  readonly collectorMinAge: Duration.Duration
  /** How long an open tries to take the writer epoch, from 1 ms to a day. Default 300 s. */
  readonly manifestUpdateTimeout: Duration.Duration
  /**
   * How long a close goes on trying to store what is left when the store does not answer, from 1 ms to a day. What
   * is not stored then was never acknowledged. Default 30 s.
   */
  readonly closeTimeout: Duration.Duration

  // What changes performance.

  /** A WAL of this many bytes is frozen at once, from 1 to 1 GiB. Default 16 MiB. */
  readonly walMaxBytes: number
  /** A memtable of this many bytes is frozen, from 1 to 1 GiB. Default 64 MiB. */
  readonly l0SstSizeBytes: number
  /** A memtable is also frozen after this many WAL objects, to keep replay short. From 1 to 1,000,000, default 4,096. */
  readonly walFilesPerMemtableMax: number
  /**
   * No memtable is flushed while level 0 has this many tables, from 1 to 100,000. While memtables wait, writers slow
   * down from three quarters of it on. Default 8.
   */
  readonly l0MaxSsts: number
  /** Level 0 tables built and uploaded at once, from 1 to 64. Default 4. */
  readonly l0FlushParallelism: number
  /**
   * Writers wait while memory holds this many bytes that are not in level 0, and slow down to the pace of the flushes
   * from half of it on. Above `l0SstSizeBytes`, up to 1 TiB. Default 256 MiB.
   */
  readonly maxUnflushedBytes: number
  /** Bytes of a block before compression: a power of two from 1,024 to 65,536. Default 4,096. */
  readonly blockSizeBytes: number
  /** A table of fewer rows has no filter. From 0 to 2^32 - 1, default 1,000. */
  readonly minFilterKeys: number
  /** Bits of filter for each row, from 1 to 64. Default 10. */
  readonly filterBitsPerKey: number
  /** How often the writer looks for a newer manifest, from 1 ms to a day. Default 1 s. */
  readonly manifestPollInterval: Duration.Duration
  /** How often the compactor looks for work, from 1 ms to a day. Default 5 s. */
  readonly compactorPollInterval: Duration.Duration
  /** Compactions that run at once in one compactor, from 1 to 64. Default 4. */
  readonly maxConcurrentCompactions: number
  /** A compaction begins a new table behind this many bytes, from 1 to 1 GiB. Default 64 MiB. */
  readonly maxSstSizeBytes: number
  /** Time from one pass of the collector to the next, from 1 ms to 365 days. Default 10 minutes. */
  readonly collectorInterval: Duration.Duration
  /** WAL objects fetched ahead while opening, from 1 to 1,024. Default 16. */
  readonly replayFetchesMax: number
}

/**
 * Settings as callers give them: any fields, durations in any spelling
 * (`"100ms"`, `"1s+500ms"`, `"100 millis"`, a number of milliseconds, a
 * `Duration`). An absent or `undefined` field has its default.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Input = { readonly [Name in keyof Settings]?: InputOf<Settings[Name]> | undefined }

type InputOf<A> = A extends Duration.Duration ? DurationText.Input : A

/**
 * What a database uses where nothing is said.
 *
 * @stability unstable
 * @category instances
 * @since 0.1.0
 */
export const defaults: Settings = {
  walEnabled: true,
  walFlush: "interval",
  flushInterval: Duration.millis(100),
  defaultTtl: null,
  hideExpired: true,
  compression: "none",
  leaseDuration: Duration.seconds(60),
  compactorEnabled: true,
  collectorEnabled: true,
  collectorMinAge: Duration.seconds(300),
  manifestUpdateTimeout: Duration.seconds(300),
  closeTimeout: Duration.seconds(30),
  walMaxBytes: 16 * 1024 ** 2,
  l0SstSizeBytes: 64 * 1024 ** 2,
  walFilesPerMemtableMax: 4096,
  l0MaxSsts: 8,
  l0FlushParallelism: 4,
  maxUnflushedBytes: 256 * 1024 ** 2,
  blockSizeBytes: 4096,
  minFilterKeys: 1000,
  filterBitsPerKey: 10,
  manifestPollInterval: Duration.seconds(1),
  compactorPollInterval: Duration.seconds(5),
  maxConcurrentCompactions: 4,
  maxSstSizeBytes: 64 * 1024 ** 2,
  collectorInterval: Duration.minutes(10),
  replayFetchesMax: 16
}

const fields = {
  walEnabled: SettingField.flag,
  walFlush: SettingField.choice(["interval", "eager", "manual"]),
  flushInterval: SettingField.duration("1ms", "1d"),
  defaultTtl: SettingField.durationOrNull("1ms", "36500d"),
  hideExpired: SettingField.flag,
  compression: SettingField.choice(["none", "snappy", "zlib", "lz4", "zstd"]),
  leaseDuration: SettingField.duration("1ms", "1d"),
  compactorEnabled: SettingField.flag,
  collectorEnabled: SettingField.flag,
  collectorMinAge: SettingField.duration("1ms", "365d"),
  manifestUpdateTimeout: SettingField.duration("1ms", "1d"),
  closeTimeout: SettingField.duration("1ms", "1d"),
  walMaxBytes: SettingField.whole(1, 1024 ** 3),
  l0SstSizeBytes: SettingField.whole(1, 1024 ** 3),
  walFilesPerMemtableMax: SettingField.whole(1, 1_000_000),
  l0MaxSsts: SettingField.whole(1, 100_000),
  l0FlushParallelism: SettingField.whole(1, 64),
  maxUnflushedBytes: SettingField.whole(1, 1024 ** 4),
  blockSizeBytes: SettingField.powerOfTwo(1024, 65536),
  minFilterKeys: SettingField.whole(0, 2 ** 32 - 1),
  filterBitsPerKey: SettingField.whole(1, 64),
  manifestPollInterval: SettingField.duration("1ms", "1d"),
  compactorPollInterval: SettingField.duration("1ms", "1d"),
  maxConcurrentCompactions: SettingField.whole(1, 64),
  maxSstSizeBytes: SettingField.whole(1, 1024 ** 3),
  collectorInterval: SettingField.duration("1ms", "365d"),
  replayFetchesMax: SettingField.whole(1, 1024)
} satisfies { readonly [Name in keyof Settings]: Schema.Codec<Settings[Name], InputOf<Settings[Name]>> }

const all = Schema.Struct(fields)

const some = all.mapFields(Struct.map(Schema.optionalKey))

/**
 * Settings from the data of a JSON object, in which every field may be absent, and back.
 *
 * **Details**
 *
 * Durations are decoded from any spelling of {@link Input} and encoded as
 * `"100ms"`. Unknown fields are ignored unless decoded with
 * `{ onExcessProperty: "error" }`, which {@link fromInput} does.
 *
 * @stability unstable
 * @category schemas
 * @since 0.1.0
 */
export const Settings: Schema.Codec<Settings, typeof some.Encoded> = some.pipe(
  Schema.decodeTo(
    Schema.toType(all).check(
      Schema.makeFilter(({ l0SstSizeBytes, maxUnflushedBytes }) =>
        maxUnflushedBytes > l0SstSizeBytes
          ? undefined
          : { path: ["maxUnflushedBytes"], issue: `must be above l0SstSizeBytes, which is ${l0SstSizeBytes}` }
      ),
      Schema.makeFilter(({ collectorEnabled, collectorMinAge, leaseDuration }) => {
        // A writer that slept may acknowledge for one lease; the rest is for clocks and requests under way (L13).
        const least = Duration.times(leaseDuration, 3)
        return !collectorEnabled || Duration.isGreaterThanOrEqualTo(collectorMinAge, least)
          ? undefined
          : {
              path: ["collectorMinAge"],
              issue: `must be at least three times leaseDuration, which makes ${DurationText.print(least)}`
            }
      })
    ),
    SchemaTransformation.transform({
      decode: (given): Settings => ({ ...defaults, ...given }),
      encode: (settings) => settings
    })
  )
)

/**
 * All settings, from those that are given.
 *
 * **Details**
 *
 * Fails with `Invalid` whose field is `settings.<name>` and whose detail names the
 * bound and the value. Only the first fault is reported.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromInput = (input: Input = {}): Result.Result<Settings, DbError.DbError> =>
  // The first use of the schema in a process takes some 10 ms of an open: not for the defaults.
  Object.keys(input).length === 0 ? Result.succeed(defaults) : Result.mapError(decode(Settings, input), invalidField)

/**
 * The settings that a JSON object holds, for example the text of a file.
 *
 * **Details**
 *
 * Fields are judged one by one, as in {@link fromInput}; what fields say together is
 * judged there, once other sources were laid over them.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromJson = (text: string): Result.Result<Input, DbError.DbError> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: notJson }).pipe(
    Result.filterOrFail(Predicate.isObject, () => invalid("settings", "must be a JSON object")),
    Result.flatMap((json) => Result.mapError(decode(some, json), invalidField))
  )

/**
 * The settings of the environment: `SLATEDB_` and the name of the field in capitals,
 * as `SLATEDB_FLUSH_INTERVAL=5ms`, `SLATEDB_WAL_ENABLED=false` or
 * `SLATEDB_DEFAULT_TTL=null`.
 *
 * @stability unstable
 * @category config
 * @since 0.1.0
 */
export const config: Config.Config<Input> = Config.all(
  Struct.keys(fields).map((name) =>
    Config.String(environmentName(name)).pipe(
      Config.map((text): readonly [name: string, value: unknown] => [name, fromText(text)]),
      Config.option
    )
  )
).pipe(
  Config.mapEffect((entries) =>
    Effect.mapError(Effect.fromResult(decode(some, Object.fromEntries(Arr.getSomes(entries)))), invalidVariable)
  )
)

/** What is wrong with one field. */
interface Fault {
  readonly name: string
  readonly detail: string
}

const decode = <A>(schema: Schema.Codec<A, unknown>, input: object): Result.Result<A, Fault> => {
  const given: Record<string, unknown> = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined)
  )
  return Schema.decodeUnknownResult(schema)(given, { onExcessProperty: "error" }).pipe(
    Result.mapError((error) => {
      const [first] = formatIssue(error.issue).issues
      const name = String(first?.path?.[0])
      const found = Object.entries({ ...defaults, ...given }).find(([key]) => key === name)?.[1]
      return { name, detail: `${first?.message}: ${name}=${Formatter.format(found)}` }
    })
  )
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "UnexpectedKey"
      ? `is not a setting; the settings are ${Struct.keys(fields).join(", ")}`
      : SchemaIssue.defaultLeafHook(issue)
})

function environmentName(field: string): string {
  return `SLATEDB_${field.replace(/[A-Z]/g, "_$&").toUpperCase()}`
}

/** Durations without a unit are milliseconds. No field takes text that looks like a number or a boolean. */
const fromText = (text: string): unknown => {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return text === "true" ? true : text === "false" ? false : text === "null" ? null : text
}

const invalidVariable = ({ detail, name }: Fault): Config.ConfigError =>
  new Config.ConfigError(
    new Schema.SchemaError(
      new SchemaIssue.Pointer([environmentName(name)], new SchemaIssue.InvalidValue({ message: detail }))
    )
  )

const invalidField = ({ detail, name }: Fault): DbError.DbError => invalid(`settings.${name}`, detail)

const invalid = (field: string, detail: string): DbError.DbError => DbError.fail(new DbError.Invalid({ field, detail }))

const notJson = (cause: unknown): DbError.DbError =>
  invalid("settings", `must be JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
