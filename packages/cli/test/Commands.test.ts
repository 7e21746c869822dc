import * as Db from "@effect-slatedb/core/Db"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it as vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Slate from "./support/Slate.ts"

const it = (name: string, test: () => Effect.Effect<void, unknown, NodeServices.NodeServices | Scope.Scope>): void =>
  vitest.live(name, () => Effect.provide(test(), NodeServices.layer))

/** Makes every object of the database an hour older. */
const age = Effect.fnUntraced(function* (directory: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const hourAgo = Date.now() / 1000 - 3600
  for (const name of yield* fileSystem.readDirectory(`${directory}/store/db`, { recursive: true })) {
    yield* fileSystem.utimes(`${directory}/store/db/${name}`, hourAgo, hourAgo)
  }
})

const done = { code: 0, stdout: "", stderr: "" }

describe("put, get, delete", () => {
  it("write, read and delete", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      assert.deepStrictEqual(yield* slate(["put", "a", "1"]), done)
      assert.deepStrictEqual(yield* slate(["put", "b", "two words"]), done)
      assert.deepStrictEqual(yield* slate(["get", "b"]), { ...done, stdout: "two words\n" })
      assert.deepStrictEqual(yield* slate(["delete", "a", "b", "never"]), done)
      assert.deepStrictEqual(yield* slate(["get", "a"]), {
        code: 3,
        stdout: "",
        stderr: 'slate: there is no key "a".\n'
      })
      assert.deepStrictEqual(yield* slate(["scan", "--count"]), { ...done, stdout: "0\n" })
    }))

  it("take and print bytes in the formats that are said", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      yield* slate(["put", "00ff", "AQI=", "--key", "hex", "--value", "base64"])
      assert.strictEqual((yield* slate(["get", "00ff", "--key", "hex", "--value", "hex"])).stdout, "0102\n")
      assert.strictEqual((yield* slate(["get", "00ff", "--key", "hex"])).stdout, "0x0102\n")
      assert.strictEqual((yield* slate(["scan"])).stdout, "0x00ff  0x0102\n")
      assert.strictEqual(
        (yield* slate(["scan", "--format", "ndjson"])).stdout,
        `{"key":{"hex":"00ff"},"value":"\\u0001\\u0002"}\n`
      )
      const wrong = yield* slate(["get", "xyz", "--key", "hex"])
      assert.deepStrictEqual(wrong, {
        code: 2,
        stdout: "",
        stderr: 'slate: key: "xyz" is not hex; correct it, or say with --key how it is written.\n'
      })
    }))

  it("put reads a value from standard input, as it is", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      assert.deepStrictEqual(yield* slate(["put", "a", "-"], { stdin: "line 1\nline 2\n" }), done)
      assert.strictEqual((yield* slate(["get", "a", "--value", "utf8"])).stdout, "line 1\nline 2\n\n")
    }))

  it("put takes a lifetime", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      assert.deepStrictEqual(yield* slate(["put", "short", "x", "--ttl", "1ms"]), done)
      assert.deepStrictEqual(yield* slate(["put", "long", "x", "--ttl", "2 days"]), done)
      assert.deepStrictEqual(yield* slate(["put", "forever", "x", "--ttl", "none"]), done)
      yield* Effect.sleep("5 millis")
      assert.strictEqual((yield* slate(["scan"])).stdout, "forever  x\nlong     x\n")
      const wrong = yield* slate(["put", "a", "x", "--ttl", "soon"])
      assert.deepStrictEqual(
        [wrong.code, wrong.stderr],
        [2, 'slate: --ttl: "soon" is no duration; give one as 90s or "2 days", or none.\n']
      )
    }))
})

describe("scan", () => {
  const filled = Effect.gen(function* () {
    const database = yield* Slate.temporary
    const stdin = ["a", "b/1", "b/2", "b/3", "c"].map((key) => `${key}\t${key.toUpperCase()}\n`).join("")
    yield* database.slate(["load", "--as", "tsv"], { stdin })
    return database
  })

  it("walks ranges and prefixes, both ways, as far as is asked", () =>
    Effect.gen(function* () {
      const { slate } = yield* filled
      const keys = Effect.fnUntraced(function* (...flags: ReadonlyArray<string>) {
        const { code, stderr, stdout } = yield* slate(["scan", ...flags])
        assert.deepStrictEqual([code, stderr], [0, ""])
        return stdout.split("\n").flatMap((line) => line.split(" ")[0] || [])
      })
      assert.deepStrictEqual(yield* keys(), ["a", "b/1", "b/2", "b/3", "c"])
      assert.deepStrictEqual(yield* keys("--reverse"), ["c", "b/3", "b/2", "b/1", "a"])
      assert.deepStrictEqual(yield* keys("--prefix", "b/"), ["b/1", "b/2", "b/3"])
      assert.deepStrictEqual(yield* keys("--prefix", "b/", "--reverse", "--limit", "2"), ["b/3", "b/2"])
      assert.deepStrictEqual(yield* keys("--from", "b/2", "--to", "c"), ["b/2", "b/3"])
      assert.deepStrictEqual(yield* keys("--prefix", "b/", "--from", "b/2"), ["b/2", "b/3"])
      assert.deepStrictEqual(yield* keys("--limit", "0"), [])
      assert.deepStrictEqual(yield* keys("--count", "--prefix", "b/"), ["3"])
    }))

  it("prints a table, one JSON document, or a line of JSON for each", () =>
    Effect.gen(function* () {
      const { slate } = yield* filled
      assert.strictEqual((yield* slate(["scan", "--limit", "2"])).stdout, "a    A\nb/1  B/1\n")
      const json: unknown = JSON.parse((yield* slate(["scan", "--format", "json"])).stdout)
      const lines = (yield* slate(["scan", "--format", "ndjson"])).stdout.trimEnd().split("\n")
      assert.deepStrictEqual(
        json,
        lines.map((line): unknown => JSON.parse(line))
      )
      assert.deepStrictEqual(JSON.parse((yield* slate(["scan", "--format", "json", "--from", "x"])).stdout), [])
      assert.strictEqual((yield* slate(["scan", "--count", "--format", "ndjson"])).stdout, `{"count":5}\n`)
    }))

  it("refuses a range that ends before it begins", () =>
    Effect.gen(function* () {
      const { slate } = yield* filled
      const { code, stderr } = yield* slate(["scan", "--from", "c", "--to", "a"])
      assert.strictEqual(code, 2)
      assert.include(stderr, "slate: ")
    }))
})

describe("load and dump", () => {
  const records = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `key/${String(i).padStart(6, "0")}`, value: `välue "${i}"\n` }))
  const ndjson = (count: number) =>
    records(count)
      .map((record) => `${JSON.stringify(record)}\n`)
      .join("")

  it("are inverse to each other, in both formats", () =>
    Effect.gen(function* () {
      const { at, file, slate } = yield* Slate.temporary
      const fileSystem = yield* FileSystem.FileSystem
      const input = ndjson(5000)
      yield* fileSystem.writeFileString(file("in.ndjson"), input)
      assert.strictEqual((yield* slate(["load", file("in.ndjson")])).code, 0)
      assert.isTrue((yield* slate(["dump"])).stdout === input, "the dump is the input")
      const tsv = (yield* slate(["dump", "--as", "tsv"])).stdout
      yield* fileSystem.writeFileString(file("in.tsv"), tsv)
      const other = [...at.slice(0, 2), "--db", "other"]
      assert.strictEqual((yield* Slate.run(["load", file("in.tsv"), ...other])).code, 0)
      assert.isTrue((yield* Slate.run(["dump", ...other])).stdout === input, "also by way of tsv")
      assert.strictEqual((yield* slate(["dump", "--prefix", "key/00000", "--as", "tsv"])).stdout.split("\n").length, 11)
    }))

  it("load tells the line that is no record, and goes on behind it", () =>
    Effect.gen(function* () {
      const { file, slate } = yield* Slate.temporary
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.writeFileString(file("in.ndjson"), `${ndjson(3)}nonsense\n`)
      const { code, stderr } = yield* slate(["load", file("in.ndjson")])
      assert.strictEqual(code, 1)
      assert.include(stderr, "slate: line 4 is no record: it is no JSON; ")
    }))

  it("load goes on where the last one stopped", () =>
    Effect.gen(function* () {
      const { at, directory, file, slate } = yield* Slate.temporary
      const fileSystem = yield* FileSystem.FileSystem
      const input = ndjson(100)
      yield* fileSystem.writeFileString(file("in.ndjson"), input)
      // What a load that was killed after 60 lines leaves behind.
      const info = yield* fileSystem.stat(file("in.ndjson"))
      const note = {
        store: at[1] ?? "",
        db: "db",
        size: Number(info.size),
        modified: info.mtime._tag === "Some" ? Math.trunc(info.mtime.value.getTime()) : 0,
        bytes: Buffer.byteLength(input.split("\n").slice(0, 60).join("\n")) + 1,
        lines: 60
      }
      yield* fileSystem.writeFileString(file("in.ndjson.slate-load"), JSON.stringify(note))
      const { code, stderr } = yield* slate(["load", file("in.ndjson")])
      assert.strictEqual(code, 0)
      assert.include(stderr, "going on after line 60")
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "40\n")
      assert.notInclude(yield* fileSystem.readDirectory(directory), "in.ndjson.slate-load")
      // A note about another database is not believed.
      yield* fileSystem.writeFileString(file("in.ndjson.slate-load"), JSON.stringify({ ...note, db: "other" }))
      yield* slate(["load", file("in.ndjson")])
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "100\n")
    }))

  it("load leaves out the first lines of standard input when it is told to", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      assert.strictEqual((yield* slate(["load", "--skip", "7"], { stdin: ndjson(10) })).code, 0)
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "3\n")
    }))

  it("load needs a file that is there", () =>
    Effect.gen(function* () {
      const { file, slate } = yield* Slate.temporary
      const { code, stderr } = yield* slate(["load", file("none.ndjson")])
      assert.strictEqual(code, 1)
      assert.match(stderr, /^slate: cannot \w+ .*none\.ndjson: NotFound; check that it exists and may be used\.\n$/)
    }))
})

describe("flush, manifest, tree, verify, probe", () => {
  const flushed = Effect.gen(function* () {
    const database = yield* Slate.temporary
    yield* database.slate(["load", "--as", "tsv"], { stdin: "ä\t1\nb\t2\nc\t3\n" })
    const flush = yield* database.slate(["flush"])
    assert.deepStrictEqual(flush, { ...done, stderr: "flushed: 1 table in level 0, durable up to sequence 1\n" })
    yield* database.slate(["put", "d", "4"])
    return database
  })

  it("tree draws the log, level 0 and waste", () =>
    Effect.gen(function* () {
      const { slate } = yield* flushed
      const { code, stderr, stdout } = yield* slate(["tree"])
      assert.deepStrictEqual([code, stderr], [0, ""])
      const masked = stdout
        .replace(/[0-9A-Z]{26}/, "<ulid>")
        .replace(/[\d.,]+ (B|KiB)/g, "<size>")
        .replace(/ +/g, " ")
      assert.strictEqual(
        masked,
        [
          "db: manifest 5, writer epoch 3, sequence 2; 11 objects, <size>",
          "",
          "WAL 2 objects not in tables yet, <size>, 1 row",
          " ├─ 4 <size> a fence: a writer opened here",
          " └─ 5 <size> 1 row, sequence 2 to 2",
          "level 0 1 table, <size>",
          " └─ <ulid> <size> ████████ 3 rows",
          " ━━━━━━━━━━━━━━━━━━━━━━━━━━ b … ä",
          "runs none",
          "waste 1 wal, 1 fence, 4 manifest: <size>",
          " the collector would delete none of it now",
          ""
        ].join("\n")
      )
      assert.isTrue(stdout.split("\n").every((line) => [...line].length <= 80))
      const json: unknown = JSON.parse((yield* slate(["tree", "--format", "json"])).stdout)
      assert.deepInclude(json, { manifestId: 5, objects: 11 })
    }))

  it("tree draws tables of decimal keys where their numbers lie", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      for (const range of [0, 1, 2, 3]) {
        const lines = Array.from({ length: 30 }, (_, n) => `key/${String(60 + 30 * range + n).padStart(6, "0")}\tv`)
        yield* slate(["load", "--as", "tsv"], { stdin: lines.join("\n") })
        yield* slate(["flush"])
      }
      const { stdout } = yield* slate(["tree"])
      const bars = Array.from(stdout.matchAll(/[·━]{26}/g), ([bar]) => [bar.indexOf("━"), bar.lastIndexOf("━")])
      // Newest first.
      assert.deepStrictEqual(bars, [
        [19, 25],
        [13, 19],
        [6, 12],
        [0, 6]
      ])
    }))

  it("gc spares what is young, and says in a dry run what it would delete", () =>
    Effect.gen(function* () {
      const { directory, slate } = yield* flushed
      assert.deepStrictEqual(yield* slate(["gc", "--once"]), { ...done, stdout: "deleted 0 objects, 0 B\n" })
      yield* age(directory)
      const dry = yield* slate(["gc", "--once", "--dry-run"])
      assert.strictEqual(dry.code, 0)
      assert.match(
        dry.stdout,
        /^kind +bytes +object +why\nwal +\d+ B +db\/wal\/0+2\.sst +its rows are in tables and no checkpoint replays it\n/
      )
      assert.match(dry.stdout, /\nwould delete 5 objects, [\d.]+ (B|KiB)\n$/)
      assert.include((yield* slate(["tree"])).stdout, "the collector would delete 5 objects now")
      const { objects } = JSON.parse((yield* slate(["gc", "--once", "--json"])).stdout) as {
        readonly objects: ReadonlyArray<{ readonly kind: string }>
      }
      assert.deepStrictEqual(
        objects.map(({ kind }) => kind),
        ["wal", "manifest", "manifest", "manifest", "manifest"]
      )
      assert.strictEqual((yield* slate(["gc", "--once"])).stdout, "deleted 0 objects, 0 B\n")
      assert.match((yield* slate(["gc", "--once", "--kind", "fence"])).stdout, /\ndeleted 1 object, 114 B\n$/)
      assert.strictEqual((yield* slate(["verify"])).code, 0)
      assert.strictEqual((yield* slate(["scan", "--count"])).stdout, "4\n")
    }))

  it("gc refuses an age below three leases, and flags that exclude each other", () =>
    Effect.gen(function* () {
      const { slate } = yield* flushed
      const young = yield* slate(["gc", "--once", "--min-age", "1m"])
      assert.deepStrictEqual(
        [young.code, young.stderr],
        [2, "slate: minAge: must be at least three times leaseDuration, which makes 180s: minAge=60000 millis.\n"]
      )
      const both = yield* slate(["gc", "--once", "--every", "1m"])
      assert.deepStrictEqual([both.code, both.stderr], [2, "slate: --once and --every exclude each other.\n"])
      const wrong = yield* slate(["gc", "--every", "often"])
      assert.deepStrictEqual(
        [wrong.code, wrong.stderr],
        [2, 'slate: --every: "often" is no duration; give one as 90s or "2 days".\n']
      )
    }))

  it("gc goes on for ever where it is not told to stop", () =>
    Effect.gen(function* () {
      const { directory, slate } = yield* flushed
      yield* age(directory)
      const running = yield* Effect.forkChild(slate(["gc", "--every", "10ms"]))
      const fileSystem = yield* FileSystem.FileSystem
      const manifests = Effect.map(
        fileSystem.readDirectory(`${directory}/store/db/manifest`),
        (names) => names.filter((name) => name.endsWith(".manifest")).length
      )
      while ((yield* manifests) > 1) yield* Effect.sleep("5 millis")
      assert.isUndefined(running.pollUnsafe())
      yield* Fiber.interrupt(running)
    }))

  it("checkpoint creates, lists, refreshes and deletes", () =>
    Effect.gen(function* () {
      const { slate } = yield* flushed
      const made = yield* slate(["checkpoint", "create", "--name", "backup", "--lifetime", "1d"])
      assert.match(made.stdout, /^id +manifest +created +expires +name\n[0-9a-f-]{36} +6  \S+Z  \S+Z  backup\n$/)
      const [found] = JSON.parse((yield* slate(["checkpoint", "list", "--format", "json"])).stdout) as ReadonlyArray<{
        readonly id: string
      }>
      const id = found?.id ?? ""
      assert.match((yield* slate(["checkpoint", "create", "--source", id])).stdout, / +6  \S+Z  never\n$/)
      assert.match((yield* slate(["checkpoint", "refresh", id])).stdout, /  never +backup\n$/)
      assert.include((yield* slate(["tree"])).stdout, "pins     2 checkpoints\n ├─ backup  manifest 6, for ever\n")
      assert.deepStrictEqual(yield* slate(["checkpoint", "delete", id]), done)
      assert.strictEqual((yield* slate(["checkpoint", "list", "--name", "backup"])).stdout.split("\n").length, 2)
      assert.deepStrictEqual(yield* slate(["checkpoint", "delete", id]), {
        code: 2,
        stdout: "",
        stderr: `slate: checkpoint: there is no checkpoint ${id} at path=db.\n`
      })
      const wrong = yield* slate(["checkpoint", "create", "--lifetime", "10ms"])
      assert.deepStrictEqual([wrong.code, wrong.stderr.slice(0, 33)], [2, "slate: lifetime: must be a durati"])
      assert.strictEqual((yield* slate(["verify"])).code, 0)
    }))

  it("manifest lists and shows", () =>
    Effect.gen(function* () {
      const { slate } = yield* flushed
      const { stdout } = yield* slate(["manifest", "list"])
      assert.match(stdout, /^id +epoch +compactor +wal +sequence +l0 +runs +checkpoints\n *1 +0/)
      assert.lengthOf(stdout.trimEnd().split("\n"), 6)
      assert.deepInclude(JSON.parse((yield* slate(["manifest", "show"])).stdout), {
        id: 5,
        writerEpoch: 3,
        lastL0Sequence: 1
      })
      assert.deepInclude(JSON.parse((yield* slate(["manifest", "show", "1"])).stdout), { id: 1, writerEpoch: 0 })
      const { code, stderr } = yield* slate(["manifest", "show", "9"])
      assert.deepStrictEqual([code, stderr], [2, "slate: manifest: there is no manifest 9 at path=db.\n"])
    }))

  it("verify finds nothing, and then a flipped byte in each object", () =>
    Effect.gen(function* () {
      const { directory, slate } = yield* flushed
      const fileSystem = yield* FileSystem.FileSystem
      const sound = yield* slate(["verify"])
      assert.strictEqual(sound.code, 0)
      assert.match(sound.stdout, /^examined 11 objects, .*, 7 rows\nnothing is wrong\n$/)
      for (const folder of ["wal", "compacted"]) {
        for (const name of yield* fileSystem.readDirectory(`${directory}/store/db/${folder}`)) {
          const path = `${directory}/store/db/${folder}/${name}`
          const bytes = yield* fileSystem.readFile(path)
          const flipped = bytes.slice()
          flipped[20] = (flipped[20] ?? 0) ^ 4
          yield* fileSystem.writeFile(path, flipped)
          const { code, stderr, stdout } = yield* slate(["verify"])
          assert.strictEqual(code, 1)
          assert.include(stdout, `db/${folder}/${name}: `)
          assert.match(stderr, /^slate: \d faults? found; do not write to this database before the cause is known\.\n$/)
          const json: unknown = JSON.parse((yield* slate(["verify", "--format", "json"])).stdout)
          assert.property(json, "faults")
          yield* fileSystem.writeFile(path, bytes)
        }
      }
    }))

  it("probe says what the store can do", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      const { code, stdout } = yield* slate(["probe"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /^capability +has +what for\ncreate if absent +yes/)
    }))

  it("completions prints a script that knows the commands", () =>
    Effect.gen(function* () {
      for (const shell of ["bash", "zsh", "fish", "powershell"]) {
        const { code, stdout } = yield* Slate.run(["completions", shell])
        assert.strictEqual(code, 0)
        for (const word of ["verify", "prefix", "store"]) assert.include(stdout, word)
        assert.notInclude(stdout, "demo-writer")
      }
    }))
})

describe("the command line", () => {
  it("says in one sentence what is wrong and what to do", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, RegExp]> = [
        [
          ["get", "a"],
          2,
          /^slate: which database is not said: --store is missing; give --store .* or set SLATE_STORE\.\n$/
        ],
        [["get", "a", ...at.slice(0, 2)], 2, /--db is missing; give --db .* or set SLATE_DB\.\n$/],
        [["get", "a", "--store", "data", "--db", "x"], 2, /^slate: --store: "data" is no store; give /],
        [["get", ...at], 2, /^slate: missing required argument: key; see slate get --help\.\n$/],
        [["frobnicate"], 2, /^slate: unknown subcommand "frobnicate" for "slate"; see slate --help\.\n$/],
        [["scna"], 2, /^slate: unknown subcommand "scna" for "slate", did you mean scan; see slate --help\.\n$/],
        [["scan", "--limit", "x", ...at], 2, /^slate: .*limit.*; see slate scan --help\.\n$/],
        [["get", "a", "--format", "xml", ...at], 2, /^slate: .*format.*; see slate get --help\.\n$/],
        [["get", "a", ...at], 2, /^slate: path: there is no database at path=db/],
        [["tree", ...at], 2, /^slate: path: there is no database at path=db\.\n$/],
        [["put", "", "x", ...at], 2, /^slate: key/],
        [["put", "a", "b", ...at.slice(0, 2), "--db", "../x"], 2, /^slate: path: path has a '\.\.' segment\.\n$/]
      ]
      for (const [args, code, says] of cases) {
        const outcome = yield* Slate.run(args)
        assert.match(outcome.stderr, says)
        assert.deepStrictEqual([outcome.code, outcome.stdout], [code, ""], args.join(" "))
        assert.lengthOf(outcome.stderr.trimEnd().split("\n"), 1)
      }
      assert.strictEqual((yield* slate(["put", "a", "b"])).code, 0)
    }))

  it("prints where it happened only for --log-level debug", () =>
    Effect.gen(function* () {
      const { slate } = yield* Slate.temporary
      const { stderr } = yield* slate(["tree", "--log-level", "debug"])
      assert.match(stderr, /^slate: path: there is no database.*\n[^]*\n +at /)
    }))

  it("takes flags from the environment, and the command line over it", () =>
    Effect.gen(function* () {
      const { at } = yield* Slate.temporary
      const env = { SLATE_STORE: at[1] ?? "", SLATE_DB: "db", SLATE_KEY: "hex", SLATE_FORMAT: "ndjson" }
      assert.strictEqual((yield* Slate.run(["put", "61", "1"], { env })).code, 0)
      assert.strictEqual((yield* Slate.run(["scan"], { env })).stdout, `{"key":"61","value":"1"}\n`)
      assert.strictEqual((yield* Slate.run(["scan", "--key", "utf8", "--format", "table"], { env })).stdout, "a  1\n")
    }))

  it("takes settings from a file, and the environment over it", () =>
    Effect.gen(function* () {
      const { at, file, slate } = yield* Slate.temporary
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.writeFileString(file("settings.json"), `{ "compression": "zstd", "blockSizeBytes": 1024 }`)
      const settings = ["--settings", file("settings.json"), ...at]
      yield* Slate.run(["put", "a", "x".repeat(1000), ...settings])
      yield* Slate.run(["flush", ...settings])
      assert.include((yield* slate(["tree"])).stdout, ", zstd")
      yield* Slate.run(["put", "b", "y", ...settings], { env: { SLATEDB_COMPRESSION: "lz4" } })
      yield* Slate.run(["flush", ...settings], { env: { SLATEDB_COMPRESSION: "lz4" } })
      assert.include((yield* slate(["tree"])).stdout, ", lz4")
      assert.strictEqual((yield* slate(["verify"])).code, 0)
      yield* fileSystem.writeFileString(file("settings.json"), `{ "blockSizeBytes": 1000 }`)
      const { code, stderr } = yield* Slate.run(["put", "a", "x", ...settings])
      assert.strictEqual(code, 2)
      assert.strictEqual(
        stderr,
        "slate: settings.blockSizeBytes: must be a power of two from 1024 to 65536: blockSizeBytes=1000.\n"
      )
      const wrong = yield* Slate.run(["put", "a", "x", ...at], { env: { SLATEDB_L0_MAX_SSTS: "0" } })
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.stderr, "must be a whole number from 1 to 100000")
    }))

  it("reading fences nobody, writing fences the other writer", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const store = yield* FileObjectStore.make({ root: (at[1] ?? "").slice("file:".length) })
      const db = yield* Effect.provideService(
        Db.make({ path: "db", settings: { flushInterval: "5ms" } }),
        ObjectStore,
        store
      )
      yield* db.put("a", "1")
      for (const args of [["get", "a"], ["scan"], ["dump"], ["tree"], ["verify"], ["manifest", "list"], ["probe"]]) {
        assert.strictEqual((yield* slate(args)).code, 0, args.join(" "))
      }
      yield* db.put("a", "2")
      assert.strictEqual((yield* slate(["get", "a"])).stdout, "2\n")
      assert.strictEqual((yield* slate(["put", "a", "3"])).code, 0)
      const { reason } = yield* Effect.flip(db.put("a", "4"))
      assert.deepInclude(reason, { _tag: "Closed", kind: "fenced" })
    }))

  it("folds merge operands with the operator that is named", () =>
    Effect.gen(function* () {
      const { at, slate } = yield* Slate.temporary
      const store = yield* FileObjectStore.make({ root: (at[1] ?? "").slice("file:".length) })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const db = yield* Db.make({ path: "db" })
          yield* db.merge("m", "x", { awaitDurable: false })
          yield* db.merge("m", "y")
        })
      ).pipe(Effect.provideService(ObjectStore, store), Effect.provide(MergeOperator.layer(MergeOperator.append)))
      assert.strictEqual((yield* slate(["get", "m", "--merge", "append"])).stdout, "xy\n")
      assert.strictEqual((yield* slate(["get", "m"])).code, 2)
    }))
})
