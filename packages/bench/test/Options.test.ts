import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Options from "../src/Options.ts"
import * as Workloads from "../src/Workloads.ts"

const parse = (line: string) =>
  Effect.gen(function* () {
    let parsed: Options.Bench | undefined
    const command = Command.make("bench", Options.flags, (flags) =>
      Effect.map(Options.fromFlags(flags), (options) => {
        parsed = options
      })
    )
    yield* Command.runWith(command, { version: "0", renderErrors: false })(line === "" ? [] : line.split(" "))
    return parsed
  }).pipe(Effect.provide(NodeServices.layer))

describe("Options", () => {
  it.effect("without options compare every engine in every workload", () =>
    Effect.gen(function* () {
      const options = yield* parse("")
      assert.deepStrictEqual(options?.workloads, Workloads.names)
      assert.strictEqual(options?.baseline, "uniffi")
      assert.includeMembers([...(options?.engines ?? [])], ["uniffi", "ours", "level", "lmdb", "sqlite", "map"])
      assert.strictEqual(options?.entries, options?.operationsMax)
    })
  )

  it.effect("read lists, numbers and switches", () =>
    Effect.gen(function* () {
      const options = yield* parse(
        "--engines map,null --workload readseq,bencher --lanes 1,64 --put-pct 0,100 --n 5 --total 7 --val 0 " +
          "--seconds 0.25 --write-rate 9 --durable --no-flush --mode async"
      )
      assert.deepInclude(options, {
        engines: ["map", "null"],
        baseline: "map",
        workloads: ["readseq", "bencher"],
        lanes: [1, 64],
        putPercents: [0, 100],
        operationsMax: 5,
        entries: 7,
        valueBytes: 0,
        seconds: 0.25,
        writesPerSecond: 9,
        durable: true,
        flush: false,
        mode: "async"
      })
    })
  )

  it.effect("read settings as JSON where they are JSON and as text where they are not", () =>
    Effect.gen(function* () {
      const options = yield* parse("--set flush_interval=5ms --set l0_max_ssts=4 --set a.b=null")
      assert.deepStrictEqual(options?.settings, { flush_interval: "5ms", l0_max_ssts: 4, "a.b": null })
    })
  )

  it.effect("are refused when they are out of bounds, unknown, or do not go together", () =>
    Effect.gen(function* () {
      const refused = [
        "--engines rocks",
        "--workload fillseq,nothing",
        "--engines map --baseline uniffi",
        "--lanes 0",
        "--lanes 1.5",
        "--lanes 1,,2",
        "--put-pct 101",
        "--write-rate 0",
        "--n 0",
        "--val 1048576",
        "--store s3"
      ]
      for (const line of refused) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(parse(line))), line)
      }
    })
  )

  it.effect("name the s3 location of an endpoint", () =>
    Effect.gen(function* () {
      const options = yield* parse("--store s3 --s3-endpoint http://127.0.0.1:1")
      assert.deepStrictEqual(options?.s3, { endpoint: "http://127.0.0.1:1", bucket: "bench" })
    })
  )
})
