import * as Db from "@effect-slatedb/core/Db"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it as vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Slate from "./support/Slate.ts"

const it = (name: string, test: () => Effect.Effect<void, unknown, NodeServices.NodeServices | Scope.Scope>): void =>
  vitest.live(name, () => Effect.provide(test(), NodeServices.layer))

interface Job {
  readonly id: string
  readonly status: string
  readonly sources: { readonly l0: ReadonlyArray<string>; readonly runs: ReadonlyArray<number> }
  readonly destination: number | null
  readonly outputs: number
  readonly bytes: number
  readonly ageMillis: number
}

type Six = [string, string, string, string, string, string]

/** A database with so many tables in level 0, each with all keys, and what there is to ask of it. */
const filled = Effect.fnUntraced(function* (tables: number) {
  const { at, slate } = yield* Slate.temporary
  const env = { SLATEDB_COMPACTOR_ENABLED: "false" }
  const add = Effect.fnUntraced(function* (value: string) {
    yield* slate(["load", "--as", "tsv"], { stdin: `a\t${value}\nb\t${value}\nc\t${value}\n`, env })
    yield* slate(["flush"], { env })
  })
  for (let i = 0; i < tables; i++) yield* add(`value ${i}`)
  const parsed = (args: ReadonlyArray<string>) =>
    Effect.map(slate([...args, "--format", "json"]), ({ stdout }): unknown => JSON.parse(stdout))
  const levels = Effect.map(parsed(["manifest", "show"]), (found) => {
    const { l0, runs } = found as {
      readonly l0: ReadonlyArray<{ readonly viewId: string }>
      readonly runs: ReadonlyArray<{ readonly id: number }>
    }
    return { l0: l0.map((table) => table.viewId), runs: runs.map((run) => run.id) }
  })
  const jobs = Effect.map(parsed(["compactions", "list"]), (found) => found as ReadonlyArray<Job>)
  return { at, slate, add, levels, jobs, parsed }
})

describe("compact", () => {
  it("merges everything into one run, and then has nothing to do", () =>
    Effect.gen(function* () {
      const { add, levels, slate } = yield* filled(3)
      const { code, stderr, stdout } = yield* slate(["compact"])
      assert.match(stdout, /^compacted: 1 job done, \d+ B written\n$/)
      assert.match(stderr, /^completed: 3 tables of level 0 into (run 0|a new run), \d+ B\n$/)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      assert.strictEqual((yield* slate(["scan"])).stdout, "a  value 2\nb  value 2\nc  value 2\n")
      assert.strictEqual((yield* slate(["verify"])).code, 0)
      assert.deepStrictEqual(yield* slate(["compact"]), {
        code: 0,
        stdout: "",
        stderr: "nothing to compact: there is no more than one run\n"
      })
      yield* add("new")
      assert.strictEqual((yield* slate(["compact", "--full"])).code, 0)
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      assert.strictEqual((yield* slate(["get", "b"])).stdout, "new\n")
    }))

  it("merges what is named, in whatever order", () =>
    Effect.gen(function* () {
      // More than a policy would leave alone.
      const { levels, parsed, slate } = yield* filled(6)
      const [sixth, fifth, fourth, third, second, first] = (yield* levels).l0 as Six
      assert.deepInclude(yield* parsed(["compact", "--l0", first, "--l0", second]), {
        plan: { l0: [second, first], runs: [], destination: 0 },
        completed: 1
      })
      assert.deepInclude(yield* parsed(["compact", "--l0", third]), {
        plan: { l0: [third], runs: [], destination: 1 },
        completed: 1
      })
      assert.deepStrictEqual(yield* levels, { l0: [sixth, fifth, fourth], runs: [1, 0] })
      assert.deepInclude(yield* parsed(["compact", "--run", "0", "--run", "1"]), {
        plan: { l0: [], runs: [1, 0], destination: 0 }
      })
      // One run alone: written anew, without what has expired since.
      assert.match((yield* slate(["compact", "--run", "0"])).stderr, /^completed: run 0 into run 0, \d+ B\n$/)
      assert.deepInclude(yield* parsed(["compact", "--run", "0", "--l0", fourth]), {
        plan: { l0: [fourth], runs: [0], destination: 0 }
      })
      assert.deepStrictEqual(yield* levels, { l0: [sixth, fifth], runs: [0] })
      assert.strictEqual((yield* slate(["scan"])).stdout, "a  value 5\nb  value 5\nc  value 5\n")
    }))

  it("refuses what is not there or must not be merged, and changes nothing", () =>
    Effect.gen(function* () {
      const { at, jobs, levels, parsed, slate } = yield* filled(2)
      const newest = (yield* levels).l0[0] ?? ""
      const manifest = yield* parsed(["manifest", "show"])
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["--run", "7"], /^slate: --run: there is no run 7; run `slate tree` to see what is there\.\n$/],
        [["--l0", "X"], /^slate: --l0: there is no table X in level 0; run `slate tree` to see what is there\.\n$/],
        [["--full", "--run", "0"], /^slate: --full takes everything; leave out --full, or --l0 and --run\.\n$/],
        [["--l0", newest], /^slate: plan: level 0 is consumed from its oldest end: takes=\S+ oldest=\S+\.\n$/]
      ]
      for (const submit of [[], ["--submit"]]) {
        for (const [flags, says] of cases) {
          const { code, stderr, stdout } = yield* slate(["compact", ...flags, ...submit])
          assert.match(stderr, says)
          assert.deepStrictEqual([code, stdout], [2, ""])
        }
      }
      // Not even a compactor was stopped for it.
      assert.deepStrictEqual(yield* parsed(["manifest", "show"]), manifest)
      assert.deepStrictEqual(yield* jobs, [])
      const { code, stderr } = yield* Slate.run(["compact", ...at.slice(0, 2), "--db", "none"])
      assert.strictEqual(code, 2)
      assert.match(stderr, /^slate: path: there is no database at path=none/)
    }))

  it("writes with the settings that are given", () =>
    Effect.gen(function* () {
      const { parsed, slate } = yield* filled(2)
      yield* slate(["compact"], { env: { SLATEDB_MAX_SST_SIZE_BYTES: "1", SLATEDB_COMPRESSION: "zstd" } })
      const { runs } = (yield* parsed(["manifest", "show"])) as { readonly runs: ReadonlyArray<{ tables: unknown }> }
      const tables = runs[0]?.tables as ReadonlyArray<{ readonly info: { readonly compression: string } }>
      assert.deepStrictEqual(
        tables.map(({ info }) => info.compression),
        ["zstd", "zstd", "zstd"]
      )
    }))

  it("leaves the work to the compactor with --submit, and the next compactor does it", () =>
    Effect.gen(function* () {
      const { jobs, levels, parsed, slate } = yield* filled(3)
      const oldest = (yield* levels).l0.at(-1) ?? ""
      const { code, stderr, stdout } = yield* slate(["compact", "--submit", "--l0", oldest])
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.match(stdout, /^[0-9A-Z]{26}\n$/)
      const id = stdout.trimEnd()
      const [job] = yield* jobs
      assert.deepInclude(job, { id, status: "submitted", sources: { l0: [oldest], runs: [] }, outputs: 0 })

      const drawn = (yield* slate(["tree"])).stdout
      assert.match(drawn, /\nlevel 0 +3 tables, .*, the oldest 1 → a new run\n/)
      assert.include(drawn, `\njobs     1 compaction\n └─ ${id}  submitted\n    1 table of level 0 into a new run\n`)
      assert.deepInclude(((yield* parsed(["tree"])) as { jobs: ReadonlyArray<unknown> }).jobs[0], { id })

      const again = yield* slate(["compact", "--submit"])
      assert.deepStrictEqual([again.code, again.stdout], [2, ""])
      assert.match(again.stderr, /^slate: plan: level 0 is being compacted: destination=0\.\n$/)

      assert.strictEqual(
        (yield* slate(["compactor", "--once"])).stdout.slice(0, 39),
        "nothing is left to compact: 1 job done,"
      )
      assert.strictEqual((yield* jobs)[0]?.status, "completed")
      assert.lengthOf((yield* levels).l0, 2)
      assert.notInclude((yield* slate(["tree"])).stdout, "jobs")
      assert.deepInclude(yield* parsed(["compact", "--submit"]), { plan: { ...(yield* levels), destination: 0 } })
      assert.match(
        (yield* slate(["tree"])).stdout,
        /\nlevel 0 +2 tables, [^,]*, → run 0\n[^]*\nrun 0 +1 table, [^,]*, → run 0\n/
      )
      // What was asked for already is done once.
      const finished = yield* slate(["compact"])
      assert.match(finished.stderr, /^going on with [0-9A-Z]{26}: 2 tables of level 0, run 0 into run 0\n/)
      assert.match(finished.stdout, /^compacted: 1 job done, /)
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      assert.deepStrictEqual(yield* parsed(["compact", "--submit"]), {
        id: null,
        plan: null
      })
    }))

  it("finishes first what was left, and does not do it twice", () =>
    Effect.gen(function* () {
      const { add, levels, parsed, slate } = yield* filled(2)
      const named = (yield* levels).l0.flatMap((id) => ["--l0", id])
      yield* slate(["compact", "--submit", ...named])
      assert.deepInclude(yield* parsed(["compact", ...named]), { completed: 1 })
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      // And then what is more than that.
      yield* add("newer")
      yield* slate(["compact", "--submit", "--l0", (yield* levels).l0[0] ?? ""])
      assert.deepInclude(yield* parsed(["compact"]), {
        plan: { l0: [], runs: [1, 0], destination: 0 },
        completed: 2
      })
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      assert.strictEqual((yield* slate(["get", "a"])).stdout, "newer\n")
    }))

  it("disturbs no writer, and a writer's own compactor does what is submitted", () =>
    Effect.gen(function* () {
      const { at, levels, parsed, slate } = yield* filled(2)
      const store = yield* FileObjectStore.make({ root: (at[1] ?? "").slice("file:".length) })
      const open = Db.make({ path: "db", settings: { flushInterval: "5ms", compactorPollInterval: "10ms" } }).pipe(
        Effect.provideService(ObjectStore, store)
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const db = yield* open
          assert.deepInclude(yield* parsed(["compact"]), { completed: 1 })
          yield* db.put("d", "1")
          yield* db.flush("memtable")
          assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "4\n")
        })
      )
      const db = yield* open
      assert.deepInclude(yield* parsed(["compact", "--submit"]), { plan: { ...(yield* levels), destination: 0 } })
      yield* Effect.repeat(Effect.delay(levels, "10 millis"), { until: ({ l0 }) => l0.length === 0 })
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
      yield* db.put("e", "1")
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "5\n")
    }))
})

describe("compactor", () => {
  it("compacts by its policy until nothing is left", () =>
    Effect.gen(function* () {
      const { levels, parsed, slate } = yield* filled(3)
      const idle = { code: 0, stdout: "nothing is left to compact: 0 jobs done, 0 B written\n", stderr: "" }
      assert.deepStrictEqual(yield* slate(["compactor", "--once"]), idle)
      assert.lengthOf((yield* levels).l0, 3)
      assert.deepInclude(
        yield* parsed(["compactor", "--once", "--min-sources", "2", "--include-size-threshold", "2.5"]),
        { completed: 1 }
      )
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
    }))

  it("takes no more sources than it is told", () =>
    Effect.gen(function* () {
      const { levels, parsed } = yield* filled(4)
      const flags = ["--min-sources", "2", "--max-sources", "2", "--include-size-threshold", "1"]
      assert.deepInclude(yield* parsed(["compactor", "--once", ...flags]), { completed: 3 })
      assert.deepStrictEqual(yield* levels, { l0: [], runs: [0] })
    }))

  it("says by its flag which option is out of bounds", () =>
    Effect.gen(function* () {
      const { slate } = yield* filled(1)
      for (const [flags, says] of [
        [["--min-sources", "1"], "slate: --min-sources: must be a whole number from 2 on.\n"],
        [["--max-sources", "3"], "slate: --max-sources: must be a whole number from minSources on, which is 4.\n"],
        [["--include-size-threshold", "0.5"], "slate: --include-size-threshold: must be a finite number from 1 on.\n"]
      ] as const) {
        assert.deepStrictEqual(yield* slate(["compactor", "--once", ...flags]), { code: 2, stdout: "", stderr: says })
      }
    }))

  it("runs until another one takes over, and says what to do then", () =>
    Effect.gen(function* () {
      const { levels, parsed, slate } = yield* filled(4)
      const env = { SLATEDB_COMPACTOR_POLL_INTERVAL: "10ms" }
      const running = yield* Effect.forkChild(slate(["compactor"], { env }))
      yield* Effect.repeat(Effect.delay(levels, "10 millis"), { until: ({ l0 }) => l0.length === 0 })
      assert.isUndefined(running.pollUnsafe())
      assert.deepInclude(yield* parsed(["compact", "--run", "0"]), { completed: 1 })
      const { code, stderr, stdout } = yield* Fiber.join(running)
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.match(stderr, /^compacting db; Ctrl-C stops, and loses nothing\n/)
      assert.include(
        stderr,
        "slate: another compactor took over this database, so this one stopped; it goes on with what was begun; let one process compact at a time, with compactorEnabled=false in the settings of a writer beside it.\n"
      )
    }))
})

describe("compactions", () => {
  it("lists and shows jobs, for people and for programs", () =>
    Effect.gen(function* () {
      const { jobs, levels, parsed, slate } = yield* filled(2)
      assert.deepStrictEqual(yield* slate(["compactions", "list"]), {
        code: 0,
        stdout: "",
        stderr: "no jobs: there is none, and there was none before\n"
      })
      const { l0 } = yield* levels
      yield* slate(["compact"])
      const { stdout } = yield* slate(["compactions", "list"])
      assert.match(
        stdout,
        /^id +status +outputs +bytes +age +destination +sources\n[0-9A-Z]{26}  completed +1 +\d+ B +[\d.]+ m?s  a new run +2 tables of level 0\n$/
      )
      const [job] = yield* jobs
      assert.deepInclude(job, { status: "completed", sources: { l0, runs: [] }, destination: null, outputs: 1 })
      assert.isBelow(job?.ageMillis ?? Infinity, 60_000)
      const id = job?.id ?? ""
      const shown = (yield* slate(["compactions", "show", id])).stdout
      const lines = shown.split("\n")
      assert.strictEqual(lines[0], `job          ${id}, completed`)
      assert.match(lines[1] ?? "", /^began {8}\d{4}-\d\d-\d\dT\S+Z, [\d.]+ m?s ago$/)
      assert.deepStrictEqual(lines.slice(2, 6), [
        `level 0      ${l0[0]}`,
        `             ${l0[1]}`,
        "runs         none",
        "destination  a new run"
      ])
      assert.match(lines[6] ?? "", /^outputs {6}1 table, \d+ B$/)
      assert.match(lines[7] ?? "", /^ {2}[0-9A-Z]{26} +\d+ B {2}a … c$/)
      const { tables } = (yield* parsed(["compactions", "show", id])) as { readonly tables: ReadonlyArray<unknown> }
      assert.lengthOf(tables, 1)
      const none = yield* slate(["compactions", "show", "X"])
      assert.deepStrictEqual(none, {
        code: 2,
        stdout: "",
        stderr: "slate: there is no job X; run `slate compactions list`; of those that ended one is kept.\n"
      })
    }))

  it("reads only: no compactor is stopped", () =>
    Effect.gen(function* () {
      const { parsed, slate } = yield* filled(2)
      const before = yield* parsed(["manifest", "show"])
      for (const args of [["compactions", "list"], ["compactions", "show", "X"], ["tree"]]) yield* slate(args)
      assert.deepStrictEqual(yield* parsed(["manifest", "show"]), before)
    }))
})

describe("the words of compaction", () => {
  it("are completed by every shell", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish", "powershell"]) {
        const { stdout } = yield* Slate.run(["completions", shell])
        for (const word of ["compactor", "compactions", "min-sources", "include-size-threshold", "submit", "once"]) {
          assert.include(stdout, word, shell)
        }
      }
    }))
})
