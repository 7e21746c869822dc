import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it as vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Slate from "./support/Slate.ts"

const it = (name: string, test: () => Effect.Effect<void, unknown, NodeServices.NodeServices | Scope.Scope>): void =>
  vitest.live(name, () => Effect.provide(test(), NodeServices.layer), 60_000)

describe("slate as a process", () => {
  it("ends with the codes that scripts rely on", () =>
    Effect.gen(function* () {
      const { at } = yield* Slate.temporary
      const outcomes = yield* Effect.forEach(
        [["put", "a", "1"], ["get", "a"], ["get", "b"], ["get"], ["tree", "--db", "none"]],
        (args) => Slate.runProcess([...args, ...(args.includes("--db") ? at.slice(0, 2) : at)])
      )
      assert.deepStrictEqual(
        outcomes.map(({ code, stdout }) => [code, stdout]),
        [
          [0, ""],
          [0, "1\n"],
          [3, ""],
          [2, ""],
          [2, ""]
        ]
      )
      assert.isTrue(outcomes.slice(2).every(({ stderr }) => /^slate: .*\.\n$/.test(stderr)))
    }))

  it("closes cleanly at Ctrl-C: what was read is durable, and it says how to go on", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const { child, outcome } = yield* Slate.spawn(["load", "--as", "tsv", ...at])
      child.stdin.write(Array.from({ length: 500 }, (_, i) => `key/${i}\tvalue\n`).join(""))
      // It is at work when what it read shows in the store: one tick after the first batch.
      const loaded = slate(["scan", "--count"]).pipe(Effect.map(({ stdout }) => stdout === "500\n"))
      yield* Effect.repeat(Effect.delay(loaded, "50 millis"), { until: (is) => is })
      child.kill("SIGINT")
      assert.deepStrictEqual(yield* outcome, {
        code: 130,
        stdout: "",
        stderr: "stopped after 500 lines, all durable; give the same input with --skip 500 to go on\n"
      })
      assert.strictEqual((yield* slate(["verify"])).code, 0)
    }))

  it("compact stops at Ctrl-C, and the next one goes on behind what is written", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const env = { SLATEDB_COMPACTOR_ENABLED: "false" }
      for (const value of ["old", "new"]) {
        const stdin = Array.from({ length: 5000 }, (_, i) => `key/${1e6 + i}\t${value} ${"v".repeat(100)}\n`).join("")
        yield* slate(["load", "--as", "tsv"], { stdin, env })
        yield* slate(["flush"], { env })
      }
      const outputs = Effect.map(slate(["compactions", "list", "--format", "json"]), ({ stdout }) => {
        const [job] = JSON.parse(stdout) as ReadonlyArray<{ readonly id: string; readonly outputs: number }>
        return { id: job?.id ?? "", outputs: job?.outputs ?? 0 }
      })
      const tables = (shown: string) => shown.match(/[0-9A-Z]{26} .*key\//g)?.map((line) => line.slice(0, 26)) ?? []
      // A table for each key, each of them stored and recorded: time enough to stop it.
      const { child, outcome } = yield* Slate.spawn(["compact", ...at], { SLATEDB_MAX_SST_SIZE_BYTES: "1" })
      yield* Effect.repeat(Effect.delay(outputs, "20 millis"), { until: ({ outputs }) => outputs >= 3 })
      child.kill("SIGINT")
      const stopped = yield* outcome
      const left = yield* outputs
      assert.deepStrictEqual([stopped.code, stopped.stdout], [130, ""])
      assert.include(
        stopped.stderr,
        "stopped; the next slate compact or slate compactor goes on with 1 job:\n" +
          `  ${left.id}  2 tables of level 0 into run 0\n`
      )
      assert.isBelow(left.outputs, 5000)
      const written = tables((yield* slate(["compactions", "show", left.id])).stdout)
      assert.lengthOf(written, left.outputs)

      const { code, stderr, stdout } = yield* Slate.runProcess(["compact", ...at])
      assert.include(
        stderr,
        `going on with ${left.id}: 2 tables of level 0 into a new run, of which ${left.outputs} table`
      )
      assert.match(stdout, /^compacted: 1 job done, /)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        tables((yield* slate(["compactions", "show", left.id])).stdout).slice(0, left.outputs),
        written
      )
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "5000\n")
      assert.notInclude((yield* slate(["scan"])).stdout, "old")
      assert.strictEqual((yield* slate(["verify"])).code, 0)
    }))

  it("compactor ends at Ctrl-C also when it has nothing to do", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      yield* slate(["put", "a", "1"])
      const { child, outcome } = yield* Slate.spawn(["compactor", ...at])
      yield* Effect.promise(() => new Promise((resolve) => child.stderr.once("data", resolve)))
      child.kill("SIGINT")
      const { code, stderr, stdout } = yield* outcome
      assert.deepStrictEqual(
        { code, stdout, stderr },
        {
          code: 130,
          stdout: "",
          stderr: "compacting db; Ctrl-C stops, and loses nothing\nstopped; no job was running\n"
        }
      )
    }))

  it("ends quietly when nobody reads any more", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const lines = Array.from({ length: 20_000 }, (_, i) => `key/${i}\t${"v".repeat(100)}\n`).join("")
      yield* slate(["load", "--as", "tsv"], { stdin: lines })
      const { child, outcome } = yield* Slate.spawn(["dump", ...at])
      child.stdout.once("data", () => child.stdout.destroy())
      const { stderr, stdout } = yield* outcome
      assert.isBelow(stdout.length, 20_000 * 100)
      assert.strictEqual(stderr, "")
    }))

  it("demo runs in small, twice in the same directory, and leaves a database that is sound", () =>
    Effect.gen(function* () {
      const { directory } = yield* Slate.temporary
      const dir = `${directory}/demo`
      for (const records of ["5000", "3000"]) {
        const { code, stderr, stdout } = yield* Slate.runProcess(["demo", "--dir", dir, "--records", records])
        assert.strictEqual(code, 0, stderr)
        assert.notInclude(stderr, "slate:")
        assert.isTrue(
          stdout.split("\n").every((line) => [...line].length <= 80 || line.includes(directory)),
          stdout
        )
        for (const says of ["Load", "Read by key", "What is durable when", "Kill a writer", "nothing is wrong", "$"]) {
          assert.include(stdout, says)
        }
        const flags = ["--store", `file:${dir}`, "--db", "cities"]
        assert.strictEqual((yield* Slate.run(["scan", "--count", ...flags])).stdout, `${records}\n`)
        assert.strictEqual((yield* Slate.run(["verify", ...flags])).code, 0)
      }
    }))

  it("demo deletes no directory but its own", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* Slate.temporary
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.writeFileString(file("precious"), "data")
      const { code, stderr } = yield* Slate.run(["demo", "--dir", directory])
      assert.strictEqual(code, 2)
      assert.include(stderr, "is not a directory of the demo")
      assert.strictEqual(yield* fileSystem.readFileString(file("precious")), "data")
    }))
})
