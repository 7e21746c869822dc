/**
 * How far a file was loaded, kept beside it: `cities.ndjson.slate-load`.
 *
 * The position is written after the records before it are durable, so it never
 * says too much. A command that is killed in between loads the last batch again,
 * which changes nothing: the same keys get the same values. The note is deleted
 * when the file is done, and ignored when file, store or database are others.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as LineReader from "./LineReader.ts"

export interface LoadPosition {
  /** Where to begin; the start when nothing was loaded. */
  readonly position: LineReader.Position
  /** Bytes of the file. */
  readonly size: number
  readonly save: (position: LineReader.Position) => Effect.Effect<void, PlatformError>
  readonly clear: Effect.Effect<void, PlatformError>
}

const Note = Schema.fromJsonString(
  Schema.Struct({
    store: Schema.String,
    db: Schema.String,
    /** Of the file, to know it again. */
    size: Schema.Int,
    modified: Schema.Int,
    bytes: Schema.Int,
    lines: Schema.Int
  })
)

/** The position in `file` of a load into this database. */
export const open = Effect.fnUntraced(function* (
  file: string,
  target: { readonly store: string; readonly db: string }
): Effect.fn.Return<LoadPosition, PlatformError, FileSystem.FileSystem> {
  const fileSystem = yield* FileSystem.FileSystem
  const notePath = `${file}.slate-load`
  const info = yield* fileSystem.stat(file)
  const size = Number(info.size)
  const modified = Option.match(info.mtime, { onNone: () => 0, onSome: (time) => Math.trunc(time.getTime()) })
  const note = yield* fileSystem
    .readFileString(notePath)
    .pipe(Effect.flatMap(Schema.decodeUnknownEffect(Note)), Effect.option, Effect.map(Option.getOrUndefined))
  const isSame =
    note !== undefined &&
    note.store === target.store &&
    note.db === target.db &&
    note.size === size &&
    note.modified === modified &&
    note.bytes <= size
  return {
    position: isSame ? { bytes: note.bytes, lines: note.lines } : LineReader.start,
    size,
    save: ({ bytes, lines }) =>
      fileSystem.writeFileString(notePath, `${Schema.encodeSync(Note)({ ...target, size, modified, bytes, lines })}\n`),
    clear: fileSystem.remove(notePath, { force: true })
  }
})
