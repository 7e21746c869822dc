/** L5: every field of the state has one owner, who alone was given the transition that changes it. */
import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { Generation } from "../../src/internal/lsm/Generation.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import { StateCell } from "../../src/internal/task/StateCell.ts"
import { append, rowOf } from "../internal/lsm/GenerationModel.ts"
import * as SourceTree from "../support/SourceTree.ts"

const newGeneration = () => Generation.make({ hashSeed: 1 })

const newCell = () =>
  new StateCell({ open: newGeneration(), sealed: [], current: { id: 1, manifest: Manifest.empty } }, 0, newGeneration)

/** A batch of one row, as WalFlushTask appends it. */
const write = (cell: StateCell, sequence: number) => {
  append(cell.state.open, rowOf(Uint8Array.of(sequence), sequence))
  cell.wal.publish(sequence)
}

/** Everything that a read captures. */
const fieldsOf = (cell: StateCell) => ({
  open: cell.state.open,
  sealed: cell.state.sealed,
  current: cell.state.current,
  durableSequence: cell.durableSequence,
  visibleSequence: cell.visibleSequence
})

const adopted = (lastL0Sequence: number) => ({ id: 2, manifest: { ...Manifest.empty, lastL0Sequence } })

type Field = keyof ReturnType<typeof fieldsOf>

const transitions: ReadonlyArray<
  readonly [name: string, run: (cell: StateCell) => void, changed: ReadonlyArray<Field>]
> = [
  ["publish", (cell) => write(cell, 3), ["visibleSequence"]],
  ["durable", (cell) => cell.wal.durable(2), ["durableSequence"]],
  ["durable of what is durable", (cell) => cell.wal.durable(0), []],
  ["sealGeneration", (cell) => cell.wal.sealGeneration({ lastWalId: 1, commitPoints: [] }), ["open", "sealed"]],
  ["adoptManifest that covers nothing", (cell) => cell.keeper.adoptManifest(adopted(0)), ["current"]],
  [
    "adoptManifest that covers a memtable",
    (cell) => cell.keeper.adoptManifest(adopted(1)),
    ["sealed", "current", "durableSequence"]
  ]
]

describe("a transition changes the fields of its owner and no other", () => {
  it.each(transitions)("%s", (_, run, expected) => {
    const cell = newCell()
    write(cell, 1)
    cell.wal.sealGeneration({ lastWalId: 1, commitPoints: [] })
    write(cell, 2)
    const before = fieldsOf(cell)
    run(cell)
    const after = fieldsOf(cell)
    const fields: ReadonlyArray<Field> = ["open", "sealed", "current", "durableSequence", "visibleSequence"]
    assert.deepStrictEqual(
      fields.filter((field) => before[field] !== after[field]),
      expected
    )
  })

  it("what is durable stays so", () => {
    const cell = newCell()
    write(cell, 1)
    write(cell, 2)
    cell.wal.durable(2)
    cell.wal.durable(1)
    cell.keeper.adoptManifest(adopted(1))
    assert.strictEqual(cell.durableSequence, 2)
  })

  it("a sealed generation takes no more rows", () => {
    const cell = newCell()
    const { open } = cell.state
    write(cell, 1)
    cell.wal.sealGeneration({ lastWalId: 1, commitPoints: [] })
    assert.throws(() => append(open, rowOf(Uint8Array.of(2), 2)), /sealed/)
  })
})

describe("who uses a capability", () => {
  const root = fileURLToPath(new URL("../../../../", import.meta.url))
  const sources = Object.entries(SourceTree.readSources(root, "packages/core/src"))
  const users = (use: RegExp): ReadonlyArray<string | undefined> =>
    sources
      .filter(([path, text]) => use.test(text) && !path.endsWith("StateCell.ts"))
      .map(([path]) => path.split("/").at(-1))
      .toSorted()

  /** `Writer` only hands functions out. */
  it.each<readonly [what: string, use: RegExp, owners: ReadonlyArray<string>]>([
    ["publishes batches", /\.wal\.publish\b/, ["WalBuffer.ts"]],
    ["makes rows durable", /\.wal\.durable\(/, ["WalFlushTask.ts"]],
    ["seals generations", /\.wal\.sealGeneration\b/, ["WalBuffer.ts"]],
    ["adopts manifests", /\.keeper\.adoptManifest\b/, ["Writer.ts"]],
    ["pins sequence numbers", /\bpins\.(?:add|remove)\b/, ["Writer.ts"]],
    ["makes a state cell", /new StateCell\b/, ["Writer.ts"]],
    ["changes a state by itself", /\bDbState\.(?:adoptManifest|sealGeneration)\b/, []]
  ])("%s", (_, use, owners) => assert.strictEqual(users(use).join(), owners.join()))
})
