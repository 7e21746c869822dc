import { assert, describe, it } from "@effect/vitest"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import * as ManifestInvariants from "../../../src/internal/model/ManifestInvariants.ts"
import type { SsTable, VisibleRange } from "../../../src/internal/model/SsTable.ts"

const key = (text: string): Uint8Array => new TextEncoder().encode(text)

const id = (number: number): string => String(number).padStart(26, "0")

/** Table `number` with keys from `first` to `last`. */
const table = (number: number, first: string, last: string, visibleRange?: VisibleRange): SsTable => ({
  id: id(number),
  viewId: id(number),
  formatVersion: 2,
  visibleRange,
  info: {
    firstEntry: key(first),
    lastEntry: key(last),
    filterOffset: 100,
    filterLength: 10,
    filterFormat: "legacy",
    indexOffset: 110,
    indexLength: 20,
    statsOffset: 130,
    statsLength: 30,
    compression: "none",
    kind: "compacted"
  }
})

const range = (start: VisibleRange["start"] | string, end: VisibleRange["end"] | string): VisibleRange => ({
  start: typeof start === "string" ? { _tag: "Included", key: key(start) } : start,
  end: typeof end === "string" ? { _tag: "Excluded", key: key(end) } : end
})

const withInfo = (number: number, info: Partial<SsTable["info"]>): SsTable => {
  const plain = table(number, "a", "b")
  return { ...plain, info: { ...plain.info, ...info } }
}

const checkpoint: Manifest.Checkpoint = {
  id: "6bc42c16-2198-4823-a6cd-52bd46704f7a",
  manifestId: 3,
  expireTimeSeconds: undefined,
  createTimeSeconds: 1,
  metadata: undefined,
  name: undefined
}

/** A manifest that keeps every law. */
const sound: Manifest.Manifest = {
  ...Manifest.empty,
  writerEpoch: 2,
  compactorEpoch: 1,
  replayAfterWalId: 5,
  walIdLastSeen: 7,
  lastL0Sequence: 50,
  lastL0ClockTick: 1000,
  lastCompactedViewId: id(9),
  l0: [table(12, "a", "z"), table(11, "c", "d"), table(10, "a", "z")],
  runs: [
    { id: 3, tables: [table(5, "a", "f"), table(6, "f", "k"), table(7, "l", "z")] },
    { id: 0, tables: [] }
  ],
  checkpoints: [checkpoint],
  sequenceTracker: { sequences: [1, 9], seconds: [60, 120] }
}

const laws = (violations: ReadonlyArray<ManifestInvariants.Violation>): ReadonlyArray<string> =>
  violations.map((violation) => `${violation.law}: ${violation.says}`)

/** Each law of one manifest, by its first words, with manifests that break it and what is found. */
const broken: ReadonlyArray<readonly [string, Partial<Manifest.Manifest>, string]> = [
  [
    "L6: runs are listed",
    {
      runs: [
        { id: 1, tables: [] },
        { id: 2, tables: [] }
      ]
    },
    "run=1 before run=2"
  ],
  [
    "L6: run ids are unique",
    {
      segments: [{ prefix: key("p"), lastCompactedViewId: undefined, l0: [], runs: [{ id: 3, tables: [] }] }]
    },
    "run=3"
  ],
  ["L6: a table is named once", { l0: [table(12, "a", "b"), table(7, "l", "z")] }, `table=${id(7)}`],
  [
    "L7: the tables of a run",
    { runs: [{ id: 3, tables: [table(6, "f", "k"), table(5, "a", "g")] }] },
    `run=3 table=${id(6)} next=${id(5)}`
  ],
  [
    "L7: the tables of a run",
    { runs: [{ id: 3, tables: [table(5, "a", "g"), table(6, "f", "k")] }] },
    `run=3 table=${id(5)} next=${id(6)}`
  ],
  [
    "L7: the tables of a run",
    { runs: [{ id: 3, tables: [withInfo(5, { firstEntry: key("g"), lastEntry: undefined }), table(6, "f", "k")] }] },
    `run=3 table=${id(5)} next=${id(6)}`
  ],
  ["table: the first key", { l0: [table(12, "b", "a")] }, `table=${id(12)}`],
  ["table: a table of level 0", { l0: [withInfo(12, { kind: "wal" })] }, `table=${id(12)}`],
  ["table: the filter of a table", { l0: [withInfo(12, { filterOffset: 101 })] }, `table=${id(12)}`],
  ["table: the filter of a table", { l0: [withInfo(12, { indexLength: 19 })] }, `table=${id(12)}`],
  ["table: a visible range", { l0: [table(12, "b", "d", range("e", "f"))] }, `table=${id(12)}`],
  ["table: a visible range", { l0: [table(12, "b", "d", range({ _tag: "Unbounded" }, "b"))] }, `table=${id(12)}`],
  [
    "table: a visible range",
    { l0: [table(12, "b", "d", range({ _tag: "Excluded", key: key("b") }, "d"))] },
    `table=${id(12)}`
  ],
  ["L16: a database with tables", { lastL0Sequence: 0 }, "tables=6"],
  ["L16: the WAL is covered", { walIdLastSeen: 4 }, "replayAfterWalId=5 walIdLastSeen=4"],
  ["L9: a checkpoint", { checkpoints: [checkpoint, checkpoint] }, `checkpoint=${checkpoint.id}`],
  ["L9: a checkpoint", { checkpoints: [{ ...checkpoint, manifestId: 0 }] }, `checkpoint=${checkpoint.id} manifestId=0`],
  ["tracker: the points", { sequenceTracker: { sequences: [2, 2], seconds: [1, 2] } }, "sequence=2 after=2"],
  ["tracker: the points", { sequenceTracker: { sequences: [1, 2], seconds: [2, 1] } }, "seconds=1 after=2"],
  ["tracker: the points", { sequenceTracker: { sequences: [1, 2], seconds: [1] } }, "sequences=2 seconds=1"]
]

describe("the laws of a manifest", () => {
  it("are kept by a new one and by a sound one", () => {
    assert.deepStrictEqual(ManifestInvariants.check(Manifest.empty), [])
    assert.deepStrictEqual(ManifestInvariants.check(sound), [])
  })

  it.each(broken)("%s", (law, changed, found) => {
    const violations = ManifestInvariants.check({ ...sound, ...changed })
    assert.deepStrictEqual(
      laws(violations).map((broken) => broken.slice(0, law.length)),
      [law]
    )
    assert.deepStrictEqual(
      violations.map((violation) => violation.found),
      [found]
    )
  })

  it("each have an example that breaks it", () => {
    for (const { law, says } of ManifestInvariants.laws) {
      assert.isTrue(
        broken.some(([start]) => `${law}: ${says}`.startsWith(start)),
        says
      )
    }
  })

  it("allow one key at the border of two tables, and ranges that cut overlapping tables apart", () => {
    const cut = [
      table(5, "a", "m", range({ _tag: "Unbounded" }, "g")),
      table(6, "c", "z", range("g", { _tag: "Unbounded" }))
    ]
    assert.deepStrictEqual(ManifestInvariants.check({ ...sound, runs: [{ id: 3, tables: cut }] }), [])
  })

  it("allow two views of one table that show different ranges", () => {
    const views = [table(5, "a", "z", range("a", "g")), table(5, "a", "z", range("g", { _tag: "Unbounded" }))]
    assert.deepStrictEqual(ManifestInvariants.check({ ...sound, runs: [{ id: 3, tables: views }] }), [])
  })

  it("pass over tables that do not say their keys", () => {
    const unknown = withInfo(5, { firstEntry: undefined, lastEntry: undefined })
    const runs = [{ id: 3, tables: [table(4, "a", "b"), unknown, table(6, "c", "d")] }]
    assert.deepStrictEqual(ManifestInvariants.check({ ...sound, runs }), [])
  })

  it("say what they prevent, on one line", () => {
    assert.strictEqual(
      ManifestInvariants.check({ ...sound, walIdLastSeen: 4 }).join("; "),
      "L16: the WAL is covered no further than its writer knew of it, else rows in WAL objects not yet read " +
        "would be taken for stored: replayAfterWalId=5 walIdLastSeen=4"
    )
  })
})

const names = (...numbers: ReadonlyArray<number>): string => `[${numbers.map(id).join(",")}]`
const [newest, middle, oldest] = [table(12, "a", "z"), table(11, "c", "d"), table(10, "a", "z")]

/** Each law of two manifests, likewise. */
const brokenSuccessions: ReadonlyArray<readonly [string, Partial<Manifest.Manifest>, ReadonlyArray<string>]> = [
  ["L10: epochs", { writerEpoch: 1, compactorEpoch: 0 }, ["writerEpoch=1 was=2", "compactorEpoch=0 was=1"]],
  [
    "L16: what is covered",
    { replayAfterWalId: 4, walIdLastSeen: 6, lastL0Sequence: 49 },
    ["replayAfterWalId=4 was=5", "walIdLastSeen=6 was=7", "lastL0Sequence=49 was=50"]
  ],
  ["L16: the clock", { lastL0ClockTick: 999 }, ["lastL0ClockTick=999 was=1000"]],
  ["L16: the clock", { lastL0ClockTick: undefined }, ["lastL0ClockTick=undefined was=1000"]],
  ["L16: a new table", { l0: [table(13, "a", "b"), ...sound.l0] }, [`table=${id(13)} lastL0Sequence=50`]],
  ["L6: level 0 grows", { l0: [middle, newest, oldest] }, [`was=${names(12, 11, 10)} is=${names(11, 12, 10)}`]],
  [
    "L6: level 0 grows",
    { l0: [newest, oldest], lastCompactedViewId: id(11) },
    [`was=${names(12, 11, 10)} is=${names(12, 10)}`]
  ],
  [
    "L6: level 0 grows",
    { l0: [newest, table(13, "a", "b"), middle, oldest], lastL0Sequence: 51 },
    [`was=${names(12, 11, 10)} is=${names(12, 13, 11, 10)}`]
  ],
  ["L6: tables leave", { l0: [newest] }, [`removed=${id(11)} lastCompactedViewId=${id(9)}`]],
  ["database: it stays", { initialized: false }, ["initialized=false"]],
  ["database: it stays", { hasSeparateWalStore: true }, ["hasSeparateWalStore=true was=false"]]
]

describe("the laws of a manifest and its successor", () => {
  it.each(brokenSuccessions)("%s", (law, changed, found) => {
    const violations = ManifestInvariants.checkSuccession(sound, { ...sound, ...changed })
    assert.deepStrictEqual(
      laws(violations).map((broken) => broken.slice(0, law.length)),
      found.map(() => law)
    )
    assert.deepStrictEqual(
      violations.map((violation) => violation.found),
      found
    )
  })

  it("each have an example that breaks it", () => {
    for (const { law, says } of ManifestInvariants.successionLaws) {
      assert.isTrue(
        brokenSuccessions.some(([start]) => `${law}: ${says}`.startsWith(start)),
        says
      )
    }
  })

  it.each<readonly [string, Partial<Manifest.Manifest>]>([
    ["nothing", {}],
    ["a new writer", { writerEpoch: 3 }],
    ["a flush", { l0: [table(13, "a", "b"), ...sound.l0], replayAfterWalId: 7, lastL0Sequence: 60 }],
    ["a flush without rows", { replayAfterWalId: 7, lastL0Sequence: 60 }],
    ["a covered fence", { replayAfterWalId: 6 }],
    ["a compaction of all of level 0", { l0: [], lastCompactedViewId: id(12), runs: [{ id: 4, tables: [] }] }],
    ["a compaction of its oldest tables", { l0: [newest], lastCompactedViewId: id(11) }],
    [
      "a flush and a compaction",
      { l0: [table(13, "a", "b"), newest], lastCompactedViewId: id(11), lastL0Sequence: 60 }
    ],
    ["a checkpoint", { checkpoints: [] }]
  ])("allow %s", (_, changed) => {
    assert.deepStrictEqual(ManifestInvariants.checkSuccession(sound, { ...sound, ...changed }), [])
  })

  it("allow the first flush of a database", () => {
    const first = { ...Manifest.empty, l0: [table(1, "a", "b")], lastL0Sequence: 1, lastL0ClockTick: 0 }
    assert.deepStrictEqual(ManifestInvariants.checkSuccession(Manifest.empty, first), [])
  })
})
