/**
 * What V8 knows of objects that live for one operation outlives full collections, and with it the compiled code. Asked of
 * V8 itself, which tells what code it drops, in a process of its own.
 */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("./support/Collected.ts", import.meta.url))

/** The functions whose compiled code was dropped because an object that it relied on was. */
const droppedWith = (): ReadonlySet<string> => {
  const output = execFileSync(process.execPath, ["--expose-gc", "--trace-deopt", script], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20
  })
  assert.match(output, /^sum=\d+$/m)
  const lines = output.split("\n").filter((line) => line.includes("embedded weak objects cleared"))
  return new Set(lines.map((line) => /<SharedFunctionInfo ([^>]*)>/.exec(line)?.[1] ?? line))
}

it("ranges, scans and batches stay compiled through full collections", () => {
  const dropped = droppedWith()
  assert.isTrue(dropped.has("control"), "without this the trace tells nothing")
  const ours = [
    "chunk",
    "RangeScan",
    "KWayMerge",
    "Ascending",
    "Descending",
    "SsTableCursor",
    "BlockWindow",
    "#nextInRange",
    "EntryChunk",
    "#extend",
    "KeyAndValue",
    "nextKey",
    "isWriteBatch",
    "operations",
    "toRows",
    "BatchRow",
    "appendBatch"
  ]
  assert.deepStrictEqual(
    ours.filter((name) => dropped.has(name)),
    []
  )
})
