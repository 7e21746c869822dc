import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as DbError from "../src/DbError.ts"
import * as Settings from "../src/Settings.ts"

const invalid = (result: Result.Result<unknown, DbError.DbError>): DbError.Invalid => {
  if (Result.isSuccess(result)) throw new Error("was accepted")
  const { reason } = result.failure
  if (reason._tag !== "Invalid") throw new Error(`failed as ${reason._tag}`)
  return reason
}

/** What the environment says. */
const load = (env: Record<string, string>) => Settings.config.parse(ConfigProvider.fromEnv({ env }))

/** What a caller without types could pass. */
const untyped = (json: unknown) => Settings.fromJson(JSON.stringify(json))

const wholeFields = {
  walMaxBytes: [1, 1024 ** 3],
  l0SstSizeBytes: [1, 1024 ** 3],
  walFilesPerMemtableMax: [1, 1_000_000],
  l0MaxSsts: [1, 100_000],
  l0FlushParallelism: [1, 64],
  maxUnflushedBytes: [1, 1024 ** 4],
  minFilterKeys: [0, 2 ** 32 - 1],
  filterBitsPerKey: [1, 64],
  replayFetchesMax: [1, 1024]
} as const satisfies Partial<Record<keyof Settings.Settings, readonly [number, number]>>

const timers = [
  "flushInterval",
  "manifestUpdateTimeout",
  "closeTimeout",
  "manifestPollInterval",
  "compactorPollInterval"
] as const satisfies ReadonlyArray<keyof Settings.Settings>

describe("Settings", () => {
  it("without anything given are the defaults", () => {
    assert.deepStrictEqual(Settings.fromInput(), Result.succeed(Settings.defaults))
    assert.deepStrictEqual(Settings.fromInput({ flushInterval: undefined }), Result.succeed(Settings.defaults))
  })

  it("keep what is given and default the rest", () => {
    const settings = Result.getOrThrow(Settings.fromInput({ walFlush: "eager", walEnabled: false, l0MaxSsts: 3 }))
    assert.deepStrictEqual(settings, { ...Settings.defaults, walFlush: "eager", walEnabled: false, l0MaxSsts: 3 })
  })

  describe("durations", () => {
    const spellings: ReadonlyArray<readonly [Settings.Input["flushInterval"], number]> = [
      ["100ms", 100],
      ["5s", 5000],
      ["1s+500ms", 1500],
      ["1m + 1s" as "1m+1s", 61_000],
      ["2h", 7_200_000],
      ["2000us", 2],
      ["100 millis", 100],
      ["2 minutes", 120_000],
      [250, 250],
      [Duration.seconds(2), 2000],
      [{ seconds: 1, milliseconds: 5 }, 1005],
      [2_000_000n, 2],
      [[1, 500_000_000], 1500]
    ]
    for (const [spelling, millis] of spellings) {
      it(`can be spelled ${typeof spelling === "string" ? `"${spelling}"` : String(spelling)}`, () => {
        const settings = Result.getOrThrow(Settings.fromInput({ flushInterval: spelling }))
        assert.strictEqual(Duration.toMillis(settings.flushInterval), millis)
      })
    }

    for (const text of ["", "soon", "5", "1s+", "+1s", "1s-1ms", "-5ms", "ms", "5ms5ms", "Infinity", "1e3ms"]) {
      it(`are not spelled "${text}"`, () => {
        const { detail, field } = invalid(untyped({ flushInterval: text }))
        assert.strictEqual(field, "settings.flushInterval")
        assert.strictEqual(
          detail,
          `must be a duration from 1ms to 1d, such as 100ms, 5s or "2 minutes": flushInterval="${text}"`
        )
      })
    }

    it("are not objects, booleans or null", () => {
      for (const flushInterval of [{}, { second: 1 }, [], [1], true, null]) {
        assert.strictEqual(invalid(untyped({ flushInterval })).field, "settings.flushInterval")
      }
    })

    for (const name of timers) {
      it(`${name} is from 1 ms to a day`, () => {
        for (const allowed of [1, "1 day"] as const) {
          assert.isTrue(Result.isSuccess(Settings.fromInput({ [name]: allowed })))
        }
        for (const refused of [0, "999us", Duration.millis(86_400_001), Duration.infinity, Number.NaN] as const) {
          const { detail, field } = invalid(Settings.fromInput({ [name]: refused }))
          assert.strictEqual(field, `settings.${name}`)
          assert.include(detail, "must be a duration from 1ms to 1d")
          assert.include(detail, `${name}=`)
        }
      })
    }

    it("the collector's age is at least three leases, where it is on", () => {
      for (const allowed of [
        { collectorMinAge: "3m" },
        { leaseDuration: "100s" },
        { collectorMinAge: "365d" }
      ] as const) {
        assert.isTrue(Result.isSuccess(Settings.fromInput(allowed)), JSON.stringify(allowed))
      }
      const off = { leaseDuration: "1d", collectorEnabled: false } as const
      assert.isTrue(Result.isSuccess(Settings.fromInput(off)))
      for (const refused of [
        { collectorMinAge: "179999ms" },
        { leaseDuration: "100001ms" },
        { leaseDuration: "1d" }
      ] as const) {
        const { detail, field } = invalid(Settings.fromInput(refused))
        assert.strictEqual(field, "settings.collectorMinAge")
        assert.match(detail, /^must be at least three times leaseDuration, which makes \d+(s|ms|m|d): collectorMinAge=/)
      }
    })

    it("defaultTtl is null, or from 1 ms to a century", () => {
      for (const allowed of [null, 1, "36500 days"] as const) {
        assert.isTrue(Result.isSuccess(Settings.fromInput({ defaultTtl: allowed })))
      }
      for (const refused of [0, "36501 days", Duration.infinity] as const) {
        const { detail, field } = invalid(Settings.fromInput({ defaultTtl: refused }))
        assert.strictEqual(field, "settings.defaultTtl")
        assert.include(detail, "must be null, or a duration from 1ms to 36500d")
      }
    })
  })

  for (const [name, [least, most]] of Object.entries(wholeFields)) {
    it(`${name} is a whole number from ${least} to ${most}`, () => {
      const roomy = { l0SstSizeBytes: 1, maxUnflushedBytes: 1024 ** 4 }
      for (const allowed of [least === 1 && name === "maxUnflushedBytes" ? 2 : least, most]) {
        assert.isTrue(Result.isSuccess(Settings.fromInput({ ...roomy, [name]: allowed })), String(allowed))
      }
      for (const refused of [least - 1, most + 1, least + 0.5, Number.NaN, Infinity]) {
        const { detail, field } = invalid(Settings.fromInput({ ...roomy, [name]: refused }))
        assert.strictEqual(field, `settings.${name}`)
        assert.strictEqual(detail, `must be a whole number from ${least} to ${most}: ${name}=${refused}`)
      }
      assert.strictEqual(
        invalid(untyped({ [name]: "7" })).detail,
        `must be a whole number from ${least} to ${most}: ${name}="7"`
      )
    })
  }

  it("blockSizeBytes is a power of two from 1,024 to 65,536", () => {
    for (const allowed of [1024, 2048, 4096, 8192, 16384, 32768, 65536]) {
      assert.isTrue(Result.isSuccess(Settings.fromInput({ blockSizeBytes: allowed })))
    }
    for (const refused of [0, -1024, 512, 131_072, 4097, 3072, 1024.5]) {
      const { detail, field } = invalid(Settings.fromInput({ blockSizeBytes: refused }))
      assert.strictEqual(field, "settings.blockSizeBytes")
      assert.strictEqual(detail, `must be a power of two from 1024 to 65536: blockSizeBytes=${refused}`)
    }
  })

  it("maxUnflushedBytes is above l0SstSizeBytes, whichever of the two is given", () => {
    assert.isTrue(Result.isSuccess(Settings.fromInput({ l0SstSizeBytes: 10, maxUnflushedBytes: 11 })))
    for (const input of [
      { l0SstSizeBytes: 10, maxUnflushedBytes: 10 },
      { maxUnflushedBytes: 64 * 1024 ** 2 },
      { l0SstSizeBytes: 1024 ** 3 }
    ]) {
      const { detail, field } = invalid(Settings.fromInput(input))
      const { l0SstSizeBytes, maxUnflushedBytes } = { ...Settings.defaults, ...input }
      assert.strictEqual(field, "settings.maxUnflushedBytes")
      assert.strictEqual(
        detail,
        `must be above l0SstSizeBytes, which is ${l0SstSizeBytes}: maxUnflushedBytes=${maxUnflushedBytes}`
      )
    }
  })

  it("name what a choice or flag may be", () => {
    assert.strictEqual(
      invalid(untyped({ walFlush: "never" })).detail,
      `must be one of interval, eager, manual: walFlush="never"`
    )
    assert.strictEqual(
      invalid(untyped({ compression: 4 })).detail,
      `must be one of none, snappy, zlib, lz4, zstd: compression=4`
    )
    assert.strictEqual(invalid(untyped({ hideExpired: "yes" })).detail, `must be true or false: hideExpired="yes"`)
    assert.strictEqual(invalid(untyped({ walEnabled: 1 })).detail, `must be true or false: walEnabled=1`)
  })

  it("refuse a field they do not know, by its name", () => {
    const { detail, field } = invalid(untyped({ flush_interval: "1s" }))
    assert.strictEqual(field, "settings.flush_interval")
    assert.match(detail, /^is not a setting; the settings are .*flushInterval, .*: flush_interval="1s"$/)
    const misspelled = { flushIntervall: 5 }
    assert.strictEqual(invalid(Settings.fromInput(misspelled as Settings.Input)).field, "settings.flushIntervall")
  })

  it("come from JSON, with durations as text or milliseconds", () => {
    const input = Result.getOrThrow(
      Settings.fromJson(
        `{ "flushInterval": "1s+500ms", "closeTimeout": 2000, "defaultTtl": null, "walEnabled": false }`
      )
    )
    assert.deepStrictEqual(input, {
      flushInterval: Duration.millis(1500),
      closeTimeout: Duration.seconds(2),
      defaultTtl: null,
      walEnabled: false
    })
    assert.deepStrictEqual(Result.getOrThrow(Settings.fromInput(input)).flushInterval, Duration.millis(1500))
  })

  it("are not text that is not a JSON object", () => {
    assert.match(invalid(Settings.fromJson("{")).detail, /^must be JSON: /)
    for (const text of ["[]", "null", "7", `"x"`]) {
      assert.strictEqual(invalid(Settings.fromJson(text)).detail, "must be a JSON object")
    }
  })

  it("survive their own schema, to JSON and back", () => {
    const settings = Result.getOrThrow(
      Settings.fromInput({ flushInterval: "1500us", defaultTtl: "90 days", closeTimeout: "1s+5ms", compression: "lz4" })
    )
    const json = JSON.stringify(Schema.encodeSync(Settings.Settings)(settings))
    assert.include(json, `"flushInterval":"1500us"`)
    assert.include(json, `"defaultTtl":"7776000s"`)
    assert.include(json, `"closeTimeout":"1005ms"`)
    assert.deepStrictEqual(Result.flatMap(Settings.fromJson(json), Settings.fromInput), Result.succeed(settings))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Settings.Settings)(JSON.parse(json)), settings)
    assert.deepStrictEqual(Schema.decodeUnknownSync(Settings.Settings)({}), Settings.defaults)
  })

  describe("from the environment", () => {
    it.effect("are read by their names in capitals", () =>
      Effect.gen(function* () {
        const input = yield* load({
          SLATEDB_FLUSH_INTERVAL: "5ms",
          SLATEDB_CLOSE_TIMEOUT: "2000",
          SLATEDB_L0_SST_SIZE_BYTES: "1048576",
          SLATEDB_WAL_ENABLED: "false",
          SLATEDB_DEFAULT_TTL: "null",
          SLATEDB_COMPRESSION: "none",
          SLATEDB_OTHER: "ignored",
          FLUSH_INTERVAL: "7ms"
        })
        assert.deepStrictEqual(input, {
          flushInterval: Duration.millis(5),
          closeTimeout: Duration.seconds(2),
          l0SstSizeBytes: 1_048_576,
          walEnabled: false,
          defaultTtl: null,
          compression: "none"
        })
      })
    )

    it.effect("are empty when nothing is set", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* load({}), {})
        assert.deepStrictEqual(yield* load({ SLATEDB_FLUSH_INTERVAL: "" }), {})
      })
    )

    it.effect("name the variable and the bound when one is wrong", () =>
      Effect.gen(function* () {
        for (const [name, value, rule] of [
          ["SLATEDB_FILTER_BITS_PER_KEY", "65", "must be a whole number from 1 to 64: filterBitsPerKey=65"],
          ["SLATEDB_L0_MAX_SSTS", "007x", `must be a whole number from 1 to 100000: l0MaxSsts="007x"`],
          ["SLATEDB_FLUSH_INTERVAL", "0", "must be a duration from 1ms to 1d"],
          ["SLATEDB_HIDE_EXPIRED", "yes", "must be true or false"]
        ] as const) {
          const error = yield* Effect.flip(load({ [name]: value }))
          assert.include(error.message, name)
          assert.include(error.message, rule)
        }
      })
    )

    it.effect("cover every field", () =>
      Effect.gen(function* () {
        const encoded = Schema.encodeSync(Settings.Settings)(Settings.defaults)
        const env = Object.fromEntries(
          Object.entries(encoded).map(([name, value]) => [
            `SLATEDB_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
            String(value)
          ])
        )
        assert.deepStrictEqual(yield* load(env), Settings.defaults)
      })
    )
  })
})
