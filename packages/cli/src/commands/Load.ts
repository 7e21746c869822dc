/**
 * `slate load`: writes the records of a file or of standard input, in batches.
 * A load that was stopped goes on where it was: see `LoadPosition`.
 */
import type * as Db from "@effect-slatedb/core/Db"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Argument, Command, Flag } from "effect/cli"
import * as EntryOutput from "../EntryOutput.ts"
import * as Figures from "../Figures.ts"
import * as LineReader from "../LineReader.ts"
import * as LoadPosition from "../LoadPosition.ts"
import * as Problem from "../Problem.ts"
import * as Progress from "../Progress.ts"
import * as RecordText from "../RecordText.ts"
import * as Screen from "../Screen.ts"
import * as StoreUrl from "../StoreUrl.ts"
import * as Target from "../Target.ts"

/** Writes every record of a file. Stopped half-way, it goes on where it was. */
export const load = Command.make(
  "load",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("NDJSON or TSV; - or nothing: standard input"),
      Argument.withDefault("-")
    ),
    as: Flag.Literals("as", RecordText.formats).pipe(
      Flag.withDescription("How records are written; default: by the name of the file, else ndjson"),
      Flag.optional
    ),
    skip: Flag.Int("skip").pipe(
      Flag.withMetavar("LINES"),
      Flag.withDescription("Leave out the first lines of standard input, to go on after a stop"),
      Flag.withDefault(0)
    )
  },
  Effect.fnUntraced(function* ({ as, file, skip }) {
    const { path, url } = yield* Target.location
    const format = Option.getOrElse(as, () => RecordText.formatOf(file))
    const source =
      file === "-" ? yield* standardInput(skip) : yield* fromFile(file, { store: StoreUrl.print(url), db: path })
    yield* Target.withWriter((db) => writeAll(db, source, format))
  }, Problem.catchAll)
).pipe(
  Command.withDescription("Write the records of a file"),
  Command.withExamples([
    { command: "slate load cities.ndjson", description: 'One {"key":…,"value":…} a line' },
    { command: "zcat dump.tsv.gz | slate load --as tsv", description: "Two fields with a tab between" }
  ])
)

/** Where records come from. */
interface Source {
  readonly lines: Stream.Stream<LineReader.Line, unknown>
  readonly start: LineReader.Position
  /** Bytes, where they are known. */
  readonly size: number | undefined
  readonly save: (position: LineReader.Position) => Effect.Effect<void, unknown>
  readonly done: Effect.Effect<void, unknown>
  /** What to do after a stop. */
  readonly goOn: (position: LineReader.Position) => string
}

const readBytes = 256 * 1024

const fromFile = Effect.fnUntraced(function* (file: string, target: { readonly store: string; readonly db: string }) {
  const fileSystem = yield* FileSystem.FileSystem
  const { clear, position, save, size } = yield* LoadPosition.open(file, target)
  if (position.bytes > 0) {
    yield* Screen.note(`going on after line ${Figures.count(position.lines)}, where the last load of this file stopped`)
  }
  const source: Source = {
    lines: LineReader.lines(fileSystem.stream(file, { offset: position.bytes, chunkSize: readBytes }), position),
    start: position,
    size,
    save,
    done: clear,
    goOn: () => "run the same command again to go on"
  }
  return source
})

const standardInput = Effect.fnUntraced(function* (skip: number) {
  const { stdin } = yield* Stdio.Stdio
  const source: Source = {
    lines: LineReader.lines(stdin).pipe(Stream.filter(({ number }) => number > skip)),
    start: { bytes: 0, lines: skip },
    size: undefined,
    save: () => Effect.void,
    done: Effect.void,
    goOn: ({ lines }) => `give the same input with --skip ${lines} to go on`
  }
  return source
})

/** How often the position moves on: by then everything before it is made durable. */
const saveEveryMillis = 1000

const writeAll = Effect.fnUntraced(function* (db: Db.Db["Service"], source: Source, format: RecordText.Format) {
  const clock = yield* Clock.Clock
  const bytes = yield* EntryOutput.formats
  const progress = yield* Progress.make({ label: "loading", noun: "record" })
  let durable = source.start
  let written = source.start
  let records = 0
  let savedAt = clock.currentTimeMillisUnsafe()
  const makeDurable = Effect.gen(function* () {
    yield* db.flush("wal")
    durable = written
    yield* source.save(durable)
    savedAt = clock.currentTimeMillisUnsafe()
  })
  const write = Effect.fnUntraced(function* (lines: ReadonlyArray<LineReader.Line>) {
    const batch = yield* Effect.fromResult(toBatch(lines, format, bytes))
    if (batch.size > 0) yield* db.write(batch, { awaitDurable: false })
    records += batch.size
    const last = lines.at(-1)
    if (last !== undefined) written = { bytes: last.end, lines: last.number }
    if (clock.currentTimeMillisUnsafe() - savedAt >= saveEveryMillis) yield* makeDurable
    const { warnings } = yield* db.status
    yield* progress.at(records, source.size === undefined ? undefined : written.bytes / source.size, warnings[0])
  })
  yield* source.lines.pipe(
    Stream.runForEachArray(write),
    Effect.andThen(makeDurable),
    Effect.onInterrupt(() =>
      Effect.andThen(
        makeDurable,
        Effect.suspend(() =>
          progress.leave(
            `stopped after ${Figures.counted(durable.lines, "line")}, all durable; ${source.goOn(durable)}`
          )
        )
      )
    )
  )
  yield* source.done
  yield* progress.end(records, source.size === undefined ? undefined : 1)
})

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** One batch: all of these lines become durable together. */
const toBatch = (
  lines: ReadonlyArray<LineReader.Line>,
  format: RecordText.Format,
  bytes: EntryOutput.Formats
): Result.Result<WriteBatch.WriteBatch, Problem.Problem> => {
  let batch = WriteBatch.empty
  for (const line of lines) {
    const record = Result.flatMap(
      Result.try({ try: () => utf8.decode(line.bytes), catch: () => "it is no UTF-8" }),
      (text) => RecordText.parse(format, bytes, text)
    )
    if (Result.isFailure(record)) {
      return Result.fail(
        Problem.failure(
          `line ${line.number} is no record: ${record.failure}`,
          "what stands before it is loaded; correct the line and run the same command again"
        )
      )
    }
    const entry = record.success
    if (entry !== undefined) batch = WriteBatch.put(batch, entry.key, entry.value)
  }
  return Result.succeed(batch)
}
